"""An emulated speakerphone behind hidraw: a mute key, a mute light, and a microphone that mutes itself while it waits.

A press mutes (or opens) its microphone at once and tells the host; when the host's light does not follow within
`patience` seconds, the microphone goes back to what the light says.
"""

from __future__ import annotations

import errno
from pathlib import Path

from devices.emulators.node import NodeEmulator
from devices.hid.descriptor import parse
from devices.hid.hidraw import DESCRIPTOR, GET_DESCRIPTOR, GET_DESCRIPTOR_SIZE, GET_NAME, NAME_LENGTH
from devices.hid.telephony import LED_MUTE, LED_OFF_HOOK, Telephony

GET_OUTPUT = 0x0C  # number of HIDIOCGOUTPUT, whose size varies

# Composed from the HID usage tables: a telephony headset with numbered reports, its key a one-shot (relative) usage.
SPEAKERPHONE = bytes.fromhex(
    "050B 0905 A101 8508 1500 2501 0920 092F 7501 9501 8122 092F 8106 7506 8103 "
    "8509 0508 0909 0917 0918 7501 9503 9122 7505 9501 9101 C0"
)
# A button without report numbers whose key is down or up, and a light.
BUTTON = bytes.fromhex("050B 0901 A101 1500 2501 092F 7501 9501 8102 7507 8101 0508 0909 7501 9102 7507 9101 C0")


class HidEmulator(NodeEmulator):
    """`readable`: its light can be read back, which not every device allows."""

    def __init__(
        self,
        path: Path,
        *,
        descriptor: bytes = SPEAKERPHONE,
        name: str = "Emulated Speakerphone",
        readable: bool = True,
        patience: float = 1.0,
        delay: float = 0.4,
        reboot: float = 3.0,
    ) -> None:
        super().__init__(path, delay=delay, reboot=reboot)
        self.descriptor = descriptor
        self.name = name
        self.readable = readable
        self.patience = patience
        self.device = Telephony(parse(descriptor))
        self.forget()

    def forget(self) -> None:
        """As just plugged in."""
        self.light = self.off_hook = self.muted = False
        self._lights: dict[int, bytes] = {}

    def press(self) -> None:
        """Somebody presses the mute key."""
        self.muted = not self.muted
        self._send_key(down=True)
        field = self.device.mute_key
        if field is not None and not field.relative:
            self._send_key(down=False)
        self.later(self.patience, self._revert)

    def _revert(self) -> None:
        self.muted = self.light
        self._news.set()

    def _send_key(self, *, down: bool) -> None:
        field = self.device.mute_key
        if field is None:
            return
        body = (down << field.offset).to_bytes(self.device.reports.length(field.kind, field.report), "little")
        self.push((bytes([field.report]) if self.device.reports.numbered else b"") + body)

    def written(self, data: bytes) -> None:
        """An output report: the lights."""
        for usage in (LED_MUTE, LED_OFF_HOOK):
            for field in self.device.reports.fields:
                if usage in field.usages and data and field.report == data[0]:
                    self._set(usage, field.says(data[1:], usage))
        self._lights[data[0]] = data
        self.done(f"lights {data.hex()}")

    def _set(self, usage: int, on: bool) -> None:
        if usage == LED_OFF_HOOK:
            self.off_hook = on
        else:
            self.light = self.muted = on

    def carry_out(self, request: int, outer: bytes, inner: bytes) -> tuple[bytes, bytes]:
        """The requests of hidraw."""
        if request == GET_DESCRIPTOR_SIZE:
            return len(self.descriptor).to_bytes(4, "little"), b""
        if request == GET_DESCRIPTOR:
            return DESCRIPTOR.pack(len(self.descriptor), self.descriptor), b""
        if request == GET_NAME:
            return self.name.encode().ljust(NAME_LENGTH, b"\0"), b""
        if request & 0xFF == GET_OUTPUT and self.readable:
            return self._lights.get(outer[0], outer), b""
        raise OSError(errno.EPIPE, "stalled")
