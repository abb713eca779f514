"""Moves that a stop overtakes: whenever the camera begins them, answers them or never does, it is stopped again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from devices.capabilities import Arguments, Operation, Reply
from devices.errors import Lost, Rejected
from tests.devices import virtual
from tests.devices.scripted import ROOMS, Scene, Scripted, running
from wire.devices import Connection

LEASE, PATIENCE = ROOMS.lease, ROOMS.patience


class Slow(Scripted):
    """A camera that begins a move late, whoever still waits for its answer, and says late that it stopped."""

    manifest = replace(Scripted.manifest, overtakes=True)
    begins = 0.0  # seconds from being asked to a move until it moves
    answers: float | None = 0.01  # and from then until it says so; None: never
    confirms = 0.02  # seconds from its standing still until it says so
    refuses = -1  # number of the stop that it refuses
    stops = 0

    async def execute(self, operation: Operation, args: Arguments) -> Reply:
        loop = asyncio.get_running_loop()
        self.begun.append((loop.time(), operation.name, args))
        if operation.name == "move":
            loop.call_later(self.begins, self._go)
            await asyncio.sleep(1000 if self.answers is None else self.begins + self.answers)
        elif operation.name == "stop":
            self.stops += 1
            if self.stops == self.refuses:
                raise Rejected("busy", retryable=True)
            self.still_at = loop.time() if self.moving else self.still_at
            self.moving = False
            await asyncio.sleep(self.confirms)
        else:
            await asyncio.sleep(self.takes.get(operation.name, 0.0))
            if (error := self.raises.get(operation.name)) is not None:
                raise error
        return Reply.DONE

    def _go(self) -> None:
        self.moving = True
        self.moved_at.append(asyncio.get_running_loop().time())


class Waiting(Slow):
    """One that is not stopped before its move has ended, or was given up."""

    manifest = replace(Scripted.manifest, overtakes=False)


def play(scene: Callable[[Scene, Slow], Coroutine[Any, Any, None]], kind: type[Slow] = Slow) -> Scene:
    """`scene` in virtual time, with a slow camera online."""

    async def main(_: virtual.VirtualLoop) -> None:
        async with running(Scene(ROOMS, kind)) as one:
            played.append(one)
            await one.online()
            assert isinstance(one.driver, Slow)
            await scene(one, one.driver)

    played: list[Scene] = []
    virtual.run(main)
    return played[0]


async def calm(one: Scene, camera: Slow, longest: float) -> None:
    """All settles, and the camera did not move for longer than `longest` seconds."""
    await asyncio.sleep(60)
    assert camera.moved_at, "it moved"
    assert not camera.moving, "it stands still"
    assert camera.still_at - camera.moved_at[-1] <= longest + 0.001
    assert one.runner.state.connection is Connection.ONLINE
    assert not one.runner._lease.moving, "and that is known"


@pytest.mark.parametrize("begins", [0.51, 0.55, 0.7, 0.79, 0.81, 1.5])
def test_a_move_answered_before_or_after_its_stop_is_confirmed_is_stopped_at_once(begins: float) -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins, camera.confirms = begins, 0.3
        one.ask("move", pan=0.5)
        await calm(one, camera, 0.01 + 0.3)

    play(scene)


@pytest.mark.parametrize("refuses", [1, 2, 3])
def test_a_late_move_whose_stop_is_refused_is_stopped_all_the_same(refuses: int) -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins, camera.refuses = 0.7, refuses
        one.ask("move", pan=0.5)
        await calm(one, camera, 0.01 + LEASE)

    play(scene)


def test_a_late_move_does_not_wait_for_a_pause_after_refused_stops() -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins, camera.raises = 1.5, {}
        camera.refuses = 1  # at 0.5 s; asked again at 1.0 s
        one.ask("move", pan=0.5)
        await calm(one, camera, 0.02)

    play(scene)


def test_a_late_answer_leaves_a_later_move_its_lease() -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins = 0.8
        one.ask("move", pan=0.5)
        await asyncio.sleep(0.7)
        camera.begins = 0.0
        await one.do("move", pan=-0.5)
        await asyncio.sleep(0.4)
        assert camera.moving, "its stop is not due"
        await calm(one, camera, LEASE)

    play(scene)


@pytest.mark.parametrize("back", [0.0, 1.0, 2.2, 4.0])
@pytest.mark.parametrize("begins", [0.65, 0.9, 1.5, 2.5])
def test_a_move_unanswered_when_the_connection_ends_is_stopped_after_it(begins: float, back: float) -> None:
    """Before the next connection, or behind the stop that is asked as it begins."""

    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins, camera.dialling = begins, back
        one.ask("move", pan=0.5)
        await asyncio.sleep(0.6)
        assert not one.runner._lease.moving, "its stop was confirmed"
        camera.fall(Lost("cut"))
        await asyncio.sleep(0.01)
        assert one.runner._lease.moving, "it may begin yet"
        await asyncio.sleep(back + PATIENCE)
        await one.online()
        assert camera.stops >= 2
        await calm(one, camera, LEASE if begins > 0.6 + back + 1.0 else back + 1.0)

    play(scene)


def test_a_move_that_is_never_answered_is_stopped_again_when_it_can_begin_no_more() -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins, camera.answers = ROOMS.command + 1.0, None  # behind the stop that its time-out brings
        assert (await one.do("move", pan=0.5)).outcome == "timed_out"
        await calm(one, camera, LEASE)

    play(scene)


@pytest.mark.parametrize("begins", [5.0, 6.1, 9.0, 14.0, 29.0])
@pytest.mark.parametrize("kind", [Slow, Waiting])
def test_a_move_that_begins_long_after_it_was_given_up_is_stopped(kind: type[Slow], begins: float) -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins, camera.answers = begins, None
        assert (await one.do("move", pan=0.5)).outcome == "timed_out"
        await calm(one, camera, begins)  # ever less often, the longer it is ago
        stops = camera.stops
        await asyncio.sleep(600)
        assert camera.stops == stops, "not without end"

    play(scene, kind)


@pytest.mark.parametrize("takes", [0.0, 2.0])
@pytest.mark.parametrize("after", [2.7, 5.2])
@pytest.mark.parametrize(("op", "args"), [("recall_preset", {"preset": 1}), ("set_framing", {"on": True})])
def test_a_position_recalled_after_an_unanswered_move_is_reached(
    op: str, args: dict[str, Any], after: float, takes: float
) -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins, camera.answers, camera.takes = 1000.0, None, {op: takes}
        await one.do("move", pan=0.5)
        await asyncio.sleep(after)
        stops = camera.stops
        assert (await one.do(op, **args)).outcome == "done"
        await asyncio.sleep(120)
        assert camera.stops == stops, "nothing stops it on its way"

    play(scene)


def test_a_position_recalled_while_an_unanswered_move_is_likely_to_begin_is_the_last_that_is_stopped_for_it() -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins, camera.answers = 1000.0, None
        await one.do("move", pan=0.5)
        await asyncio.sleep(0.2)
        assert (await one.do("recall_preset", preset=1)).outcome == "done"
        await asyncio.sleep(PATIENCE)
        stops = camera.stops
        assert (await one.do("set_power", on=True)).outcome == "done"
        await asyncio.sleep(120)
        assert camera.stops == stops

    play(scene)


@pytest.mark.parametrize(("op", "args"), [("store_preset", {"preset": 1}), ("set_power", {"on": False})])
def test_a_rare_stop_waits_for_what_is_under_way(op: str, args: dict[str, Any]) -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins, camera.answers, camera.takes = 1000.0, None, {op: 2.0}
        await one.do("move", pan=0.5)
        await asyncio.sleep(5)
        stops = camera.stops
        assert (await one.do(op, **args)).outcome == "done"
        await asyncio.sleep(120)
        assert camera.stops > stops, "it comes after"

    play(scene)


@pytest.mark.parametrize("after", [0.2, 2.2, 5.2])
def test_a_move_that_begins_after_a_refused_recall_is_stopped(after: float) -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins, camera.answers, camera.raises = 12.0, None, {"recall_preset": Rejected("no such position")}
        await one.do("move", pan=0.5)
        await asyncio.sleep(after)
        assert (await one.do("recall_preset", preset=1)).outcome == "failed"
        await calm(one, camera, 12.0)

    play(scene)


@pytest.mark.parametrize("begins", [0.55, 0.9, 1.9])
def test_a_move_of_a_driver_that_waits_for_it_is_stopped_when_it_begins_late(begins: float) -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins = begins
        assert (await one.do("move", pan=0.5)).outcome == "timed_out"
        await calm(one, camera, LEASE)

    play(scene, Waiting)


def test_a_stop_asked_while_another_is_under_way_is_answered_by_its_result() -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.confirms = 0.8 * ROOMS.command
        await one.do("move", pan=0.5)
        first = one.ask("stop")
        await asyncio.sleep(0.4)
        assert (await one.do("stop")).outcome == "done"
        assert first.done()
        await calm(one, camera, LEASE + 0.02)

    play(scene)


def test_a_stop_asked_after_a_move_that_waits_for_another_stop_comes_after_both() -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.confirms = 0.4
        await one.do("move", pan=0.5)
        one.ask("stop")
        await asyncio.sleep(0.1)
        move = one.ask("move", pan=0.5)
        await asyncio.sleep(0.1)
        assert (await one.do("stop")).outcome == "done"
        assert (await move).outcome == "superseded"
        assert camera.stops >= 2
        await calm(one, camera, LEASE)

    play(scene)


@pytest.mark.parametrize("asked", [0.1, 0.6])
def test_the_program_waits_for_a_late_move_and_stops_it_before_it_ends(asked: float) -> None:
    """Whether its stop was confirmed, or its lease still runs."""

    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins = 1.5
        one.ask("move", pan=0.5)
        await asyncio.sleep(asked)

    camera = play(scene).driver
    assert camera.moved_at == [pytest.approx(1.5, abs=0.1)]
    assert not camera.moving
    assert camera.still_at - camera.moved_at[0] <= 0.011


def test_the_program_does_not_wait_without_end() -> None:
    async def scene(one: Scene, camera: Slow) -> None:
        camera.begins, camera.answers = 2.0, None
        one.ask("move", pan=0.5)
        await asyncio.sleep(0.6)

    camera = play(scene).driver
    assert not camera.moving
    assert camera.still_at - camera.moved_at[0] <= PATIENCE
