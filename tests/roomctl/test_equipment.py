"""The agent with real drivers and emulated devices: scenes, partial failure, what the panel shows of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest_asyncio

from devices import DeviceConfig, DeviceHub, Timing
from devices.emulators import PjlinkEmulator, ViscaEmulator
from roomctl.agent import RoomAgent
from tests.roomctl.conftest import running
from tests.roomctl.linkserver import LinkServer
from tests.roomctl.rooms import ACCESS, TestRoom
from wire.devices import Connection, Role
from wire.link import Phase, Prepare, Release
from wire.problems import Code

FAST = Timing(connect=1.0, command=0.6, reply=0.1, keepalive=0.1, watched=0.1, idle=0.2, follow=0.3, backoff_first=0.1)


class RealRoom(TestRoom):
    """A room with a camera and a projector."""

    __test__ = False

    def __init__(self, folder: Path, url: str) -> None:
        self.camera = ViscaEmulator()
        self.projector = PjlinkEmulator(warmup=20.0)
        super().__init__(folder, url, auto=True, after=0.0)

    async def plug(self) -> RoomAgent:
        """Start the emulators and make the agent."""
        await self.camera.start()
        await self.projector.start()
        self.config = msgspec.structs.replace(
            self.config,
            devices=(
                _device("camera", Role.MAIN_CAMERA, "visca", self.camera.address, header=True),
                _device("projector", Role.FRONT_DISPLAY, "pjlink", self.projector.address, warmup=20.0),
            ),
        )
        agents: list[RoomAgent] = []
        hub = DeviceHub("x", list(self.config.devices), lambda: agents[0].devices_changed(), timing=FAST)
        agents.append(RoomAgent(self.config, equipment=hub, endpoint=self.media))
        self.agent = agents[0]
        self.media.on_change = self.agent.changed
        return self.agent


def _device(id: str, role: Role, driver: str, address: tuple[str, int], **settings: object) -> DeviceConfig:
    return DeviceConfig(id, role, driver, id, {"host": address[0], "port": address[1], **settings})


@pytest_asyncio.fixture
async def room(server: LinkServer, tmp_path: Path) -> AsyncIterator[RealRoom]:
    """Linked, its devices answer."""
    room = RealRoom(tmp_path, server.url)
    async with running(await room.plug()):
        await server.linked()
        await room.shows(lambda view: all(device.connection is Connection.ONLINE for device in view.devices.values()))
        yield room
    await room.camera.stop()
    await room.projector.stop()


async def test_a_meeting_switches_the_devices_on_and_off(server: LinkServer, room: RealRoom) -> None:
    await room.camera.until(lambda: not room.camera.power)
    done = await server.result(await server.command("prepare", Prepare("m1", "", ACCESS)), "done")
    assert {(result.device, result.outcome) for result in done.devices} == {
        ("projector", "accepted"),
        ("camera", "done"),
    }
    view = await room.shows(lambda view: view.phase is Phase.IN_MEETING and view.media.camera)
    warming = view.devices["projector"].properties["power"]
    assert warming.reported == "warming"
    assert warming.remaining is not None
    await server.command("release", Release("m1", "ended"))
    await room.camera.until(lambda: not room.camera.power)
    assert not room.media.published.connected


async def test_an_unplugged_camera_is_one_failure_among_what_worked(server: LinkServer, room: RealRoom) -> None:
    room.camera.fault("unplugged")
    view = await room.shows(lambda view: view.devices["camera"].connection is Connection.UNREACHABLE)
    assert view.devices["camera"].fault is not None
    done = await server.result(await server.command("prepare", Prepare("m1", "", ACCESS)), "done")
    results = {result.device: result for result in done.devices}
    assert results["projector"].outcome == "accepted"
    assert results["camera"].outcome in ("failed", "timed_out")
    assert results["camera"].code in (Code.DEVICE_UNREACHABLE, Code.DEVICE_TIMED_OUT)
    await room.shows(lambda view: view.phase is Phase.IN_MEETING)
    room.camera.fault("unplugged", False)
    await room.camera.until(lambda: room.camera.power)
    await room.shows(lambda view: view.devices["camera"].connection is Connection.ONLINE)


async def test_an_agent_that_is_taken_away_leaves_nothing_behind(server: LinkServer, tmp_path: Path) -> None:
    room = TestRoom(tmp_path, server.url)
    task = asyncio.create_task(room.agent.run())
    await server.linked()
    await server.result(await server.command("prepare", Prepare("m1", "", ACCESS)), "done")
    before = asyncio.all_tasks() - {task}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    room.devices.say(Role.ROOM_SPEAKER, "volume", 0.1)
    room.media.close()
    await asyncio.sleep(0)
    ours = {left.get_name() for left in asyncio.all_tasks() if left.get_name().startswith("lln-lauzelle")}
    assert ours == set()
    assert not room.agent.link.open
    assert asyncio.all_tasks() <= before
