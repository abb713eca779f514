"""The endpoint that stays joined: session after session while the room is in a meeting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from random import Random, SystemRandom
from typing import Final

import msgspec

from devices.rtsp.feed import VideoFeed
from roomctl.backoff import Backoff
from roomctl.media.endpoint import Published
from roomctl.media.session import Hooks, Session
from roomctl.media.signal import Ended
from roomctl.media.source import CameraSource, Source, TestSource
from wire.link import MediaAccess
from wire.places import Center, Room
from wire.problems import Problem

log = logging.getLogger(__name__)

FIRST_WAIT: Final = 0.5  # seconds; short, for people are waiting
LONGEST_WAIT: Final = 4.0


class Publisher:
    """Publishes the picture of a room's camera, or its test picture and chord where none is given.

    `on_muted` hears the kind of a track that somebody remote muted.
    """

    def __init__(
        self,
        room: Room,
        center: Center,
        on_change: Callable[[], None],
        on_muted: Callable[[str], None],
        random: Random | None = None,
        *,
        camera: VideoFeed | None = None,
    ) -> None:
        self._room = room
        self._center = center
        self._feed = camera
        self._on_change = on_change
        self._on_muted = on_muted
        self._backoff = Backoff(random or SystemRandom(), first=FIRST_WAIT, cap=LONGEST_WAIT)
        self._access: MediaAccess | None = None
        self._mic = self._camera = False
        self._session: Session | None = None
        self._problem: Problem | None = None
        self._moved = asyncio.Event()  # opened or closed

    @property
    def published(self) -> Published:
        """What is confirmed now."""
        if self._session is None or not self._session.connected:
            return Published(problem=self._problem)
        sent = self._session.sent
        return Published(True, sent["audio"], sent["video"])

    def open(self, access: MediaAccess, *, mic: bool, camera: bool) -> None:
        """Join with this access and keep joined; again with fresh access: it serves when we must join anew."""
        self._access = access
        self.switch(mic=mic, camera=camera)
        self._moved.set()

    def close(self) -> None:
        """Leave, and release the camera and the microphone."""
        self._access = self._problem = None
        self._mic = self._camera = False
        if self._session is not None:
            self._session.leave()
        self._moved.set()
        self._on_change()

    def switch(self, *, mic: bool, camera: bool) -> None:
        """What may be sent."""
        self._mic, self._camera = mic, camera
        if self._session is not None:
            self._session.switch(mic=mic, camera=camera)
        self._on_change()

    async def run(self) -> None:
        """Own the session until cancelled."""
        source: Source | None = None
        while True:
            if self._access is None:
                source = None
                await self._moved.wait()
                self._moved.clear()
                continue
            source = source or self._source()
            await self._join(source, self._access)

    def _source(self) -> Source:
        if self._feed is not None:
            return CameraSource(self._feed, self._room, self._center)
        return TestSource(self._room, self._center)

    async def _join(self, source: Source, access: MediaAccess) -> None:
        """One session, and the wait after it."""
        self._moved.clear()
        hooks = Hooks(self._changed, self._renewed, self._on_muted)
        session = Session(access.url, access.token, source, hooks, mic=self._mic, camera=self._camera)
        self._session = session
        try:
            ended = await session.run()
        finally:
            self._session = None
        log.info("room %s: media session ended: %s", self._room.id, ended.problem.message)
        self._problem = None if self._access is None else ended.problem
        self._on_change()
        if self._access is not None:
            await self._wait(ended)

    async def _wait(self, ended: Ended) -> None:
        """Before the next session: a while, or until there is fresh access where trying again cannot help."""
        try:
            async with asyncio.timeout(self._backoff.wait() if ended.again else None):
                await self._moved.wait()
        except TimeoutError:
            return

    def _changed(self) -> None:
        if self._session is not None and self._session.connected:
            self._backoff.succeeded()
            self._problem = None
        self._on_change()

    def _renewed(self, token: str) -> None:
        if self._access is not None:
            self._access = msgspec.structs.replace(self._access, token=token)
