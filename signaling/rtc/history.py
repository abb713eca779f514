"""Reliable data packets of the last seconds, to be sent again to a client that resumes.

Senders number their reliable packets (`DataPacket.sequence`); a client that resumes names the last number it has of each
sender (`SyncState.datachannel_receive_states`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Sent:
    """One packet as it left us: its sender's sid, its number, when (Unix s), to which transports."""

    sender: str
    sequence: int
    at: float
    transports: frozenset[str]
    payload: bytes


class History:
    """The packets of one room: at most `max_bytes` of them, at most `seconds` old."""

    def __init__(self, max_bytes: int, seconds: float) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._sent: deque[Sent] = deque()
        self._bytes = 0

    def add(self, sent: Sent) -> None:
        """Keep one; the oldest make place."""
        self._sent.append(sent)
        self._bytes += len(sent.payload)
        self.forget(sent.at)

    def forget(self, now: float) -> None:
        """Drop what is too old or too much."""
        while self._sent and (self._bytes > self._max_bytes or now - self._sent[0].at > self._seconds):
            self._bytes -= len(self._sent.popleft().payload)

    def missed(self, transport: str, last: Mapping[str, int], since: float) -> Iterator[bytes]:
        """What a client may not have got, in order: over the number it names, else sent after `since` (Unix s)."""
        for sent in self._sent:
            known = last.get(sent.sender)
            new = sent.at >= since if known is None else sent.sequence > known
            if new and transport in sent.transports:
                yield sent.payload
