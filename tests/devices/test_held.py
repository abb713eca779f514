"""A volume key that is held, under any order of presses and any time between: so many steps, in the direction of the key."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.hid.held import EVERY, FIRST, MOST, Held
from tests.devices import virtual

# between the steps, where it cannot matter which of two things at one time comes first
SECONDS = st.integers(0, 300).map(lambda hundredths: hundredths / 50 + 0.013)
PRESSES = st.lists(st.tuples(st.sampled_from([True, False, None]), SECONDS), max_size=12)


def owed(seconds: float) -> int:
    """Steps of a key held so long, beyond that of its press."""
    return 0 if seconds < FIRST else min(MOST, 1 + int((seconds - FIRST) / EVERY))


@given(PRESSES)
@settings(max_examples=150, deadline=None)
def test_each_press_steps_as_long_as_it_is_held_and_not_without_end(presses: list[tuple[bool | None, float]]) -> None:
    steps: list[bool] = []

    async def hold(_: virtual.VirtualLoop) -> None:
        one = Held(steps.append)
        for up, seconds in presses:
            one.now(up)
            await asyncio.sleep(seconds)
        one.now(None)
        await asyncio.sleep(2 * MOST * EVERY)

    virtual.run(hold)
    wanted: list[bool] = []
    since, down = 0.0, None
    for up, seconds in [*presses, (None, 0.0)]:
        if up is not down:
            wanted += [down] * owed(since) if down is not None else []
            since, down = 0.0, up
        since += seconds
    assert steps == wanted
