"""One connection to a sound server, shared by the devices that use it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any, Literal, TypeVar

from pulsectl import PulseDisconnected, PulseError, PulseIndexError

from devices.errors import Lost
from devices.pulse.client import PulseClient

Answer = TypeVar("Answer")
Kind = Literal["sink", "source"]
PENDING = 256  # calls that may wait for one server; more means that it does not answer


class PulseLink:
    """Calls to the server, and news from it. Nothing here has a deadline: the framework holds it.

    A call once sent is never cancelled: libpulse keeps a pointer to its callback until the answer or the end of the
    connection. Who gives up waiting leaves the call behind, and `close` ends it.
    """

    def __init__(self, pulse: PulseClient) -> None:
        self._pulse = pulse
        self._calls: set[asyncio.Task[Any]] = set()
        self._listeners: set[PulseListener] = set()
        self._news: asyncio.Task[None] | None = None
        self.lost = False

    @classmethod
    @asynccontextmanager
    async def open(cls, server: str | None) -> AsyncIterator[PulseLink]:
        """Connect to `server` (an address as in PULSE_SERVER, None: the usual one); raises Lost."""
        link = cls(PulseClient("roomctl", server=server))
        try:
            await link._pulse.connect()
        except (PulseError, PulseDisconnected) as error:
            link._pulse.close()
            raise Lost(f"no sound server at {server or 'the usual address'}") from error
        except asyncio.CancelledError:
            link._pulse.close()
            raise
        link._news = asyncio.create_task(link._listen(), name="pulse news")
        try:
            yield link
        finally:
            await link._close()

    async def call(self, ask: Callable[[PulseClient], Awaitable[Answer]]) -> Answer:
        """One call; raises Lost, or PulseIndexError when what it is about does not exist."""
        if self.lost or len(self._calls) >= PENDING:
            raise Lost("the sound server is gone" if self.lost else "the sound server does not answer")
        task = asyncio.ensure_future(ask(self._pulse))
        self._calls.add(task)
        task.add_done_callback(self._called)
        try:
            return await asyncio.shield(task)
        except PulseIndexError:
            raise
        except (PulseError, PulseDisconnected) as error:
            raise Lost(str(error) or "the sound server refused") from error

    async def peaks(self, source: str, rate: int) -> AsyncIterator[float]:
        """Peaks of 0..1 of a source, `rate` a second, until it goes; raises Lost."""
        if self.lost:
            raise Lost("the sound server is gone")
        try:
            async with aclosing(self._pulse.peaks(source, rate)) as peaks:
                async for peak in peaks:
                    yield float(peak)
        except (PulseError, PulseDisconnected) as error:
            raise Lost(str(error) or "the sound server refused") from error

    @contextmanager
    def listen(self, kind: Kind) -> Iterator[PulseListener]:
        """News about sinks or sources, for as long as the context lasts."""
        listener = PulseListener(kind)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def _called(self, task: asyncio.Task[Any]) -> None:
        self._calls.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may have gone

    async def _listen(self) -> None:
        try:
            async for event in self._pulse.subscribe_events("sink", "source"):
                for listener in self._listeners:
                    listener.offer(event.facility._value, event.t._value, event.index)
        except (PulseError, PulseDisconnected):
            pass
        finally:
            self.lost = True
            for listener in self._listeners:
                listener.changed.set()

    async def _close(self) -> None:
        self.lost = True
        await asyncio.sleep(0)  # answers on their way arrive first
        self._pulse.close()  # ends every call and the news with PulseDisconnected
        tasks = {task for task in (*self._calls, self._news) if task is not None}
        if tasks:
            await asyncio.wait(tasks)


class PulseListener:
    """`changed` is set when the node `index` changed or went, or, while it is None, when any node came."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self.index: int | None = None
        self.changed = asyncio.Event()

    def offer(self, kind: str, event: str, index: int) -> None:
        """One event of the server."""
        if kind == self._kind and (index == self.index if self.index is not None else event == "new"):
            self.changed.set()
