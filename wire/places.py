"""Centers and rooms as the directory knows them."""

from __future__ import annotations

from typing import Literal

import msgspec

Equipment = Literal["board", "meeting", "huddle"]


class Center(msgspec.Struct, frozen=True, omit_defaults=True):
    """One work center. `latitude`/`longitude` in degrees WGS 84; `contact` is who can help on site."""

    id: str
    name: str
    latitude: float
    longitude: float
    operator: str = ""
    timezone: str = "Europe/Brussels"
    language: str = "fr"
    contact: str = ""


class Room(msgspec.Struct, frozen=True, omit_defaults=True):
    """One equipped meeting room of a center."""

    id: str
    name: str
    center: str
    seats: int
    equipment: Equipment = "meeting"


class Network(msgspec.Struct, frozen=True, omit_defaults=True):
    """All centers run together; `centers` and `rooms` in the order people know them."""

    centers: list[Center]
    rooms: list[Room]
