"""The demo network is the one of the founding centers."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from demo.layout import Layout, PortTaken
from demo.network import RUNNING_MEETING, network


def test_eight_centers_with_thirty_one_rooms() -> None:
    demo = network()
    assert len(demo.centers) == 8
    assert len({room.id for room in demo.rooms}) == 31
    assert {room.center for room in demo.rooms} == {center.id for center in demo.centers}
    assert set(RUNNING_MEETING) < {room.id for room in demo.rooms}
    assert all(room.id.isascii() for room in demo.rooms)


def test_rooms_have_device_addresses_of_their_own() -> None:
    layout = Layout(7880, Path("data"))
    addresses = {layout.device_host(index) for index in range(31)}
    assert len(addresses) == 31
    assert all(address.startswith("127.") for address in addresses)
    assert addresses.isdisjoint(Layout(28000, Path("data")).device_host(index) for index in range(31))


def test_a_taken_port_is_said_plainly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PortTaken, match="make run PORT="):
            Layout(taken.getsockname()[1], Path("data")).check_ports()
