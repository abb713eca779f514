"""What a driver is: a manifest, a connection it owns, and commands it can execute.

The framework around it (`devices.runner`) owns the queue, deadlines, back-off, pacing, polling and the move lease, so
that a driver only speaks its protocol.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, Literal, cast

import msgspec

from devices.capabilities import Arguments, Operation, Reply, capabilities_of
from devices.config import DeviceConfig, Settings
from devices.context import Context
from devices.discovery import Found
from devices.properties import Kind
from devices.sharing import Shared

Transport = Literal["udp", "tcp", "unix", "usb", "serial", "http", "kernel"]


@dataclass(frozen=True)
class Manifest:
    """What a driver says of itself. `spacing`: shortest time in seconds between two exchanges with the device.

    `emulator` names the class that speaks the device's side of the wire, as `module:Class`. `overtakes`: `stop` may be called
    while `move` has not returned, once the move's lease is over: a slow camera then stops in time, and its answer counts.
    """

    id: str
    version: str
    title: str
    settings: type[msgspec.Struct]
    transports: tuple[Transport, ...]
    emulator: str
    spacing: float = 0.0
    overtakes: bool = False

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the settings."""
        return msgspec.json.schema(self.settings)


Name = Annotated[str, msgspec.Meta(max_length=256)]


class Facts(msgspec.Struct, frozen=True):
    """What one driver says of its device before it dials."""

    capabilities: Annotated[list[Name], msgspec.Meta(max_length=64)]
    inputs: Annotated[list[Name], msgspec.Meta(max_length=256)]
    presets: Annotated[dict[Name, Name], msgspec.Meta(max_length=256)]
    address: Name | None
    ports: Annotated[list[int], msgspec.Meta(max_length=256)] = []
    reports: Annotated[dict[Name, Name | list[Name]], msgspec.Meta(max_length=64)] = {}


class Driver(ABC, Generic[Settings]):
    """Base of every driver; capabilities are the Protocols of `devices.capabilities` that a subclass implements."""

    manifest: ClassVar[Manifest]
    apart = False  # runs on a thread and event loop of its own: every driver that a package adds
    facts: Facts | None = None  # of a driver that runs apart: what it said, on a thread of its own, and was checked
    senses: ClassVar[tuple[str, ...]] = ()  # capabilities that only report: names of `devices.capabilities.SENSES`

    reports: ClassVar[Mapping[str, Kind]] = {}
    """Properties beside those of its capabilities, so that rules may wait for them: `truth`, `number`, `text`, or words."""

    def __init__(self, config: DeviceConfig, settings: Settings) -> None:
        self.config = config
        self.settings = settings

    @classmethod
    def capabilities(cls) -> list[str]:
        """What this kind of device can do."""
        return [*capabilities_of(cls), *cls.senses]

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        """Devices of this kind that answer within `seconds`, where the protocol has a search; else none.

        It changes nothing on any device.
        """
        return []

    tells_inputs: ClassVar[bool] = False  # which it has, perhaps only once it was on

    answers_within: ClassVar[float] = 0.0
    """Seconds that such a device may take to answer a search, by its specification, where that is long."""

    place: ClassVar[type[msgspec.Struct] | None] = None  # what must be told to search for devices of this kind
    unfound: ClassVar[str] = ""  # why no search finds them by itself, in a sentence, and what to do instead

    @classmethod
    async def discover_at(cls, place: Any, seconds: float) -> list[Found]:
        """Devices at the `place` that the installer names; raises a DeviceError. It changes nothing on any device."""
        return []

    @property
    def address(self) -> str | None:
        """What only one device of a room may use, with its values as they are set (`tcp HOST:PORT`, `node PATH`).

        A third word is the part of it that the device uses (`tcp HOST:PORT STREAM`): others of this driver may use other
        parts. None when several may share what it uses.
        """
        return None

    async def attend(self, shared: Shared, nudge: Callable[[], None]) -> None:
        """Hear what comes outside of the connection (notifications), for as long as the device is run.

        `nudge` makes the framework ask the device at once, or dial it when it is gone. Ends when there is nothing to hear.
        """

    @property
    def inputs(self) -> list[str]:
        """Names of the inputs people may choose."""
        return []

    @property
    def presets(self) -> dict[str, str]:
        """Number to name of the positions people may choose."""
        return {}

    @property
    def ports(self) -> list[int]:
        """Numbers of the switch ports that may be named."""
        return []

    def said(self) -> Facts:
        """What it says now."""
        reports = {name: kind if isinstance(kind, str) else list(kind) for name, kind in self.reports.items()}
        return Facts(self.capabilities(), self.inputs, self.presets, self.address, self.ports, reports)

    @abstractmethod
    async def run(self, context: Context) -> None:
        """Open the connection, call `context.connected`, hold it; raise a DeviceError when it ends. Cancel to close."""

    @abstractmethod
    async def poll(self, *, whole: bool) -> None:
        """Ask the device and report: `whole` for every property, else the cheapest proof of life."""

    async def execute(self, operation: Operation, args: Arguments) -> Reply:
        """Run one operation; returns or raises a DeviceError. The framework holds the deadline."""
        method = cast(Callable[[Arguments], Awaitable[Reply]], getattr(self, operation.name))
        return await method(args)
