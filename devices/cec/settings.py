"""What a room says of its television."""

from __future__ import annotations

from typing import Annotated

import msgspec

Source = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(self|[0-9a-f](\.[0-9a-f]){3})$",
        description="'self' for this computer, or the physical address of an input, like '2.0.0.0'",
    ),
]
Place = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9a-f](\.[0-9a-f]){3}$", description="a physical address on the CEC line, like '2.0.0.0'"
    ),
]


class CecSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`inputs`: name to physical address, `self` for the output this adapter sits on.

    `physical_address` is for adapters that cannot read it (USB ones without EDID).
    """

    node: Annotated[str, msgspec.Meta(min_length=1, max_length=256)] = "/dev/cec0"
    inputs: dict[str, Source] = msgspec.field(default_factory=lambda: {"computer": "self"})
    physical_address: Place | None = None
