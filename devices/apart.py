"""A third party's driver on a thread and an event loop of its own, so that one that blocks harms only its device.

What this cannot prevent: a native extension that crashes ends the process, one that never lets go of the interpreter's
lock stops it, and a thread that blocks for ever stays until the process ends (its device is shown as blocked meanwhile).
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import msgspec

from devices.capabilities import Arguments, Operation, Reply
from devices.context import Context
from devices.errors import DriverBlocked, Lost
from devices.sharing import Share, Shared
from devices.state import WORDS
from devices.watchdog import place
from wire.devices import Value
from wire.problems import Notice

log = logging.getLogger(__name__)

BEAT = 0.5  # seconds between two looks at a driver's loop
BLOCKED = 2.0  # seconds without a turn of its loop after which a driver counts as blocked
END = 1.0  # seconds a driver may take to let go
LARGEST = 4096  # bytes of one thing that it tells, encoded
PROPERTIES = 64  # that one driver may report
LONGEST_NAME = 64  # characters of a property's name
Result = TypeVar("Result")


class Body(Protocol):
    """What the runner asks of a driver."""

    async def run(self, context: Context) -> None:
        """See Driver.run."""

    async def attend(self, shared: Shared, nudge: Callable[[], None]) -> None:
        """See Driver.attend."""

    async def poll(self, *, whole: bool) -> None:
        """See Driver.poll."""

    async def execute(self, operation: Operation, args: Arguments) -> Reply:
        """See Driver.execute."""


class Apart:
    """The driver as the runner sees it: every call goes over to its thread, every report comes back."""

    def __init__(self, driver: Body, name: str) -> None:
        self._driver = driver
        self._name = name
        self._thread: _Thread | None = None

    async def run(self, context: Context) -> None:
        """Run on a new thread; raises DriverBlocked when it does not answer, or the last one has not ended."""
        if self._thread is not None and self._thread.is_alive():
            raise DriverBlocked(self._thread.blocked())
        thread = self._thread = _Thread(self._name)
        distant = DistantContext(context, asyncio.get_running_loop())
        thread.start()
        try:
            await self._watch(thread, thread.submit(lambda: self._driver.run(distant)))
        except Exception as error:
            thread.failure = error
            raise
        finally:
            distant.over = True
            await thread.end()

    async def attend(self, shared: Shared, nudge: Callable[[], None]) -> None:
        """Not offered: what it hears, it hears while it runs."""

    async def poll(self, *, whole: bool) -> None:
        """On its thread."""
        await self._there(lambda: self._driver.poll(whole=whole))

    async def execute(self, operation: Operation, args: Arguments) -> Reply:
        """On its thread."""
        return await self._there(lambda: self._driver.execute(operation, args))

    async def _there(self, call: Callable[[], Awaitable[Result]]) -> Result:
        thread, asking = self._thread, asyncio.current_task()
        if thread is None:
            raise Lost("not connected")
        try:
            return await thread.submit(call)
        except asyncio.CancelledError:
            if thread.failure is not None and asking is not None and not asking.cancelling():
                raise thread.failure from None  # the driver ended under us: say why
            raise

    async def _watch(self, thread: _Thread, held: asyncio.Future[None]) -> None:
        try:
            while not (await asyncio.wait({held}, timeout=BEAT))[0]:
                if thread.silent_for > BLOCKED:
                    log.error("%s; only its device is affected", thread.blocked())
                    raise DriverBlocked(thread.blocked())
                thread.beat()
            held.result()
        finally:
            held.cancel()


class DistantContext(Context):
    """The context a driver has on its own thread: what it says is carried over; what it awaits, it awaits there."""

    def __init__(self, near: Context, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(near._state, near.timing, Share(Shared(), lambda: None), near._spacing, lambda: None)
        self._names: set[str] = set()  # of properties
        self.over = False  # its connection ended: nobody listens
        self._near = near
        self._loop = loop

    def _say(self, tell: Callable[[], None]) -> None:
        def arrive() -> None:
            if not self.over:
                tell()

        with suppress(RuntimeError):  # the program ends
            self._loop.call_soon_threadsafe(arrive)

    @property
    def watched(self) -> bool:
        """As it is over there."""
        return self._near.watched

    def connected(
        self, *, model: str = "", capabilities: list[str] | None = None, axes: list[str] | None = None
    ) -> None:
        """Carried over."""
        name, can, moves = plain(model, str), plain(capabilities, list[str] | None), plain(axes, list[str] | None)
        self._say(lambda: self._near.connected(model=name, capabilities=can, axes=moves))

    def offer(self, inputs: list[str]) -> None:
        """Carried over."""
        names = plain(inputs, list[str])
        self._say(lambda: self._near.offer(names))

    def absent(self, notice: Notice) -> None:
        """Carried over."""
        said = plain(notice, Notice)
        self._say(lambda: self._near.absent(said))

    def report(self, name: str, value: Value, *, remaining: float | None = None, total: float | None = None) -> None:
        """Carried over."""
        self._count(name)
        said, left, whole = plain(value, Value), plain(remaining, float | None), plain(total, float | None)
        self._say(lambda: self._near.report(name, said, remaining=left, total=whole))

    def assume(self, name: str, value: Value) -> None:
        """Carried over."""
        self._count(name)
        said = plain(value, Value)
        self._say(lambda: self._near.assume(name, said))

    def trouble(self, notice: Notice | None) -> None:
        """Carried over."""
        said = plain(notice, Notice | None)
        self._say(lambda: self._near.trouble(said))

    def ask(self, op: str, **args: Value) -> None:
        """Carried over."""
        wish, said = plain(op, str), plain(args, dict[str, Value])
        self._say(lambda: self._near.ask(wish, **said))

    def heard(self, words: bytes | str) -> None:
        """Carried over."""
        self._garbled, said = False, _words(words)
        self._say(lambda: self._near.heard(said))

    def garbled(self, words: bytes | str) -> None:
        """Carried over."""
        self._garbled, said = True, _words(words)
        self._say(lambda: self._near.garbled(said))

    def _count(self, name: str) -> None:
        self._names.add(plain(name, str))
        if len(self._names) > PROPERTIES or len(name) > LONGEST_NAME:
            raise ValueError(f"more than {PROPERTIES} properties, or a name longer than {LONGEST_NAME}")


def plain(value: Any, kind: Any) -> Any:
    """`value` as pages can be told it; raises in the driver that says something else, or too much."""
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError("said bytes where text belongs")
    said = msgspec.json.encode(value)
    if len(said) > LARGEST:
        raise ValueError(f"says {len(said)} bytes at once")
    return msgspec.json.decode(said, type=kind)


def _words(words: bytes | str) -> bytes | str:
    if not isinstance(words, bytes | str):
        raise TypeError(f"said {type(words).__name__}, neither bytes nor text")
    return words[:WORDS]


class _Thread:
    """A daemon thread that runs an event loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop = asyncio.new_event_loop()
        self._home = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._door = threading.Lock()  # held for a moment only: nothing is submitted once it is closed
        self._closed = False
        self._turned = time.monotonic()  # when its loop last had a turn
        self._left_at: float | None = None  # since when it blocks, once we went on without it
        self.failure: Exception | None = None  # what the driver ended with
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def is_alive(self) -> bool:
        """It has not ended."""
        return self._thread.is_alive()

    def submit(self, call: Callable[[], Awaitable[Result]]) -> asyncio.Future[Result]:
        """Run `call` there; when the thread ended, raises what ended it."""
        with self._door:
            if self._closed:
                raise self.failure or Lost("its driver ended")
            return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_contained(call), self._loop))

    def beat(self) -> None:
        """Let its loop say that it turns."""

        def turn() -> None:
            self._turned = time.monotonic()

        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(turn)

    @property
    def silent_for(self) -> float:
        """Seconds since its loop last had a turn."""
        return time.monotonic() - self._turned

    def blocked(self) -> str:
        """Which driver blocks, for how long, and where."""
        where = place(sys._current_frames().get(self._thread.ident or 0))
        return f"{self._name} blocks for {self.silent_for:.1f} s{where}"

    async def end(self) -> None:
        """Cancel all that runs there; a thread that does not end in time is left behind."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)
        try:
            async with asyncio.timeout(END):
                await self._ended.wait()
        except TimeoutError:
            self._left_at = self._turned
            log.error("%s; its thread is left behind until it returns", self.blocked())

    def _serve(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            if self._left_at is not None:
                log.warning("%s let go after %.1f s", self._name, time.monotonic() - self._left_at)
            with self._door:
                self._closed = True
            loop.run_until_complete(asyncio.sleep(0))  # what was submitted last becomes a task
            while tasks := asyncio.all_tasks(loop):
                for task in tasks:
                    task.cancel()
                loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()
            with suppress(RuntimeError):  # the program ended
                self._home.call_soon_threadsafe(self._ended.set)


async def _contained(call: Callable[[], Awaitable[Result]]) -> Result:
    """A driver that wants to end the process ends only itself."""
    try:
        return await call()
    except (SystemExit, KeyboardInterrupt) as error:
        raise RuntimeError(f"the driver tried to end the program: {error!r}") from error


def within(seconds: float, call: Callable[[], Result], what: str) -> Result:
    """`call` on a thread of its own; raises TimeoutError naming `what`, or what it raised. Blocks up to `seconds`."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    if results:
        return results[0]
    if errors:
        error = errors[0]
        raise error if isinstance(error, Exception) else RuntimeError(f"{what} tried to end the program: {error!r}")
    raise TimeoutError(f"{what} did not end within {seconds:g} s")
