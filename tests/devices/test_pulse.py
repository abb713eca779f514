"""Volume and mute on a real PulseAudio server of the test's own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import DeviceConfig, DeviceSettingsError, Shared
from devices.capabilities import On
from devices.emulators import PulseServer
from devices.pulse.driver import PulseAudioDevice
from devices.pulse.meter import decibels
from devices.pulse.settings import PulseSettings
from devices.registry import Registry
from tests.devices.stage import QUICK, nothing_left_behind, stage
from wire.devices import Connection, Device, DeviceCommand, Property, Role


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


async def test_all_rooms_have_their_sound_back_when_one_finds_the_server_again(server: PulseServer) -> None:
    """Their pauses have grown apart to half a minute and more; the shortest of all is that of all."""
    grown = replace(QUICK, backoff_first=60.0, backoff_last=60.0, backoff_away=60.0, stable=0.0)
    names = [f"room{number}" for number in range(8)]
    configs = [
        DeviceConfig(name, role, "pulse", name, {"server": server.address, "sink": name})
        for name, role in zip(names, Role, strict=False)
    ]
    async with AsyncExitStack() as stack:
        for name in names:
            await stack.enter_async_context(server.add("sink", name))
        shared = Shared()
        first = await stack.enter_async_context(stage(configs[0], shared=shared))
        others = await stack.enter_async_context(stage(*configs[1:], timing=grown, shared=shared))
        await others.all(Connection.ONLINE)
        await first.online()
        server.fault("silent")
        await others.all(Connection.UNREACHABLE)
        await first.gone()
        server.fault("silent", False)
        await others.all(Connection.ONLINE)


PLACE, SERIAL = "pci-0000:00:14.0-usb-0:3.2:1.0", "Jabra_SPEAK_510_745C4B"
HARDWARE = {"device.bus_path": PLACE, "device.serial": SERIAL}


@pytest.mark.parametrize("told", [{"bus_path": PLACE}, {"serial": SERIAL}, {"bus_path": PLACE, "serial": SERIAL}])
async def test_a_device_is_found_by_its_hardware_whatever_its_name_becomes(
    server: PulseServer, told: dict[str, str]
) -> None:
    config = DeviceConfig("sp", Role.ROOM_SPEAKER, "pulse", "HP", {"server": server.address, "kind": "sink", **told})
    other = server.add("sink", "other", hardware={"device.bus_path": "pci-0000:00:14.0-usb-0:4:1.0"})
    async with other, stage(config) as room:
        async with server.add("sink", "usb.analog-stereo", hardware=HARDWARE) as sink:
            await room.online()
            await room.do("set_volume", volume=0.3)
            assert await sink.volume() == pytest.approx(0.3, abs=0.01)
        await room.gone()
        async with server.add("sink", "usb.iec958-stereo.2", hardware=HARDWARE) as again:
            await room.online()
            await room.shows("volume", 0.3)
            assert await again.volume() == pytest.approx(0.3, abs=0.01)
        assert await other.volume() == 1.0


async def test_a_level_is_measured_only_while_somebody_looks(server: PulseServer) -> None:
    async with server.add("sink", "a.speaker") as sink, stage(speaker(server)) as room:
        await room.online()
        await sink.play()
        await room.do("set_volume", volume=1.0)
        assert room.property("level").reported is None
        assert await listeners(server) == 0
        room.hub.watch(True)
        device = await room.until(lambda device: level(device) > -30)
        assert level(device) <= 0
        assert await listeners(server) == 1
        room.hub.watch(False)
        await room.shows("level", None)
        async with asyncio.timeout(5):  # the server frees a stream that was let go in its own time
            while await listeners(server):
                await asyncio.sleep(0.02)


async def test_a_level_goes_on_after_a_replug(server: PulseServer) -> None:
    async with server.add("sink", "a.speaker") as sink, stage(speaker(server)) as room:
        room.hub.watch(True)
        await room.until(lambda device: level(device) == -90)
        sink.fault("unplugged")
        await room.gone()
        sink.fault("unplugged", False)
        await room.online()
        await sink.play()
        await room.until(lambda device: level(device) > -30)


LISTENERS_COME_AND_GO = """
import asyncio, gc, sys
from pathlib import Path
from devices.emulators import PulseServer
from devices.pulse.link import PulseLink

async def listen(link):
    async for _ in link.peaks("mic", 200):
        pass

async def main(folder):
    async with PulseServer(folder) as server, server.add("source", "mic"), PulseLink.open(server.address) as link:
        for _ in range(40):
            tasks = [asyncio.create_task(listen(link)) for _ in range(6)]
            await asyncio.sleep(0.06)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            tasks.clear()
            gc.collect()

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_the_process_outlives_listeners_that_go_while_sound_comes(tmp_path: Path) -> None:
    """In a process of its own: libpulse would call what no longer is there."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LISTENERS_COME_AND_GO, str(tmp_path))
    assert await process.wait() == 0


async def test_the_echo_is_taken_out_by_the_server_once(server: PulseServer) -> None:
    echo = {"sink": "a.speaker", "source": "clean"}
    config = DeviceConfig(
        "mi", Role.ROOM_MIC, "pulse", "Micro", {"server": server.address, "source": "a.mic", "echo_cancel": echo}
    )
    async with server.add("sink", "a.speaker"), server.add("source", "a.mic"):
        for _ in range(2):  # a restarted agent finds it loaded
            async with stage(config) as room:
                await room.shows("echo_cancel", True)
                assert server.client is not None
                assert "clean" in [source.name for source in await server.client.source_list()]
                modules = [module.name for module in await server.client.module_list()]
                assert modules.count("module-echo-cancel") == 1


async def test_the_echo_is_taken_out_again_when_its_loudspeaker_is_back(
    server: PulseServer, caplog: pytest.LogCaptureFixture
) -> None:
    echo = {"sink": "a.speaker", "source": "clean"}
    settings = {"server": server.address, "source": "a.mic", "echo_cancel": echo}
    async with (
        server.add("source", "a.mic"),
        stage(DeviceConfig("mi", Role.ROOM_MIC, "pulse", "Micro", settings)) as room,
    ):
        for _ in range(2):
            async with server.add("sink", "a.speaker"):
                await room.shows("echo_cancel", True)
            await room.shows("echo_cancel", False)
    assert caplog.text.count("cannot take out the echo") <= 3, "said once each time it goes"


async def test_an_echo_taken_out_into_a_longer_name_is_another(server: PulseServer) -> None:
    settings = {"server": server.address, "source": "a.mic"}
    one, other = {"sink": "a.speaker", "source": "clean2"}, {"sink": "a.speaker", "source": "clean"}
    async with server.add("sink", "a.speaker"), server.add("source", "a.mic"):
        for echo in (one, other):
            config = DeviceConfig("mi", Role.ROOM_MIC, "pulse", "Micro", {**settings, "echo_cancel": echo})
            async with stage(config) as room:
                await room.shows("echo_cancel", True)
        assert server.client is not None
        assert {"clean", "clean2"} <= {source.name for source in await server.client.source_list()}


async def test_a_server_that_cannot_take_out_the_echo_still_gives_the_microphone(server: PulseServer) -> None:
    echo = {"sink": "nowhere"}
    config = DeviceConfig(
        "mi", Role.ROOM_MIC, "pulse", "Micro", {"server": server.address, "source": "a.mic", "echo_cancel": echo}
    )
    async with server.add("source", "a.mic"), stage(config) as room:
        await room.online()
        assert room.property("echo_cancel").reported is False
        assert (await room.do("set_mute", on=True)).outcome == "done"


async def test_what_a_server_has_is_found_by_hardware_or_name(server: PulseServer) -> None:
    async with (
        server.add("sink", "usb", "Jabra", hardware=HARDWARE),
        server.add("source", "a.mic", "Micro"),
    ):
        found = await PulseAudioDevice.found(server.address)
    assert [(one.model, one.settings) for one in found] == [
        ("Jabra", {"kind": "sink", "bus_path": PLACE, "serial": SERIAL}),
        ("Micro", {"source": "a.mic"}),
    ]


async def test_what_was_read_before_a_command_is_not_told_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that was under way when the command was done would look as if somebody had muted it again."""
    told: list[bool] = []
    node = SimpleNamespace(index=7, name="mic", description="mic", mute=True, volume=SimpleNamespace(value_flat=1.0))
    config = DeviceConfig("mic", Role.ROOM_MIC, "pulse", "Mic", {"source": "mic"})
    driver = PulseAudioDevice(config, PulseSettings(source="mic"))
    context = SimpleNamespace(
        heard=lambda _: None, report=lambda name, value: told.append(value) if name == "mute" else None, watched=False
    )
    going, reading = asyncio.Event(), asyncio.Event()

    async def find() -> Any:
        seen = SimpleNamespace(**vars(node))
        if not reading.is_set():
            reading.set()
            await going.wait()
        return seen

    async def call(_: Any) -> None:
        node.mute = False

    for name, value in (
        ("_context", context), ("_listener", SimpleNamespace(index=7)), ("_find", find), ("_call", call),
        ("_meter", SimpleNamespace(tune=lambda _: None)),
    ):  # fmt: skip
        monkeypatch.setattr(driver, name, value, raising=False)
    look = asyncio.create_task(driver.poll(whole=True))
    await reading.wait()
    command = asyncio.create_task(driver.set_mute(On(on=False)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    going.set()
    await asyncio.gather(look, command)
    assert told[-1] is False


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "none is given"),
        ({"sink": "a", "source": "b"}, "more than one"),
        ({"sink": "a", "kind": "sink", "serial": "x"}, "more than one"),
        ({"kind": "sink"}, "needs"),
        ({"serial": "x"}, "needs"),
        ({"sink": "Default"}, "another device"),
        ({"sink": "a", "echo_cancel": {"sink": "b"}}, "out of a source"),
    ],
)
def test_settings_that_name_no_node_or_several_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(DeviceSettingsError, match=problem):
        Registry([PulseAudioDevice]).build([DeviceConfig("x", Role.ROOM_MIC, "pulse", "X", settings)])


@given(st.floats())
def test_any_peak_is_a_level(peak: float) -> None:
    assert -90 <= decibels(peak) <= 0


def test_levels_as_people_know_them() -> None:
    assert [decibels(peak) for peak in (1.0, 0.5, 0.1, 0.0)] == [0, -6, -20, -90]


def level(device: Device) -> float:
    """The level shown, very low when there is none."""
    value = device.properties.get("level", Property()).reported
    return float(value) if isinstance(value, int | float) else -1000.0


async def listeners(server: PulseServer) -> int:
    """How many streams record from the server."""
    assert server.client is not None
    return len(await server.client.source_output_list())


def test_the_monitor_of_a_sink_is_not_the_microphone_at_its_place() -> None:
    meant = PulseSettings(kind="source", bus_path="usb-1")
    microphone = SimpleNamespace(name="mic", proplist={"device.bus_path": "usb-1", "device.class": "sound"})
    monitor = SimpleNamespace(name="sink.monitor", proplist={"device.bus_path": "usb-1", "device.class": "monitor"})
    assert (meant.is_of(microphone), meant.is_of(monitor)) == (True, False)
    assert PulseSettings(source="sink.monitor").is_of(monitor), "who names it means it"
