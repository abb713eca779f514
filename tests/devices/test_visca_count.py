"""VISCA cameras that lose count while two commands are under way, in virtual time: both sides count anew once."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from devices import Timing
from devices.visca import frames
from tests.devices import virtual
from tests.devices.stage import Stage, camera, stage
from tests.devices.test_visca_slow import Watched
from wire.devices import Connection

ROOMS = Timing()


class Counting(Watched):
    """Notes the kind and number of each datagram that it hears, and takes no number that is far from those before."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.numbers: list[tuple[int, int]] = []
        self.hides = 0  # so many of its answers to a reset get lost

    def heard_datagram(self, data: bytes, peer_key: object, send: Any) -> None:
        kind, _, number = struct.unpack_from(">HHI", data)
        self.numbers.append((kind, number))
        peer = self._peers.get(peer_key)
        if peer is not None and peer.expected and kind != frames.Kind.CONTROL and number > peer.expected + 8:
            self._say(send, frames.pack(frames.Kind.CONTROL_REPLY, number, frames.BAD_SEQUENCE))
            return
        super().heard_datagram(data, peer_key, send)

    def sent(self, answer: bytes) -> tuple[bytes, ...]:
        if self.hides and answer[8:] == frames.RESET_DONE:
            self.hides -= 1
            return ()
        return super().sent(answer)

    def lose_count(self) -> None:
        """Without a restart."""
        self._peers.clear()
        self.numbers.clear()

    @property
    def resets(self) -> int:
        """Since it lost count."""
        return sum(1 for kind, _ in self.numbers if kind == frames.Kind.CONTROL)


def play(scene: Callable[[Stage, Counting], Coroutine[Any, Any, None]]) -> None:
    """`scene` with a camera that was asked a few things."""

    async def main(_: virtual.VirtualLoop) -> None:
        async with Counting(recall_time=0.0) as cam, stage(camera(cam.address), timing=ROOMS) as room:
            room.hub.watch(True)
            await asyncio.sleep(30)
            await scene(room, cam)
            assert not cam.moving
            assert room.device.connection is Connection.ONLINE

    virtual.run(main)


@pytest.mark.parametrize("seconds", [0.3, 0.7])
def test_two_commands_that_are_refused_for_their_numbers_count_anew_once(seconds: float) -> None:
    async def scene(room: Stage, cam: Counting) -> None:
        assert (await room.do("move", pan=0.5, zoom=0.5)).outcome == "done"
        cam.delay = seconds
        cam.fault("delay")
        cam.lose_count()
        assert (await room.do("stop")).outcome == "done"
        assert cam.resets == 1
        began = next(at for at, (kind, _) in enumerate(cam.numbers) if kind == frames.Kind.CONTROL)
        given = [number for kind, number in cam.numbers[began:] if kind == frames.Kind.COMMAND]
        fresh = [number for number in given if number < 10]
        assert len(fresh) >= 2
        assert len(set(fresh)) == len(fresh), "no two have one number"

    play(scene)


def test_a_command_that_was_lost_as_the_camera_lost_count_is_not_taken_for_known() -> None:
    """It is refused for its number when it is asked again: that is an old one, not one that came before."""

    async def scene(room: Stage, cam: Counting) -> None:
        assert (await room.do("move", pan=0.5, zoom=0.5)).outcome == "done"
        cam.delay = 0.4
        cam.fault("delay")
        cam.lose_count()
        asked = asyncio.create_task(room.do("stop"))
        await asyncio.sleep(0.1)
        cam.loses = 1  # the second
        assert (await asked).outcome == "done"
        assert not cam.moving

    play(scene)


@pytest.mark.parametrize("hides", [0, 1])
def test_a_command_that_is_asked_again_while_both_begin_to_count_anew_is_not_taken_for_known(hides: int) -> None:
    """It is refused for its old number; the question that is answered has one of the new count, and says nothing of it."""

    async def scene(room: Stage, cam: Counting) -> None:
        assert (await room.do("move", pan=0.5, zoom=0.5)).outcome == "done"
        cam.delay = 0.1
        cam.fault("delay")
        cam.lose_count()
        cam.loses = 2  # the first of either stop
        cam.hides = hides
        assert (await room.do("stop")).outcome == "done"
        assert not cam.moving
        assert cam.resets == 1 + hides

    play(scene)
