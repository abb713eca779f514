"""A live document with subscribers: each has a bounded outbox; one who reads too slowly starts again from a snapshot."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import msgspec

from wire.live import Change, Json, Source

OUTBOX = 64  # changes a slow reader may lag behind


class Subscription:
    """One reader of a topic: iterate to get the snapshot, then every patch."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._waiting: deque[Change] = deque([source.snapshot()])
        self._ready = asyncio.Event()
        self._ready.set()

    def offer(self, change: Change) -> None:
        """Queue a change; past the bound everything waiting is replaced by a fresh snapshot."""
        if len(self._waiting) >= OUTBOX:
            self.resync()
            return
        self._waiting.append(change)
        self._ready.set()

    def resync(self) -> None:
        """Forget what waits and send the whole document."""
        self._waiting.clear()
        self._waiting.append(self._source.snapshot())
        self._ready.set()

    async def __aiter__(self) -> AsyncIterator[Change]:
        """Changes in order, without end; cancel to stop."""
        while True:
            await self._ready.wait()
            while self._waiting:
                yield self._waiting.popleft()
            self._ready.clear()


class Topic:
    """The one owner of a live document."""

    def __init__(self, name: str, document: msgspec.Struct | Json | None = None) -> None:
        self._source = Source(name)
        self._readers: set[Subscription] = set()
        if document is not None:
            self.update(document)

    def update(self, document: msgspec.Struct | Json) -> None:
        """Make `document` the current state and tell every reader what changed."""
        patch = self._source.update(document)
        if patch is not None:
            for reader in self._readers:
                reader.offer(patch)

    @contextmanager
    def subscribe(self) -> Iterator[Subscription]:
        """A reader for as long as the context lasts."""
        reader = Subscription(self._source)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    @property
    def data(self) -> Json:
        """The document as it is now; not to be changed."""
        return self._source.snapshot().data

    @property
    def readers(self) -> int:
        """How many read now."""
        return len(self._readers)
