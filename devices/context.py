"""A driver's side of the framework for one connection: what it tells, and how it asks the device again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from devices.errors import DeviceError, Garbage, Lost
from devices.question import Question
from devices.request import DeviceRequest
from devices.sharing import Share
from devices.state import DeviceState
from devices.timing import Timing
from wire.devices import Value
from wire.problems import Notice

Answer = TypeVar("Answer")


class Context:
    """One connection's way to the state. `spacing`: shortest time in seconds between two exchanges."""

    def __init__(
        self,
        state: DeviceState,
        timing: Timing,
        shared: Share,
        spacing: float,
        wake: Callable[[], None],
        request: Callable[[DeviceRequest], None] | None = None,
        watched: Callable[[], bool] = lambda: False,
    ) -> None:
        self.timing = timing
        self.shared = shared
        self.ready = asyncio.Event()  # set by `connected` or `absent`: the connect deadline is met
        self._state = state
        self._spacing = spacing
        self._wake = wake
        self._request = request
        self._watched = watched
        self._next_exchange = 0.0  # loop time
        self._garbled = False
        self._signs = 0  # of life, so far

    def connected(
        self,
        *,
        model: str = "",
        capabilities: list[str] | None = None,
        axes: list[str] | None = None,
    ) -> None:
        """The device answered: it is online.

        `capabilities` narrows what this one of its kind can do, and `axes` what of it moves (`devices.capabilities.AXES`).
        """
        self._state.connected(model, capabilities, axes)
        self.ready.set()
        self._wake()

    def absent(self, notice: Notice) -> None:
        """We hold the way to the device (a sound server, a bus) but it is not there; `connected` when it comes."""
        self._state.unreachable(notice)
        self.ready.set()

    def offer(self, inputs: list[str]) -> None:
        """The names of the inputs that this one of its kind has, where not those of its settings."""
        self._state.offer(inputs)

    def report(self, name: str, value: Value, *, remaining: float | None = None, total: float | None = None) -> None:
        """The device said that property `name` is `value`; `remaining` of `total` seconds of a slow change."""
        self._state.report(name, value, remaining, total)

    def assume(self, name: str, value: Value) -> None:
        """We believe it without the device's word."""
        self._state.assume(name, value)

    def ask(self, op: str, **args: Value) -> None:
        """Somebody at the device wishes something of the room (a mute key was pressed).

        The room decides; what it then commands comes back as a command, and the device shows its answer (a LED).
        """
        if self._request is not None:
            self._request(DeviceRequest(self._state.config.id, self._state.config.role, op, args))

    @property
    def watched(self) -> bool:
        """Somebody looks at the device, or its room is in a meeting; a poll follows soon when that begins or ends."""
        return self._watched()

    def clock(self) -> float:
        """Unix seconds by the clock of this machine's room, which may jump: for ages of what devices date, no more."""
        return self._state.clock()

    def trouble(self, notice: Notice | None) -> None:
        """The device works but says that something in it is wrong (a lamp); None when all is well again."""
        self._state.trouble(notice)

    def heard(self, words: bytes | str) -> None:
        """A sign of life in the device's protocol, kept as its last words."""
        self._garbled = False
        self._signs += 1
        self._state.heard(words)

    def alive(self) -> None:
        """A sign of life that says nothing to people: who is dialled is waited for further."""
        self._signs += 1

    def garbled(self, words: bytes | str) -> None:
        """Something came that is not the device's protocol; its last words, but no sign of life."""
        self._garbled = True
        self._state.babbled(words)

    async def in_time(self) -> bool:
        """Whether `ready` comes in time: who answers slowly is waited for as long as it goes on to, but not without end."""
        loop, signs = asyncio.get_running_loop(), -1
        latest = loop.time() + self.timing.dial
        while self._signs > signs:
            signs = self._signs
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(latest, loop.time() + self.timing.connect)):
                    return await self.ready.wait()
        return False

    def silence(self) -> DeviceError:
        """What to raise when no answer came: the device is silent, or says only garbage."""
        return Garbage("only garbage came") if self._garbled else Lost("no answer")

    async def retrying(
        self, ask: Callable[[], Awaitable[Answer]], *, attempts: int | None = None, at_once: bool = False
    ) -> Answer:
        """Ask, and ask again when no answer came in time; raises `silence()` after the last try.

        Only for what may run twice, over what loses messages: over TCP see `patiently`. `at_once`: without the usual pause,
        after an exchange that the device confirmed.
        """
        for number in range(attempts or self.timing.attempts):
            await self._pace(at_once=at_once and number == 0)
            try:
                async with asyncio.timeout(self.timing.reply):
                    return await ask()
            except TimeoutError:
                continue
        raise self.silence()

    async def persistently(self, ask: Callable[[], Awaitable[Answer]], *, at_once: bool = False) -> Answer:
        """As `retrying`, but the answer to any of the tries counts: for devices that say which question they answer."""
        question = Question(ask)
        try:
            return await self.retrying(question.once_more, at_once=at_once)
        finally:
            await question.close()

    async def patiently(self, ask: Callable[[], Awaitable[Answer]], *, at_once: bool = False) -> Answer:
        """Ask once and wait as long as for all tries of `retrying`; raises `silence()` then.

        For what TCP carries: it loses nothing, so a device that was asked again would only be asked twice.
        """
        await self._pace(at_once=at_once)
        try:
            async with asyncio.timeout(self.timing.patience):
                return await ask()
        except TimeoutError:
            raise self.silence() from None

    async def breathe(self) -> None:
        """Give a device that is busy a moment."""
        await asyncio.sleep(self.timing.busy)

    async def _pace(self, *, at_once: bool = False) -> None:
        now = asyncio.get_running_loop().time()
        if (wait := self._next_exchange - now) > 0 and not at_once:
            await asyncio.sleep(wait)
            now += wait
        self._next_exchange = now + self._spacing
