"""The structs and requests of /dev/cecN. Source: `include/uapi/linux/cec.h`."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from devices.cec.frames import LONGEST, BadFrame, Frame, decode
from devices.kernel.request import exchanges, reads, writes

CAPS = struct.Struct("=32s32sIII")  # driver, name, logical addresses, capabilities, version
LOG_ADDRS = struct.Struct("=4sHBBII15s4s4s4s48sx")
MESSAGE = struct.Struct("=QQIIII16s7Bx")
ADDRESS = struct.Struct("=H")
MODE = struct.Struct("=I")

G_CAPS = exchanges("a", 0, CAPS.size)
G_PHYS_ADDR = reads("a", 1, ADDRESS.size)
S_PHYS_ADDR = writes("a", 2, ADDRESS.size)
G_LOG_ADDRS = reads("a", 3, LOG_ADDRS.size)
S_LOG_ADDRS = exchanges("a", 4, LOG_ADDRS.size)
TRANSMIT = exchanges("a", 5, MESSAGE.size)
RECEIVE = exchanges("a", 6, MESSAGE.size)
S_MODE = writes("a", 9, MODE.size)

CAP_PHYS_ADDR, CAP_LOG_ADDRS, CAP_TRANSMIT = 1, 2, 4
INITIATOR_AND_FOLLOWER = 0x11
TX_OK, TX_NACK = 1, 4
RX_OK, RX_TIMEOUT, RX_ABORT = 1, 2, 4
PLAYBACK_TYPE, PLAYBACK_DEVICE, ALL_PLAYBACK = 3, 4, 0x10
FALL_BACK = 1  # to the unregistered address, when none is free
VERSION_1_4 = 5
UNCLAIMED = 0xFF  # no logical address yet
NO_VENDOR = 0xFFFFFFFF


@dataclass(frozen=True)
class Message:
    """A `cec_msg`: a frame on its way, or what became of it. `reply`: the opcode that is waited for."""

    frame: Frame
    sequence: int = 0
    reply: int = 0
    sent: int = 0  # tx_status
    received: int = 0  # rx_status
    timeout: int = 0  # milliseconds to wait for the reply; 0: a second

    def pack(self) -> bytes:
        """For the kernel."""
        data = self.frame.encode()
        head = (0, 0, len(data), self.timeout, self.sequence, 0)
        return MESSAGE.pack(*head, data.ljust(LONGEST, b"\0"), self.reply, self.received, self.sent, 0, 0, 0, 0)


def unpack(data: bytes) -> Message:
    """From the kernel; raises BadFrame."""
    if len(data) != MESSAGE.size:
        raise BadFrame("half a message")
    _, _, length, timeout, sequence, _, body, reply, received, sent, *_ = MESSAGE.unpack(data)
    if length > LONGEST:
        raise BadFrame(f"{length} bytes")
    return Message(decode(body[:length]), sequence, reply, sent, received, timeout)


def playback(name: str) -> bytes:
    """The `cec_log_addrs` that asks for the address of a playback device; `name` is shown by televisions."""
    claimed = bytes([PLAYBACK_DEVICE, 0, 0, 0]), bytes([PLAYBACK_TYPE, 0, 0, 0]), bytes([ALL_PLAYBACK, 0, 0, 0])
    said = name.encode("ascii", "replace")[:14]
    return LOG_ADDRS.pack(b"\xff" * 4, 0, VERSION_1_4, 1, NO_VENDOR, FALL_BACK, said, *claimed, bytes(48))
