"""VISCA on the wire, without I/O: commands, inquiries, replies, and the header of VISCA over IP.

Sources: Sony "VISCA over IP" in the command list of SRG/BRC cameras (header: type 2 bytes, length 2, sequence 4, big
endian; payload 1..16 bytes ending in FF) and the EVI-D series command list (raw messages, on TCP as on RS-232).
Nothing here raises on bytes from the network: what cannot be read becomes `Junk`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

END = 0xFF
LONGEST = 16  # bytes of one message
BUFFER = 256  # bytes of a stream kept while its end is awaited
MOST = 64  # messages read at once: a camera says a few, and what is beyond is a flood
HEADER = struct.Struct(">HHI")


class Kind(IntEnum):
    """Payload type of VISCA over IP."""

    COMMAND = 0x0100
    INQUIRY = 0x0110
    REPLY = 0x0111
    SETTING = 0x0120
    CONTROL = 0x0200
    CONTROL_REPLY = 0x0201


RESET = b"\x01"  # control payload: both sides count from 0 again
RESET_DONE = b"\x01"
BAD_SEQUENCE = b"\x0f\x01"
BAD_MESSAGE = b"\x0f\x02"


class Fault(IntEnum):
    """Second byte of an error reply."""

    LENGTH = 0x01
    SYNTAX = 0x02
    BUFFER_FULL = 0x03
    CANCELLED = 0x04
    NO_SOCKET = 0x05
    NOT_EXECUTABLE = 0x41


@dataclass(frozen=True)
class Ack:
    """The camera took a command into `socket` (0 when it names none)."""

    socket: int


@dataclass(frozen=True)
class Done:
    """The command of `socket` is complete (0: the camera does not say which)."""

    socket: int


@dataclass(frozen=True)
class Info:
    """Answer to an inquiry, without address, type byte and end."""

    data: bytes


@dataclass(frozen=True)
class Error:
    """The camera refused; `fault` as it said it, perhaps no `Fault` we know."""

    socket: int
    fault: int


@dataclass(frozen=True)
class Junk:
    """Bytes that are no reply."""

    data: bytes


Message = Ack | Done | Info | Error | Junk


def in_words(message: Message) -> str:
    """What a camera said, for the people who look after it."""
    match message:
        case Ack(socket):
            return f"ACK, socket {socket}"
        case Done(socket):
            return f"done, socket {socket}"
        case Info(data):
            return f"answer {data.hex(' ')}"
        case Error(_, fault):
            return f"error {fault:02x}"
        case Junk(data):
            return data.hex(" ")


def read_message(data: bytes) -> Message:
    """One message, its end byte included."""
    if not 3 <= len(data) <= LONGEST or data[-1] != END or not _is_camera(data[0]):
        return Junk(data)
    kind, socket, rest = data[1] & 0xF0, data[1] & 0x0F, data[2:-1]
    if kind == 0x40 and not rest:
        return Ack(socket)
    if kind == 0x50:
        return Info(rest) if rest else Done(socket)
    if kind == 0x60 and len(rest) == 1:
        return Error(socket, rest[0])
    return Junk(data)


def _is_camera(first: int) -> bool:
    """First byte of a reply: the camera's address."""
    return 0x90 <= first <= 0xF0 and not first & 0x0F


def read_messages(data: bytes) -> Iterator[Message]:
    """Every message of a datagram's payload: some cameras put acknowledgement and completion in one."""
    start = 0
    for _ in range(MOST):
        end = data.find(END, start)
        if end < 0:
            break
        yield read_message(data[start : end + 1])
        start = end + 1
    if start < len(data):
        yield Junk(data[start : start + BUFFER])


class StreamReader:
    """Cuts a TCP stream into messages, whatever the pieces; a message without end is dropped as junk."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """Messages that ended with `data`."""
        whole, end, self._rest = (self._rest + data).rpartition(b"\xff")
        messages = list(read_messages(whole + end))
        if len(self._rest) > BUFFER or (self._rest and not _is_camera(self._rest[0])):
            messages.append(Junk(self._rest[:BUFFER]))
            self._rest = b""
        return messages


@dataclass(frozen=True)
class Packet:
    """One datagram of VISCA over IP."""

    kind: int
    sequence: int
    payload: bytes


def pack(kind: Kind, sequence: int, payload: bytes) -> bytes:
    """A datagram with header."""
    return HEADER.pack(kind, len(payload), sequence) + payload


def unpack(data: bytes) -> Packet | None:
    """The datagram, None when it has no valid header."""
    if not HEADER.size < len(data) <= HEADER.size + 64:
        return None
    kind, length, sequence = HEADER.unpack_from(data)
    payload = data[HEADER.size :]
    return Packet(kind, sequence, payload) if length == len(payload) and kind <= Kind.CONTROL_REPLY else None


# --- what we send -------------------------------------------------------------------------------------------------

POWER_ON = bytes.fromhex("81 01 04 00 02 FF")
POWER_OFF = bytes.fromhex("81 01 04 00 03 FF")
ZOOM_STOP = bytes.fromhex("81 01 04 07 00 FF")
FASTEST_PAN, FASTEST_TILT, FASTEST_ZOOM = 0x18, 0x14, 7


@dataclass(frozen=True)
class Inquiry:
    """A question and the length of its answer in bytes: a camera without header does not say what it answers."""

    request: bytes
    answer: int


ASK_POWER = Inquiry(bytes.fromhex("81 09 04 00 FF"), 1)
ASK_ZOOM = Inquiry(bytes.fromhex("81 09 04 47 FF"), 4)
ASK_PAN_TILT = Inquiry(bytes.fromhex("81 09 06 12 FF"), 8)
ASK_VERSION = Inquiry(bytes.fromhex("81 09 00 02 FF"), 7)


def model(version: bytes) -> str:
    """Who made a camera, from its answer to ASK_VERSION."""
    vendor = {0x0001: "Sony", 0x0020: "Sony"}.get(int.from_bytes(version[:2], "big"), "VISCA")
    return f"{vendor} {version[2:4].hex()}, ROM {version[4:6].hex()}"


def preset(action: int, number: int) -> bytes:
    """Memory: action 1 stores, 2 recalls."""
    return bytes((0x81, 0x01, 0x04, 0x3F, action, number & 0x7F, END))


def pan_tilt(pan: float, tilt: float) -> bytes:
    """Drive with speeds -1..1; 0 and 0 is a stop. The slowest step of a moving axis is 1."""
    return bytes(
        (
            *(0x81, 0x01, 0x06, 0x01),
            _step(pan, FASTEST_PAN) or 1,
            _step(tilt, FASTEST_TILT) or 1,
            3 if not pan else 2 if pan > 0 else 1,
            3 if not tilt else 1 if tilt > 0 else 2,
            END,
        )
    )


def zoom(speed: float) -> bytes:
    """Zoom with speed -1..1: positive is closer (tele)."""
    if not speed:
        return ZOOM_STOP
    return bytes((0x81, 0x01, 0x04, 0x07, (0x20 if speed > 0 else 0x30) | _step(speed, FASTEST_ZOOM), END))


def pan_tilt_limit(corner: int, pan: int, tilt: int) -> bytes:
    """The furthest the camera may look, in its own units: corner 1 is up and right, 0 down and left."""
    return bytes((0x81, 0x01, 0x06, 0x07, 0x00, corner, *to_nibbles(pan), *to_nibbles(tilt), END))


def _step(speed: float, fastest: int) -> int:
    return min(fastest, max(1, round(abs(speed) * fastest))) if speed else 0


def nibbles(data: bytes) -> int:
    """Signed 16-bit number sent as four bytes 0p 0q 0r 0s."""
    value = 0
    for byte in data:
        value = value << 4 | byte & 0x0F
    return value - 0x10000 if value & 0x8000 else value


def to_nibbles(value: int) -> bytes:
    """The inverse of `nibbles`."""
    return bytes(value >> shift & 0x0F for shift in (12, 8, 4, 0))
