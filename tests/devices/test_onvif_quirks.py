"""ONVIF cameras that other programs take: slow ones, and those that refuse a question which others answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from devices.emulators import onvif_answers as answers
from devices.emulators.onvif import OnvifEmulator
from devices.onvif.camera import OnvifCamera, Profile
from devices.onvif.settings import OnvifSettings
from tests.devices.cases.onvif import camera
from tests.devices.stage import QUICK, Stage, nothing_left_behind, stage
from wire.devices import Connection, Device

SLOW = 0.3  # seconds: longer than a try of 0.15 s, much shorter than the patience of 3 s
PATIENT = replace(QUICK, attempts=20, connect=3.0, command=6.0)
ONCE = replace(PATIENT, backoff_away=60)


@asynccontextmanager
async def room_with(timing: Any = PATIENT, **quirks: Any) -> AsyncIterator[tuple[OnvifEmulator, Stage]]:
    async with (
        nothing_left_behind(),
        OnvifEmulator(password="secret", **quirks) as one,
        stage(camera(one), timing=timing) as room,
    ):
        yield one, room


# --- slow -----------------------------------------------------------------------------------------------------------


async def test_a_camera_slower_than_a_try_comes_online_is_asked_once_and_obeys_once() -> None:
    async with nothing_left_behind(), OnvifEmulator(password="secret", delay=SLOW) as one:
        one.fault("delay")
        async with stage(camera(one), timing=PATIENT) as room:
            await room.online()
            assert one.requests == 5, "each question once"
            assert (await room.do("recall_preset", preset=1)).outcome == "accepted"
            assert one.commands == ["GotoPreset 1"]


@pytest.mark.parametrize("clock", [0.0, 3600.0])
async def test_a_slow_camera_is_shown_a_wrong_password_once(clock: float) -> None:
    async with nothing_left_behind(), OnvifEmulator(password="secret", delay=SLOW, clock_offset=clock) as one:
        one.fault("delay")
        async with stage(camera(one, password="wrong"), timing=ONCE) as room:
            device = await room.gone()
            assert device.fault is not None
            assert device.fault.code == "device.password"
            assert one.refused == 1
            room.hub.watch(True)
            await asyncio.sleep(1.0)
            assert one.refused == 1, "not dialled again as any other"


async def test_a_slow_camera_that_falls_silent_after_it_refused_us_has_refused_us() -> None:
    class Sulking(OnvifEmulator):
        def sent(self, answer: bytes) -> tuple[bytes, ...]:
            if b"NotAuthorized" in answer:
                self.fault("silent")
                return (answer,)
            return super().sent(answer)

    async with (
        nothing_left_behind(),
        Sulking(password="secret") as one,
        stage(camera(one, password="wrong"), timing=ONCE) as room,
    ):
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.password"


async def test_a_move_that_a_slow_camera_takes_is_done_and_is_stopped_when_its_lease_is_over() -> None:
    """It answers later than the lease of 0.25 s; the stop does not wait for that."""

    class Slow(OnvifEmulator):
        """It says that it moves only when it was told to stop."""

        async def _respond(self, request: web.Request) -> web.StreamResponse:
            answer = await super()._respond(request)
            if b"ContinuousMove" in await request.read():
                await self.until(lambda: "Stop" in self.commands)
            return answer

    async with nothing_left_behind(), Slow(password="secret") as one, stage(camera(one), timing=PATIENT) as room:
        one.fault("timeout_ignored")
        await room.online()
        await room.shows("pan", 0.0)
        assert (await room.do("move", pan=0.5)).outcome == "done", "the stop went ahead"
        await room.until(lambda device: device.properties["moving"].assumed is False)
        assert [name for name in one.commands if name != "Stop"] == ["ContinuousMove"]
        assert room.device.connection is Connection.ONLINE


async def test_a_move_that_begins_behind_the_stop_that_overtook_it_is_stopped() -> None:
    class Dawdling(OnvifEmulator):
        """It begins a move later than it was asked for, behind a stop."""

        async def _respond(self, request: web.Request) -> web.StreamResponse:
            if b"ContinuousMove" in await request.read() and "ContinuousMove" not in self.commands:
                await self.until(lambda: "Stop" in self.commands)
            return await super()._respond(request)

    async with nothing_left_behind(), Dawdling(password="secret") as one, stage(camera(one), timing=PATIENT) as room:
        one.fault("timeout_ignored")
        await room.online()
        await room.shows("pan", 0.0)
        assert (await room.do("move", pan=0.5)).outcome == "done"
        assert one.commands[:2] == ["Stop", "ContinuousMove"], "behind its stop"
        async with asyncio.timeout(5):
            while one.moving:
                await asyncio.sleep(0.02)


async def test_a_move_that_begins_while_its_stop_is_being_confirmed_is_stopped() -> None:
    class Dawdling(OnvifEmulator):
        """It begins a move later than it was asked for, behind a stop, and is slow to say that it stands still."""

        async def _respond(self, request: web.Request) -> web.StreamResponse:
            body = await request.read()
            if b"ContinuousMove" in body and "ContinuousMove" not in self.commands:
                await asked.wait()
            elif b"GetStatus" in body and self.commands == ["Stop"]:
                asked.set()
                await self.until(lambda: "ContinuousMove" in self.commands)
                await asyncio.sleep(0.1)
                return web.Response(body=standing, content_type="application/soap+xml")
            return await super()._respond(request)

    asked = asyncio.Event()  # whether it still moves
    standing = answers.envelope(answers.status(0.0, 0.0, 0.0, False, datetime.now(UTC)))
    async with nothing_left_behind(), Dawdling(password="secret") as one, stage(camera(one), timing=PATIENT) as room:
        one.fault("timeout_ignored")
        await room.online()
        await room.shows("pan", 0.0)
        assert (await room.do("move", pan=0.5)).outcome == "done"
        assert one.commands[:2] == ["Stop", "ContinuousMove"], "behind its stop"
        async with asyncio.timeout(5):
            while one.moving:
                await asyncio.sleep(0.02)


async def test_a_move_that_waited_longer_than_its_lease_never_begins() -> None:
    async with room_with(delay=0.4) as (one, room):
        await room.online()
        one.fault("delay")
        stopping = asyncio.create_task(room.do("stop"))
        await one.until(lambda: "Stop" in one.commands)
        assert (await room.do("move", pan=0.5)).outcome == "timed_out"
        assert (await stopping).outcome == "done"
        assert "ContinuousMove" not in one.commands


# --- refusing -------------------------------------------------------------------------------------------------------

ALL = ["ptz", "presets", "video"]
REFUSES = [
    ({"refuses": {"GetSystemDateAndTime": "ActionNotSupported"}}, ALL),
    ({"guarded_clock": True}, ALL),
    ({"refuses": {"GetCapabilities": "ActionNotSupported"}}, ALL),
    ({"refuses": {"GetServices": "ActionNotSupported"}}, ALL),
    ({"refuses": {"GetStreamUri": "ActionNotSupported"}}, ["ptz", "presets"]),
    ({"refuses": {"GetStreamUri": "NotAuthorized"}}, ["ptz", "presets"]),
    ({"refuses": {"GetStreamUri": "IncompleteConfiguration"}}, ["ptz", "presets"]),
    ({"refuses": {"GetDeviceInformation": "ActionNotSupported"}}, ALL),
    ({"maker": b"\xb0\xa1\xff"}, ALL),
]


@pytest.mark.parametrize(("quirks", "can"), REFUSES)
async def test_a_camera_that_refuses_one_question_is_used_all_the_same(quirks: dict[str, Any], can: list[str]) -> None:
    async with room_with(**quirks) as (one, room):
        assert (await room.online()).capabilities == can
        await room.shows("pan", 0.0)
        assert (await room.do("move", pan=0.5)).outcome == "done"
        await room.until(lambda device: device.properties["moving"].assumed is False)
        assert one.commands[:1] == ["ContinuousMove"]
        assert room.device.connection is Connection.ONLINE


@pytest.mark.parametrize("second_media", [False, True])
async def test_a_camera_that_has_no_stream_while_it_starts_is_asked_again_until_it_has(second_media: bool) -> None:
    async with room_with(refuses={"GetStreamUri": "Action"}, second_media=second_media) as (one, room):
        device = await room.until(lambda device: device.fault is not None and device.connection is Connection.ONLINE)
        assert device.fault is not None
        assert (device.fault.code, device.capabilities) == ("device.no_picture", ["ptz", "presets"])
        assert (await room.do("move", pan=0.5)).outcome == "done"
        await room.shows("pan", room.property("pan").reported)
        assert room.device.fault == device.fault, "whatever else it answers"
        one.refuses = {}
        device = await room.until(lambda device: device.capabilities == ALL)
        await room.until(lambda device: device.fault is None)


async def test_a_camera_that_only_shows_and_has_nothing_to_show_yet_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    real = OnvifCamera.profiles

    async def fixed(it: OnvifCamera) -> list[Profile]:
        return [replace(profile, ptz=False) for profile in await real(it)]

    monkeypatch.setattr(OnvifCamera, "profiles", fixed)
    async with room_with(refuses={"GetStreamUri": "Action"}) as (one, room):
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.rejected"
        one.refuses = {}
        assert (await room.online()).capabilities == ["video"]


async def test_the_readable_part_of_a_name_is_shown() -> None:
    async with room_with(maker=b"\xb0\xa1 Cam\xff") as (_, room):
        assert "Cam" in (await room.online()).model


@pytest.mark.parametrize("offset", [0.0, 10.0])
async def test_a_camera_that_guards_its_clock_is_asked_by_ours_and_then_by_its_own(offset: float) -> None:
    async with room_with(guarded_clock=True, clock_offset=offset) as (one, room):
        await room.online()
        await room.shows("pan", 0.0)
        assert one.refused == 0


async def test_a_camera_that_guards_its_clock_is_shown_a_wrong_password_once() -> None:
    async with (
        nothing_left_behind(),
        OnvifEmulator(password="secret", guarded_clock=True) as one,
        stage(camera(one, password="wrong"), timing=ONCE) as room,
    ):
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.password"
        assert one.refused == 1


async def test_a_password_holds_though_minutes_pass_on_the_cameras_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is bound to the time that the camera has by now, not to that which it once told."""
    calm = replace(QUICK, keepalive=600.0, idle=600.0)
    async with room_with(timing=calm) as (one, room):
        await room.online()
        await room.shows("pan", 0.0)
        loop = asyncio.get_running_loop()
        real = loop.time
        one.clock_offset += 120.0
        driver = room.hub._runners[0]._driver
        later = type("Later", (), {"time": staticmethod(lambda: real() + 120.0)})()
        monkeypatch.setattr(driver._camera, "_loop", later)  # type: ignore[attr-defined]
        assert (await room.do("recall_preset", preset=1)).outcome == "accepted"
        assert one.refused == 0


# --- axes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("axes", "can", "cannot"), [(("pan_tilt",), {"tilt": 0.5}, {"zoom": 0.5}), (("zoom",), {"zoom": 0.5}, {"pan": 0.5})]
)
async def test_only_what_a_camera_moves_is_offered_and_taken(
    axes: tuple[str, ...], can: dict[str, float], cannot: dict[str, float]
) -> None:
    async with room_with(axes=axes) as (one, room):
        device: Device = await room.online()
        assert device.axes == list(axes)
        assert (await room.do("move", **cannot)).outcome == "unsupported"
        assert not one.commands
        assert (await room.do("move", **can)).outcome == "done"
        assert one.moving
        assert (await room.do("stop")).outcome == "done"
        assert not one.moving


def test_an_address_with_colons_stands_in_brackets() -> None:
    assert OnvifSettings(host="2001:db8::5").address == "[2001:db8::5]:80"
    assert OnvifSettings(host="fe80::1%eth0", port=8080).address == "[fe80::1%25eth0]:8080"
    assert OnvifSettings(host="10.0.0.5", tls=True).address == "10.0.0.5:443"
