"""Driver `uvc`: a USB camera's pan, tilt, zoom, positions, settings and framing through V4L2."""

from __future__ import annotations

import asyncio
import logging

from devices.capabilities import Arguments, On, PresetNumber, Reply, Velocity
from devices.config import DeviceConfig
from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.errors import Lost, NotSupported, Rejected
from devices.kernel.node import open_node
from devices.kernel.usb import check, path_of, usb_nodes
from devices.rtsp.feed import VideoFeed
from devices.uvc.camera import Control, V4l2Camera
from devices.uvc.capture import capture
from devices.uvc.layout import FOCUS_ABSOLUTE
from devices.uvc.motion import PERIOD, Motion
from devices.uvc.presets import PresetBook
from devices.uvc.settings import UvcSettings

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
    _context: Context
    _camera: V4l2Camera
    _controls: dict[int, Control]
    _motion: Motion
    _stepping: dict[str, float]  # axis -> part of the fastest

    def __init__(self, config: DeviceConfig, settings: UvcSettings) -> None:
        super().__init__(config, settings)
        check(config, settings)
        self._book = PresetBook(settings.memory)
        self.video = VideoFeed(capture)

    @classmethod
    async def discover(cls, seconds: float, root: str = "/") -> list[Found]:
        """Every USB camera of this machine; `root` is another folder in tests."""
        nodes = await asyncio.to_thread(usb_nodes, "video", root)
        return [Found("uvc", one.name, one.name, one.settings, one.identity) for one in nodes if one.index == 0]

    @property
    def presets(self) -> dict[str, str]:
        """The positions people may choose."""
        return self.settings.presets

    async def run(self, context: Context) -> None:
        """Learn the controls, set those of the settings, then take the steps that moves ask for."""
        self._context, self._stepping, self._moves = context, {}, asyncio.Event()
        self._polled = asyncio.Event()
        self._turn = asyncio.Lock()  # a step is not under way while a stop is carried out
        await asyncio.to_thread(self._book.load)
        path = await path_of("video", self.settings)
        async with open_node(path) as node:
            self._camera = V4l2Camera(context, node)
            model = await self._camera.describe()
            self._controls = await self._camera.controls()
            self._motion = Motion.of(self._controls)
            await self._set_up()
            context.connected(model=model, capabilities=self._can)
            held = [asyncio.ensure_future(work) for work in (node.until_lost(), self._steps(), self._serve(path))]
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
        place = await self._place()
        for axis, value in place.items():
            self._context.report(axis, value)
        number = next((int(n) for n in self.settings.presets if place and self._book.place(int(n)) == place), None)
        self._context.report("preset", number)
        if FOCUS_ABSOLUTE in self._controls:
            self._context.report("focus", (await self._camera.read(FOCUS_ABSOLUTE))[FOCUS_ABSOLUTE])
        if (framing := self.settings.framing) is not None:
            said = (await self._camera.extension(framing.unit, framing.selector)).hex()
            states: dict[str, bool | None] = {framing.on: True, framing.off: False}
            self._context.report("framing", states.get(said))

    # --- capabilities -------------------------------------------------------------------------------------------

    async def move(self, args: Velocity) -> Reply:
        """By speed where the camera can, by steps where not."""
        async with self._turn:
            if speeds := self._motion.speed_values(args):
                await self._camera.write(speeds)
            self._stepping = self._motion.stepping(args)
            self._moves.set()
        self._context.report("preset", None)
        return Reply.DONE

    async def stop(self, args: Arguments) -> Reply:
        """Every axis stands, and no step is under way."""
        self._stepping = {}
        async with self._turn:
            if speeds := self._motion.speed_values(Velocity()):
                await self._camera.write(speeds)
        return Reply.DONE

    async def recall_preset(self, args: PresetNumber) -> Reply:
        """Go where we noted; the camera's own report tells when it is there."""
        place = self._book.place(args.preset)
        if place is None:
            raise NotSupported(f"no position is stored as {args.preset}")
        self._stepping = {}
        async with self._turn:
            places = self._motion.places
            await self._camera.write({places[axis].id: value for axis, value in place.items() if axis in places})
        return Reply.ACCEPTED

    async def store_preset(self, args: PresetNumber) -> Reply:
        """Note where it looks now."""
        if not (place := await self._place()):
            raise NotSupported("the camera does not say where it looks")
        await asyncio.to_thread(self._book.store, args.preset, place)
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

    async def _place(self) -> dict[str, int]:
        ids = {axis: control.id for axis, control in self._motion.places.items()}
        values = await self._camera.read(*ids.values()) if ids else {}
        return {axis: values[id] for axis, id in ids.items()}

    async def _serve(self, path: str) -> None:
        """Pictures for who wants them; a camera that shows none can still be driven, and is tried at the next poll."""
        while True:
            try:
                await self.video.serve(self._context, path)
            except Lost as error:
                self._context.trouble(error.notice)
                self._polled.clear()
                await self._polled.wait()
                self._context.trouble(None)

    async def _steps(self) -> None:
        """Take a step each period while axes go by steps; the move lease ends them by a stop."""
        while True:
            await self._moves.wait()
            self._moves.clear()
            place: dict[str, float] = dict(await self._place())
            while self._stepping:
                async with self._turn:
                    going = self._stepping
                    for axis, part in going.items():
                        place[axis] = self._motion.next_place(axis, place[axis], part, self.settings.traverse)
                    steps = self._motion.steps
                    if going:
                        await self._camera.write({steps[axis].id: steps[axis].nearest(place[axis]) for axis in going})
                await asyncio.sleep(PERIOD)
