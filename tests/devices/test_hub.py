"""A room's devices together: by role, side by side, one crash harming only its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec
import pytest

from devices import DeviceConfig, Timing, probe
from devices.capabilities import On, Reply
from devices.context import Context
from devices.driver import Driver, Manifest
from devices.emulators import PjlinkEmulator, ViscaEmulator
from devices.registry import Registry
from tests.devices.stage import QUICK, camera, display, nothing_left_behind, stage
from wire.devices import Connection, DeviceCommand, Role
from wire.problems import Code, Notice

PATIENT = replace(QUICK, reply=1.0, connect=3.0, command=6.0)  # with a device that is slow, on a busy machine


class NoSettings(msgspec.Struct, frozen=True):
    """None."""


class Fragile(Driver[NoSettings]):
    """A third party's driver: crashes when switched off, never answers when switched on."""

    manifest = Manifest("fragile", "0", "Fragile", NoSettings, ("usb",), "tests.devices.test_hub:Fragile")

    async def run(self, context: Context) -> None:
        self._crash = asyncio.Event()
        context.connected(model="Fragile")
        await self._crash.wait()
        raise ZeroDivisionError

    async def poll(self, *, whole: bool) -> None:
        pass

    async def set_power(self, args: On) -> Reply:
        if args.on:
            await asyncio.Event().wait()
        self._crash.set()
        return Reply.DONE


FRAGILE = DeviceConfig("odd", Role.CONTENT_INPUT, "fragile", "Fragile")


def with_fragile() -> Registry:
    registry = Registry.installed()
    registry.add(Fragile)
    return registry


async def test_commands_go_by_role_and_devices_do_not_wait_for_each_other() -> None:
    async with (
        nothing_left_behind(),
        ViscaEmulator() as cam,
        PjlinkEmulator(power="on") as pj,
        stage(camera(cam.address), display(pj.address)) as room,
    ):
        await room.online()
        await room.until(lambda _: room.hub.snapshot()["pj"].connection is Connection.ONLINE)
        pj.fault("silent")
        slow = asyncio.create_task(room.hub.execute(DeviceCommand(Role.FRONT_DISPLAY, "set_mute", {"on": True})))
        assert (await room.do("recall_preset", preset=2)).outcome == "accepted"
        assert not slow.done()
        assert (await slow).outcome in ("failed", "timed_out")
        assert list(room.hub.snapshot()) == ["cam", "pj"]


async def test_what_cannot_be_asked_is_said_at_once() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        missing = await room.hub.execute(DeviceCommand(Role.ROOM_MIC, "set_mute", {"on": True}))
        assert (missing.outcome, missing.code) == ("unsupported", Code.DEVICE_UNKNOWN)
        for op in ("set_volume", "fly"):
            assert (await room.do(op)).code is Code.DEVICE_UNSUPPORTED
        for args in ({"pan": 2}, {"pan": "left"}, {"speed": 1}):
            result = await room.do("move", **args)
            assert (result.outcome, result.code) == ("failed", Code.BAD_REQUEST)
            assert not result.retryable


async def test_a_driver_that_crashes_or_hangs_harms_only_its_device(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        nothing_left_behind(),
        ViscaEmulator() as cam,
        stage(FRAGILE, camera(cam.address), registry=with_fragile()) as room,
    ):
        await room.online()
        assert (await room.do("set_power", on=True)).outcome == "timed_out"
        await room.do("set_power", on=False)
        await room.until(lambda device: device.fault is not None and device.fault.code == "device.driver_crashed")
        result = await room.hub.execute(DeviceCommand(Role.MAIN_CAMERA, "recall_preset", {"preset": 1}))
        assert result.outcome == "accepted"
        await room.online()
    assert "fragile" in caplog.text


async def test_a_room_starts_with_its_good_devices_and_shows_the_others(caplog: pytest.LogCaptureFixture) -> None:
    unknown = DeviceConfig("odd", Role.CONTENT_INPUT, "teleport", "Étrange")
    wrong = DeviceConfig("mic", Role.ROOM_MIC, "pulse", "Micro", {"source": "default"})
    async with (
        nothing_left_behind(),
        ViscaEmulator() as cam,
        stage(unknown, wrong, camera(cam.address), tolerant=True) as room,
    ):
        told = await room.gone()
        assert told.fault == Notice("device.misconfigured", {"device": "Étrange"})
        await room.until(lambda _: room.hub.snapshot()["mic"].fault is not None)
        assert room.hub.is_known("mic")
        await room.until(lambda _: room.hub.snapshot()["cam"].connection is Connection.ONLINE)
        assert (await room.hub.execute(DeviceCommand(Role.MAIN_CAMERA, "stop"))).outcome == "done"
        refused = await room.hub.execute(DeviceCommand(Role.ROOM_MIC, "set_mute", {"on": True}))
        assert (refused.outcome, refused.code) == ("unsupported", Code.DEVICE_UNSUPPORTED)
    assert "no driver is called 'teleport'" in caplog.text
    assert "Use one of: " in caplog.text


async def test_of_two_devices_in_one_role_the_first_holds_it() -> None:
    async with ViscaEmulator() as cam:
        second = msgspec.structs.replace(camera(("127.0.0.1", 9)), id="second")
        async with stage(second, camera(cam.address), second, tolerant=True) as room:
            assert list(room.hub.snapshot()) == ["second", "cam"]
            told = (await room.gone()).fault
            assert told is not None
            assert told.code == "device.misconfigured", "its id is used twice"
            await room.until(lambda _: room.hub.snapshot()["cam"].fault is not None)


async def test_a_newer_command_supersedes_the_waiting_one() -> None:
    async with PjlinkEmulator(power="on", delay=0.1) as pj, stage(display(pj.address), timing=PATIENT) as room:
        await room.shows("input", "hdmi1")
        pj.fault("delay")
        results = await asyncio.gather(*(room.do("set_mute", on=on) for on in (True, False, True, False)))
        assert [one.outcome for one in results].count("superseded") >= 2
        assert results[-1].outcome == "done"
        await room.shows("mute", False)


async def test_a_command_asked_by_someone_who_went_away_leaves_the_device_in_order() -> None:
    async with PjlinkEmulator(power="on", delay=0.1) as pj, stage(display(pj.address), timing=PATIENT) as room:
        await room.online()
        pj.fault("delay")
        asked = asyncio.create_task(room.do("set_mute", on=True))
        await asyncio.sleep(0)
        asked.cancel()
        assert (await room.do("set_blank", on=True)).outcome == "done"


async def test_changes_are_told_once_a_turn_and_not_for_ages() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        await room.shows("zoom", 0)
        before, heard = room.changes, cam.requests
        await cam.until(lambda: cam.requests > heard + 8)
        assert room.changes == before


async def test_a_watched_room_is_asked_more_often_and_an_idle_one_only_cheaply() -> None:
    calm = replace(QUICK, watched=0.1, idle=60.0, keepalive=60.0)
    async with ViscaEmulator() as cam, stage(camera(cam.address), timing=calm) as room:
        await room.shows("zoom", 0)
        heard = cam.requests
        room.hub.watch(True)
        await cam.until(lambda: cam.requests > heard + 8)
        room.hub.watch(False)


def test_an_unplugged_device_is_noticed_within_eight_seconds_by_the_rooms_timing() -> None:
    """Arithmetic over the real durations; the tests' are shorter."""
    timing = Timing()
    assert timing.keepalive + timing.attempts * timing.reply < 8
    assert timing.attempts * timing.reply < timing.command < timing.connect


async def test_a_probe_says_what_answers_and_lets_go() -> None:
    async with nothing_left_behind(), PjlinkEmulator() as pj:
        found = await probe(display(pj.address), timing=QUICK)
        assert (found.connection, found.model) == (Connection.ONLINE, "roomctl Emulator")
        assert pj.commands == []
        pj.fault("unplugged")
        found = await probe(display(pj.address), timing=QUICK)
        assert found.fault is not None
        assert found.fault.code == "device.unreachable"


async def test_a_command_that_timed_out_is_met_later() -> None:
    async with PjlinkEmulator(power="on", delay=0.9) as pj, stage(display(pj.address)) as room:
        await room.online()
        pj.fault("delay")
        assert (await room.do("set_mute", on=True)).outcome in ("timed_out", "failed")
        pj.fault("delay", False)
        await room.shows("mute", True)


async def test_a_device_without_pictures_offers_none() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        await room.online()
        assert room.hub.video(room.config.role) is None
