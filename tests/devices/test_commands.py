"""Commands that meet: a stop and what is under way, an older and a newer wish, one that came too late."""

from __future__ import annotations

import asyncio

import pytest

from devices.errors import NotNow, NotSupported, Rejected
from devices.queue import MOST
from tests.devices import virtual
from tests.devices.scripted import Scene, play, running


@pytest.mark.parametrize("op", ["set_power", "recall_preset", "set_framing"])
def test_a_stop_does_not_wait_for_the_command_before_it(op: str) -> None:
    args = {"preset": 1} if op == "recall_preset" else {"on": True}

    async def scene(one: Scene) -> None:
        one.driver.takes[op] = 2.5
        await one.do("move", pan=1)
        slow = one.ask(op, **args)
        await asyncio.sleep(0.1)
        asked = asyncio.get_running_loop().time()
        assert (await one.do("stop")).outcome == "done"
        assert one.driver.still_at - asked < 0.01
        result = await slow
        assert (result.outcome, result.retryable) == ("timed_out", True)

    play(scene)


def test_the_end_of_a_lease_does_not_wait_for_the_command_before_it() -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes["set_power"] = 2.5
        await one.do("move", pan=1)
        slow = one.ask("set_power", on=True)
        await asyncio.sleep(1)
        assert not one.driver.moving
        assert one.driver.still_at - one.driver.moved_at[0] < 0.51
        assert (await slow).outcome == "timed_out"
        await asyncio.sleep(3)
        assert [name for _, name, _ in one.driver.done] == ["move", "stop", "set_power"], "a lasting wish is met after"

    play(scene)


@pytest.mark.parametrize(("second", "outcome"), [(0.1, "done"), (2.5, "done"), (5.0, "timed_out")])
def test_a_stop_that_joins_one_that_ends_without_an_answer_has_its_own_time(second: float, outcome: str) -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes["stop"] = 5.0
        first = one.ask("stop")
        await asyncio.sleep(2.9)
        one.driver.takes["stop"] = second
        asked = asyncio.get_running_loop().time()
        assert (await one.do("stop")).outcome == outcome
        assert asyncio.get_running_loop().time() - asked < 3.01
        assert (await first).outcome == "timed_out"

    play(scene)


def test_a_stop_that_joins_one_at_any_time_ends_with_it() -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes["stop"] = 2.9
        first = one.ask("stop")
        await asyncio.sleep(2.8)
        assert (await one.do("stop")).outcome == "done"
        assert (await first).outcome == "done"
        assert [name for _, name, _ in one.driver.begun] == ["stop"]

    play(scene)


def test_a_stop_waits_for_the_move_before_it() -> None:
    """Else the move could arrive after it."""

    async def scene(one: Scene) -> None:
        one.driver.takes["move"] = 0.2
        move = one.ask("move", pan=1)
        await asyncio.sleep(0.1)
        assert (await one.do("stop")).outcome == "done"
        assert (await move).outcome == "done"
        assert [name for _, name, _ in one.driver.done] == ["move", "stop"]

    play(scene)


@pytest.mark.parametrize("error", [NotSupported("no"), Rejected("no"), Rejected("not now", retryable=True), NotNow()])
def test_what_becomes_of_an_older_command_says_nothing_of_the_newer_wish(error: Exception) -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes["select_input"] = 0.2
        one.driver.raises["select_input"] = error
        older = one.ask("select_input", input="c")
        await asyncio.sleep(0.1)
        newer = one.ask("select_input", input="b")
        await asyncio.sleep(0.1)
        await older
        assert one.runner.state.desired("input") == "b"
        assert not one.runner.state.open_wishes, "it is under way"
        one.driver.raises.clear()
        assert (await newer).outcome == "done"
        assert one.runner.state.desired("input") == "b"

    play(scene)


def test_a_preset_that_timed_out_does_not_withdraw_the_next() -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes["recall_preset"] = 5.0
        older = one.ask("recall_preset", preset=1)
        await asyncio.sleep(2)
        newer = one.ask("recall_preset", preset=2)
        assert (await older).outcome == "timed_out"
        assert one.runner.state.desired("preset") == 2
        assert (await newer).outcome == "timed_out"
        assert one.runner.state.desired("preset") is None

    play(scene)


def test_a_command_answered_as_too_late_is_not_carried_out_later() -> None:
    """Asked while the device is first dialled, which takes longer than the command may."""

    async def main(_: virtual.VirtualLoop) -> None:
        one = Scene()
        one.driver.dialling = 4.0
        async with running(one):
            cycle, move = one.ask("cycle_port", port=1), one.ask("move", pan=1)
            assert (await cycle).outcome == "timed_out"
            assert (await move).outcome == "timed_out"
            await one.online()
            await asyncio.sleep(10)
            assert [name for _, name, _ in one.driver.begun if name != "stop"] == []

    virtual.run(main)


def test_a_command_whose_time_ends_as_the_one_before_it_does_is_not_begun() -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes["set_mute"] = 5.0
        mute, cycle = one.ask("set_mute", on=True), one.ask("cycle_port", port=1)
        assert {(await mute).outcome, (await cycle).outcome} == {"timed_out"}
        await asyncio.sleep(1)
        assert "cycle_port" not in [name for _, name, _ in one.driver.begun]

    play(scene)


def test_a_lasting_wish_that_came_too_late_is_met_after() -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes["select_input"] = 2.9
        first, mute = one.ask("select_input", input="a"), one.ask("set_mute", on=True)
        second = one.ask("select_input", input="b")
        one.driver.takes["set_mute"] = 0.2
        assert (await first).outcome == "superseded"
        assert (await mute).outcome == "done"
        assert (await second).outcome == "timed_out"
        one.driver.takes.clear()
        one.runner.watch(True)
        await asyncio.sleep(10)
        assert one.driver.done[-1][1] == "select_input"

    play(scene)


def test_commands_to_different_ports_do_not_supersede_each_other() -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes.update(set_port=0.1, store_preset=0.1)
        asked = [one.ask("set_port", port=port, on=False) for port in (1, 2, 3)]
        asked += [one.ask("store_preset", preset=preset) for preset in (1, 2)]
        assert [(await task).outcome for task in asked] == ["done"] * 5

    play(scene)


def test_the_newer_command_to_one_port_supersedes_the_waiting_one() -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes.update(set_port=0.1)
        asked = [one.ask("set_port", port=7, on=on) for on in (False, True)] + [one.ask("cycle_port", port=7)]
        assert [(await task).outcome for task in asked] == ["superseded", "superseded", "done"]

    play(scene)


def test_of_very_many_ports_at_once_some_are_refused_and_the_camera_still_stops() -> None:
    async def scene(one: Scene) -> None:
        one.driver.takes.update(set_port=0.01)
        asked = [one.ask("set_port", port=port, on=False) for port in range(1, 1000)]
        await asyncio.sleep(0)
        stop = one.ask("stop")
        results = [await task for task in asked]
        assert (await stop).outcome == "done"
        assert results[0].outcome == "timed_out", "it gave way to the stop"
        assert [one.outcome for one in results].count("done") == MOST - 1
        assert all((one.outcome, one.retryable) in (("done", False), ("failed", True)) for one in results[1:])

    play(scene)
