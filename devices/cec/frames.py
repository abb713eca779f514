"""Messages of the CEC line. Source: HDMI 1.4b, supplement 1 (CEC 1.4), tables CEC 7 to CEC 29; HDMI 2.1 for 0x73."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

LONGEST = 16  # bytes of a message, its header included
TV, AUDIO, UNREGISTERED, BROADCAST = 0, 5, 15, 15  # logical addresses
NOWHERE = 0xFFFF  # the physical address of who has none: nobody told us (no EDID)


class BadFrame(ValueError):
    """The bytes are no message."""


class Opcode(IntEnum):
    """What a message says."""

    FEATURE_ABORT = 0x00
    IMAGE_VIEW_ON = 0x04
    STANDBY = 0x36
    USER_CONTROL_PRESSED = 0x44
    USER_CONTROL_RELEASED = 0x45
    GIVE_AUDIO_STATUS = 0x71
    SET_AUDIO_VOLUME_LEVEL = 0x73
    SET_OSD_NAME = 0x47
    REPORT_AUDIO_STATUS = 0x7A
    SYSTEM_AUDIO_MODE_STATUS = 0x7E
    ROUTING_CHANGE = 0x80
    ROUTING_INFORMATION = 0x81
    ACTIVE_SOURCE = 0x82
    REQUEST_ACTIVE_SOURCE = 0x85
    SET_STREAM_PATH = 0x86
    DEVICE_VENDOR_ID = 0x87
    GIVE_DEVICE_VENDOR_ID = 0x8C
    GIVE_DEVICE_POWER_STATUS = 0x8F
    REPORT_POWER_STATUS = 0x90
    CEC_VERSION = 0x9E


ANSWERS = frozenset(  # to what others were asked: these want no answer themselves
    {
        Opcode.FEATURE_ABORT,
        Opcode.SET_OSD_NAME,
        Opcode.REPORT_AUDIO_STATUS,
        Opcode.SYSTEM_AUDIO_MODE_STATUS,
        Opcode.DEVICE_VENDOR_ID,
        Opcode.REPORT_POWER_STATUS,
        Opcode.CEC_VERSION,
    }
)
UNRECOGNIZED, WRONG_MODE = 0, 1  # reasons of a FEATURE_ABORT (table CEC 29)


class Key(IntEnum):
    """User control codes (table CEC 30)."""

    VOLUME_UP = 0x41
    VOLUME_DOWN = 0x42
    MUTE = 0x43
    MUTE_ON = 0x65
    MUTE_OFF = 0x66


POWER = {0: "on", 1: "off", 2: "warming", 3: "cooling"}
VENDORS = {
    0x0000F0: "Samsung",
    0x000039: "Toshiba",
    0x008045: "Panasonic",
    0x00903E: "Philips",
    0x00E091: "LG",
    0x08001F: "Sharp",
    0x080046: "Sony",
}


@dataclass(frozen=True)
class Frame:
    """One message; without an opcode it only asks whether somebody is there."""

    initiator: int
    destination: int
    opcode: int | None = None
    operands: bytes = b""

    def encode(self) -> bytes:
        """As on the line."""
        head = bytes([self.initiator << 4 | self.destination])
        return head if self.opcode is None else head + bytes([self.opcode]) + self.operands

    @property
    def power(self) -> str | None:
        """What a REPORT_POWER_STATUS says."""
        return POWER.get(self.operands[0]) if self.opcode == Opcode.REPORT_POWER_STATUS and self.operands else None

    @property
    def audio(self) -> tuple[int | None, bool] | None:
        """Volume (0 to 100, None: not known) and mute of a REPORT_AUDIO_STATUS."""
        if self.opcode != Opcode.REPORT_AUDIO_STATUS or not self.operands:
            return None
        level = self.operands[0] & 0x7F
        return level if level <= 100 else None, bool(self.operands[0] & 0x80)

    @property
    def shown(self) -> int | None:
        """The physical address that is shown from now on, when the message says so."""
        announced = (Opcode.ACTIVE_SOURCE, Opcode.SET_STREAM_PATH, Opcode.ROUTING_INFORMATION)
        if self.opcode in announced and len(self.operands) >= 2:
            return int.from_bytes(self.operands[:2], "big")
        if self.opcode == Opcode.ROUTING_CHANGE and len(self.operands) >= 4:
            return int.from_bytes(self.operands[2:4], "big")
        return None

    @property
    def aborted(self) -> int | None:
        """The opcode that a FEATURE_ABORT refuses."""
        return self.operands[0] if self.opcode == Opcode.FEATURE_ABORT and self.operands else None

    @property
    def reason(self) -> int:
        """Why a FEATURE_ABORT refuses."""
        return self.operands[1] if len(self.operands) > 1 else UNRECOGNIZED

    @property
    def vendor(self) -> str:
        """Who made it, of a DEVICE_VENDOR_ID."""
        if self.opcode != Opcode.DEVICE_VENDOR_ID or len(self.operands) != 3:
            return ""
        number = int.from_bytes(self.operands, "big")
        return VENDORS.get(number, f"{number:06x}")


def decode(data: bytes) -> Frame:
    """A message from the line; raises BadFrame."""
    if not 1 <= len(data) <= LONGEST:
        raise BadFrame(f"{len(data)} bytes")
    return Frame(data[0] >> 4, data[0] & 15, data[1] if len(data) > 1 else None, data[2:])


def duty(heard: Frame, address: int, place: int) -> Frame | None:
    """What a playback device at `address`, plugged in at the physical address `place`, must answer; None for nothing.

    The kernel answers what asks for our name, version and place. Source: CEC 1.4, 12.3 (Feature Abort), 13.2.2 and 13.14.
    """
    if address == UNREGISTERED or heard.initiator == UNREGISTERED or heard.opcode is None:
        return None
    if heard.opcode == Opcode.SET_STREAM_PATH and heard.shown == place:
        return Frame(address, BROADCAST, Opcode.ACTIVE_SOURCE, place.to_bytes(2, "big"))
    if heard.destination != address or heard.opcode in ANSWERS:
        return None
    if heard.opcode == Opcode.GIVE_DEVICE_POWER_STATUS:
        return Frame(address, heard.initiator, Opcode.REPORT_POWER_STATUS, bytes([0]))
    return Frame(address, heard.initiator, Opcode.FEATURE_ABORT, bytes([heard.opcode, UNRECOGNIZED]))


def physical(text: str) -> int:
    """`2.1.0.0` as a number."""
    parts = [int(part, 16) for part in text.split(".")]
    return parts[0] << 12 | parts[1] << 8 | parts[2] << 4 | parts[3]


def dotted(address: int) -> str:
    """The inverse of `physical`."""
    return ".".join(f"{address >> shift & 15:x}" for shift in (12, 8, 4, 0))
