"""What media signaling asks of the relay, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from relay.messages import Command, Event, Stats


class MediaRelay(Protocol):
    """What is asked of the relay."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DTLS certificate."""

    def candidates(self, room: str) -> Sequence[tuple[str, int, str]]:
        """(address, port, "udp" or "tcp") to announce for transports of a room."""

    def submit(self, *commands: Command) -> None:
        """Queue commands, in order; never blocks."""

    def listen(self, listener: Callable[[list[Event]], None]) -> None:
        """Have events delivered on the loop."""

    async def stats(self, room: str | None = None) -> Stats:
        """Counters of one room. Raises ConnectionError when the relay is closed."""
