"""The queue of one device: one task per lane, a newer one supersedes the waiting one, motion goes first."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from devices.capabilities import Arguments, On, Operation
from devices.errors import NotNow


@dataclass(eq=False)
class Task:
    """One command that waits. Loop times in seconds: past `expires` it never begins, at `deadline` it is answered."""

    operation: Operation
    args: Arguments
    expires: float
    answer: asyncio.Future[Outcome]
    deadline: float = math.inf
    order: int = 0
    begun: bool = False
    renewals: int = 0  # of the move lease, as it began

    @property
    def heads(self) -> bool:
        """The camera moves by itself: to a position, or after people."""
        return self.operation.name == "recall_preset" or (
            isinstance(self.args, On) and self.operation.name == "set_framing" and self.args.on
        )


@dataclass(frozen=True)
class Outcome:
    """How a task ended: None for `error` means as `accepted` says; the runner makes the wire's result of it."""

    accepted: bool = False
    superseded: bool = False
    error: BaseException | None = None


MOST = 64  # commands that wait at once, those of different ports together


class CommandQueue:
    """Bounded: by the number of lanes, and by MOST for those that an operation has one of per argument."""

    def __init__(self) -> None:
        self._waiting: dict[str, Task] = {}
        self._order = count()
        self._changed = asyncio.Event()

    def put(self, task: Task) -> None:
        """Queue a task; the one that waits in its lane ends as superseded. One too many ends as NotNow."""
        task.order, lane = next(self._order), task.operation.lane_of(task.args)
        if older := self._waiting.pop(lane, None):
            settle(older, Outcome(superseded=True))
        elif task.operation.each and len(self._waiting) >= MOST:
            settle(task, Outcome(error=NotNow(f"{MOST} commands wait already")))
            return
        self._waiting[lane] = task
        self._changed.set()

    def wake(self) -> None:
        """Let the waiting `get` return None, so that its caller looks at the time again."""
        self._changed.set()

    @property
    def waiting(self) -> bool:
        """Something waits."""
        return bool(self._waiting)

    async def get(self, until: float) -> Task | None:
        """The first task by priority, then age; None at loop time `until` or when woken."""
        if not self._waiting:
            with suppress(TimeoutError):  # a task may have come in that very turn
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
        self._changed.clear()
        first = min(self._waiting.values(), key=lambda task: (task.operation.priority, task.order), default=None)
        return self._waiting.pop(first.operation.lane_of(first.args)) if first else None

    def clear(self, error: BaseException) -> None:
        """End everything that waits with `error`."""
        for task in self._waiting.values():
            settle(task, Outcome(error=error))
        self._waiting.clear()


def settle(task: Task, outcome: Outcome) -> None:
    """Answer a task, unless whoever asked went away."""
    if not task.answer.done():
        task.answer.set_result(outcome)
