"""An emulated HDMI output with a television, and perhaps an audio system, on its CEC line.

Particular faults: `deaf` (nobody acknowledges: the television is off at the mains), `refuses` (it answers Feature Abort
to power commands), `mumbles` (it acknowledges and never answers), `noise` (every third frame on the line is lost),
`pretends` (it acknowledges commands and stays as it is).
"""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

from devices.cec.frames import AUDIO, BROADCAST, NOWHERE, TV, UNREGISTERED, Frame, Key, Opcode
from devices.cec.layout import (
    ADDRESS,
    CAP_LOG_ADDRS,
    CAP_TRANSMIT,
    CAPS,
    G_CAPS,
    G_LOG_ADDRS,
    G_PHYS_ADDR,
    LOG_ADDRS,
    RX_ABORT,
    RX_OK,
    RX_TIMEOUT,
    S_LOG_ADDRS,
    S_MODE,
    TRANSMIT,
    TX_NACK,
    TX_OK,
    UNCLAIMED,
    Message,
    unpack,
)
from devices.emulators.faults import PRETENDS
from devices.emulators.node import NodeEmulator

US = 0x1000  # the physical address that its EDID gives us
PLAYBACK = 4  # the logical address we get


class CecEmulator(NodeEmulator):
    """`edid_asleep` False: in standby the television takes its EDID away, and hears only the unregistered address.

    `claiming`: seconds that the kernel then takes to find an address, when the EDID is back. `drowsy`: seconds after it
    was woken in which it still says that it is in standby.
    `audio`: an audio system is there; `levels` False: it takes no volume as such, only steps of `step` hundredths.
    """

    available_faults = (*NodeEmulator.available_faults, "deaf", "refuses", "mumbles", "noise", PRETENDS)

    def __init__(
        self,
        path: Path,
        *,
        power: str = "off",
        edid_asleep: bool = True,
        warmup: float = 0.0,
        claiming: float = 0.0,
        drowsy: float = 0.0,
        audio: bool = False,
        levels: bool = True,
        step: int = 4,
        delay: float = 0.4,
        reboot: float = 3.0,
    ) -> None:
        super().__init__(path, delay=delay, reboot=reboot)
        self.power = power
        self.edid_asleep = edid_asleep
        self.warmup = warmup
        self.claiming, self.drowsy = claiming, drowsy
        self.reason = 0  # why it refuses
        self._claimed_at = self._awake_at = 0.0  # loop times
        self.audio = audio
        self.levels = levels
        self.step = step
        self.volume, self.muted = 20, False
        self.source = 0
        self.heard: list[Frame] = []
        self._sequence = 0
        self._frames = 0

    def forget(self) -> None:
        """Power comes back: a television stays in standby."""
        self.power = "off"

    @property
    def _asleep(self) -> bool:
        return self.power == "off" and not self.edid_asleep

    # --- the adapter --------------------------------------------------------------------------------------------

    def carry_out(self, request: int, outer: bytes, inner: bytes) -> tuple[bytes, bytes]:
        """The requests of a CEC adapter that is opened without blocking."""
        if request == G_CAPS:
            return CAPS.pack(b"emulator", b"HDMI 1", 1, CAP_LOG_ADDRS | CAP_TRANSMIT, 0x060000), b""
        if request == G_PHYS_ADDR:
            return ADDRESS.pack(NOWHERE if self._asleep else US), b""
        if request == G_LOG_ADDRS:
            return LOG_ADDRS.pack(bytes([self._claimed, 255, 255, 255]), 16, 5, 1, 0, 1, b"", *[bytes(4)] * 3, b""), b""
        if request in (S_MODE, S_LOG_ADDRS):
            return outer, b""
        if request == TRANSMIT:
            return self._transmit(unpack(outer)).pack(), b""
        raise OSError(errno.ENOTTY, "no such request")

    @property
    def _claimed(self) -> int:
        claimed = not self._asleep and asyncio.get_running_loop().time() >= self._claimed_at
        return PLAYBACK if claimed else UNCLAIMED

    def _transmit(self, message: Message) -> Message:
        frame = message.frame
        if self._asleep and frame.encode()[0] != UNREGISTERED << 4 | TV:
            raise OSError(errno.ENONET, "no physical address")
        if not self._asleep and self._claimed == UNCLAIMED:
            raise OSError(errno.ENONET, "it looks for an address")
        if not self._asleep and frame.initiator != PLAYBACK:
            raise OSError(errno.EINVAL, "initiator has unknown logical address")
        self._sequence += 1
        self.heard = [*self.heard[-199:], frame]
        number, there = self._sequence, self._there(frame.destination) and not self._noise()
        if not there or not message.reply:
            self.after(0.0, lambda: self._result(Message(frame, number, 0, TX_OK if there else TX_NACK)))
        if there:
            answer = self._heard_on_line(frame)
            if message.reply:
                self.after(0.0, lambda: self._answered(message, number, answer))
            elif answer is not None:
                self.after(0.0, lambda: self._result(Message(answer)))
        return Message(frame, number, message.reply)

    def _answered(self, message: Message, number: int, answer: Frame | None) -> None:
        if answer is None or self._noise():
            nothing = Message(message.frame, number, message.reply, TX_OK, RX_TIMEOUT)
            self.after(message.timeout / 1000 or 1.0, lambda: self._result(nothing))
        else:
            status = RX_OK if answer.opcode == message.reply else RX_OK | RX_ABORT
            self._result(Message(answer, number, message.reply, TX_OK, status))

    def _result(self, message: Message) -> None:
        self.push(message.pack())

    def _there(self, address: int) -> bool:
        if "deaf" in self.faults:
            return False
        return address in (TV, BROADCAST) or (address == AUDIO and self.audio)

    def _noise(self) -> bool:
        """Whether a frame is lost: what was sent is not acknowledged, or an answer never comes."""
        self._frames += "noise" in self.faults
        return "noise" in self.faults and self._frames % 3 == 1

    def remote(self) -> None:
        """Somebody presses the power key of its remote control; it tells the line when it goes to standby."""
        if self.power == "off":
            self._wake()
        else:
            self.power = "off"
            self.say(Frame(TV, BROADCAST, Opcode.STANDBY))

    def say(self, frame: Frame) -> None:
        """Somebody on the line says something by itself."""
        self._result(Message(frame))

    # --- who is on the line -------------------------------------------------------------------------------------

    def _heard_on_line(self, frame: Frame) -> Frame | None:
        """What is answered, None for nothing."""
        if frame.opcode is None or "mumbles" in self.faults:
            return None
        if frame.destination == AUDIO:
            return self._audio_hears(frame)
        match frame.opcode:
            case Opcode.GIVE_DEVICE_POWER_STATUS:
                said = "off" if asyncio.get_running_loop().time() < self._awake_at else self.power
                status = {"on": 0, "off": 1, "warming": 2, "cooling": 3}[said]
                return Frame(TV, frame.initiator, Opcode.REPORT_POWER_STATUS, bytes([status]))
            case Opcode.GIVE_DEVICE_VENDOR_ID:
                return Frame(TV, BROADCAST, Opcode.DEVICE_VENDOR_ID, b"\x00\xe0\x91")
            case Opcode.IMAGE_VIEW_ON | Opcode.STANDBY if "refuses" in self.faults:
                return Frame(TV, frame.initiator, Opcode.FEATURE_ABORT, bytes([frame.opcode, self.reason]))
            case Opcode.IMAGE_VIEW_ON | Opcode.STANDBY if PRETENDS in self.faults:
                return None
            case Opcode.IMAGE_VIEW_ON:
                self._wake()
            case Opcode.STANDBY:
                self.power = "off"
                self.done("standby")
            case Opcode.ACTIVE_SOURCE:
                self.source = int.from_bytes(frame.operands[:2], "big")
                self.done(f"source {self.source:04x}")
        return None

    def _wake(self) -> None:
        if self._asleep:
            self._claimed_at = asyncio.get_running_loop().time() + self.claiming
        if self.power == "off":
            self._awake_at = asyncio.get_running_loop().time() + self.drowsy
        if self.warmup and self.power == "off":
            self.power = "warming"
            self.later(self.warmup, self._warm)
        elif self.power != "warming":
            self.power = "on"
        self.done("on")

    def _warm(self) -> None:
        self.power = "on"
        self._news.set()

    def _audio_hears(self, frame: Frame) -> Frame | None:
        if frame.opcode == Opcode.GIVE_AUDIO_STATUS:
            status = self.volume | self.muted << 7
            return Frame(AUDIO, frame.initiator, Opcode.REPORT_AUDIO_STATUS, bytes([status]))
        if frame.opcode == Opcode.SET_AUDIO_VOLUME_LEVEL:
            if not self.levels:
                return Frame(AUDIO, frame.initiator, Opcode.FEATURE_ABORT, bytes([frame.opcode, 0]))
            self.volume = frame.operands[0]
            self.done(f"volume {self.volume}")
        if frame.opcode == Opcode.USER_CONTROL_PRESSED:
            self._key(frame.operands[0])
        return None

    def _key(self, key: int) -> None:
        steps = {Key.VOLUME_UP: self.step, Key.VOLUME_DOWN: -self.step}.get(Key(key), 0)
        self.volume = min(100, max(0, self.volume + steps))
        if self.levels and key in (Key.MUTE_ON, Key.MUTE_OFF):
            self.muted = key == Key.MUTE_ON
        if key == Key.MUTE:
            self.muted = not self.muted
        self.done(f"key {key:02x}")
