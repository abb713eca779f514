"""What devices can do: one small Protocol per capability, and the operations pages and scenes may ask for.

    op              args                                            property        capability
    set_power       on: bool                                        power           power
    select_input    input: str                                      input           input
    set_volume      volume: 0..1                                    volume          volume
    set_mute        on: bool                                        mute            mute
    set_call        on: bool (off hook: in a call)              call            call
    set_blank       on: bool (picture black, device stays on)       blank           blank
    move            pan, tilt, zoom: -1..1 (right, up, closer)      moving          ptz
    stop                                                            moving          ptz
    recall_preset   preset: int                                     preset          presets
    store_preset    preset: int                                                     presets
    set_framing     on: bool (the camera follows people itself)     framing         framing
    wake                                                                            wake
    set_port        port: int, on: bool (link or power of a port)                   ports
    cycle_port      port: int (its power off, then on)                              ports

`power` is reported as `on`, `off`, `warming` or `cooling`. A move ends by itself unless renewed within the lease.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Annotated, Protocol, runtime_checkable

import msgspec

from wire.devices import Value

Speed = Annotated[float, msgspec.Meta(ge=-1, le=1)]
Level = Annotated[float, msgspec.Meta(ge=0, le=1)]
Preset = Annotated[int, msgspec.Meta(ge=0, le=254)]


class Reply(Enum):
    """What a driver says of a command that did not fail."""

    DONE = "done"  # the device said it did it
    ACCEPTED = "accepted"  # the device took it; what it reports later tells the end


class Priority(IntEnum):
    """Order in a device's queue."""

    MOTION = 0
    POWER = 1
    NORMAL = 2


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No arguments; base of those that have some."""


class On(Arguments, frozen=True):
    """On or off."""

    on: bool


class Input(Arguments, frozen=True):
    """An input by the name the device's settings give it."""

    input: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Loudness(Arguments, frozen=True):
    """Linear volume as people see it on the device."""

    volume: Level


class Velocity(Arguments, frozen=True):
    """Speeds as a part of the fastest: positive is right, up, closer."""

    pan: Speed = 0.0
    tilt: Speed = 0.0
    zoom: Speed = 0.0

    @property
    def still(self) -> bool:
        """No motion at all: the same as a stop."""
        return not (self.pan or self.tilt or self.zoom)

    @property
    def axes(self) -> set[str]:
        """Those of `AXES` that it asks to move."""
        return {name for name, parts in AXES.items() if any(getattr(self, part) for part in parts)}


class PresetNumber(Arguments, frozen=True):
    """A stored position."""

    preset: Preset


class Port(Arguments, frozen=True):
    """A port of a switch by its number as printed on it."""

    port: Annotated[int, msgspec.Meta(ge=1, le=4096)]


class PortState(Port, frozen=True):
    """A port, and whether it is to be on."""

    on: bool


@runtime_checkable
class Power(Protocol):
    """Can be switched on and put to standby."""

    async def set_power(self, args: On) -> Reply:
        """Switch on or to standby."""


@runtime_checkable
class InputSelect(Protocol):
    """Shows one of several inputs."""

    async def select_input(self, args: Input) -> Reply:
        """Show this input."""


@runtime_checkable
class Volume(Protocol):
    """Has a volume."""

    async def set_volume(self, args: Loudness) -> Reply:
        """Set the volume."""


@runtime_checkable
class Mute(Protocol):
    """Its sound can be muted."""

    async def set_mute(self, args: On) -> Reply:
        """Mute or unmute."""


@runtime_checkable
class Call(Protocol):
    """Wants to know whether the room is in a call: a speakerphone, whose keys and lights then work."""

    async def set_call(self, args: On) -> Reply:
        """The room is in a call, or is not."""


@runtime_checkable
class Blank(Protocol):
    """Its picture can be made black while it stays on."""

    async def set_blank(self, args: On) -> Reply:
        """Make the picture black, or show it again."""


@runtime_checkable
class Ptz(Protocol):
    """A camera that moves. The framework calls `stop` when a move's lease ends."""

    async def move(self, args: Velocity) -> Reply:
        """Move with these speeds until stopped."""

    async def stop(self, args: Arguments) -> Reply:
        """Stop every motion."""


@runtime_checkable
class Presets(Protocol):
    """A camera that remembers positions."""

    async def recall_preset(self, args: PresetNumber) -> Reply:
        """Go to a stored position."""

    async def store_preset(self, args: PresetNumber) -> Reply:
        """Store the present position."""


@runtime_checkable
class Framing(Protocol):
    """A camera that can follow people by itself."""

    async def set_framing(self, args: On) -> Reply:
        """Frame people by itself, or stay where it is told."""


@runtime_checkable
class Wake(Protocol):
    """Can be woken over the network."""

    async def wake(self, args: Arguments) -> Reply:
        """Wake it; what it does next shows whether it heard."""


@runtime_checkable
class Ports(Protocol):
    """A network switch whose ports can be switched."""

    async def set_port(self, args: PortState) -> Reply:
        """Switch a port on or off."""

    async def cycle_port(self, args: Port) -> Reply:
        """Take the power of a port away and give it back."""


CAPABILITIES: dict[str, type] = {
    "power": Power,
    "input": InputSelect,
    "volume": Volume,
    "mute": Mute,
    "call": Call,
    "blank": Blank,
    "ptz": Ptz,
    "presets": Presets,
    "framing": Framing,
    "wake": Wake,
    "ports": Ports,
}


SENSES: dict[str, tuple[str, ...]] = {
    "occupancy": ("occupied", "people"),  # bool, number of people
    "environment": ("co2", "temperature", "humidity"),  # ppm, degrees Celsius, percent
    "battery": ("battery",),  # percent
    "supply": ("supply", "charge", "runtime", "load"),  # see `KINDS`; percent, seconds, percent
    "video": ("streaming",),  # bool
    "level": ("level",),  # dBFS of the sound now, -90..0
    "lamp": ("lamp_hours",),  # hours the lamp was lit
}
"""What a device only reports: the properties of each such capability."""


AXES: dict[str, tuple[str, ...]] = {"pan_tilt": ("pan", "tilt"), "zoom": ("zoom",)}
"""What of a camera moves; one that has not both says which (`Context.connected`)."""


@dataclass(frozen=True)
class Operation:
    """One operation. `lane`: a queued task of the same lane is superseded by a newer one.

    `changes` is the property it sets; when `persistent` it is applied again after a reconnect (never a motion).
    """

    name: str
    capability: str
    arguments: type[Arguments]
    lane: str
    priority: Priority = Priority.NORMAL
    changes: str | None = None
    persistent: bool = False
    clears: str | None = None  # a wish that this operation makes pointless
    each: str | None = None  # the argument whose every value has a lane of its own

    def lane_of(self, args: Arguments) -> str:
        """The lane of a task with these arguments."""
        return f"{self.lane}:{getattr(args, self.each)}" if self.each else self.lane

    def wanted(self, args: Arguments) -> Value:
        """The value of the changed property that these arguments ask for."""
        match args:
            case On(on=on):
                return ("on" if on else "off") if self.changes == "power" else on
            case Input(input=name):
                return name
            case Loudness(volume=volume):
                return volume
            case PresetNumber(preset=preset):
                return preset
        return None

    def arguments_for(self, value: Value) -> Arguments:
        """The arguments that ask for `value` again: the inverse of `wanted` for persistent operations."""
        on = value == "on" if self.changes == "power" else bool(value)
        if self.arguments is On:
            return On(on=on)
        if self.arguments is Input:
            return Input(input=str(value))
        if self.arguments is Loudness and isinstance(value, int | float):
            return Loudness(volume=float(value))
        raise ValueError(f"{self.name} is not applied again")


def _table(*operations: Operation) -> dict[str, Operation]:
    return {operation.name: operation for operation in operations}


OPERATIONS = _table(
    Operation("set_power", "power", On, "power", Priority.POWER, "power", persistent=True),
    Operation("select_input", "input", Input, "input", changes="input", persistent=True),
    Operation("set_volume", "volume", Loudness, "volume", changes="volume", persistent=True),
    Operation("set_mute", "mute", On, "mute", changes="mute", persistent=True),
    Operation("set_call", "call", On, "call", changes="call", persistent=True),
    Operation("set_blank", "blank", On, "blank", changes="blank", persistent=True),
    Operation("move", "ptz", Velocity, "motion", Priority.MOTION, clears="preset"),
    Operation("stop", "ptz", Arguments, "motion", Priority.MOTION),
    Operation("recall_preset", "presets", PresetNumber, "preset", changes="preset"),
    Operation("store_preset", "presets", PresetNumber, "store", each="preset"),
    Operation("set_framing", "framing", On, "framing", changes="framing", persistent=True),
    Operation("wake", "wake", Arguments, "wake"),
    Operation("set_port", "ports", PortState, "port", each="port"),
    Operation("cycle_port", "ports", Port, "port", each="port"),
)


def capabilities_of(driver: type) -> list[str]:
    """Names of the capabilities a driver class implements."""
    return [name for name, protocol in CAPABILITIES.items() if issubclass(driver, protocol)]
