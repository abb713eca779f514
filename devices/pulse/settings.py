"""Which sink or source a room means, said so that it is the same one after each replug."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from devices.config import DeviceConfig, DeviceSettingsError, Mistake
from devices.pulse.link import Kind

Node = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9._:+-]+$",
        description="a name as `pactl list short sinks` (or sources) shows it: letters, digits, '.', '_', ':', '+' and '-'",
    ),
]
Identity = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
REMEDY = (
    "Give the name of one sink or of one source, as `pactl list short sinks` shows it; "
    "or `kind` with `bus_path` or `serial`, as `roomctl devices discover` shows them."
)


def hardware(node: Any) -> tuple[str | None, str | None]:
    """Place and serial number of a node, as PulseAudio and PipeWire (which writes a hyphen) tell them."""
    told = node.proplist
    return told.get("device.bus_path") or told.get("device.bus-path"), told.get("device.serial")


class EchoCancel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Take what `sink` plays out of what this source hears; the clean source is called `source` in the server.

    Only what is played into `SOURCE.sink` (`roomctl.clean.sink`, which goes on to `sink`) can be taken out: the room's
    browser plays there and listens to `source`.
    """

    sink: Node
    source: Node = "roomctl.clean"
    method: Literal["webrtc", "speex"] = "webrtc"


class PulseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sink or a source by its name, which stays over replugging at the same place (`pactl list short sinks`).

    Or by its hardware: `kind` with `bus_path` (its place) or `serial`, or both. `server`: as in PULSE_SERVER.
    """

    sink: Node | None = None
    source: Node | None = None
    kind: Literal["sink", "source"] | None = None
    bus_path: Identity | None = None
    serial: Identity | None = None
    echo_cancel: EchoCancel | None = None
    server: Annotated[str, msgspec.Meta(max_length=256)] | None = None

    @property
    def direction(self) -> Kind:
        """What it is."""
        return "sink" if self.sink is not None or self.kind == "sink" else "source"

    @property
    def which(self) -> str:
        """The node that is meant, in words: its name, else its place, else its serial number."""
        name = self.sink or self.source or f"{self.bus_path or self.serial}"
        return f"{self.direction} {name}" + (f" of {self.server}" if self.server else "")

    def is_of(self, node: Any) -> bool:
        """Whether a node of the server is the one meant."""
        if self.sink is not None or self.source is not None:
            return str(node.name) == (self.sink or self.source)
        place, serial = hardware(node)
        monitor = node.proplist.get("device.class") == "monitor"
        return not monitor and self.bus_path in (None, place) and self.serial in (None, serial)

    def check(self, config: DeviceConfig) -> None:
        """Raises DeviceSettingsError when it names no node, or more than one, or one that changes."""
        told = self.bus_path is not None or self.serial is not None
        ways = [self.sink is not None, self.source is not None, self.kind is not None or told]
        problem, field = "", "settings.sink, settings.source"
        if sum(ways) != 1:
            problem = "more than one is given" if any(ways) else "none is given"
        elif ways[2] and (self.kind is None or not told):
            problem, field = "`kind` needs `bus_path` or `serial`, and they need it", "settings.kind"
        elif "default" in ((self.sink or "").lower(), (self.source or "").lower()):
            problem, field = "'default' is another device after each replug", f"settings.{self.direction}"
        elif self.echo_cancel is not None and self.direction == "sink":
            problem, field = "echo is taken out of a source, not of a sink", "settings.echo_cancel"
        if problem:
            raise DeviceSettingsError([Mistake(config.id, field, problem, REMEDY)])
