"""Names what keeps the program's loop from turning: all devices of a room, and its pages, share that loop.

A driver that a package adds has a thread of its own (`devices.apart`). Ours have not: one of them that blocks stops
everything, and nothing in the loop could say so. A thread beside it does: which driver, for how long, at which line.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from devices.journal import Journal

log = logging.getLogger(__name__)

BEAT = 0.25  # seconds between two looks at the loop
BLOCKED = 1.0  # seconds without a turn after which it counts as blocked
DRIVERS = Path(__file__).parent


class Watchdog:
    """Used as a context on the loop it watches. `said` is what it last said, for tests and for whoever asks."""

    def __init__(self, *, blocked: float = BLOCKED, beat: float = BEAT) -> None:
        self.said = ""
        self._blocked, self._beat = blocked, beat
        self._loop = asyncio.get_running_loop()
        self._loops_thread = threading.get_ident()
        self._journal = Journal(log)
        self._turned = time.monotonic()  # when the loop last had a turn
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        since: float | None = None  # when what blocks now began
        looked = time.monotonic()
        while not self._over.wait(self._beat):
            now, slept = time.monotonic(), time.monotonic() - looked
            looked = now
            if since is not None and self._turned > since:
                self._say("the loop turns again after %.1f s", self._turned - since)
                since = None
            if slept > 4 * self._beat:  # the whole program stood still, this thread as well: nobody's fault here
                self._turned = now
            elif since is None and now - self._turned > self._blocked:
                since = self._turned
                self._say("%s blocks the loop for %.1f s", self._culprit(), now - self._turned)
            with suppress(RuntimeError):  # the program ends
                self._loop.call_soon_threadsafe(self._turn)

    def _turn(self) -> None:
        self._turned = time.monotonic()

    def _say(self, text: str, *args: object) -> None:
        self.said = text % args
        self._journal.say(logging.ERROR, text, *args)

    def _culprit(self) -> str:
        """Driver, device (in its task's name) and line, as far as they can be seen from outside."""
        frame = sys._current_frames().get(self._loops_thread)
        task = asyncio.current_task(self._loop)
        name = f" ({task.get_name()})" if task is not None else ""
        return f"{_ours(frame)}{name}{place(frame)}"


def _ours(frame: FrameType | None) -> str:
    """The deepest line of a driver in a stack; of this program where there is none."""
    ours = ""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.parent.parent == DRIVERS:
            return f"driver {path.parent.name}, {path.name}:{frame.f_lineno},"
        if not ours and DRIVERS.parent in path.parents and "site-packages" not in path.parts:
            ours = f"{path.name}:{frame.f_lineno}"
        frame = frame.f_back
    return ours or "something"


def place(frame: FrameType | None) -> str:
    """Where a thread is now."""
    at = traceback.extract_stack(frame)[-1] if frame is not None else None
    return f" at {Path(at.filename).name}:{at.lineno} in {at.name}" if at else ""
