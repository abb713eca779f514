"""Reliable data packets of the last seconds, to be sent again to a client that resumes.

Senders number their reliable packets (`DataPacket.sequence`); a client that resumes names the last number it has of each
sender (`SyncState.datachannel_receive_states`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

PER_PACKET = 320  # bytes that a packet takes besides its payload
PER_TRANSPORT = 72  # bytes of each transport in a set of them, that packets to the same ones share


@dataclass(slots=True)
class Audience:
    """Transports, and how many of the packets kept went to them."""

    transports: frozenset[str]
    packets: int = 0

    @property
    def bytes(self) -> int:
        """What it takes."""
        return PER_PACKET + PER_TRANSPORT * len(self.transports)


@dataclass(frozen=True, slots=True)
class Sent:
    """One packet as it left us: its sender's sid, its number, when (s), to whom."""

    sender: str
    sequence: int
    at: float
    audience: Audience
    payload: bytes


class History:
    """The packets of one room: at most `max_bytes` of memory, at most `seconds` old."""

    def __init__(self, max_bytes: int, seconds: float) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._sent: deque[Sent] = deque()
        self._audiences: dict[frozenset[str], Audience] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """Packets kept."""
        return len(self._sent)

    def add(self, sender: str, sequence: int, at: float, transports: Iterable[str], payload: bytes) -> None:
        """Keep one, as `Sent` describes it; the oldest make place."""
        to = frozenset(transports)
        if (audience := self._audiences.get(to)) is None:
            audience = self._audiences[to] = Audience(to)
            self._bytes += audience.bytes
        audience.packets += 1
        self._sent.append(Sent(sender, sequence, at, audience, payload))
        self._bytes += PER_PACKET + len(payload)
        self.forget(at)

    def forget(self, now: float) -> None:
        """Drop what is too old or too much."""
        while self._sent and (self._bytes > self._max_bytes or now - self._sent[0].at > self._seconds):
            sent = self._sent.popleft()
            self._bytes -= PER_PACKET + len(sent.payload)
            sent.audience.packets -= 1
            if not sent.audience.packets:
                self._bytes -= sent.audience.bytes
                del self._audiences[sent.audience.transports]

    def missed(self, transport: str, last: Mapping[str, int], since: float) -> Iterator[bytes]:
        """What a client may not have got, in order: over the number it names, else sent after `since` (s)."""
        for sent in self._sent:
            known = last.get(sent.sender)
            new = sent.at >= since if known is None else sent.sequence > known
            if new and transport in sent.audience.transports:
                yield sent.payload
