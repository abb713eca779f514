"""Settings of a PJLink device."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from devices.hosts import Host
from devices.marks import SECRET

Seconds = Annotated[float, msgspec.Meta(ge=0, le=600)]

Input = Annotated[
    str,
    msgspec.Meta(
        pattern="^[1-6][1-9A-Z]$",
        description="the kind of input (1 RGB, 2 video, 3 digital, 4 storage, 5 network, 6 internal) and its number "
        "(1 to 9, A to Z), like '31' for the first digital one",
    ),
]


class PjlinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`inputs`: name to PJLink input (`31` is the first digital one); none: all that the projector says it has.

    `authentication`: `sha256` of a device that is set to it (2.10); others take the question for a wrong password.
    `warmup`, `cooldown`: seconds, then learned.

    `listen`: UDP port (4352) where the notifications of a class 2 device come, once it was told this machine's address.
    """

    host: Host
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 4352
    password: Annotated[str, msgspec.Meta(max_length=32, extra_json_schema=SECRET)] = ""
    authentication: Literal["md5", "sha256"] = "md5"
    inputs: dict[str, Input] = {}
    warmup: Seconds = 30.0
    cooldown: Seconds = 60.0
    listen: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
