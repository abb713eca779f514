"""MQTT 3.1.1 packets, written and read without a socket: as much as listening to sensors needs, at QoS 0.

Source: OASIS "MQTT Version 3.1.1" (2014); section numbers below are its.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 256 * 1024  # bytes of one packet's body; more is not a sensor
MOST_LENGTH_BYTES = 4  # §2.2.3

PING = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"


@dataclass(frozen=True)
class ConnAck:
    """The broker's answer to CONNECT; `code` 0 lets us in (§3.2.2.3)."""

    code: int


@dataclass(frozen=True)
class SubAck:
    """`codes`: one per filter, 0x80 where it was refused."""

    packet: int
    codes: bytes


@dataclass(frozen=True)
class Published:
    """A message. `retained`: it was kept by the broker, nobody knows since when."""

    topic: str
    payload: bytes
    retained: bool = False


@dataclass(frozen=True)
class Pong:
    """The answer to PING."""


@dataclass(frozen=True)
class Malformed:
    """What came is not MQTT; nothing after it can be read."""

    data: bytes


Packet = ConnAck | SubAck | Published | Pong | Malformed


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(kind: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while True:  # §2.2.3
        rest, digit = divmod(rest, 128)
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes([kind]) + bytes(length) + body


def connect(
    client: str, *, username: str = "", password: str = "", keepalive: int = 60, will: Published | None = None
) -> bytes:
    """CONNECT with a clean session; `will` is published for us when we vanish (§3.1). `keepalive` in seconds."""
    flags = 0x02
    body = _text(client)
    if will is not None:
        flags |= 0x04 | (0x20 if will.retained else 0)
        body += _text(will.topic) + len(will.payload).to_bytes(2, "big") + will.payload
    if username:
        flags |= 0x80
        body += _text(username)
        if password:
            flags |= 0x40
            body += _text(password)
    return _packet(0x10, _text("MQTT") + bytes([4, flags]) + keepalive.to_bytes(2, "big") + body)


def subscribe(packet: int, filters: list[str]) -> bytes:
    """SUBSCRIBE at QoS 0, so that every message comes once and wants no answer (§3.8)."""
    return _packet(0x82, packet.to_bytes(2, "big") + b"".join(_text(one) + b"\x00" for one in filters))


def unsubscribe(packet: int, filters: list[str]) -> bytes:
    """UNSUBSCRIBE (§3.10)."""
    return _packet(0xA2, packet.to_bytes(2, "big") + b"".join(_text(one) for one in filters))


def publish(message: Published) -> bytes:
    """PUBLISH at QoS 0 (§3.3)."""
    return _packet(0x31 if message.retained else 0x30, _text(message.topic) + message.payload)


class Reader:
    """Packets out of a stream. After Malformed nothing more is read."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._broken = False

    def feed(self, data: bytes) -> list[Packet]:
        """Every packet that is whole now."""
        packets: list[Packet] = []
        self._rest += b"" if self._broken else data
        at = 0
        while not self._broken:
            packet, length = self._at(at)
            if packet is None:
                break
            at += length
            self._broken = isinstance(packet, Malformed)
            packets += [] if packet is _IGNORED else [packet]
        del self._rest[: len(self._rest) if self._broken else at]
        return packets

    def _at(self, begin: int) -> tuple[Packet | None, int]:
        """The packet that begins there and its length; None until it is whole."""
        rest, length = self._rest, 0
        for index in range(1, MOST_LENGTH_BYTES + 1):
            if len(rest) < begin + index + 1:
                return None, 0
            digit = rest[begin + index]
            length |= (digit & 0x7F) << (7 * (index - 1))
            if not digit & 0x80:
                break
        else:
            return Malformed(bytes(rest[begin:])), 0
        start = begin + index + 1
        if length > LONGEST or not _plausible(rest[begin], length):
            return Malformed(bytes(rest[begin:])), 0
        if len(rest) < start + length:
            return None, 0
        body = bytes(rest[start : start + length])
        return _read(rest[begin], body) or Malformed(bytes(rest[begin : start + length])), start + length - begin


_IGNORED = Pong()  # what a broker may send and we have no use for


def _plausible(head: int, length: int) -> bool:
    """A broker sends such a packet (§2.2.1), and it may be so long: garbage is seen before its length has come."""
    kind = head >> 4
    fixed = {2: 2, 4: 2, 11: 2, 13: 0}
    if kind == 3:
        return head & 0x06 == 0 and length >= 2
    return head & 0x0F == 0 and (length == fixed[kind] if kind in fixed else kind == 9 and length >= 3)


def _read(head: int, body: bytes) -> Packet | None:
    match head >> 4:
        case 2:
            return ConnAck(body[1])
        case 3:
            return _published(head, body)
        case 9:
            return SubAck(int.from_bytes(body[:2], "big"), body[2:])
        case 13:
            return Pong()
    return _IGNORED


def _published(head: int, body: bytes) -> Published | None:
    end = 2 + int.from_bytes(body[:2], "big")
    try:
        topic = body[2:end].decode()
    except UnicodeDecodeError:
        return None
    if end > len(body) or not topic or set("+#\0") & set(topic):
        return None
    return Published(topic, body[end:], bool(head & 1))
