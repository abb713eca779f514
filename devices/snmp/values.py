"""Many values of an SNMP agent in few questions: a switch may take two seconds for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from devices.errors import Lost, Rejected
from devices.snmp.refusal import TooBig

MOST = 48  # asked for at once: a kilobyte, which agents should be able to say (RFC 3417 §3.2)
AFTER = 20  # whole answers in pieces before more is asked for at once: what was too much once may have been a busy hour
LONGEST = 64 * AFTER  # and where that was too much again and again


class Values:
    """Of one agent; `ask` is one question, and raises what `devices.snmp.link` does."""

    def __init__(self, ask: Callable[[list[str]], Awaitable[list[Any]]]) -> None:
        self._ask = ask
        self._most = MOST  # that it can say, as far as is known
        self._whole = 0  # answers in pieces since it last could not say as much
        self._after = AFTER  # of them more is asked for
        self._more = False  # is asked for since then, and was not said yet
        self._said = 0  # that it said at once, since it was last silent
        self._refused: dict[str, None] = {}  # those that it said no to, whatever was asked for with them

    def refused(self, oid: str) -> bool:
        """It said no to it: there may be a value all the same."""
        return oid in self._refused

    async def of(self, oids: list[str]) -> list[Any]:
        """In their order, None where there is none; raises Lost when it is silent.

        Of those that it refused one is asked for again each time: once that is said after all, the others are, too.
        """
        again = next((oid for oid in self._refused if oid in oids), None)
        if again is not None and await self._says(again):
            self._refused.clear()
        wanted = [oid for oid in oids if oid not in self._refused]
        said = dict(zip(wanted, await self._some(wanted), strict=True))
        self._more_again(len(wanted))
        return [said.get(oid) for oid in oids]

    def _less(self, most: int) -> None:
        """It cannot say more than that at once; tried out again ever less often."""
        if self._more:
            self._after = min(LONGEST, 2 * self._after)
        self._most, self._whole, self._more = most, 0, False

    def _more_again(self, wanted: int) -> None:
        """All was said: after some times in pieces, twice as much is asked for at once."""
        if self._more:
            self._more, self._after = False, AFTER
        if wanted <= self._most:
            return
        self._whole += 1
        if self._whole >= self._after:
            self._most, self._whole, self._more = min(MOST, 2 * self._most), 0, True

    async def _says(self, oid: str) -> bool:
        try:
            await self._ask([oid])
        except Rejected:
            self._refused.pop(oid, None)
            self._refused[oid] = None  # the next time another one's turn comes
            return False
        return True

    async def _some(self, oids: list[str]) -> list[Any]:
        """Asks for less at once where that is too much, or one is refused."""
        if not oids:
            return []
        if len(oids) <= self._most:
            try:
                values = await self._ask(oids)
                self._said = max(self._said, len(oids))
                return values
            except Rejected as error:
                if len(oids) == 1:
                    self._refused |= dict.fromkeys(oids)
                    return [None]
                if isinstance(error, TooBig):
                    self._less(len(oids) // 2)
            except Lost:
                if not await self._says_less(oids):
                    raise
                self._less(len(oids) // 2)
        half = min(self._most, len(oids) // 2)
        return await self._some(oids[:half]) + await self._some(oids[half:])

    async def _says_less(self, oids: list[str]) -> bool:
        """Whether it is silent only because that is too much: some agents drop what they have no room for.

        Not asked of who said as much before, so that a switch that went away is not waited for twice; raises Lost.
        """
        known, self._said = self._said >= len(oids), 0
        if known or len(oids) == 1:
            return False
        await self._says(oids[0])  # a refusal is a sign of life, too
        return True
