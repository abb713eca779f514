"""An open V4L2 camera: its table of controls, read and set; its vendor's extension units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devices.context import Context
from devices.errors import Garbage, NotSupported, Refused, Rejected
from devices.kernel.node import Node
from devices.uvc.layout import (
    BOOLEAN,
    CAPABILITY,
    CONTROL,
    CONTROLS,
    CONTROLS_POINTER,
    DISABLED,
    EXTENSION,
    EXTENSION_POINTER,
    G_EXT_CTRLS,
    GET_CUR,
    GET_LEN,
    INTEGER,
    MENU,
    NEXT_CTRL,
    QUERY,
    QUERY_EXT_CTRL,
    QUERYCAP,
    READ_ONLY,
    S_EXT_CTRLS,
    SET_CUR,
    UVC_CTRL_QUERY,
    VIDEO_CAPTURE,
    WRITE_ONLY,
)

if TYPE_CHECKING:
    from devices.uvc.motion import Motion

MOST = 256  # controls of one camera
LONGEST = 256  # bytes of an extension's control


@dataclass(frozen=True)
class Control:
    """One control as the camera describes it."""

    id: int
    kind: int
    name: str
    minimum: int
    maximum: int
    step: int
    default: int
    flags: int

    @property
    def usable(self) -> bool:
        """A value that may be set."""
        return self.kind in (INTEGER, BOOLEAN, MENU) and not self.flags & (DISABLED | READ_ONLY)

    @property
    def readable(self) -> bool:
        """A value that the camera also tells; some tell no speed."""
        return not self.flags & WRITE_ONLY

    @property
    def range(self) -> int:
        """From one end to the other."""
        return self.maximum - self.minimum

    def nearest(self, value: float) -> int:
        """The value that it can take."""
        bounded = min(max(value, self.minimum), self.maximum)
        step = max(1, self.step)
        return min(self.maximum, self.minimum + round((bounded - self.minimum) / step) * step)


def decode(data: bytes) -> Control:
    """A `v4l2_query_ext_ctrl`; raises Garbage."""
    if len(data) != QUERY.size:
        raise Garbage("half a control")
    id, kind, name, low, high, step, default, flags, *_ = QUERY.unpack(data)
    if low > high:
        raise Garbage("a control whose least value is above its greatest")
    words = name.split(b"\0", 1)[0].decode(errors="replace").lower()
    return Control(id, kind, re.sub(r"[^a-z0-9]+", "_", words).strip("_"), low, high, step, default, flags)


class V4l2Camera:
    """Requests on its node; each is asked again when no answer comes."""

    def __init__(self, context: Context, node: Node) -> None:
        self._context = context
        self._node = node

    async def describe(self) -> str:
        """Its name; raises NotSupported for a node that captures nothing (metadata)."""
        answer = await self._ask(QUERYCAP, b"", CAPABILITY.size)
        module, card, _, _, _, can, *_ = CAPABILITY.unpack(answer)
        if not re.fullmatch(rb"[\w-]+\0+", module):  # a module of the kernel, whereas a maker writes what he likes
            self._garbled(answer)
        if not can & VIDEO_CAPTURE:
            raise NotSupported("this node captures no video")
        return str(card.split(b"\0", 1)[0].decode(errors="ignore"))  # 31 bytes may end within a letter

    async def controls(self) -> dict[int, Control]:
        """Every control that may be set, by id; raises Garbage."""
        found: dict[int, Control] = {}
        last = 0
        for _ in range(MOST):
            argument = QUERY.pack(last | NEXT_CTRL, 0, b"", 0, 0, 0, 0, 0, 0, 0, 0, b"")
            try:
                control = decode(await self._ask(QUERY_EXT_CTRL, argument, QUERY.size))
            except NotSupported:
                return found
            if control.id <= last:
                raise Garbage("its controls go round in circles")
            last = control.id
            if control.usable:
                found[control.id] = control
        return found

    async def read(self, *ids: int) -> dict[int, int]:
        """Values of controls."""
        return await self._exchange(G_EXT_CTRLS, dict.fromkeys(ids, 0))

    async def write(self, values: dict[int, int]) -> None:
        """Set controls, all in one request: pan and tilt then begin together."""
        await self._exchange(S_EXT_CTRLS, values)

    async def place(self, motion: Motion) -> dict[str, int]:
        """Where the axes whose position is known stand."""
        ids = {axis: control.id for axis, control in motion.places.items()}
        values = await self.read(*ids.values()) if ids else {}
        return {axis: values[id] for axis, id in ids.items()}

    async def extension(self, unit: int, selector: int) -> bytes:
        """The value of an extension unit's control."""
        length = int.from_bytes(await self._extended(unit, selector, GET_LEN, bytes(2)), "little")
        if not 0 < length <= LONGEST:
            raise Garbage("an extension's control has no length")
        return await self._extended(unit, selector, GET_CUR, bytes(length))

    async def extend(self, unit: int, selector: int, value: bytes) -> None:
        """Set an extension unit's control."""
        await self._extended(unit, selector, SET_CUR, value)

    async def _extended(self, unit: int, selector: int, query: int, value: bytes) -> bytes:
        argument = EXTENSION.pack(unit, selector, query, len(value), 0)
        _, answer = await self._ioctl(UVC_CTRL_QUERY, argument, value, EXTENSION_POINTER)
        if len(answer) != len(value) or (query == SET_CUR and answer != value):
            self._garbled(answer)
        return answer

    async def _exchange(self, request: int, values: dict[int, int]) -> dict[int, int]:
        inner = b"".join(CONTROL.pack(id, 0, value) for id, value in values.items())
        outer = CONTROLS.pack(0, len(values), 0, 0, 0)
        answer, filled = await self._ioctl(request, outer, inner, CONTROLS_POINTER)
        if len(answer) != CONTROLS.size or len(filled) != len(inner):
            self._garbled(answer)
        said = {id: value for id, _, value in CONTROL.iter_unpack(filled)}
        if said.keys() != values.keys():
            self._garbled(filled)
        return said

    async def _ask(self, request: int, argument: bytes, length: int) -> bytes:
        answer, _ = await self._ioctl(request, argument)
        if len(answer) != length:
            self._garbled(answer)
        return answer

    async def _ioctl(self, request: int, outer: bytes, inner: bytes = b"", pointer: int = 0) -> tuple[bytes, bytes]:
        try:
            return await self._context.retrying(lambda: self._node.ioctl(request, outer, inner, pointer))
        except Refused as error:  # in the wrong state for it: asleep, shuttered, exposure while it is automatic
            raise Rejected(str(error), retryable=True) from error

    def _garbled(self, answer: bytes) -> None:
        self._context.garbled(answer)
        raise Garbage("what it says is no struct of the kernel's")
