"""The magic packet, written and read. Source: AMD, "Magic Packet Technology" (white paper 20213, 1995)."""

from __future__ import annotations

from dataclasses import dataclass

HEAD = b"\xff" * 6
TIMES = 16


@dataclass(frozen=True)
class Magic:
    """Whom to wake, and the SecureOn password: 6 bytes, 4 bytes, or none."""

    mac: bytes
    password: bytes = b""

    def encode(self) -> bytes:
        """As it is sent."""
        return HEAD + self.mac * TIMES + self.password


def hardware(text: str) -> bytes:
    """The bytes of `aa:bb:cc:dd:ee:ff`; raises ValueError."""
    return bytes.fromhex(text.replace(":", "").replace("-", ""))


def read(data: bytes) -> Magic | None:
    """The packet in a datagram; network cards look for it anywhere in it."""
    at = data.find(HEAD)
    while at >= 0:
        mac, start = data[at + 6 : at + 12], at + 6 + 6 * TIMES
        if len(mac) == 6 and data[at + 6 : start] == mac * TIMES:
            rest = data[start:]
            return Magic(mac, rest if len(rest) in (4, 6) else b"")
        at = data.find(HEAD, at + 1)
    return None
