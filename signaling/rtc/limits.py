"""A token bucket: how often a session may do something."""

from __future__ import annotations

_ROUNDING = 1e-6  # of a level; else one that waits until the time that `ready` says may come a rounding too early


class Bucket:
    """Holds `burst` at most, refilled at `rate` per second; `take` says whether one more may pass. Time is an argument."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._level = float(burst)
        self._at = now

    def take(self, now: float, cost: int = 1) -> bool:
        """Take `cost`; False where the bucket holds less."""
        self._level, self._at = self.level(now), now
        if self._level + _ROUNDING < cost:
            return False
        self._level -= cost
        return True

    def charge(self, cost: int) -> None:
        """Take `cost` for what was done already; with less in the bucket, what comes next waits until it is made up."""
        self._level -= cost

    def ready(self, now: float) -> float:
        """When one more may pass."""
        return now + max(0.0, 1 - self.level(now)) / self._rate

    def level(self, now: float) -> float:
        """What it holds; below zero where more was charged."""
        return min(self._burst, self._level + max(0.0, now - self._at) * self._rate)
