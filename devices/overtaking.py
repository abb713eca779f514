"""Moves that a slow camera has not answered when their lease is over: a stop goes ahead of them, and their answers count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Overtaking:
    """The moves of one device under way; `answered` is called with what one ended with that a stop overtook."""

    def __init__(self, answered: Callable[[BaseException | None], None]) -> None:
        self._answered = answered
        self._stop_asked = asyncio.Event()  # since the last move began
        self._moves: set[asyncio.Task[None]] = set()

    def stop_asked(self) -> None:
        """A stop waits in the queue."""
        self._stop_asked.set()

    async def wait(self, move: Coroutine[Any, Any, None], expires: float) -> bool:
        """Until it ended, raising what it raised; False when a stop is to go ahead, at loop time `expires` at the soonest."""
        self._stop_asked.clear()
        work = asyncio.create_task(move, name="move")
        stop = asyncio.create_task(self._stop_asked.wait(), name="overtake")
        self._moves.add(work)
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                await asyncio.wait({work}, timeout=max(0.0, expires - asyncio.get_running_loop().time()))
        finally:
            stop.cancel()
            if not work.done():
                work.add_done_callback(self._ended)
        if not work.done():
            return False
        self._moves.discard(work)
        work.result()
        return True

    def _ended(self, move: asyncio.Task[None]) -> None:
        self._moves.discard(move)
        if not move.cancelled():
            self._answered(move.exception())

    async def end(self, patience: float) -> None:
        """Nobody waits any more, but for `patience` seconds for those under way: whoever stops them then stops them all."""
        try:
            if self._moves:
                await asyncio.wait(self._moves, timeout=patience)
        finally:
            for move in self._moves:
                move.cancel()
            if self._moves:
                await asyncio.wait(self._moves)
            self._moves.clear()
