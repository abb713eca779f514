"""One meeting with five stacks of other people, V0 and V1: Chromium, Firefox, the Python package, aiortc and str0m.

Over a link that narrows, with its figures, it is a program to run by hand: `tests.network.meeting`.
"""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tests.network.links import in_own_network
from tests.network.marks import BROWSERS
from tests.network.meeting import PEOPLE, Wide
from tests.network.stacks import build

pytestmark = [
    *BROWSERS,
    pytest.mark.timeout(900),
]  # with the Rust client's build, where it was not built for its own tests


async def test_six_people_with_five_stacks_see_and_hear_each_other() -> None:
    program = await asyncio.to_thread(build)
    seen = msgspec.json.decode(await in_own_network(240, "tests.network.meeting", str(program), "wide"), type=Wide)

    # Frames decoded and sound that is not silence, not tracks: five others each, Firefox's picture and str0m's too.
    assert seen.pictures == dict.fromkeys(PEOPLE, 5), seen
    assert seen.voices == dict.fromkeys(PEOPLE, 5), seen
    for name, others in seen.whom.items():
        assert others == sorted(set(PEOPLE) - {name})

    # The WebSocket was cut: resumed, nothing rebuilt, and from the cut on all see and hear all.
    assert seen.resumed == ["signalReconnecting", "reconnected"]
    assert seen.pictures_after == dict.fromkeys(PEOPLE, 5), seen
    assert seen.voices_after == dict.fromkeys(PEOPLE, 5), seen
