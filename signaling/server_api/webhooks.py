"""Webhooks: what happens in media rooms, told to programs by POST and signed as LiveKit signs it.

One queue and one sender per URL: a slow receiver delays nobody else, and gets the events of all rooms in order. An event
that its receiver does not take is tried again with growing pauses; when the queue is full the oldest events are dropped,
and the next one that arrives says how many (`num_dropped`).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence

import aiohttp
from google.protobuf import json_format
from livekit.protocol.webhook import WebhookEvent
from prometheus_client import Counter

from signaling.rtc.effects import Happened
from signaling.rtc.room import MediaRoom
from signaling.tokens import Tokens

QUEUE = 1000  # events waiting for one receiver
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds before each new try
TIMEOUT = 5.0  # seconds of one try
VALID = 300.0  # seconds a signature holds

_log = logging.getLogger(__name__)
_sent = Counter("roomctl_webhooks_total", "Webhook events by what became of them", ["outcome"])


class Receiver:
    """One URL and the events that wait for it."""

    def __init__(self, url: str, tokens: Tokens, key: str | None, pauses: Sequence[float]) -> None:
        self.url = url
        self._tokens = tokens
        self._key = key
        self._pauses = pauses
        self._waiting: deque[WebhookEvent] = deque()
        self._dropped = 0
        self._news = asyncio.Event()

    def put(self, event: WebhookEvent) -> None:
        """Queue an event; the oldest goes where there is no room."""
        if len(self._waiting) >= QUEUE:
            self._waiting.popleft()
            self._dropped += 1
            _sent.labels("dropped").inc()
        self._waiting.append(event)
        self._news.set()

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Send what waits, in order, until cancelled."""
        while True:
            while not self._waiting:
                self._news.clear()
                await self._news.wait()
            event = WebhookEvent()
            event.CopyFrom(self._waiting.popleft())
            event.num_dropped = self._dropped
            if await self._deliver(session, event):
                self._dropped -= event.num_dropped
            else:
                self._dropped += 1

    async def _deliver(self, session: aiohttp.ClientSession, event: WebhookEvent) -> bool:
        """Whether the receiver took it, at the first try or a later one."""
        for pause in (*self._pauses, None):
            if await self._post(session, event):
                _sent.labels("sent").inc()
                return True
            if pause is not None:
                await asyncio.sleep(pause)
        _sent.labels("failed").inc()
        _log.warning("webhook %s of %s was not taken by %s", event.event, event.room.name, self.url)
        return False

    async def _post(self, session: aiohttp.ClientSession, event: WebhookEvent) -> bool:
        body = json_format.MessageToJson(event, indent=None).encode()
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        token = self._tokens.sign_body(digest, VALID, self._key)
        headers = {"Authorization": token, "Content-Type": "application/webhook+json"}
        try:
            async with session.post(self.url, data=body, headers=headers, allow_redirects=False) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False


class Webhooks:
    """Tells receivers what happens. `key` is the API key that signs; None: the server's own."""

    def __init__(
        self,
        urls: Sequence[str],
        tokens: Tokens,
        key: str | None = None,
        *,
        pauses: Sequence[float] = PAUSES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._receivers = [Receiver(url, tokens, key, pauses) for url in urls]
        self._clock = clock

    def happened(self, room: MediaRoom, what: Happened) -> None:
        """For `RtcServer.watch`."""
        event = WebhookEvent(
            event=what.event,
            id=f"EV_{uuid.uuid4().hex[:16]}",
            created_at=int(self._clock()),
            room=room.info(),
            participant=what.participant,
            track=what.track,
        )
        for receiver in self._receivers:
            receiver.put(event)

    async def run(self) -> None:
        """Send until cancelled."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            for receiver in self._receivers:
                group.create_task(receiver.run(session), name=f"webhook {receiver.url}")
