"""Driver `visca`: a PTZ camera with power, moves, zoom and presets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec

from devices.capabilities import Arguments, On, PresetNumber, Reply, Velocity
from devices.context import Context
from devices.driver import Driver, Manifest
from devices.errors import DeviceError, Garbage, Lost, NotSupported, Rejected
from devices.visca import frames
from devices.visca.link import BadSequence, BufferFull, ViscaLink

POWER = {b"\x02": "on", b"\x03": "off"}
PORTS = {"udp": 52381, "tcp": 5678}
TRIES = 10  # of a command the camera has no room for


class ViscaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`header` None: try with the VISCA over IP header, then without. `presets`: number to name."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None  # 52381 for udp, 5678 for tcp
    transport: Literal["udp", "tcp"] = "udp"
    header: bool | None = None
    presets: dict[Annotated[str, msgspec.Meta(pattern=r"^(\d|[1-9]\d|1[01]\d|12[0-7])$")], str] = {}


class ViscaCamera(Driver[ViscaSettings]):
    """A camera that speaks VISCA over IP or raw VISCA over TCP."""

    manifest = Manifest(
        id="visca",
        version="1.0",
        title="VISCA camera",
        settings=ViscaSettings,
        transports=("udp", "tcp"),
        emulator="devices.emulators.visca:ViscaEmulator",
        spacing=0.02,
    )
    _context: Context
    _link: ViscaLink
    _heading: object = None  # identity of the recall under way

    @property
    def address(self) -> str:
        """A camera has one address."""
        settings = self.settings
        return f"{settings.transport} {settings.host}:{settings.port or PORTS[settings.transport]}"

    @property
    def presets(self) -> dict[str, str]:
        """The positions people may choose."""
        return self.settings.presets

    async def run(self, context: Context) -> None:
        """Find out how the camera frames its messages, then hold the connection."""
        self._context = context
        if self.settings.header is None and self.settings.transport == "udp":
            if await self._try(header=True, attempts=1):
                return
            await self._try(header=False)
        else:
            await self._try(header=bool(self.settings.header))

    async def _try(self, *, header: bool, attempts: int | None = None) -> bool:
        """Hold a connection with or without header; False when a camera does not answer its first question."""
        settings, context = self.settings, self._context
        port = settings.port or PORTS[settings.transport]
        opened = ViscaLink.open(context, settings.host, port, transport=settings.transport, header=header)
        async with opened as self._link:
            try:
                if header:
                    await context.retrying(self._link.reset_sequence, attempts=attempts)
                version = await self._inquire(frames.ASK_VERSION)
            except (Lost, Garbage):
                if attempts is None:
                    raise
                return False
            context.connected(model=_model(version))
            await self._link.until_lost()
        return True

    async def poll(self, *, whole: bool) -> None:
        """Power is the cheapest question; a camera in standby knows no position."""
        power = POWER.get(await self._inquire(frames.ASK_POWER))
        self._context.report("power", power)
        if not whole or power != "on":
            return
        place = await self._inquire(frames.ASK_PAN_TILT)
        self._context.report("pan", frames.nibbles(place[:4]))
        self._context.report("tilt", frames.nibbles(place[4:]))
        self._context.report("zoom", frames.nibbles(await self._inquire(frames.ASK_ZOOM)))

    # --- capabilities -------------------------------------------------------------------------------------------

    async def set_power(self, args: On) -> Reply:
        """On, or standby."""
        await self._command(frames.POWER_ON if args.on else frames.POWER_OFF)
        return Reply.ACCEPTED if await self._power() != args.on else Reply.DONE

    async def move(self, args: Velocity) -> Reply:
        """Drive both axes and the zoom."""
        self._left_preset()
        await self._command(frames.pan_tilt(args.pan, args.tilt))
        await self._command(frames.zoom(args.zoom))
        return Reply.DONE

    async def stop(self, args: Arguments) -> Reply:
        """Stop both axes and the zoom; the zoom's stop is sent even when the other was refused."""
        errors: list[DeviceError] = []
        for request in (frames.pan_tilt(0, 0), frames.ZOOM_STOP):
            try:
                await self._command(request)
            except (NotSupported, Rejected) as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return Reply.DONE

    async def recall_preset(self, args: PresetNumber) -> Reply:
        """Go there; the camera's completion says that it arrived."""
        number = args.preset
        if number > 0x7F:
            raise NotSupported("VISCA presets are 0 to 127")
        self._left_preset()
        heading = self._heading = object()

        def arrived() -> None:
            if heading is self._heading:
                self._context.report("preset", number)

        await self._command(frames.preset(2, number), arrived)
        return Reply.ACCEPTED

    async def store_preset(self, args: PresetNumber) -> Reply:
        """Remember where it looks now."""
        if args.preset > 0x7F:
            raise NotSupported("VISCA presets are 0 to 127")
        await self._command(frames.preset(1, args.preset))
        return Reply.DONE

    def _left_preset(self) -> None:
        """The camera is no longer where it was, and a recall under way will not arrive."""
        self._heading = object()
        self._context.report("preset", None)

    # --- asking, again where the camera wants it ---------------------------------------------------------------

    async def _power(self) -> bool:
        power = POWER.get(await self._inquire(frames.ASK_POWER))
        self._context.report("power", power)
        return power == "on"

    async def _inquire(self, inquiry: frames.Inquiry) -> bytes:
        return await self._patiently(lambda: self._link.inquire(inquiry))

    async def _command(self, request: bytes, on_done: Callable[[], None] | None = None) -> None:
        async def ask() -> bytes:
            await self._link.command(request, on_done)
            return b""

        await self._patiently(ask)

    async def _patiently(self, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        """Again after a full buffer, after a reset when the camera lost count."""
        for _ in range(TRIES):
            try:
                return await self._context.retrying(ask)
            except BufferFull:
                await self._context.breathe()
            except BadSequence:
                await self._context.retrying(self._link.reset_sequence)
        raise Rejected("the camera is busy", retryable=True)


def _model(version: bytes) -> str:
    vendor = {0x0001: "Sony", 0x0020: "Sony"}.get(int.from_bytes(version[:2], "big"), "VISCA")
    return f"{vendor} {version[2:4].hex()}, ROM {version[4:6].hex()}"
