"""Driver `visca`: a PTZ camera with power, moves, zoom and presets."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from devices.capabilities import Arguments, On, PresetNumber, Reply, Velocity
from devices.context import Context
from devices.driver import Driver, Manifest
from devices.errors import Garbage, Lost, NotSupported, Rejected
from devices.visca import frames
from devices.visca.asking import STOPS, Asking
from devices.visca.link import ViscaLink
from devices.visca.settings import ViscaSettings

log = logging.getLogger(__name__)

POWER = {b"\x02": "on", b"\x03": "off"}
SURE = 0.8  # part of the time of a command after which it is not asked any more what became of it


class ViscaCamera(Driver[ViscaSettings]):
    """A camera that speaks VISCA over IP or raw VISCA over TCP."""

    manifest = Manifest(
        id="visca",
        version="1.1",
        title="VISCA camera",
        settings=ViscaSettings,
        transports=("udp", "tcp"),
        emulator="devices.emulators.visca:ViscaEmulator",
        spacing=0.02,
        overtakes=True,
    )
    _context: Context
    _link: ViscaLink
    _asking: Asking
    _heading: object = None  # identity of the recall under way
    _tries = 1  # of the question whether it wants a header
    _turning = _zooming = False  # by us, until a stop of it was confirmed
    _stops = 0  # asked for so far: a move that was asked for before the last one does not begin any more

    @property
    def address(self) -> str:
        """A camera has one address."""
        return f"{self.settings.transport} {self.settings.host}:{self.settings.at}"

    @property
    def presets(self) -> dict[str, str]:
        """The positions people may choose."""
        return self.settings.presets

    async def run(self, context: Context) -> None:
        """Find out how the camera frames its messages, then hold the connection."""
        self._context = context
        if self.settings.header is not None or self.settings.transport == "tcp":
            await self._try(header=bool(self.settings.header))
        elif not await self._try(header=True, attempts=self._tries):
            self._tries = context.timing.attempts  # if it is none without, but slow, it is heard out the next time
            await self._try(header=False)

    async def _try(self, *, header: bool, attempts: int | None = None) -> bool:
        """Hold a connection with or without header; False when a camera does not answer its first question."""
        settings, context = self.settings, self._context
        opened = ViscaLink.open(context, settings.host, self.settings.at, transport=settings.transport, header=header)
        async with opened as self._link:
            self._asking = Asking(context, self._link)
            try:
                if header:
                    await context.retrying(self._link.reset_sequence, attempts=attempts)
                model = await self._model()
            except (Lost, Garbage):
                if attempts is None:
                    raise
                return False
            self._tries = 1
            await self._limit()
            can = [name for name in self.capabilities() if name != "framing" or settings.framing is not None]
            context.connected(model=model, capabilities=can)
            await self._link.until_lost()
        return True

    async def _model(self) -> str:
        """Who made it, "" where it does not say: some cameras do not know that question, or leave it unanswered.

        The power is asked before, which every camera knows: who answers is waited for further; and after silence again.
        """
        with suppress(NotSupported, Rejected):  # that is an answer, too
            await self._asking.inquire(frames.ASK_POWER)
        try:
            return frames.model(await self._asking.inquire(frames.ASK_VERSION))
        except (NotSupported, Rejected):
            return ""
        except (Lost, Garbage):
            await self._asking.inquire(frames.ASK_POWER)
            return ""

    async def _limit(self) -> None:
        """Tell the camera how far it may look; one that cannot be told is used without."""
        limits = self.settings.limits
        if limits is None:
            return
        try:
            await self._asking.command(frames.pan_tilt_limit(1, limits.right, limits.up))
            await self._asking.command(frames.pan_tilt_limit(0, limits.left, limits.down))
        except (NotSupported, Rejected) as error:
            log.warning("camera %s takes no limits: %s", self.config.id, error)

    async def poll(self, *, whole: bool) -> None:
        """Power is the cheapest question; a camera in standby knows no position."""
        if not await self._power() or not whole:
            return
        place = await self._asking.inquire(frames.ASK_PAN_TILT)
        self._context.report("pan", frames.nibbles(place[:4]))
        self._context.report("tilt", frames.nibbles(place[4:]))
        self._context.report("zoom", frames.nibbles(await self._asking.inquire(frames.ASK_ZOOM)))

    async def set_power(self, args: On) -> Reply:
        """On, or standby."""
        sure = asyncio.get_running_loop().time() + self._context.timing.command * SURE
        await self._asking.command(frames.POWER_ON if args.on else frames.POWER_OFF)
        try:
            async with asyncio.timeout_at(sure):  # who is too slow to say it tells the next poll
                return Reply.ACCEPTED if await self._power() != args.on else Reply.DONE
        except TimeoutError:
            return Reply.ACCEPTED

    async def move(self, args: Velocity) -> Reply:
        """Drive what is to move, and what may still move otherwise."""
        self._left_preset()
        fastest, stops = self.settings.speeds, self._stops
        turn, closer = bool(args.pan or args.tilt), bool(args.zoom)
        drive = frames.pan_tilt(args.pan * fastest.pan, args.tilt * fastest.tilt)
        requests = [drive] if turn or self._turning else []
        requests += [frames.zoom(args.zoom * fastest.zoom)] if closer or self._zooming else []
        self._turning, self._zooming = self._turning or turn, self._zooming or closer
        await self._asking.all(requests if turn else requests[::-1], wanted=lambda: stops == self._stops)
        self._turning, self._zooming = turn, closer  # also behind a stop that did not wait for it
        return Reply.DONE

    async def stop(self, args: Arguments) -> Reply:
        """Stop both axes and the zoom, first what moves; each is sent even when the other was refused."""
        self._stops += 1
        await self._asking.all(STOPS[::-1] if self._zooming and not self._turning else STOPS)
        self._turning = self._zooming = False
        return Reply.DONE

    async def recall_preset(self, args: PresetNumber) -> Reply:
        """Go there; the camera's completion says that it arrived."""
        number = _known(args)
        self._left_preset()
        heading = self._heading = object()

        def arrived() -> None:
            if heading is self._heading:
                self._context.report("preset", number)

        await self._asking.command(frames.preset(2, number), arrived)
        return Reply.ACCEPTED

    async def store_preset(self, args: PresetNumber) -> Reply:
        """Remember where it looks now."""
        await self._link.completed(await self._asking.command(frames.preset(1, _known(args))))
        return Reply.DONE

    async def set_framing(self, args: On) -> Reply:
        """With the commands of the settings; the camera's completion says that it does."""
        commands = self.settings.framing
        if commands is None:
            raise NotSupported("the settings name no commands for framing")
        await self._asking.command(
            bytes.fromhex(commands.on if args.on else commands.off), lambda: self._context.report("framing", args.on)
        )
        return Reply.ACCEPTED

    def _left_preset(self) -> None:
        """The camera is no longer where it was, and a recall under way will not arrive."""
        self._heading = object()
        self._context.report("preset", None)

    async def _power(self) -> bool:
        power = POWER.get(await self._asking.inquire(frames.ASK_POWER))
        self._context.report("power", power)
        return power == "on"


def _known(args: PresetNumber) -> int:
    if args.preset > 0x7F:
        raise NotSupported("VISCA presets are 0 to 127")
    return args.preset
