"""VISCA cameras that take long to acknowledge, in virtual time: each command is carried out once, and its result is true."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from devices import Timing
from devices.emulators import ViscaEmulator
from devices.visca import frames
from tests.devices import virtual
from tests.devices.stage import Stage, camera, stage
from wire.devices import Connection

ROOMS = Timing()
WAYS = {"udp": ("udp", True), "bare": ("udp", False), "tcp": ("tcp", False)}
NUMBERED = frames.pack(frames.Kind.COMMAND, 0, b"")[:2]


class Watched(ViscaEmulator):
    """Notes each command of a datagram or stream that it hears; `loses` so many of those to come, `mutes` answers."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.told: list[bytes] = []
        self.loses = self.mutes = self.drops = 0  # `drops`: of whatever it is asked
        self.misnames = False  # a sequence number that it refuses

    def heard_datagram(self, data: bytes, peer_key: object, send: Any) -> None:
        if self.drops:
            self.drops -= 1
            return
        numbered = data[:2] == NUMBERED
        if numbered or data[:2] == b"\x81\x01":
            self.told.append(data[8:] if numbered else data)
            if self.loses:
                self.loses -= 1
                return
        super().heard_datagram(data, peer_key, send)

    def heard_stream(self, requests: list[bytes], stream: asyncio.Transport) -> None:
        self.told += [one for one in requests if one[:2] == b"\x81\x01"]
        super().heard_stream(requests, stream)

    def sent(self, answer: bytes) -> tuple[bytes, ...]:
        if self.mutes and (answer[-3:-1] == b"\x90\x41" or answer[-2] & 0xF0 in (0x40, 0x50)):
            self.mutes -= 1
            return ()
        if self.misnames and answer[8:] == frames.BAD_SEQUENCE:
            answer = frames.pack(frames.Kind.CONTROL_REPLY, 0, frames.BAD_SEQUENCE)
        return super().sent(answer)

    def times(self, request: bytes) -> int:
        """How often it heard it."""
        return self.told.count(request)


def play(way: str, scene: Callable[[Stage, Watched], Coroutine[Any, Any, None]], **settings: Any) -> None:
    """`scene` with a camera online."""
    transport, header = WAYS[way]

    async def main(_: virtual.VirtualLoop) -> None:
        async with Watched(transport=transport, header=header, recall_time=0.0) as cam:
            config = camera(cam.address, transport=transport, header=header, **settings)
            async with stage(config, timing=ROOMS) as room:
                while room.device.connection is not Connection.ONLINE or not room.hub.snapshot()["cam"].properties:
                    await asyncio.sleep(0.1)
                await asyncio.sleep(1)
                cam.told.clear()
                cam.commands.clear()
                await scene(room, cam)
                assert not cam.moving
                assert room.device.connection is Connection.ONLINE

    virtual.run(main)


SLOW = [0.45, 0.9, 1.7, 2.3]


def slowly(cam: Watched, seconds: float) -> None:
    cam.delay = seconds
    cam.fault("delay")


@pytest.mark.parametrize("seconds", SLOW)
@pytest.mark.parametrize("way", WAYS)
def test_a_move_of_a_slow_camera_is_done_once_and_stopped_in_time(way: str, seconds: float) -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        slowly(cam, seconds)
        asked = asyncio.create_task(room.do("move", pan=0.5))
        await asyncio.sleep(0.1)
        assert cam.moving
        await asyncio.sleep(ROOMS.lease)
        assert not cam.moving, "its stop does not wait for the acknowledgement"
        assert (await asked).outcome == "done"
        assert cam.commands.count("move") == 1
        await asyncio.sleep(10)

    play(way, scene)


@pytest.mark.parametrize("way", WAYS)
def test_a_move_of_both_and_its_stop_take_two_commands_at_a_time(way: str) -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        slowly(cam, 2.3)
        asked = asyncio.create_task(room.do("move", pan=0.5, zoom=-0.5))
        await asyncio.sleep(0.3)
        assert cam.position.speed[0] > 0 > cam.position.speed[2]
        assert (await asked).outcome == "done"
        assert cam.times(frames.pan_tilt(0.5, 0)) == cam.times(frames.zoom(-0.5)) == 1
        await asyncio.sleep(10)
        assert (await room.do("stop")).outcome == "done"
        await asyncio.sleep(10)

    play(way, scene)


@pytest.mark.parametrize("way", WAYS)
def test_a_move_tells_the_camera_only_what_moves(way: str) -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        assert (await room.do("move", pan=0.5)).outcome == "done"
        assert len(cam.told) == 1
        assert (await room.do("move", zoom=0.5)).outcome == "done"
        assert len(cam.told) == 3, "what turned does so no more"
        assert cam.position.speed[0] == 0
        assert cam.position.speed[2] > 0
        assert (await room.do("stop")).outcome == "done"
        assert len(cam.told) == 5, "both"

    play(way, scene)


@pytest.mark.parametrize("seconds", SLOW)
@pytest.mark.parametrize("repeated", ["refuse", "drop"])
def test_a_recall_is_carried_out_once_however_slow_its_acknowledgement(repeated: str, seconds: float) -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        cam.repeated = repeated
        slowly(cam, seconds)
        assert (await room.do("recall_preset", preset=4)).outcome == "accepted"
        await asyncio.sleep(10)
        assert cam.commands == ["recall 4"]
        assert room.property("preset").reported == 4
        assert (await room.do("set_power", on=False)).outcome in ("done", "accepted")
        await asyncio.sleep(10)
        assert cam.commands == ["recall 4", "power off"]
        assert room.property("power").reported == "off"

    play("udp", scene)


@pytest.mark.parametrize("way", ["bare", "tcp"])
@pytest.mark.parametrize("seconds", SLOW)
def test_a_camera_without_header_that_is_slow_from_the_beginning_gets_each_command_once(
    way: str, seconds: float
) -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        slowly(cam, seconds)
        room.hub.watch(True)
        await asyncio.sleep(30)  # polls tell that it is slow
        assert (await room.do("recall_preset", preset=4)).outcome == "accepted"
        await asyncio.sleep(10)
        assert (await room.do("set_power", on=False)).outcome in ("done", "accepted")
        await asyncio.sleep(10)
        assert cam.commands == ["recall 4", "power off"]
        assert len(cam.told) == 2

    play(way, scene)


def test_a_camera_without_header_that_is_quick_again_is_asked_again_when_a_datagram_is_lost() -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        slowly(cam, 2.0)
        room.hub.watch(True)
        await asyncio.sleep(30)
        cam.fault("delay", False)
        await asyncio.sleep(10)
        assert (await room.do("recall_preset", preset=1)).outcome == "accepted"
        cam.loses = 1
        assert (await room.do("recall_preset", preset=2)).outcome == "accepted"
        await asyncio.sleep(10)
        assert cam.commands == ["recall 1", "recall 2"]

    play("bare", scene)


def test_a_camera_without_header_that_was_slow_once_is_not_given_up_for_one_datagram() -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        room.hub.watch(True)
        slowly(cam, 0.9)
        await asyncio.sleep(10)
        cam.fault("delay", False)
        await asyncio.sleep(10)
        for _ in range(5):
            cam.drops = 1
            for _ in range(40):
                await asyncio.sleep(0.1)
                assert room.device.connection is Connection.ONLINE
        assert not cam.drops

    play("bare", scene)


@pytest.mark.parametrize("way", ["bare", "tcp"])
def test_a_lost_stop_of_a_slow_camera_is_sent_again_as_soon_as_any(way: str) -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        slowly(cam, 0.9)
        room.hub.watch(True)
        await asyncio.sleep(30)
        assert (await room.do("move", pan=0.5)).outcome == "done"
        await asyncio.sleep(10)
        asked = asyncio.create_task(room.do("move", pan=0.5))
        await asyncio.sleep(0.1)
        assert cam.moving
        if way == "tcp":
            cam.fault("lost_stop")
        else:
            cam.loses = 1
        await asyncio.sleep(ROOMS.lease + ROOMS.reply + 0.1)
        assert not cam.moving
        await asked
        await asyncio.sleep(10)

    play(way, scene)


@pytest.mark.parametrize("way", ["udp", "bare"])
@pytest.mark.parametrize("lost", [1, 2])
def test_what_a_datagram_loses_is_asked_again(way: str, lost: int) -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        cam.loses = lost
        assert (await room.do("recall_preset", preset=4)).outcome == "accepted"
        await asyncio.sleep(2)
        assert cam.commands == ["recall 4"]
        assert len(cam.told) == lost + 1

    play(way, scene)


@pytest.mark.parametrize("repeated", ["refuse", "drop", "obey"])
@pytest.mark.parametrize("mutes", [1, 2])
def test_a_command_whose_acknowledgement_is_lost_was_taken(repeated: str, mutes: int) -> None:
    """By a camera that says so when it is asked again, or says nothing of it: then its completion does.

    One that does not look at numbers is told twice when both were lost.
    """

    async def scene(room: Stage, cam: Watched) -> None:
        cam.repeated, cam.mutes = repeated, mutes
        answer = await room.do("store_preset", preset=4)
        if repeated == "drop" and mutes == 2:
            assert answer.outcome in ("failed", "timed_out"), "nobody knows"
        else:
            assert answer.outcome == "done"
        assert len(cam.commands) == (mutes if repeated == "obey" else 1)
        await asyncio.sleep(60)

    play("udp", scene)


@pytest.mark.parametrize("mutes", [1, 2])
def test_a_camera_that_refuses_a_number_under_another_one_carries_a_command_out_once(mutes: int) -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        cam.mutes, cam.misnames = mutes, True
        assert (await room.do("store_preset", preset=4)).outcome == "done"
        assert cam.commands == ["store 4"]
        cam.forget()
        assert (await room.do("store_preset", preset=5)).outcome == "done"
        assert cam.commands == ["store 4", "store 5"]

    play("udp", scene)


def test_a_camera_that_restarts_while_a_command_is_lost_gets_it_all_the_same() -> None:
    """It refuses the number of the second try, but not because it knows it."""

    async def scene(room: Stage, cam: Watched) -> None:
        cam.loses = 1
        asked = asyncio.create_task(room.do("recall_preset", preset=4))
        await asyncio.sleep(0.1)
        cam.forget()
        assert (await asked).outcome == "accepted"
        assert cam.commands == ["recall 4"]

    play("udp", scene)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("begins", [0.6, 0.9, 1.4, 2.2])
def test_a_move_begun_behind_its_stop_is_stopped(way: str, begins: float) -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        cam.thinks = begins
        asked = asyncio.create_task(room.do("move", pan=0.5))
        await asyncio.sleep(0.01)
        cam.thinks = 0.0 if way == "udp" else begins  # without header they are taken one after the other
        await cam.until(lambda: cam.moving)
        begun = asyncio.get_running_loop().time()
        await cam.until(lambda: not cam.moving)
        assert asyncio.get_running_loop().time() - begun <= ROOMS.lease + 0.1
        assert (await asked).outcome == "done"
        await asyncio.sleep(60)

    play(way, scene)


def test_the_acknowledgement_of_one_stop_is_not_taken_for_that_of_a_lost_one() -> None:
    """Pan and zoom are stopped by a command each, and a camera without header does not say which one it took."""

    async def scene(room: Stage, cam: Watched) -> None:
        await room.do("move", pan=0.5)
        assert cam.moving
        cam.loses = 1  # the stop that its lease asks for
        await cam.until(lambda: not cam.moving)

    play("bare", scene)


@pytest.mark.parametrize("way", ["udp", "bare"])
def test_a_lost_move_is_not_sent_again_behind_its_stop(way: str) -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        cam.loses = 1
        outcome = (await room.do("move", pan=0.5)).outcome
        if way == "udp":  # without header the acknowledgement of its stop may be taken for its own
            assert outcome in ("timed_out", "failed")
        assert "move" not in cam.commands
        await asyncio.sleep(80)
        assert "move" not in cam.commands

    play(way, scene)


def test_a_move_of_a_full_camera_does_not_begin_behind_its_stop() -> None:
    async def scene(room: Stage, cam: Watched) -> None:
        cam.fault("buffer_full")
        asked = asyncio.create_task(room.do("move", pan=0.5))
        await asyncio.sleep(0.6)
        cam.fault("buffer_full", False)
        answer = await asked
        assert (answer.outcome, answer.retryable) == ("failed", True)
        await asyncio.sleep(10)
        assert "move" not in cam.commands

    play("udp", scene)


@pytest.mark.parametrize("seconds", [0.3, 2.3])
@pytest.mark.parametrize("header", [True, False])
def test_a_slow_camera_that_leaves_its_version_unanswered_comes_back_after_an_outage(
    header: bool, seconds: float
) -> None:
    """Nobody knows of its header: it is asked for longer once a dial has failed, and is silent meanwhile."""

    async def wait_for(room: Stage, connection: Connection) -> None:
        async with asyncio.timeout(120):
            while room.device.connection is not connection:
                await asyncio.sleep(0.1)

    async def main(_: virtual.VirtualLoop) -> None:
        async with Watched(header=header) as cam:
            cam.version = "silent"
            slowly(cam, seconds)
            async with stage(camera(cam.address), timing=ROOMS) as room:
                await wait_for(room, Connection.ONLINE)
                cam.fault("silent")
                await wait_for(room, Connection.UNREACHABLE)
                await asyncio.sleep(30)  # some dials fail
                cam.fault("silent", False)
                await wait_for(room, Connection.ONLINE)
                assert room.device.model == ""

    virtual.run(main)
