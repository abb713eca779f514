"""Driver `onvif`: a network camera that moves, remembers positions and shows pictures over RTSP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from devices.capabilities import Arguments, PresetNumber, Reply, Velocity
from devices.config import DeviceConfig
from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.errors import Garbage, NotSupported, Refused, Rejected
from devices.onvif.camera import OnvifCamera, Profile, Status
from devices.onvif.places import Places
from devices.onvif.search import search
from devices.onvif.settings import OnvifSettings
from devices.onvif.trust import Trust
from devices.rtsp.capture import with_login
from devices.rtsp.feed import VideoFeed
from devices.sharing import Shared
from wire.problems import Notice

SURE = 0.8  # part of the time of a command after which a stop is believed without having been seen
LEASES = 2  # a camera that minds its Timeout stops by itself after so many move leases


class OnvifCameraDriver(Driver[OnvifSettings]):
    """A camera that speaks ONVIF."""

    manifest = Manifest(
        id="onvif",
        version="1.0",
        title="ONVIF camera",
        settings=OnvifSettings,
        transports=("http", "tcp"),
        emulator="devices.emulators.onvif:OnvifEmulator",
        overtakes=True,
    )
    senses = ("video",)
    _context: Context
    _camera: OnvifCamera
    _profile: Profile

    def __init__(self, config: DeviceConfig, settings: OnvifSettings) -> None:
        super().__init__(config, settings)
        settings.check(config)
        self.video = VideoFeed()
        self._no_stop = False  # it does not know Stop
        self._places = Places(settings.memory)
        self._heading: int | None = None  # position it is on its way to

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        """Cameras that answer a WS-Discovery search."""
        return await search(seconds)

    @property
    def address(self) -> str:
        """A camera moves for one device."""
        return f"tcp {self.settings.address}"

    @property
    def presets(self) -> dict[str, str]:
        """The positions people may choose."""
        return self.settings.presets

    async def run(self, context: Context) -> None:
        """Learn its clock, its services and its profile; then serve pictures to those who want them."""
        settings, self._context, self._polled = self.settings, context, asyncio.Event()
        await self._places.load()
        login = (settings.username, settings.password)
        trust = Trust(settings.ca, settings.fingerprint) if settings.tls else None
        async with OnvifCamera.open(context, settings.address, login, trust) as self._camera:
            camera = self._camera
            await camera.tell_time()
            model = await camera.model()
            await camera.find_services()
            self._profile = self._chosen(await camera.profiles())
            await self._serve(model, login)

    async def _serve(self, model: str, login: tuple[str, str]) -> None:
        """Be there for moves though it has no address for its pictures yet; that is asked for at each whole poll."""
        moves, asked, url = (["ptz", "presets"] if self._profile.ptz else []), True, None
        while asked:
            try:
                url, asked = await self._camera.stream(self._profile), False
            except (Rejected, Garbage):  # for now
                if not moves:
                    raise
            if not (can := moves + (["video"] if url or self.video.flowing else [])):
                raise NotSupported("the camera neither moves nor shows anything")
            if not asked or not self._context.ready.is_set():
                self._context.connected(model=model, capabilities=can, axes=list(self._profile.axes))
            self._context.trouble(Notice("device.no_picture") if asked and not self.video.flowing else None)
            if url is not None:
                await self.video.serve_beside(self._context, with_login(url, login), self._polled)
            self._polled.clear()
            await self._polled.wait()
        await asyncio.Event().wait()

    async def attend(self, shared: Shared, nudge: Callable[[], None]) -> None:
        """Nothing comes by itself; pictures that flow go on though it cannot be controlled."""
        await self.video.keep()

    def _chosen(self, profiles: list[Profile]) -> Profile:
        wanted = [one for one in profiles if one.token == self.settings.profile or not self.settings.profile]
        if not wanted:
            raise Refused(f"no such profile; there are: {', '.join(one.token for one in profiles)}")
        return next((one for one in wanted if one.ptz), wanted[0])

    async def poll(self, *, whole: bool) -> None:
        """Its time costs it least, and keeps our password valid; where it looks while somebody may care."""
        await self._camera.tell_time()
        if whole:
            self._polled.set()
        if self._profile.ptz and (whole or self._heading is not None):
            self._report(await self._status())

    def _report(self, status: Status) -> None:
        for name, value in (("pan", status.pan), ("tilt", status.tilt), ("zoom", status.zoom)):
            if value is not None:
                self._context.report(name, value)
        if self._heading is not None and status.moving is False:
            self._context.report("preset", self._heading)
            self._heading = None

    # --- capabilities -------------------------------------------------------------------------------------------

    async def move(self, args: Velocity) -> Reply:
        """Drive; many cameras ignore the time that we allow, so the framework's lease stops them."""
        self._leave()
        seconds = self._context.timing.lease * LEASES
        await self._camera.move(self._profile, args.pan, args.tilt, args.zoom, seconds)
        return Reply.DONE

    async def stop(self, args: Arguments) -> Reply:
        """Stop; by zero velocity where the camera does not know Stop, or says that it still moves."""
        self._heading = None
        soon, stopped = asyncio.get_running_loop().time() + self._context.timing.command * SURE, False
        if not self._no_stop:
            try:
                await self._camera.stop(self._profile)
                stopped = True
                async with asyncio.timeout_at(soon):  # who is too slow to say it again has said it
                    stopped = (await self._status()).moving is not True
            except TimeoutError:
                pass
            except (NotSupported, Rejected):
                self._no_stop = True
        if not stopped:
            await self._camera.move(self._profile, 0, 0, 0, self._context.timing.lease)
        return Reply.DONE

    async def recall_preset(self, args: PresetNumber) -> Reply:
        """Go there; the camera's standing still says that it arrived."""
        if (token := await self._preset(args.preset)) is None:
            place = self._places.at(args.preset)
            await self._camera.go_to(self._profile, *place)
        elif token:
            await self._camera.recall(self._profile, token)
        else:
            raise NotSupported(f"the camera has no position {args.preset}")
        self._leave()
        self._heading = args.preset
        return Reply.ACCEPTED

    async def store_preset(self, args: PresetNumber) -> Reply:
        """Remember where it looks now."""
        if (token := await self._preset(args.preset)) is None:
            await self._places.note(args.preset, await self._status())
            return Reply.DONE
        name = self.presets.get(str(args.preset), f"preset_{args.preset}")
        await self._camera.store(self._profile, token, name)
        return Reply.DONE

    async def _preset(self, number: int) -> str | None:
        """The camera's token of a position, "" when it has none, None when it remembers no positions at all."""
        try:
            known = await self._camera.presets(self._profile)
        except NotSupported:
            return None
        names = {str(number), f"Preset{number}", f"preset_{number}"}
        wanted = self.presets.get(str(number))
        named = [token for token, name in known.items() if name and name in (wanted, f"preset_{number}")]
        return next((token for token in known if token in names), named[0] if named else "")

    def _leave(self) -> None:
        """The camera is no longer where it was."""
        self._heading = None
        self._context.report("preset", None)

    # --- asking -------------------------------------------------------------------------------------------------

    async def _status(self) -> Status:
        try:
            return await self._camera.status(self._profile)
        except (NotSupported, Rejected):
            return Status()
