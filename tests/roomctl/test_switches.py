"""Microphone and camera from everywhere: the panel, a mute key with its light, the device itself, a moderator."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from devices import DeviceConfig, DeviceHub, DeviceRequest
from devices.emulators.hid import HidEmulator
from roomctl.agent import RoomAgent
from roomctl.presses import requested
from roomctl.switches import close_from_afar
from tests.roomctl.conftest import MakeRoom, running
from tests.roomctl.linkserver import LinkServer
from tests.roomctl.rooms import ACCESS, TestRoom
from tests.roomctl.test_agent import press
from wire.devices import Connection, Role, Value
from wire.link import Phase, Prepare
from wire.views import PanelView

PREPARE = Prepare("m1", "", ACCESS)


def key(on: bool | str) -> DeviceRequest:
    return DeviceRequest("mute_button", Role.MUTE_BUTTON, "set_mute", {"on": on})


async def in_meeting(server: LinkServer, room: TestRoom) -> None:
    await server.linked()
    await server.result(await server.command("prepare", PREPARE), "done")
    await room.shows(lambda view: view.phase is Phase.IN_MEETING and view.media.mic)


@pytest.fixture
def room(make_room: MakeRoom) -> TestRoom:
    return make_room(auto=True, after=0.0, extra=(Role.MUTE_BUTTON,))


async def test_a_mute_key_closes_and_opens_what_the_panels_key_does(server: LinkServer, room: TestRoom) -> None:
    async with running(room.agent):
        await in_meeting(server, room)
        assert room.devices.reported(Role.MUTE_BUTTON, "mute") is False
        requested(room.agent, key(True))
        await room.shows(lambda view: not view.media.mic and not view.media.mic_wanted)
        assert not room.media.published.mic
        for role in (Role.ROOM_MIC, Role.MUTE_BUTTON):
            assert room.devices.reported(role, "mute") is True
        requested(room.agent, key(False))
        await room.shows(lambda view: view.media.mic)
        assert room.devices.reported(Role.MUTE_BUTTON, "mute") is False


async def test_the_light_follows_the_panel_the_microphone_and_a_moderator(server: LinkServer, room: TestRoom) -> None:
    def light(view: PanelView) -> Value:
        return view.devices["mute_button"].properties["mute"].reported

    async with running(room.agent):
        await in_meeting(server, room)
        await press(room, "set_mic", on=False)
        await room.shows(lambda view: light(view) is True)
        await press(room, "set_mic", on=True)
        await room.shows(lambda view: light(view) is False)
        room.devices.say(Role.ROOM_MIC, "mute", True)
        await room.shows(lambda view: light(view) is True)
        await press(room, "set_mic", on=True)
        await room.shows(lambda view: light(view) is False and view.media.mic)
        close_from_afar(room.agent, "audio")
        await room.shows(lambda view: light(view) is True and not view.media.mic)


async def test_a_key_opens_nothing_where_there_is_no_call_and_the_light_says_so(
    server: LinkServer, room: TestRoom
) -> None:
    async with running(room.agent):
        await server.linked()
        await room.agent.scene_settled()
        room.devices.say(Role.MUTE_BUTTON, "mute", False)
        requested(room.agent, key(False))
        await room.shows(lambda view: view.devices["mute_button"].properties["mute"].reported is True)
        assert not room.agent.room.switches.mic


@pytest.mark.parametrize(
    "request_", [key("yes"), DeviceRequest("x", Role.MUTE_BUTTON, "set_mute"), DeviceRequest("x", Role.UPS, "dance")]
)
async def test_a_wish_the_room_does_not_know_changes_nothing(
    server: LinkServer, room: TestRoom, request_: DeviceRequest
) -> None:
    async with running(room.agent):
        await in_meeting(server, room)
        before = list(room.devices.commands)
        requested(room.agent, request_)
        assert (await room.shows(lambda view: True)).media.mic
        assert room.devices.commands == before


async def test_a_press_on_a_real_driver_lights_the_key(server: LinkServer, room: TestRoom, tmp_path: Path) -> None:
    async with HidEmulator(tmp_path / "hid") as phone:
        button = DeviceConfig("key", Role.MUTE_BUTTON, "hid", "Touche", {"node": phone.address})
        config = msgspec.structs.replace(room.config, devices=(button,))
        agent = RoomAgent(config, endpoint=room.media)
        assert isinstance(agent.equipment, DeviceHub)
        room.agent, room.media.on_change = agent, agent.changed
        async with running(agent):
            await in_meeting(server, room)
            await room.shows(lambda view: view.devices["key"].connection is Connection.ONLINE)
            await phone.until(lambda: phone.off_hook and not phone.light)
            phone.press()
            await room.shows(lambda view: not view.media.mic_wanted)
            await phone.until(lambda: phone.light)
            phone.press()
            await room.shows(lambda view: view.media.mic_wanted)
            await phone.until(lambda: not phone.light)
