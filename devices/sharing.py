"""One connection used by several devices (a sound server, a camera chain): opened by the first, closed by the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

Resource = TypeVar("Resource")


@dataclass
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    manager: AbstractAsyncContextManager[Any] | None = None
    resource: Any = None


class Shared:
    """Connections by key. Give the same object to several hubs to share across rooms of one process."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    @asynccontextmanager
    async def use(
        self, key: str, opener: Callable[[], AbstractAsyncContextManager[Resource]]
    ) -> AsyncIterator[Resource]:
        """The resource of `key`, opened with `opener` when nobody holds it yet."""
        entry = self._entries.setdefault(key, _Entry())
        entry.users += 1
        try:
            async with entry.lock:
                if entry.manager is None:
                    manager = opener()
                    entry.resource = await manager.__aenter__()
                    entry.manager = manager
            yield cast(Resource, entry.resource)
        finally:
            entry.users -= 1
            if entry.users == 0:
                self._entries.pop(key, None)
                if entry.manager is not None:
                    await entry.manager.__aexit__(None, None, None)
