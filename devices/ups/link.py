"""One connection to an upsd, shared by every supply it watches: one question at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from devices.channel import Channel, open_tcp
from devices.errors import DeviceError, Garbage, Lost, Refused
from devices.ups.lines import Junk, Line, LineReader

MOST = 1000  # variables of one supply


class Stale(DeviceError):
    """The upsd is there, but hears nothing of the supply."""

    code = "device.stale"
    about_command = True


class UpsdLink:
    """Answers are known by what they are about, so that a late one is not taken for another."""

    def __init__(self) -> None:
        self._reader = LineReader()
        self._turn = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._about: tuple[str, ...] = ()  # first words of the answer that is awaited
        self._answer: asyncio.Future[list[Line]] | None = None
        self._list: list[Line] | None = None
        self._channel: Channel | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, host: str, port: int) -> AsyncIterator[UpsdLink]:
        """Connect; raises Lost."""
        link = cls()
        async with open_tcp(host, port, link.received) as link._channel:
            link._channel.on_lost(link._end)
            yield link

    async def until_lost(self) -> None:
        """Hold; raises Lost or Garbage."""
        await asyncio.shield(self._ended)

    async def variables(self, ups: str) -> dict[str, str]:
        """Everything known of a supply; raises Stale or Refused."""
        lines = await self._ask(f"LIST VAR {ups}", ("LIST", "VAR", ups))
        return {line.words[2]: line.words[3] for line in lines if len(line.words) == 4}

    async def status(self, ups: str) -> str:
        """`ups.status`; raises Stale or Refused."""
        (line,) = await self._ask(f"GET VAR {ups} ups.status", ("VAR", ups, "ups.status"))
        return line.words[3] if len(line.words) == 4 else ""

    async def supplies(self) -> dict[str, str]:
        """Name to description of each supply."""
        lines = await self._ask("LIST UPS", ("LIST", "UPS"))
        return {line.words[1]: line.words[2] for line in lines if len(line.words) == 3}

    async def _ask(self, question: str, about: tuple[str, ...]) -> list[Line]:
        async with self._turn:
            if self._channel is None or self._ended.done():
                raise Lost("the connection to the upsd is gone")
            self._about, self._list = about, None
            self._answer = self._loop.create_future()
            self._channel.send(question.encode() + b"\n")
            return await self._answer

    # --- hearing ------------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Bytes from the upsd, any bytes."""
        for line in self._reader.feed(data):
            if isinstance(line, Junk):
                self._end(Garbage(line.data[:40].hex(" ")))
            else:
                self._hear(line)

    def _hear(self, line: Line) -> None:
        if self._answer is None or self._answer.done():
            return  # late
        words, about = line.words, self._about
        if words[0] == "ERR":
            self._answer.set_exception(_refusal(words[1] if len(words) > 1 else ""))
        elif words == ("BEGIN", *about):
            self._list = []
        elif words == ("END", *about) and self._list is not None:
            self._answer.set_result(self._list)
        elif self._list is not None and len(self._list) < MOST:
            self._list.append(line)
        elif words[: len(about)] == about:
            self._answer.set_result([line])

    def _end(self, error: DeviceError) -> None:
        for future in (self._ended, self._answer):
            if future is not None and not future.done():
                future.set_exception(error)
                future.exception()  # nobody may wait for it


def _refusal(code: str) -> DeviceError:
    if code in ("DATA-STALE", "DRIVER-NOT-CONNECTED"):
        return Stale(code)
    if code == "UNKNOWN-UPS":
        return Refused(code, code="device.unknown_name")
    return Refused(code)
