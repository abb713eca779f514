"""Driver `rtsp`: a camera that only shows, over RTSP."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

from devices.config import DeviceConfig
from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.errors import DeviceError
from devices.marks import SECRET
from devices.mdns import announced
from devices.rtsp.capture import with_login
from devices.rtsp.feed import VideoFeed
from devices.rtsp.link import RtspLink
from devices.rtsp.messages import codec
from devices.sharing import Shared

PORT = 554  # RFC 2326 §3.2


class RtspSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`url` without name and password, which have settings of their own."""

    url: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^rtsp://[^@\s]+$",
            max_length=1024,
            description="an address like 'rtsp://10.0.0.7/stream1', without name and password: those have settings of their own",
        ),
    ]
    username: Annotated[str, msgspec.Meta(max_length=64, extra_json_schema=SECRET)] = ""
    password: Annotated[str, msgspec.Meta(max_length=64, extra_json_schema=SECRET)] = ""


class RtspCamera(Driver[RtspSettings]):
    """Its pictures are `video`; nothing is captured while nobody wants them."""

    manifest = Manifest(
        id="rtsp",
        version="1.0",
        title="RTSP camera",
        settings=RtspSettings,
        transports=("tcp",),
        emulator="devices.emulators.rtsp:RtspServer",
    )
    senses = ("video",)
    _context: Context
    _link: RtspLink

    def __init__(self, config: DeviceConfig, settings: RtspSettings) -> None:
        super().__init__(config, settings)
        self.video = VideoFeed()

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        """Streams that announce themselves; many cameras name no path, which then is in their manual."""
        heard = await announced("_rtsp._tcp", seconds=seconds)
        found = []
        for one in heard.near:
            path = one.text.get("path", "").lstrip("/")
            url = f"rtsp://{one.host}{'' if one.port == PORT else f':{one.port}'}/{path}"
            with suppress(msgspec.ValidationError):
                msgspec.convert({"url": url}, RtspSettings)
                found.append(Found("rtsp", one.name, settings={"url": url}, identity=f"{one.name} {url}"))
        return found + heard.left_out("rtsp")

    @property
    def address(self) -> str | None:
        """One stream: a camera may have several."""
        try:
            parts = urlsplit(self.settings.url)
            place = f"{parts.hostname or ''}:{parts.port or PORT}"
        except ValueError:  # no address at all: nobody else has it
            return None
        return f"tcp {place} {parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"

    async def run(self, context: Context) -> None:
        """Ask what the stream is; then serve pictures to those who want them."""
        settings, self._context = self.settings, context
        login = (settings.username, settings.password)
        async with RtspLink.open(context, settings.url, login) as self._link:
            about = await self._link.describe()
            server = about.headers.get("server", "RTSP camera")
            context.connected(model=f"{server} {codec(about.body)}".strip())
            pictures = self.video.serve(context, with_login(settings.url, login))
            await self._link.hold(pictures, lambda: self.video.flowing)

    async def attend(self, shared: Shared, nudge: Callable[[], None]) -> None:
        """Nothing comes by itself; pictures that flow go on whatever becomes of our questions."""
        await self.video.keep()

    async def poll(self, *, whole: bool) -> None:
        """Whether it answers; the whole question shows that it still lets us in. Who shows pictures is there, and does."""
        try:
            await (self._link.describe() if whole else self._link.alive())
        except DeviceError:
            if not self.video.flowing:
                raise
