"""The directory: lookups, order, neighbours, distances, and networks that contradict themselves."""

from __future__ import annotations

import pytest

from signaling.centers.directory import Directory, DirectoryError, distance
from wire.places import Center, Network, Room
from wire.problems import Code, Refusal

LLN = Center("lln", "Louvain-la-Neuve", 50.668, 4.614)
TOU = Center("tou", "Tournai", 50.606, 3.389)
ROOMS = [
    Room("tou-escaut", "Escaut", "tou", 14),
    Room("lln-lauzelle", "Lauzelle", "lln", 12),
    Room("lln-blocry", "Blocry", "lln", 6),
    Room("lln-hocaille", "Hocaille", "lln", 8),
]


def test_rooms_and_centers_keep_the_order_people_know() -> None:
    directory = Directory(Network([LLN, TOU], ROOMS))
    assert [directory.order(room.id) for room in ROOMS] == [0, 1, 2, 3]
    assert directory.center_order("tou") == 1
    assert directory.center_of("lln-blocry") is LLN


def test_neighbours_come_nearest_in_seats_first() -> None:
    directory = Directory(Network([LLN, TOU], ROOMS))
    assert [room.name for room in directory.neighbours("lln-lauzelle")] == ["Hocaille", "Blocry"]
    assert directory.neighbours("tou-escaut") == []


def test_an_unknown_room() -> None:
    with pytest.raises(Refusal) as refused:
        Directory(Network([LLN], [])).room("atlantis")
    assert refused.value.problem.code is Code.ROOM_UNKNOWN


@pytest.mark.parametrize(
    "network",
    [
        Network([LLN, LLN], []),
        Network([LLN, TOU], [ROOMS[0], ROOMS[0]]),
        Network([LLN], [ROOMS[0]]),
    ],
)
def test_a_network_that_contradicts_itself(network: Network) -> None:
    with pytest.raises(DirectoryError):
        Directory(network)


def test_distances_as_the_crow_flies() -> None:
    assert distance(LLN, LLN) == 0.0
    assert distance(LLN, TOU) == pytest.approx(86.7, abs=0.5)
    assert distance(LLN, TOU) == distance(TOU, LLN)
