"""pysnmp engines, kept from one connection to the next: making one takes a tenth of a second of the processor.

What an engine learnt of an agent (RFC 3414: its identity, boots, clock) is wrong when that agent comes back as another:
so an engine of version 3 that heard anything is not lent again after a connection ended.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pysnmp.hlapi.v3arch.asyncio import SnmpEngine

from devices.snmp.link import close, has_heard
from devices.snmp.login import Login


class Engines:
    """Those of one login; the newest is lent. Held by its devices for as long as they are run (`kept`)."""

    def __init__(self, login: Login) -> None:
        self._learns = bool(login.user)
        self._one: SnmpEngine | None = None
        self._lent: Counter[SnmpEngine] = Counter()
        self._making: asyncio.Task[SnmpEngine] | None = None

    @classmethod
    @asynccontextmanager
    async def kept(cls, login: Login) -> AsyncIterator[Engines]:
        """For `Shared`."""
        engines = cls(login)
        try:
            yield engines
        finally:
            if engines._making is not None:
                engines._making.cancel()
            engines._replace(None)

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[SnmpEngine]:
        """For one connection. It is made on a thread; its socket is opened later."""
        one = await self._newest()
        self._lent[one] += 1
        try:
            yield one
        finally:
            self._lent[one] -= 1
            if one is self._one and self._learns and has_heard(one):
                self._replace(None)
            elif one is not self._one:
                self._close_unless_lent(one)

    async def _newest(self) -> SnmpEngine:
        """It is made to its end, however long a busy machine takes: who gave up waiting finds it at the next try."""
        while (one := self._one) is None:
            if self._making is None:
                self._making = asyncio.create_task(asyncio.to_thread(SnmpEngine), name="snmp engine")
                self._making.add_done_callback(self._made)
            await asyncio.shield(self._making)
        return one

    def _made(self, making: asyncio.Task[SnmpEngine]) -> None:
        self._making = None
        if not making.cancelled() and making.exception() is None:
            self._one = making.result()

    def _replace(self, another: SnmpEngine | None) -> None:
        before, self._one = self._one, another
        if before is not None:
            self._close_unless_lent(before)

    def _close_unless_lent(self, one: SnmpEngine) -> None:
        if not self._lent[one]:
            del self._lent[one]
            close(one)
