"""What Chromium goes without behind a link that does not carry all of a meeting: layers first, then the least important."""

from __future__ import annotations

import msgspec
import pytest

from tests.network.allocation import LARGE, PEOPLE, Sample, Seen
from tests.network.links import in_own_network
from tests.network.marks import BROWSERS

pytestmark = [*BROWSERS, pytest.mark.timeout(240)]


def paused(sample: Sample) -> set[str]:
    """Whose pictures the relay withholds."""
    return {who for who, reason in sample.reasons.items() if reason is not None}


async def test_the_screen_stays_readable_then_the_speaker_then_who_is_large() -> None:
    seen = msgspec.json.decode(await in_own_network(200, "tests.network.allocation"), type=Seen)

    # For two high layers and two low ones: the screen's and the speaker's. Layers went down, and nothing was paused.
    assert seen.narrow.samples[-1].widths == LARGE, seen.narrow
    assert not any(paused(sample) or sample.told for sample in seen.narrow.samples), seen.narrow
    assert all(frames > 0 for frames in seen.narrow.frames.values()), seen.narrow

    # For three low layers: everything goes down before anything is paused, and then it is the least important. What does not
    # fit for a moment is skipped and the next one tried, so that for some tenths of a second eve may wait instead of dan.
    samples = [sample for sample in seen.thin.samples if paused(sample)]
    assert samples, seen.thin
    for sample in samples:
        assert all(layer in (0, None) for layer in sample.layers.values()), sample
        assert paused(sample) <= {"dan", "eve"}, sample
    assert paused(samples[-1]) == {"dan"}, seen.thin
    assert {who for who in PEOPLE[1:] if seen.thin.frames[who] > 0} == set(PEOPLE[1:]), seen.thin

    # Bob is told so; and that it is for his link, which the protocol tells by how his connection is, to him and to others.
    assert seen.thin.samples[-1].told == ["dan"], seen.thin
    assert samples[-1].reasons["dan"] == "bandwidth", seen.thin
    assert seen.thin.quality == ("poor", "poor"), seen.thin
    assert set(seen.after) <= {"good", "excellent"}, seen.after

    # Voices go on all the while: on a quiet machine less than 1 % is made up, on a busy one 2 %, of what is withheld all.
    for part in (seen.narrow, seen.thin):
        assert part.energy > 0, part
        assert part.concealed < 0.1, part
