"""The move lease: a moving camera stops by itself unless somebody keeps asking for the move."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

SLOWEST = 30.0  # seconds between two stops of a device that refuses them


class MoveLease:
    """`moving` is True from before a move is sent until a stop is confirmed; `on_end` is called to ask for the stop.

    `renewals` counts the moves asked for. Whoever sends a stop notes it before: what becomes of that stop says nothing
    of a move asked for meanwhile, which goes on when the stop is over. A move that may begin behind its stop counts as
    asked for again.
    """

    def __init__(self, seconds: float, on_end: Callable[[], None]) -> None:
        self._seconds = seconds
        self._on_end = on_end
        self._pause = seconds  # before a refused stop is asked again
        self._timer: asyncio.TimerHandle | None = None
        self._leased = False  # the timer is a lease, not a pause
        self._doubt: asyncio.TimerHandle | None = None  # until a move that nobody answered cannot begin any more
        self._rare = False  # that one is over, and what is left of it unlikely
        self._settled = False  # or nothing is left of it
        self._reachable = False
        self.rare = False  # the stop that is just asked for is unlikely to be needed: nothing is to end for it
        self.moving = False
        self.renewals = 0

    def renew(self) -> None:
        """A move was asked for: it may last this long from now."""
        self.moving = True
        self.renewals += 1
        self._pause = self._seconds
        self._start(self._seconds)
        self._leased = True

    def late(self) -> None:
        """A move may have begun behind its stop, whatever becomes of that: ask for one more, unless a lease runs."""
        self.moving = True
        self.renewals += 1
        if not self._leased:
            self._cancel()
            self._pause = self._seconds
            if self._reachable:
                self._on_end()

    def unanswered(self, seconds: float) -> None:
        """A move ended without its answer: it may begin within `seconds`, behind each stop asked until then.

        Or later, for all anybody knows: it is asked to stop ever less often, for half a minute more (`settled` ends that).
        """
        self.moving = True
        self.renewals += 1
        self._settled = False
        self._believe()
        self._doubted(math.ceil(seconds / self._seconds), self._seconds)

    def settled(self) -> None:
        """What begins now takes the device away from an unanswered move: only while that is likely it is stopped in it."""
        self._settled = self._doubt is not None
        if self._rare:
            self._believe()

    def unsettled(self, seconds: float) -> None:
        """That was not taken: the move may begin as before."""
        if self._settled and self._doubt is None:
            self.unanswered(seconds)
        self._settled = False

    def stopped(self, renewals: int) -> None:
        """The device confirmed the stop begun at `renewals`, or cannot move at all."""
        if renewals == self.renewals:
            self.moving = False
            self._cancel()

    def refused(self, renewals: int) -> None:
        """The device refused the stop begun at `renewals`: ask soon, then ever less often, as long as it may move."""
        if self.moving and renewals == self.renewals:
            self._start(self._pause)
            self._pause = min(SLOWEST, 2 * self._pause)

    def resume(self) -> None:
        """The device answers again: ask for the stop, if it may still move and no lease runs."""
        self._reachable = True
        if self.moving and self._timer is None:
            self._on_end()

    def pause(self) -> None:
        """The connection is gone: nothing can be asked; `resume` after the next one."""
        self._reachable = False
        self._cancel()

    def end(self) -> None:
        """There is no next one."""
        self.pause()
        self._believe()

    def _start(self, seconds: float) -> None:
        self._cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._ended)

    def _ended(self) -> None:
        self._timer, self._leased = None, False
        self._on_end()

    def _doubted(self, left: int, pause: float) -> None:
        """Ask for so many stops more, `pause` seconds apart, and then ever less often."""
        self._rare = pause > self._seconds
        self._doubt = asyncio.get_running_loop().call_later(pause, self._doubting, left - 1, pause)

    def _doubting(self, left: int, pause: float) -> None:
        self._doubt = None
        if left > 0:
            self._doubted(left, pause)
        elif not self._settled and 2 * pause <= SLOWEST:
            self._doubted(1, 2 * pause)
        self.rare = pause > self._seconds
        self.late()
        self.rare = False

    def _believe(self) -> None:
        if self._doubt is not None:
            self._doubt.cancel()
            self._doubt = None

    def _cancel(self) -> None:
        self._leased = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
