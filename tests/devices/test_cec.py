"""A television over CEC: waking it without an EDID, what it says and does not say, its audio system, its inputs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from devices import DeviceConfig
from devices.cec.adapter import CecAdapter
from devices.cec.audio import AudioSystem
from devices.cec.driver import CecDisplay
from devices.cec.frames import AUDIO, BROADCAST, TV, UNREGISTERED, Frame, Opcode
from devices.cec.layout import G_LOG_ADDRS
from devices.context import Context
from devices.emulators.cec import CecEmulator
from tests.devices.stage import QUICK, nothing_left_behind, stage
from wire.devices import Connection, Device, Property, Role

INPUTS = {"computer": "self", "laptop": "2.0.0.0"}


@pytest.fixture(autouse=True)
async def tidy() -> AsyncIterator[None]:
    async with nothing_left_behind():
        yield


def television(emulator: CecEmulator, **settings: Any) -> DeviceConfig:
    return DeviceConfig(
        "tv", Role.FRONT_DISPLAY, "cec", "Écran", {"node": emulator.address, "inputs": INPUTS, **settings}
    )


async def test_a_television_without_edid_is_woken_from_the_unregistered_address(tmp_path: Path) -> None:
    async with CecEmulator(tmp_path / "cec", edid_asleep=False) as tv, stage(television(tv)) as room:
        await room.online()
        await room.until(lambda device: device.properties.get("power", Property()).assumed == "off")
        assert room.property("power").reported is None
        assert (await room.do("set_power", on=True)).outcome in ("done", "accepted")
        assert Frame(UNREGISTERED, TV, Opcode.IMAGE_VIEW_ON) in tv.heard
        await room.shows("power", "on")
        assert room.property("power").assumed is None

        assert (await room.do("set_power", on=False)).outcome == "accepted"
        await room.until(lambda device: device.properties["power"].assumed == "off")
        assert room.property("power").reported == "on", "nobody reported it off"


async def test_a_television_whose_edid_comes_back_is_not_lost_while_an_address_is_found(tmp_path: Path) -> None:
    emulator = CecEmulator(tmp_path / "cec", edid_asleep=False, claiming=0.12)
    async with emulator as tv, stage(television(tv)) as room:
        await room.online()
        seen: set[Connection] = set()

        def on(device: Device) -> bool:
            seen.add(device.connection)
            return device.properties.get("power", Property()).reported == "on"

        for _ in range(3):
            await room.do("set_power", on=True)
            await room.until(on)
            tv.power = "off"
            await room.until(lambda device: device.properties["power"].assumed == "off")
            tv.remote()
            await room.until(lambda device: device.properties["power"].assumed is None and on(device))
            await room.do("set_power", on=False)
            await room.until(lambda device: device.properties["power"].assumed == "off")
        assert seen == {Connection.ONLINE}


async def test_what_it_cannot_do_in_this_mode_is_wished_for_later(tmp_path: Path) -> None:
    async with CecEmulator(tmp_path / "cec") as tv, stage(television(tv)) as room:
        await room.shows("power", "off")
        tv.reason = 1  # not in the correct mode to respond
        tv.fault("refuses")
        result = await room.do("set_power", on=True)
        assert (result.outcome, result.retryable) == ("failed", True)
        tv.fault("refuses", False)
        await room.shows("power", "on")


async def test_the_television_is_answered_as_it_expects_of_a_source(tmp_path: Path) -> None:
    def said(opcode: Opcode) -> list[tuple[int, bytes]]:
        return [(one.destination, one.operands) for one in tv.heard if one.opcode == opcode]

    async with CecEmulator(tmp_path / "cec", power="on") as tv, stage(television(tv)) as room:
        await room.shows("power", "on")
        tv.say(Frame(TV, 4, Opcode.GIVE_DEVICE_POWER_STATUS))
        await tv.until(lambda: said(Opcode.REPORT_POWER_STATUS) == [(TV, b"\0")])
        tv.say(Frame(TV, 4, 0x8D, b"\2"))  # Menu Request: query
        await tv.until(lambda: said(Opcode.FEATURE_ABORT) == [(TV, b"\x8d\0")])
        tv.say(Frame(TV, BROADCAST, Opcode.SET_STREAM_PATH, b"\x10\x00"))
        await tv.until(lambda: tv.source == 0x1000)
        await room.shows("input", "computer")


async def test_a_source_that_calls_itself_shown_is_believed_not_reported(tmp_path: Path) -> None:
    async with CecEmulator(tmp_path / "cec", power="on") as tv, stage(television(tv)) as room:
        await room.shows("power", "on")
        tv.say(Frame(8, BROADCAST, Opcode.ACTIVE_SOURCE, b"\x20\x00"))
        await room.until(lambda device: device.properties.get("input", Property()) == Property(assumed="laptop"))


async def test_a_key_is_let_go_when_there_is_no_time_left_to_say_so() -> None:
    line: list[Opcode] = []
    reached = asyncio.Event()

    async def send(destination: int, opcode: Opcode, operands: bytes = b"") -> None:
        if opcode == Opcode.USER_CONTROL_RELEASED:
            reached.set()
            await asyncio.Event().wait()
        line.append(opcode)

    async def ask(*_: object, **__: object) -> Frame:
        return Frame(AUDIO, 4, Opcode.REPORT_AUDIO_STATUS, bytes([20]))

    adapter = SimpleNamespace(send=send, ask=ask, tell=lambda destination, opcode: line.append(opcode))
    audio = AudioSystem(cast(Context, None), cast(CecAdapter, adapter))
    audio.hear(Frame(AUDIO, 4, Opcode.FEATURE_ABORT, bytes([Opcode.SET_AUDIO_VOLUME_LEVEL, 0])))
    task = asyncio.create_task(audio.set_volume(80))
    await reached.wait()
    task.cancel()
    await asyncio.wait({task})
    assert line == [Opcode.USER_CONTROL_PRESSED, Opcode.USER_CONTROL_RELEASED]


async def test_warming_is_shown_as_the_television_says_it(tmp_path: Path) -> None:
    async with CecEmulator(tmp_path / "cec", warmup=0.3) as tv, stage(television(tv)) as room:
        await room.shows("power", "off")
        assert (await room.do("set_power", on=True)).outcome == "accepted"
        await room.shows("power", "warming")
        await room.shows("power", "on")
        assert room.device.model == "LG TV"


async def test_a_remote_control_is_noticed_at_once(tmp_path: Path) -> None:
    async with CecEmulator(tmp_path / "cec", power="on") as tv, stage(television(tv)) as room:
        await room.shows("power", "on")
        tv.power = "off"
        tv.say(Frame(TV, BROADCAST, Opcode.STANDBY))
        await room.shows("power", "off")


async def test_what_another_device_says_of_itself_is_not_said_of_the_television(tmp_path: Path) -> None:
    calm = replace(QUICK, keepalive=60.0, watched=60.0, idle=60.0)  # no poll that would set it right
    async with CecEmulator(tmp_path / "tv", power="on") as tv, stage(television(tv), timing=calm) as room:
        await room.shows("power", "on")
        tv.say(Frame(8, 4, Opcode.REPORT_POWER_STATUS, b"\1"))
        tv.say(Frame(8, BROADCAST, Opcode.STANDBY))
        tv.say(Frame(8, BROADCAST, Opcode.ACTIVE_SOURCE, b"\x20\x00"))
        await room.until(
            lambda device: device.properties.get("input", Property()).assumed is not None
        )  # heard after both
        assert room.property("power").reported == "on"
        tv.say(Frame(TV, BROADCAST, Opcode.STANDBY))
        await room.shows("power", "off")


async def test_inputs_are_announced_and_told_by_the_television(tmp_path: Path) -> None:
    async with CecEmulator(tmp_path / "cec", power="on") as tv, stage(television(tv)) as room:
        await room.shows("power", "on")
        assert (await room.do("select_input", input="laptop")).outcome == "accepted"
        assert tv.source == 0x2000
        assert room.property("input") == Property(desired="laptop", assumed="laptop")
        tv.say(Frame(TV, BROADCAST, Opcode.ROUTING_CHANGE, b"\x20\x00\x10\x00"))
        await room.shows("input", "computer")
        tv.say(Frame(TV, BROADCAST, Opcode.SET_STREAM_PATH, b"\x31\x00"))
        await room.shows("input", "3.1.0.0")
        assert (await room.do("select_input", input="fax")).outcome == "unsupported"


async def test_who_is_shown_says_so_when_asked(tmp_path: Path) -> None:
    async with CecEmulator(tmp_path / "cec", power="on") as tv, stage(television(tv)) as room:
        await room.shows("power", "on")
        await room.do("select_input", input="computer")
        tv.source = 0
        tv.say(Frame(TV, BROADCAST, Opcode.REQUEST_ACTIVE_SOURCE))
        await tv.until(lambda: tv.source == 0x1000)


async def test_an_input_waits_for_a_display_that_sleeps_without_edid(tmp_path: Path) -> None:
    async with CecEmulator(tmp_path / "cec", edid_asleep=False) as tv, stage(television(tv)) as room:
        await room.online()
        assert (await room.do("select_input", input="laptop")).outcome == "accepted"
        assert tv.source == 0
        await room.do("set_power", on=True)
        await tv.until(lambda: tv.source == 0x2000)


@pytest.mark.parametrize(("levels", "reached"), [(True, 43), (False, 44)])
async def test_volume_by_level_or_by_steps(levels: bool, reached: int, tmp_path: Path) -> None:
    emulator = CecEmulator(tmp_path / "cec", power="on", audio=True, levels=levels)
    async with emulator as tv, stage(television(tv)) as room:
        await room.until(lambda device: "volume" in device.capabilities)
        assert (await room.do("set_volume", volume=0.43)).outcome == "done"
        assert tv.volume == reached
        await room.shows("volume", reached / 100)
        for on in (True, True, False):
            assert (await room.do("set_mute", on=on)).outcome == "done"
            assert tv.muted is on
            assert room.property("mute").reported is on


async def test_a_volume_that_steps_cannot_meet_is_let_be_and_may_be_turned_by_hand(tmp_path: Path) -> None:
    emulator = CecEmulator(tmp_path / "cec", power="on", audio=True, levels=False)
    async with emulator as tv, stage(television(tv)) as room:
        await room.until(lambda device: "volume" in device.capabilities)
        assert (await room.do("set_volume", volume=0.46)).outcome == "done"
        await room.until(lambda device: device.properties["volume"].desired is None)
        assert abs(tv.volume - 46) <= 2
        tv.volume = 20
        await room.shows("volume", 0.2)
        await asyncio.sleep(5 * QUICK.watched)  # whole polls
        assert tv.volume == 20


async def test_a_volume_is_not_offered_where_there_is_no_audio_system(tmp_path: Path) -> None:
    async with CecEmulator(tmp_path / "cec", power="on") as tv, stage(television(tv)) as room:
        await room.online()
        assert room.device.capabilities == ["power", "input"]
        assert (await room.do("set_volume", volume=0.5)).outcome == "unsupported"
        tv.audio = True
        await room.until(lambda device: "volume" in device.capabilities)
        tv.say(Frame(AUDIO, BROADCAST, Opcode.REPORT_AUDIO_STATUS, bytes([0x80 | 30])))
        await room.shows("mute", True)
        await room.shows("volume", 0.2)  # the next answer


async def test_a_television_that_mumbles_is_there_and_shows_nothing(tmp_path: Path) -> None:
    async with CecEmulator(tmp_path / "cec", power="on") as tv:
        tv.fault("mumbles")
        # Its silence is told at 0.8 of a try: there is to be time until the end of it.
        patient = replace(QUICK, reply=0.4, connect=4.0, command=6.0)
        async with stage(television(tv), timing=patient) as room:
            await room.online()
            assert (await room.do("set_power", on=True)).outcome == "accepted"
            assert room.property("power").reported is None


class _Contradicting(CecEmulator):
    """Its adapter claims an address that it says it did not claim, when `contradicts`."""

    contradicts = False

    def carry_out(self, request: int, outer: bytes, inner: bytes) -> tuple[bytes, bytes]:
        answer, more = super().carry_out(request, outer, inner)
        return (b"\x4d" + answer[1:] if self.contradicts and request == G_LOG_ADDRS else answer), more


async def test_an_adapter_that_contradicts_itself_is_noticed_though_nobody_asks_anything(tmp_path: Path) -> None:
    async with (
        _Contradicting(tmp_path / "cec", power="on") as tv,
        stage(DeviceConfig("tv", Role.FRONT_DISPLAY, "cec", "Écran", {"node": tv.address})) as room,
    ):
        await room.shows("power", "on")
        tv.contradicts = True
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.garbage"


async def test_a_noisy_line_costs_no_command(tmp_path: Path) -> None:
    emulator = CecEmulator(tmp_path / "cec", power="on", audio=True)
    async with emulator as tv, stage(television(tv)) as room:
        await room.shows("volume", 0.2)
        tv.fault("noise")
        for on in (False, True):
            result = await room.do("set_power", on=on)
            assert result.outcome == "done", result
        assert (await room.do("set_volume", volume=0.43)).outcome == "done"
        assert (await room.do("set_mute", on=True)).outcome == "done"
        assert (await room.do("select_input", input="laptop")).outcome == "accepted"
        assert (tv.power, tv.volume, tv.muted, tv.source) == ("on", 43, True, 0x2000)
        assert room.device.connection is Connection.ONLINE


@pytest.mark.parametrize("placed", [True, False])
async def test_a_place_that_changed_since_we_looked_costs_no_command(placed: bool, tmp_path: Path) -> None:
    rarely = replace(QUICK, keepalive=60.0, idle=60.0)
    before, wanted = ("on", "off") if placed else ("off", "on")
    emulator = CecEmulator(tmp_path / "cec", power=before, edid_asleep=False)
    async with emulator as tv, stage(television(tv), timing=rarely) as room:
        await room.until(lambda device: "power" in device.properties)
        tv.power = wanted  # by a key of its own; with it its EDID comes or goes
        assert (await room.do("set_power", on=placed)).outcome in ("done", "accepted")
        assert tv.power == before


async def test_a_level_that_was_refused_is_not_asked_again(tmp_path: Path) -> None:
    emulator = CecEmulator(tmp_path / "cec", power="on", audio=True, levels=False)
    async with emulator as tv, stage(television(tv)) as room:
        await room.until(lambda device: "volume" in device.capabilities)
        for volume in (0.24, 0.32):
            assert (await room.do("set_volume", volume=volume)).outcome == "done"
        assert sum(frame.opcode == Opcode.SET_AUDIO_VOLUME_LEVEL for frame in tv.heard) == 1


async def test_every_adapter_is_found(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    for name in ("cec1", "cec0", "cecil", "video0"):
        (tmp_path / "dev" / name).touch()
    found = await CecDisplay.discover(1.0, str(tmp_path))
    assert [one.settings["node"] for one in found] == [str(tmp_path / "dev" / name) for name in ("cec0", "cec1")]
