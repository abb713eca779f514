"""Many values of an SNMP agent in few questions: a switch may take two seconds for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from devices.errors import Rejected
from devices.snmp.refusal import TooBig

MOST = 48  # asked for at once: a kilobyte, which agents should be able to say (RFC 3417 §3.2)


class Values:
    """Of one agent; `ask` is one question, and raises what `devices.snmp.link` does."""

    def __init__(self, ask: Callable[[list[str]], Awaitable[list[Any]]]) -> None:
        self._ask = ask
        self._most = MOST  # that it can say, as far as is known

    async def of(self, oids: list[str]) -> list[Any]:
        """In their order, None where there is none. Asks for less at once where that is too much, or one is refused."""
        if len(oids) <= self._most:
            try:
                return await self._ask(oids)
            except Rejected as error:
                if len(oids) == 1:
                    return [None]
                if isinstance(error, TooBig):
                    self._most = len(oids) // 2
        half = min(self._most, len(oids) // 2)
        return await self.of(oids[:half]) + await self.of(oids[half:])
