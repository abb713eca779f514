"""One connection used by several devices (a sound server, a broker): opened for all at once, closed by the last.

Many devices behind one connection lose it together. So it is opened once for all who ask, however short the patience of
each is; and the first that is back tells those still away, instead of each waiting out its own pause.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

Resource = TypeVar("Resource")


@dataclass
class _Entry:
    manager: AbstractAsyncContextManager[Any]
    opening: asyncio.Task[Any]
    users: int = 0

    @property
    def failed(self) -> bool:
        return self.opening.done() and (self.opening.cancelled() or self.opening.exception() is not None)

    async def close(self) -> None:
        """Whether it was opened or still is being opened."""
        self.opening.cancel()
        await asyncio.wait({self.opening})
        if not self.failed:
            await self.manager.__aexit__(None, None, None)


class Shared:
    """Connections by key. Give the same object to several hubs to share across rooms of one process."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self.away: dict[str, set[Callable[[], None]]] = {}  # by key, what calls the devices that lost it

    @asynccontextmanager
    async def use(
        self, key: str, opener: Callable[[], AbstractAsyncContextManager[Resource]]
    ) -> AsyncIterator[Resource]:
        """The resource of `key`, opened with `opener` when nobody holds it yet; raises what the opening raises."""
        entry = self._entries.get(key)
        if entry is None or entry.failed:
            entry = self._entries[key] = _opened(opener())
        entry.users += 1
        try:
            yield cast(Resource, await asyncio.shield(entry.opening))
        finally:
            entry.users -= 1
            if entry.users == 0:
                if self._entries.get(key) is entry:
                    del self._entries[key]
                await entry.close()


def _opened(manager: AbstractAsyncContextManager[Any]) -> _Entry:
    async def enter() -> Any:
        return await manager.__aenter__()

    return _Entry(manager, asyncio.create_task(enter(), name="open for all"))


class Share:
    """One device's part in what is shared, the `whole`.

    `call` dials it at once, when a neighbour behind its connection is back.
    """

    def __init__(self, shared: Shared, call: Callable[[], None]) -> None:
        self.whole = shared
        self._call = call
        self._key = ""  # of what it used last

    @asynccontextmanager
    async def use(
        self, key: str, opener: Callable[[], AbstractAsyncContextManager[Resource]]
    ) -> AsyncIterator[Resource]:
        """See Shared.use."""
        self._key = key
        async with self.whole.use(key, opener) as resource:
            yield resource

    def lost(self) -> None:
        """The device is away: it would be called."""
        if self._key:
            self.whole.away.setdefault(self._key, set()).add(self._call)

    def back(self) -> None:
        """The device answers: its neighbours that are away are called."""
        for call in self.whole.away.pop(self._key, set()) - {self._call}:
            call()

    def end(self) -> None:
        """The device is run no more."""
        waiting = self.whole.away.get(self._key, set())
        waiting.discard(self._call)
        if not waiting:
            self.whole.away.pop(self._key, None)
