"""The directory: which centers and rooms there are, in the order people know them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import asin, cos, radians, sin, sqrt
from types import MappingProxyType

from wire.places import Center, Network, Room
from wire.problems import Code, Refusal

EARTH_RADIUS = 6371.0  # km, mean (IUGG)


class DirectoryError(ValueError):
    """The network's description contradicts itself (an id twice, a room of no center)."""


class Directory:
    """Lookups over one frozen `Network`. Raises DirectoryError when it contradicts itself."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.centers: Mapping[str, Center] = MappingProxyType({center.id: center for center in network.centers})
        self.rooms: Mapping[str, Room] = MappingProxyType({room.id: room for room in network.rooms})
        self._order = {room.id: place for place, room in enumerate(network.rooms)}
        self._center_order = {center.id: place for place, center in enumerate(network.centers)}
        self._check()

    def _check(self) -> None:
        if len(self.centers) != len(self.network.centers):
            raise DirectoryError("two centers have the same id")
        if len(self.rooms) != len(self.network.rooms):
            raise DirectoryError("two rooms have the same id")
        for room in self.network.rooms:
            if room.center not in self.centers:
                raise DirectoryError(f"room {room.id} is of center {room.center}, which does not exist")

    def room(self, room: str) -> Room:
        """The room of this id. Raises Refusal(room_unknown)."""
        found = self.rooms.get(room)
        if found is None:
            raise Refusal(Code.ROOM_UNKNOWN, f"there is no room {room[:64]!r}", room=room[:64])
        return found

    def center_of(self, room: str) -> Center:
        """The center a room belongs to. Raises Refusal(room_unknown)."""
        return self.centers[self.room(room).center]

    def order(self, room: str) -> int:
        """The room's place in stable lists."""
        return self._order[room]

    def center_order(self, center: str) -> int:
        """The center's place in stable lists."""
        return self._center_order[center]

    def neighbours(self, room: str) -> list[Room]:
        """The other rooms of its center, the closest in seats first, then in the known order."""
        mine = self.room(room)
        others = [other for other in self.network.rooms if other.center == mine.center and other.id != room]
        return sorted(others, key=lambda other: (abs(other.seats - mine.seats), self._order[other.id]))


def distance(a: Center, b: Center) -> float:
    """Great-circle distance in km (haversine formula)."""
    north_a, north_b = radians(a.latitude), radians(b.latitude)
    half_north = sin((north_b - north_a) / 2)
    half_east = sin(radians(b.longitude - a.longitude) / 2)
    return 2 * EARTH_RADIUS * asin(sqrt(half_north**2 + cos(north_a) * cos(north_b) * half_east**2))
