"""A conversation with a PJLink device: greeting and password, then one question at a time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from devices.channel import Channel, open_tcp
from devices.context import Context
from devices.errors import DeviceError, Garbage, Lost, NotNow, NotSupported, Refused, Rejected, WrongPassword
from devices.pjlink.lines import STRONG, Answer, Greeting, Junk, LineReader, digest, strong_digest, write

MOST = 16  # exchanges that may be without answer: of more the first are forgotten


class PjlinkLink:
    """One connection."""

    def __init__(self, context: Context, password: str) -> None:
        self._context = context
        self._password = password
        self._reader = LineReader()
        self._channel: Channel | None = None
        self._greeting: asyncio.Future[Greeting] = asyncio.get_running_loop().create_future()
        self._owed: list[tuple[str, str]] = []  # without answer yet, in order: name and parameter
        self._answer: asyncio.Future[str] | None = None
        self._prefix = b""
        self._refusal: DeviceError | None = None

    @classmethod
    @asynccontextmanager
    async def open(
        cls, context: Context, host: str, port: int, password: str, *, strong: bool = False
    ) -> AsyncIterator[PjlinkLink]:
        """Connect and wait for the greeting, `strong`: and for SHA-256; raises Lost, Refused or WrongPassword."""
        link = cls(context, password)
        async with open_tcp(host, port, link.received) as channel:
            link._channel = channel
            channel.on_lost(link._lost)
            try:
                greeting = await link._greeting
            except Lost as error:
                raise Refused("closed before its greeting: does another program control it?") from error
            if greeting.salt and not password:
                raise WrongPassword("the device asks for a password")
            if greeting.salt and strong:
                link._greeting = asyncio.get_running_loop().create_future()
                channel.send(STRONG)
                random = (await link._greeting).random
                if not random:
                    raise Garbage("answers otherwise when it is asked for SHA-256")
                link._prefix = strong_digest(random, secrets.token_bytes(16), password)
            elif greeting.salt:
                link._prefix = digest(greeting.salt, password)
            yield link

    async def until_lost(self) -> None:
        """Hold; raises Lost or WrongPassword."""
        assert self._channel is not None
        try:
            await self._channel.until_lost()
        except Lost:
            raise self._refusal or Lost("closed by the device") from None

    async def ask(self, name: str, question: str = "?", *, level: int = 1) -> str:
        """The value of a question; raises a DeviceError."""
        return await self._exchange(name, question, level)

    async def set(self, name: str, parameter: str, *, level: int = 1) -> None:
        """Carry out a command; raises a DeviceError."""
        await self._exchange(name, parameter, level)

    async def _exchange(self, name: str, parameter: str, level: int) -> str:
        if self._channel is None:
            raise Lost("not connected")
        self._owed = [*self._owed[1 - MOST :], (name, parameter)]
        self._answer = asyncio.get_running_loop().create_future()
        self._channel.send(self._prefix + write(name, parameter, level=level))
        self._prefix = b""
        value = await self._answer
        if error := _refusal(value):
            raise error
        return value

    # --- hearing ------------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Bytes from the device, any bytes."""
        for line in self._reader.feed(data):
            if isinstance(line, Junk):
                self._context.garbled(line.data)
            elif isinstance(line, Greeting):
                self._greeted(line)
            else:
                self._context.heard(f"{line.name}={line.value}")
                self._answered(line)

    def _greeted(self, line: Greeting) -> None:
        if line.refused:
            self._refusal = WrongPassword("the device refuses our password")
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(self._refusal)
            if not self._greeting.done():
                self._greeting.set_exception(self._refusal)
        elif not self._greeting.done():
            self._context.heard("PJLINK")
            self._greeting.set_result(line)

    def _answered(self, line: Answer) -> None:
        """TCP keeps the order: an answer is that to the first of its name and kind, and what came before has none any more.

        What was given up is still answered: that may serve the same question now, but says nothing of another exchange.
        """
        value = line.value.upper()
        refused, done = value.startswith("ERR"), value == "OK"
        fits = [one for one in self._owed if one[0] == line.name and (refused or one[1].startswith("?") != done)]
        if not fits:
            return
        now = self._owed[-1]
        same = fits[0] == now and (not refused or now[1].startswith("?"))
        ours = fits[-1] is now and (len(fits) == 1 or same)
        del self._owed[: self._owed.index(fits[0]) + 1]
        if ours and self._answer is not None and not self._answer.done():
            self._answer.set_result(line.value)

    def _lost(self, error: Lost) -> None:
        for future in (self._greeting, self._answer):
            if future is not None and not future.done():
                future.set_exception(self._refusal or error)
                future.exception()  # nobody may wait for the greeting any more


def _refusal(value: str) -> DeviceError | None:
    match value.upper():
        case "ERR1":
            return NotSupported("the device does not know this command")
        case "ERR2":
            return NotSupported("the device does not know this value")
        case "ERR3":
            return NotNow("the device cannot do this now")
        case "ERR4":
            return Rejected("the device reports a failure", retryable=True)
    return None
