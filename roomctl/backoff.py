"""Waiting between attempts: full jitter (each wait is uniform between zero and a growing bound)."""

from __future__ import annotations

from random import Random


class Backoff:
    """Bounds grow from `first` to `cap` seconds by `factor` per failure. Slow growth: rooms return soon after a restart."""

    def __init__(self, random: Random, *, first: float = 1.0, cap: float = 30.0, factor: float = 1.5) -> None:
        self._random = random
        self._first = first
        self._cap = cap
        self._factor = factor
        self._bound = first

    def wait(self) -> float:
        """Seconds to wait before the next attempt."""
        seconds = self._random.uniform(0, self._bound)
        self._bound = min(self._cap, self._bound * self._factor)
        return seconds

    def succeeded(self) -> None:
        """Start again from the first bound."""
        self._bound = self._first

    def slow_down(self) -> None:
        """Whoever answers asked for patience: go to the cap at once."""
        self._bound = self._cap
