"""Driver `uvc`: a USB camera's pan, tilt, zoom, positions, settings and framing through V4L2."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from devices.capabilities import AXES, Arguments, On, PresetNumber, Reply, Velocity
from devices.config import DeviceConfig
from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.errors import NotSupported, Rejected
from devices.kernel.node import open_node
from devices.kernel.usb import check, path_of, usb_nodes
from devices.presets import PresetBook
from devices.rtsp.feed import VideoFeed
from devices.uvc.camera import Control, V4l2Camera
from devices.uvc.capture import capture
from devices.uvc.layout import FOCUS_ABSOLUTE
from devices.uvc.motion import Motion
from devices.uvc.settings import UvcSettings
from devices.uvc.steps import Steps

log = logging.getLogger(__name__)


class UvcCamera(Driver[UvcSettings]):
    """A camera behind /dev/videoN."""

    manifest = Manifest(
        id="uvc",
        version="1.0",
        title="USB camera",
        settings=UvcSettings,
        transports=("kernel", "usb"),
        emulator="devices.emulators.uvc:UvcEmulator",
    )
    senses = ("video",)
    reports = {"focus": "number"}
    _context: Context
    _camera: V4l2Camera
    _controls: dict[int, Control]
    _motion: Motion
    _steps: Steps

    def __init__(self, config: DeviceConfig, settings: UvcSettings) -> None:
        super().__init__(config, settings)
        check(config, settings)
        self._book = PresetBook(settings.memory)
        self.video = VideoFeed(partial(capture, options=settings.picture.options))

    @classmethod
    async def discover(cls, seconds: float, root: str = "/") -> list[Found]:
        """Every USB camera of this machine; `root` is another folder in tests."""
        nodes = await asyncio.to_thread(usb_nodes, "video", root)
        return [Found("uvc", one.name, one.name, one.settings, one.identity) for one in nodes if one.index == 0]

    @property
    def address(self) -> str:
        """A camera shows and moves for one device."""
        return self.settings.only("video")

    @property
    def presets(self) -> dict[str, str]:
        """The positions people may choose."""
        return self.settings.presets

    async def run(self, context: Context) -> None:
        """Learn the controls, set those of the settings, then take the steps that moves ask for."""
        self._context, self._polled = context, asyncio.Event()
        await asyncio.to_thread(self._book.load)
        path = await path_of("video", self.settings)
        async with open_node(path) as node:
            self._camera = V4l2Camera(context, node)
            model = await self._camera.describe()
            self._controls = await self._camera.controls()
            self._motion = Motion.of(self._controls)
            self._steps = Steps(self._camera, self._motion, self.settings.traverse)
            await self._set_up()
            axes = [name for name, parts in AXES.items() if self._motion.axes.intersection(parts)]
            context.connected(model=model, capabilities=self._can, axes=axes)
            shown = self.video.serve_beside(context, path, self._polled)
            held = [asyncio.ensure_future(work) for work in (node.until_lost(), self._steps.run(), shown)]
            try:
                ended, _ = await asyncio.wait(held, return_when=asyncio.FIRST_COMPLETED)
                ended.pop().result()
            finally:
                for work in held:
                    work.cancel()
                await asyncio.gather(*held, return_exceptions=True)

    async def poll(self, *, whole: bool) -> None:
        """Its name proves that it is there; whole: where it looks."""
        self._context.heard(await self._camera.describe())
        if not whole:
            return
        self._polled.set()
        place = await self._camera.place(self._motion)
        for axis, value in place.items():
            self._context.report(axis, value)
        self._context.report("preset", self._preset_at(place))
        if (focus := self._controls.get(FOCUS_ABSOLUTE)) is not None and focus.readable:
            self._context.report("focus", (await self._camera.read(FOCUS_ABSOLUTE))[FOCUS_ABSOLUTE])
        if (framing := self.settings.framing) is not None:
            said = (await self._camera.extension(framing.unit, framing.selector)).hex()
            states: dict[str, bool | None] = {framing.on: True, framing.off: False}
            self._context.report("framing", states.get(said))

    # --- capabilities -------------------------------------------------------------------------------------------

    async def move(self, args: Velocity) -> Reply:
        """By speed where the camera can, by steps where not."""
        asked = {axis for axis in ("pan", "tilt", "zoom") if getattr(args, axis)}
        if missing := asked - self._motion.axes:
            raise NotSupported(f"it does not move: {', '.join(sorted(missing))}")
        if speeds := self._motion.speed_values(args):
            await self._camera.write(speeds)
        await self._steps.go(self._motion.stepping(args))
        self._context.report("preset", None)
        return Reply.DONE

    async def stop(self, args: Arguments) -> Reply:
        """Every axis stands, and no step is under way."""
        await self._steps.halt()
        if speeds := self._motion.speed_values(Velocity()):
            await self._camera.write(speeds)
        return Reply.DONE

    async def recall_preset(self, args: PresetNumber) -> Reply:
        """Go where we noted; the camera's own report tells when it is there."""
        place = self._book.place(args.preset)
        if place is None:
            raise NotSupported(f"no position is stored as {args.preset}")
        await self._steps.halt()
        places = self._motion.places
        await self._camera.write({places[axis].id: value for axis, value in place.items() if axis in places})
        return Reply.ACCEPTED

    async def store_preset(self, args: PresetNumber) -> Reply:
        """Note where it looks now."""
        if not (place := await self._camera.place(self._motion)):
            raise NotSupported("the camera does not say where it looks")
        try:
            await asyncio.to_thread(self._book.store, args.preset, place)
        except OSError as error:
            raise Rejected(f"it is known until the program ends, and not kept: {error}") from error
        return Reply.DONE

    async def set_framing(self, args: On) -> Reply:
        """Through the vendor's extension unit."""
        if (framing := self.settings.framing) is None:
            raise NotSupported("the settings know no extension for it")
        await self._camera.extend(framing.unit, framing.selector, bytes.fromhex(framing.on if args.on else framing.off))
        return Reply.DONE

    # --- the camera ---------------------------------------------------------------------------------------------

    @property
    def _can(self) -> list[str]:
        has = {"ptz": self._motion.moves, "presets": self._motion.places, "framing": self.settings.framing}
        return [*(name for name, there in has.items() if there), "video"]

    async def _set_up(self) -> None:
        named = {control.name: control for control in self._controls.values()}
        for name, value in self.settings.controls.items():
            try:
                if name not in named:
                    raise NotSupported(f"it has {', '.join(sorted(named))}")
                await self._camera.write({named[name].id: named[name].nearest(value)})
            except (NotSupported, Rejected) as error:
                log.warning("camera %s does not take %s: %s", self.config.id, name, error)

    def _preset_at(self, place: dict[str, int]) -> int | None:
        known = {int(number): self._book.place(int(number)) for number in self.settings.presets}
        return next((number for number, at in known.items() if at and self._motion.at(place, at)), None)
