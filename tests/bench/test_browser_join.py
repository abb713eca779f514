"""What fifty joins come to."""

from __future__ import annotations

from bench.browser_join import rows


def test_the_median_and_the_slow_ones_are_told_apart() -> None:
    half, slow = rows([100.0] * 90 + [400.0] * 10, "1")
    assert (half.name, half.value, half.met) == ("join_to_first_frame_chromium_p50", 100.0, True)
    assert (slow.name, slow.value, slow.met) == ("join_to_first_frame_chromium_p95", 400.0, False)
    assert half.conditions["slowest"] == "400 ms"
