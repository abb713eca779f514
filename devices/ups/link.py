"""One connection to an upsd, shared by every supply it watches: it answers in the order in which it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from devices.channel import Channel, open_tcp
from devices.errors import DeviceError, Garbage, Lost, Refused
from devices.ups.lines import Junk, Line, LineReader

MOST = 1000  # variables of one supply
OWED = 64  # questions without answer: of more the first are forgotten


class Stale(DeviceError):
    """The upsd is there, but hears nothing of the supply."""

    code = "device.stale"
    about_command = True


@dataclass(eq=False)
class _Question:
    about: tuple[str, ...]  # first words of its answer
    answer: asyncio.Future[list[Line]]


class UpsdLink:
    """Answers are known by what they are about, and a refusal by its turn: what nobody waits for any more is still answered."""

    def __init__(self) -> None:
        self._reader = LineReader()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._owed: list[_Question] = []
        self._list: list[Line] | None = None  # of the first of them
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
        if self._channel is None or self._ended.done():
            raise Lost("the connection to the upsd is gone")
        one = _Question(about, self._loop.create_future())
        self._owed = [*self._owed[1 - OWED :], one]
        self._channel.send(question.encode() + b"\n")
        return await one.answer

    # --- hearing ------------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Bytes from the upsd, any bytes."""
        for line in self._reader.feed(data):
            if isinstance(line, Junk):
                self._end(Garbage(line.data[:40].hex(" ")))
            else:
                self._hear(line)

    def _hear(self, line: Line) -> None:
        words = line.words
        if self._list is not None and words[:1] != ("END",):
            if len(self._list) < MOST:
                self._list.append(line)
        elif words[0] == "ERR" and self._owed:
            _settle(self._owed.pop(0), _refusal(words[1] if len(words) > 1 else ""))
        elif words[0] == "BEGIN" and self._skip_to(words[1:]):
            self._list = []
        elif words[0] == "END":
            lines, self._list = self._list, None
            if lines is not None and self._owed and _answers(words[1:], self._owed[0]):
                _settle(self._owed.pop(0), lines)
        elif words[0] not in ("BEGIN", "ERR") and self._skip_to(words):
            _settle(self._owed.pop(0), [line])

    def _skip_to(self, words: tuple[str, ...]) -> bool:
        """What was asked before the question of this answer has none any more; False when nobody asked for it."""
        for number, one in enumerate(self._owed):
            if _answers(words, one):
                del self._owed[:number]
                return True
        return False

    def _end(self, error: DeviceError) -> None:
        waiting: list[asyncio.Future[Any]] = [self._ended, *(one.answer for one in self._owed)]
        for future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # nobody may wait for it
        self._owed.clear()


def _answers(words: tuple[str, ...], one: _Question) -> bool:
    return words[: len(one.about)] == one.about


def _settle(one: _Question, said: list[Line] | DeviceError) -> None:
    if one.answer.done():
        return  # nobody waits for it any more
    if isinstance(said, DeviceError):
        one.answer.set_exception(said)
    else:
        one.answer.set_result(said)


def _refusal(code: str) -> DeviceError:
    if code in ("DATA-STALE", "DRIVER-NOT-CONNECTED"):
        return Stale(code)
    if code == "UNKNOWN-UPS":
        return Refused(code, code="device.unknown_name")
    return Refused(code)
