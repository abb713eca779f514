"""An emulated USB camera behind a V4L2 node: a table of controls, motors that take their time, an extension unit.

Values are clamped as the kernel does. Particular faults: `stuck` (setting a control fails with EIO), `unready` (it is in
the wrong state for any control, EACCES: asleep, its shutter closed), `pretends` (it takes what its extension is told, and
frames as before).
"""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Literal

from devices.emulators.faults import PRETENDS
from devices.emulators.node import NodeEmulator
from devices.uvc.camera import Control
from devices.uvc.layout import (
    BOOLEAN,
    CAPABILITY,
    CLASS_TITLE,
    CONTROL,
    EXTENSION,
    FOCUS_ABSOLUTE,
    G_EXT_CTRLS,
    GET_CUR,
    GET_LEN,
    INTEGER,
    NEXT_CTRL,
    PAN_ABSOLUTE,
    PAN_SPEED,
    QUERY,
    QUERY_EXT_CTRL,
    QUERYCAP,
    S_EXT_CTRLS,
    SET_CUR,
    TILT_ABSOLUTE,
    TILT_SPEED,
    UVC_CTRL_QUERY,
    VIDEO_CAPTURE,
    ZOOM_ABSOLUTE,
    ZOOM_CONTINUOUS,
)

FOCUS_AUTO = 0x009A090C
SPEEDS = {PAN_SPEED: PAN_ABSOLUTE, TILT_SPEED: TILT_ABSOLUTE, ZOOM_CONTINUOUS: ZOOM_ABSOLUTE}
PER_SECOND = 4_000  # of an absolute control, at speed 1
UNIT, SELECTOR = 6, 3  # of the extension that frames people


def table(speeds: Literal["right", "misreported"] | None, *, absolute: bool) -> list[Control]:
    """The controls of a camera, as V4L2 lists them."""
    controls = [Control(0x009A0001, CLASS_TITLE, "Camera Controls", 0, 0, 0, 0, 0x44)]
    if absolute:
        controls += [
            Control(PAN_ABSOLUTE, INTEGER, "Pan, Absolute", -468000, 468000, 3600, 0, 0),
            Control(TILT_ABSOLUTE, INTEGER, "Tilt, Absolute", -324000, 324000, 3600, 0, 0),
            Control(FOCUS_ABSOLUTE, INTEGER, "Focus, Absolute", 0, 250, 5, 0, 0),
            Control(FOCUS_AUTO, BOOLEAN, "Focus, Automatic Continuous", 0, 1, 1, 1, 0),
            Control(ZOOM_ABSOLUTE, INTEGER, "Zoom, Absolute", 100, 1000, 1, 100, 0),
        ]
    if speeds is not None:
        low = {PAN_SPEED: -20, TILT_SPEED: -18, ZOOM_CONTINUOUS: -7}
        names = {PAN_SPEED: "Pan, Speed", TILT_SPEED: "Tilt, Speed", ZOOM_CONTINUOUS: "Zoom, Continuous"}
        for id in (ZOOM_CONTINUOUS, PAN_SPEED, TILT_SPEED):
            least = low[id] if speeds == "right" else 1
            controls.append(Control(id, INTEGER, names[id], least, -low[id], 1, 0, 0))
    return sorted(controls, key=lambda control: control.id)


class UvcEmulator(NodeEmulator):
    """`speeds` None: only absolute positions; `misreported`: the least speed is said to be 1, and clamped to."""

    available_faults = (*NodeEmulator.available_faults, "stuck", "unready", PRETENDS)

    def __init__(
        self,
        path: Path,
        *,
        speeds: Literal["right", "misreported"] | None = None,
        absolute: bool = True,
        name: str = "Emulated Camera",
        delay: float = 0.4,
        reboot: float = 3.0,
    ) -> None:
        super().__init__(path, delay=delay, reboot=reboot)
        self.name = name.encode()
        self.table = {control.id: control for control in table(speeds, absolute=absolute)}
        self.forget()

    def forget(self) -> None:
        """As just plugged in."""
        self.values = {id: control.default for id, control in self.table.items()}
        self.framing = 0
        self._since: dict[int, float] = {}  # speed control -> loop time from which it drives

    # --- motors -------------------------------------------------------------------------------------------------

    @property
    def moving(self) -> bool:
        """A speed is set."""
        return any(self.values.get(id) for id in SPEEDS)

    @property
    def place(self) -> tuple[int, int, int]:
        """Pan, tilt and zoom now."""
        self._drive()
        return (self.values[PAN_ABSOLUTE], self.values[TILT_ABSOLUTE], self.values[ZOOM_ABSOLUTE])

    def _drive(self) -> None:
        """Go on to where the speeds have brought it by now."""
        now = asyncio.get_running_loop().time()
        for speed, absolute in SPEEDS.items():
            value, since = self.values.get(speed, 0), self._since.get(speed, now)
            self._since[speed] = now
            if value and absolute in self.table:
                gone = round(value * PER_SECOND * (now - since))
                self.values[absolute] = self._clamped(absolute, self.values[absolute] + gone)

    def _clamped(self, id: int, value: int) -> int:
        control = self.table[id]
        return min(max(value, control.minimum), control.maximum)

    # --- requests -----------------------------------------------------------------------------------------------

    def carry_out(self, request: int, outer: bytes, inner: bytes) -> tuple[bytes, bytes]:
        """The requests of V4L2 and of the UVC driver."""
        if request == QUERYCAP:
            name = (b"uvcvideo", self.name[:31], b"usb-0000:00:14.0-3")
            return CAPABILITY.pack(*name, 0x060000, 0x84A00001, VIDEO_CAPTURE), b""
        if request == QUERY_EXT_CTRL:
            return self._described(QUERY.unpack(outer)[0]), b""
        if "unready" in self.faults:
            raise OSError(errno.EACCES, "wrong state")
        if request == G_EXT_CTRLS:
            self._drive()
            return outer, b"".join(CONTROL.pack(id, 0, self._value(id)) for id, _, _ in CONTROL.iter_unpack(inner))
        if request == S_EXT_CTRLS:
            return outer, self._set([(id, value) for id, _, value in CONTROL.iter_unpack(inner)])
        if request == UVC_CTRL_QUERY:
            unit, selector, query, _, _ = EXTENSION.unpack(outer)
            return outer, self._extension(unit, selector, query, inner)
        raise OSError(errno.ENOTTY, "no such request")

    def _described(self, asked: int) -> bytes:
        if not asked & NEXT_CTRL:
            raise OSError(errno.EINVAL, "only the walk is emulated")
        after = [one for one in self.table.values() if one.id > asked & ~NEXT_CTRL]
        if not after:
            raise OSError(errno.EINVAL, "no more controls")
        one = after[0]
        head = (one.id, one.kind, one.name.encode(), one.minimum, one.maximum, one.step, one.default, one.flags)
        return QUERY.pack(*head, 4, 1, 0, b"")

    def _value(self, id: int) -> int:
        if id not in self.values:
            raise OSError(errno.EINVAL, "no such control")
        return self.values[id]

    def _set(self, wanted: list[tuple[int, int]]) -> bytes:
        if "stuck" in self.faults:
            raise OSError(errno.EIO, "stalled")
        self._drive()
        for id, value in wanted:
            self._value(id)
            self.values[id] = self._clamped(id, value)
        self.done(" ".join(f"{id:x}={self.values[id]}" for id, _ in wanted))
        return b"".join(CONTROL.pack(id, 0, self.values[id]) for id, _ in wanted)

    def _extension(self, unit: int, selector: int, query: int, value: bytes) -> bytes:
        if (unit, selector) != (UNIT, SELECTOR):
            raise OSError(errno.ENOENT, "no such extension")
        if query == GET_LEN:
            return (1).to_bytes(2, "little")
        if query == GET_CUR:
            return bytes([self.framing])
        if query != SET_CUR or len(value) != 1:
            raise OSError(errno.EINVAL, "no such query")
        if PRETENDS in self.faults:
            return value
        self.framing = value[0]
        self.done(f"framing {self.framing}")
        return value
