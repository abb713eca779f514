"""A speakerphone's own keys in its room: the receiver takes and ends calls, the volume keys turn the room's volume."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from devices import DeviceConfig, DeviceHub, DeviceRequest
from devices.emulators.hid import HidEmulator
from roomctl.agent import RoomAgent
from roomctl.presses import STEP, requested
from tests.roomctl.conftest import MakeRoom, running
from tests.roomctl.linkserver import LinkServer
from tests.roomctl.rooms import ACCESS, TestRoom
from wire.devices import Connection, Role
from wire.link import Phase, Prepare, Request, Ring

PREPARE = Prepare("m1", "", ACCESS)


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[HidEmulator]:
    async with HidEmulator(tmp_path / "hid", needs_call=True) as one:
        yield one


@pytest.fixture
def room(make_room: MakeRoom, phone: HidEmulator) -> TestRoom:
    """A room whose only device is the phone."""
    room = make_room()
    key = DeviceConfig("key", Role.MUTE_BUTTON, "hid", "Touche", {"node": phone.address})
    agent = RoomAgent(msgspec.structs.replace(room.config, devices=(key,)), endpoint=room.media)
    assert isinstance(agent.equipment, DeviceHub)
    room.agent, room.media.on_change = agent, agent.changed
    return room


async def linked(server: LinkServer, room: TestRoom) -> None:
    await server.linked()
    await room.shows(lambda view: view.devices["key"].connection is Connection.ONLINE)


async def ring(server: LinkServer, room: TestRoom) -> None:
    await server.result(await server.command("ring", Ring("m1", "leu-senne", "Senne", 2e9)), "done")
    await room.shows(lambda view: view.phase is Phase.RINGING)


async def test_a_phone_is_off_hook_from_the_call_to_its_end(
    server: LinkServer, room: TestRoom, phone: HidEmulator
) -> None:
    async with running(room.agent):
        await linked(server, room)
        await server.result(await server.command("prepare", PREPARE), "done")
        await phone.until(lambda: phone.off_hook)
        await room.shows(lambda view: view.phase is Phase.IN_MEETING)
        phone.hook()
        await room.shows(lambda view: view.phase is Phase.IDLE)
        await phone.until(lambda: not phone.off_hook)


async def test_a_phone_taken_off_its_hook_answers(server: LinkServer, room: TestRoom, phone: HidEmulator) -> None:
    async with running(room.agent):
        await linked(server, room)
        await ring(server, room)
        phone.hook()
        await room.shows(lambda view: view.phase is Phase.PREPARING)
        await server.said(lambda said: isinstance(said, Request) and said.op == "answer")
        await phone.until(lambda: phone.off_hook)


async def test_a_phone_taken_off_its_hook_when_nobody_calls_is_put_back(
    server: LinkServer, room: TestRoom, phone: HidEmulator
) -> None:
    async with running(room.agent):
        await linked(server, room)
        phone.hook()
        assert phone.lifted
        await phone.until(lambda: not phone.lifted and not phone.off_hook)
        assert room.agent.room.phase is Phase.IDLE


async def test_volume_keys_turn_the_volume_of_the_room(server: LinkServer, make_room: MakeRoom) -> None:
    room = make_room()

    def turned(up: bool | str) -> None:
        requested(room.agent, DeviceRequest("key", Role.MUTE_BUTTON, "step_volume", {"up": up}))

    async with running(room.agent):
        await server.linked()
        room.agent.known.volume_wanted = 1.0 - STEP / 2
        for _ in range(3):
            turned(True)
        await room.shows(lambda view: view.media.volume == 1.0)
        turned(False)
        await room.shows(lambda view: view.media.volume == round(1.0 - STEP, 2))
        turned("loud")
        assert room.agent.known.volume_wanted == round(1.0 - STEP, 2)
