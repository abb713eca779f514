"""Volume and mute on a real PulseAudio server of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devices import DeviceConfig, Shared
from devices.emulators import PulseServer
from tests.devices.stage import nothing_left_behind, stage
from wire.devices import DeviceCommand, Role


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PulseServer]:
    async with nothing_left_behind(), PulseServer(tmp_path, reboot=0.3) as one:
        yield one


def speaker(server: PulseServer, name: str = "a.speaker") -> DeviceConfig:
    return DeviceConfig("sp", Role.ROOM_SPEAKER, "pulse", "HP", {"server": server.address, "sink": name})


def microphone(server: PulseServer, name: str = "a.mic") -> DeviceConfig:
    return DeviceConfig("mi", Role.ROOM_MIC, "pulse", "Micro", {"server": server.address, "source": name})


async def test_speaker_and_microphone_are_set_each_by_its_name(server: PulseServer) -> None:
    async with (
        server.add("sink", "other"),
        server.add("sink", "a.speaker", "Salle d'été") as sink,
        server.add("source", "a.mic") as source,
        stage(speaker(server), microphone(server)) as room,
    ):
        assert (await room.online()).model == "Salle d’été"
        assert (await room.do("set_volume", volume=0.3)).outcome == "done"
        result = await room.hub.execute(DeviceCommand(Role.ROOM_MIC, "set_mute", {"on": True}))
        assert result.outcome == "done"
        assert await sink.volume() == pytest.approx(0.3, abs=0.01)
        assert not await sink.muted()
        assert await source.muted()
        assert room.property("volume").reported == pytest.approx(0.3, abs=0.01)


async def test_a_change_made_at_the_device_is_pushed(server: PulseServer) -> None:
    async with server.add("sink", "a.speaker") as sink, stage(speaker(server)) as room:
        await room.online()
        await sink.turn(0.65)
        await room.shows("volume", 0.65)


async def test_unplugged_is_noticed_at_once_and_the_volume_comes_back_with_it(server: PulseServer) -> None:
    async with server.add("sink", "a.speaker") as sink, stage(speaker(server)) as room:
        await room.online()
        await room.do("set_volume", volume=0.2)
        sink.fault("unplugged")
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.unplugged"
        result = await room.do("set_volume", volume=0.5)
        assert (result.outcome, result.retryable) == ("failed", True)
        sink.fault("unplugged", False)
        await room.shows("volume", 0.5)


async def test_a_device_that_comes_later_is_found(server: PulseServer) -> None:
    async with stage(speaker(server)) as room:
        assert (await room.gone()).fault is not None
        async with server.add("sink", "a.speaker"):
            await room.online()


async def test_rooms_of_one_process_share_one_connection(server: PulseServer) -> None:
    shared = Shared()
    async with (
        server.add("sink", "a.speaker"),
        server.add("source", "a.mic"),
        stage(speaker(server), shared=shared) as one,
        stage(microphone(server), shared=shared) as other,
    ):
        await one.online()
        await other.online()
        assert server.client is not None
        clients = [client.name for client in await server.client.client_list()]
        assert clients.count("roomctl") == 1


async def test_a_server_that_died_by_itself_is_started_again(server: PulseServer) -> None:
    async with server.add("sink", "a.speaker"), stage(speaker(server)) as room:
        await room.online()
        assert server.process is not None
        server.process.kill()
        await room.gone()
        await room.online()
