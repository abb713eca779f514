"""A token bucket: how often a session may do something."""

from __future__ import annotations


class Bucket:
    """Holds `burst` at most, refilled at `rate` per second; `take` says whether one more may pass. Time is an argument."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._level = float(burst)
        self._at = now

    def take(self, now: float, cost: int = 1) -> bool:
        """Take `cost`; False where the bucket holds less."""
        self._level = min(self._burst, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._level < cost:
            return False
        self._level -= cost
        return True
