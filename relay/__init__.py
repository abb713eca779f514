"""The media relay: an SFU in Rust behind an asyncio face.

    relay = Relay.start(RelayConfig(bind=["127.0.0.1:7882"]))
    relay.listen(on_events)                 # called on the loop with a list of events, a batch per wake-up
    relay.submit(OpenTransport(...), ...)   # never blocks
    stats = await relay.stats(room="demo")
    relay.close()

Media flows in the relay's own threads, which never take the GIL: a blocked loop stops no packet. Commands are done in
the order they are submitted per room; what cannot be done is answered by a `CommandFailed` event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from relay._relay import Engine
from relay.config import RelayConfig
from relay.messages import Command, DumpFlight, Event, Flight, GetStats, Stats

__all__ = ["Relay", "RelayConfig"]

Listener = Callable[[list[Event]], None]


class Relay:
    """A running relay. Belongs to the loop `listen` was called on; use it from that loop's thread only."""

    def __init__(self, engine: Engine) -> None:
        """Wrap a started engine; callers use `Relay.start`."""
        self._engine = engine
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(list[Event])
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener: Listener | None = None
        self._requests = 0
        self._answers: dict[int, asyncio.Future[Stats | Flight]] = {}

    @classmethod
    def start(cls, config: RelayConfig) -> Relay:
        """Bind the sockets and start the shards. Raises OSError (address in use…), ValueError (settings make no sense)."""
        return cls(Engine(msgspec.msgpack.encode(config)))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DTLS certificate for our SDP, `AB:CD:…`."""
        return self._engine.fingerprint

    def candidates(self, room: str) -> list[tuple[str, int, str]]:
        """(address, port, "udp" or "tcp") to announce for transports of `room`, those for UDP first."""
        return self._engine.candidates(room)

    def submit(self, *commands: Command) -> None:
        """Queue commands; never blocks. Failures come as `CommandFailed` events."""
        self._engine.submit(self._encoder.encode(commands))

    def listen(self, listener: Listener) -> None:
        """Call `listener` on the running loop with each batch of events. One listener: calling again replaces it."""
        self._listener = listener
        self._watch()

    async def stats(self, room: str | None = None) -> Stats:
        """Counters of one room, or of the whole relay. Raises ConnectionError when the relay is closed meanwhile."""
        answer = await self._ask(lambda request: GetStats(request=request, room=room))
        assert isinstance(answer, Stats)
        return answer

    async def flight(self, transport: str) -> bytes:
        """The heads of a transport's last packets as a capture file (pcapng). Raises ConnectionError as `stats`, KeyError."""
        now = time.time_ns() // 1000
        answer = await self._ask(lambda request: DumpFlight(request=request, transport=transport, unix=now))
        assert isinstance(answer, Flight)
        if not answer.payload:
            raise KeyError(transport)
        return answer.payload

    async def _ask(self, question: Callable[[int], Command]) -> Stats | Flight:
        self._watch()
        self._requests += 1
        request = self._requests
        answer: asyncio.Future[Stats | Flight] = asyncio.get_running_loop().create_future()
        self._answers[request] = answer
        try:
            self.submit(question(request))
            return await answer
        finally:
            self._answers.pop(request, None)

    def close(self) -> None:
        """Stop the threads and close the sockets. Idempotent; events that wait are lost."""
        if self._loop is not None:
            self._loop.remove_reader(self._engine.event_fd())
            self._loop = None
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the relay is closed"))
        self._engine.close()

    def _watch(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._engine.event_fd(), self._on_readable)

    def _on_readable(self) -> None:
        events: list[Event] = []
        for event in self._decoder.decode(self._engine.drain()):
            answer = self._answers.get(event.request) if isinstance(event, Stats | Flight) else None
            if isinstance(event, Stats | Flight) and answer is not None:
                if not answer.done():
                    answer.set_result(event)
            else:
                events.append(event)
        if events and self._listener is not None:
            self._listener(events)
