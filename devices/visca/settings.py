"""What a room says of a VISCA camera."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from devices.hosts import Host

PORTS = {"udp": 52381, "tcp": 5678}
Part = Annotated[float, msgspec.Meta(gt=0, le=1)]
Units = Annotated[int, msgspec.Meta(ge=-32768, le=32767)]
Hex = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^81 01( [0-9A-Fa-f]{2}){1,12} [Ff][Ff]$",
        description="a command from the camera's manual in hexadecimal, from 81 01 to FF, like '81 01 04 7D 02 FF'",
    ),
]
Number = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(\d|[1-9]\d|1[01]\d|12[0-7])$", description="the number of the position, from '0' to '127'"
    ),
]


class Speeds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parts of the fastest."""

    pan: Part = 1.0
    tilt: Part = 1.0
    zoom: Part = 1.0


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In the camera's own units, as its positions are reported."""

    left: Units
    right: Units
    down: Units
    up: Units


class FramingCommands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two messages from the camera's manual, in hexadecimal: `81 01 04 7D 02 FF`."""

    on: Hex
    off: Hex


class ViscaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`header` None: try with the VISCA over IP header, then without. `presets`: number to name.

    `speeds`: the fastest that people may move it, as a part of what it can. `limits`: the furthest it may look, set in the
    camera at each connection. `framing`: its own commands for following people, which differ from maker to maker.
    """

    host: Host
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None  # 52381 for udp, 5678 for tcp
    transport: Literal["udp", "tcp"] = "udp"
    header: bool | None = None
    speeds: Speeds = Speeds()
    limits: Limits | None = None
    framing: FramingCommands | None = None
    presets: dict[Number, str] = {}

    @property
    def at(self) -> int:
        """Its port, the usual one of its transport where none is named."""
        return self.port or PORTS[self.transport]
