"""The log of one device, bounded: a device that comes and goes without end does not fill the disk."""

from __future__ import annotations

import asyncio
import logging
import time

BURST = 12  # lines at once
EVERY = 300.0  # seconds after which one more may be said


class Journal:
    """Says at most `BURST` lines at once, then one each `EVERY` seconds; what was left out is counted and said."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._credit = float(BURST)
        self._credited_at: float | None = None
        self._left_out = 0

    def say(self, level: int, text: str, *args: object, exc_info: BaseException | None = None) -> None:
        """One line, if there may be one."""
        now = _now()
        if self._credited_at is not None:
            self._credit = min(float(BURST), self._credit + (now - self._credited_at) / EVERY)
        self._credited_at = now
        if self._credit < 1:
            self._left_out += 1
            return
        self._credit -= 1
        if self._left_out:
            text, args = f"{text} (%d lines left out before)", (*args, self._left_out)
            self._left_out = 0
        self._log.log(level, text, *args, exc_info=exc_info)


def _now() -> float:
    """Seconds of the loop's clock, or of the same clock outside of one."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()
