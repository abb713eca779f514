"""What a room says of a switch."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from devices.hosts import Host
from devices.marks import SECRET

Password = Annotated[str, msgspec.Meta(min_length=8, max_length=128, extra_json_schema=SECRET)]

Number = Annotated[
    str, msgspec.Meta(pattern=r"^[1-9]\d{0,3}$", description="the number printed beside the port, like '7'")
]


class PortSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`interface`: its ifIndex. `power`: group and port of RFC 3621, as `1.3`; without it its power is not touched."""

    interface: Annotated[int, msgspec.Meta(ge=1, le=2147483647)]
    power: (
        Annotated[
            str,
            msgspec.Meta(
                pattern=r"^\d{1,6}\.\d{1,6}$",
                description="the group and the number of the port that gives power, like '1.5'",
            ),
        ]
        | None
    ) = None


class SnmpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`community` for version 2c, or `user` and passwords for version 3. `ports`: only these, by printed number.

    `off`: seconds without power when a port is cycled.
    """

    host: Host
    ports: Annotated[dict[Number, PortSettings], msgspec.Meta(min_length=1)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 161
    community: Annotated[str, msgspec.Meta(max_length=64, extra_json_schema=SECRET)] = ""
    user: Annotated[str, msgspec.Meta(max_length=32, extra_json_schema=SECRET)] = ""
    authentication: Literal["md5", "sha", "sha256"] = "sha"
    password: Password | None = None
    privacy: Password | None = None
    off: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 5.0
