"""Any order of moves, stops and recalls, of slow answers and losses: no camera runs away, and each result is true."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices import Timing
from tests.devices import virtual
from tests.devices.scripted import Scene, running
from tests.devices.stage import camera, stage
from tests.devices.test_overtaken import Slow, Waiting
from tests.devices.test_visca_slow import WAYS, Watched
from wire.devices import DeviceResult

ROOMS = Timing()
OUTCOMES = {"done", "accepted", "superseded", "unsupported", "timed_out", "failed"}
LONGEST = 70.0  # seconds in which a move that was given up is stopped again and again


@dataclass(frozen=True)
class Step:
    """What is asked, seconds after the step before, and how the camera is from then on."""

    after: float
    op: str
    args: dict[str, Any]
    delay: float = 0.0  # seconds that its answers take
    thinks: float = 0.0  # seconds before it does what it is told
    loses: int = 0  # commands that are lost on their way to it
    mutes: int = 0  # acknowledgements and completions that are lost on their way back


MOVES = st.sampled_from([{"pan": 0.5}, {"tilt": -0.3}, {"zoom": 1.0}, {"pan": -1.0, "zoom": -0.5}])
ASKED: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.one_of(
    st.tuples(st.just("move"), MOVES),
    st.tuples(st.just("stop"), st.just({})),
    st.tuples(st.just("recall_preset"), st.sampled_from([{"preset": 1}, {"preset": 2}])),
)
STEPS = st.lists(
    st.builds(
        lambda after, asked, delay, thinks, loses, mutes: Step(after, asked[0], asked[1], delay, thinks, loses, mutes),
        st.sampled_from([0.0, 0.01, 0.2, 0.45, 0.55, 1.1, 2.6, 5.0]),
        ASKED,
        st.sampled_from([0.0, 0.3, 0.9, 1.7, 2.3]),
        st.sampled_from([0.0, 0.3, 0.7, 1.6, 2.3]),
        st.sampled_from([0, 0, 0, 1, 2]),
        st.sampled_from([0, 0, 0, 1, 2]),
    ),
    min_size=1,
    max_size=8,
)
AT_RANDOM = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("way", WAYS)
@AT_RANDOM
@given(steps=STEPS)
def test_no_visca_camera_moves_when_all_is_over(way: str, steps: list[Step]) -> None:
    transport, header = WAYS[way]
    results: list[tuple[Step, DeviceResult]] = []

    async def main(_: virtual.VirtualLoop) -> None:
        async with Watched(transport=transport, header=header, recall_time=0.5) as cam:
            cam.fault("delay")
            cam.delay = 0.0
            async with stage(camera(cam.address, transport=transport, header=header), timing=ROOMS) as room:
                await asyncio.sleep(2)

                async def ask(step: Step) -> None:
                    results.append((step, await room.do(step.op, **step.args)))

                async with asyncio.TaskGroup() as asked:
                    for step in steps:
                        await asyncio.sleep(step.after)
                        cam.delay = step.delay
                        # without header a camera takes one command after the other
                        cam.thinks = step.thinks if header else max(cam.thinks, step.thinks)
                        if transport == "udp":
                            cam.loses, cam.mutes = step.loses, step.mutes
                        asked.create_task(ask(step))
                cam.loses = cam.mutes = 0
                await asyncio.sleep(10)
                cam.delay = cam.thinks = 0.0  # it may have been slower than anybody waits
                await asyncio.sleep(LONGEST)
                assert not cam.moving, "it stands still"
                for driver in room.hub._runners:
                    assert not driver._lease.moving, "and that is known"
                if header and not any(step.mutes for step in steps):
                    judge(cam)

    def judge(cam: Watched) -> None:
        said = sum(1 for step, result in results if step.op == "recall_preset" and result.outcome == "accepted")
        done = sum(1 for one in cam.commands if one.startswith("recall"))
        asked = sum(1 for step in steps if step.op == "recall_preset")
        assert done <= asked, "none is carried out twice"
        assert said <= sum(1 for one in cam.told if one[3:5] == b"\x3f\x02"), "none is said to be taken that never came"

    virtual.run(main)
    assert len(results) == len(steps), "each has one result"
    assert {result.outcome for _, result in results} <= OUTCOMES


@pytest.mark.parametrize("kind", [Slow, Waiting])
@AT_RANDOM
@given(steps=STEPS, never=st.integers(-1, 3))
def test_no_scripted_camera_moves_when_all_is_over(kind: type[Slow], steps: list[Step], never: int) -> None:
    """`never`: the number of the step from which on moves are not answered."""
    results: list[DeviceResult] = []

    async def main(_: virtual.VirtualLoop) -> None:
        async with running(Scene(ROOMS, kind)) as one:
            await one.online()
            assert isinstance(one.driver, Slow)

            async def ask(step: Step) -> None:
                results.append(await one.do(step.op, **step.args))

            async with asyncio.TaskGroup() as asked:
                for number, step in enumerate(steps):
                    await asyncio.sleep(step.after)
                    one.driver.begins, one.driver.confirms = step.thinks, step.delay / 3
                    one.driver.answers = None if number == never else step.delay
                    asked.create_task(ask(step))
            await asyncio.sleep(LONGEST)
            assert not one.driver.moving, "it stands still"
            assert not one.runner._lease.moving, "and that is known"

    virtual.run(main)
    assert len(results) == len(steps)
    assert {result.outcome for result in results} <= OUTCOMES
