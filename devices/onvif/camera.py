"""What is asked of one ONVIF camera: its time, name, profiles, stream, and its moves."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit, urlunsplit
from xml.sax.saxutils import escape

from devices.context import Context
from devices.errors import DeviceError, Garbage, Lost, NotSupported, Rejected, WrongPassword
from devices.names import code_of
from devices.onvif import soap
from devices.onvif.soap import DEVICE, MEDIA, MEDIA2, PTZ, SCHEMA, Element, Fault, NoSoap
from devices.onvif.trust import Trust, distrusted

if TYPE_CHECKING:
    import aiohttp

Answer = TypeVar("Answer")
DENIED = {"NotAuthorized", "FailedAuthentication", "InvalidSecurity", "FailedCheck"}
UNKNOWN = {
    "ActionNotSupported",
    "OptionalActionNotImplemented",
    "NoSuchService",
    "PTZNotSupported",
    "NoEntity",
    "NoToken",
    "IncompleteConfiguration",  # of a profile without a source of pictures
}
TT = f"{{{SCHEMA}}}"
MOST_SERVICES = 64
CONNECTIONS = 4
MOVED = 3.0  # seconds that a camera's clock may seem to move: it tells whole ones, and takes its time


@dataclass(frozen=True)
class Profile:
    """A media profile. `axes`: what its configuration moves, of `devices.capabilities.AXES`; `ptz`: it has one."""

    token: str
    ptz: bool
    axes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Status:
    """Where the camera looks, each -1..1 or 0..1, and whether it moves; None where it does not say."""

    pan: float | None = None
    tilt: float | None = None
    zoom: float | None = None
    moving: bool | None = None


class OnvifCamera:
    """Questions to one camera, each asked once and waited for patiently. Raises the errors of `devices.errors`."""

    def __init__(
        self, context: Context, session: aiohttp.ClientSession, address: str, login: tuple[str, str], scheme: str
    ) -> None:
        self._context = context
        self._session = session
        self._address = address  # host:port
        self._login = login
        self._loop = asyncio.get_running_loop()
        self._clock: tuple[datetime, float] | None = None  # the camera's time, and the loop's then
        self._guarded = False  # it tells its time only to who has the password
        self._believed = False  # it took our password
        self._scheme = scheme
        self._services = {DEVICE: f"{scheme}://{address}/onvif/device_service"}

    @classmethod
    @asynccontextmanager
    async def open(
        cls, context: Context, address: str, login: tuple[str, str], trust: Trust | None = None
    ) -> AsyncIterator[OnvifCamera]:
        """A session for one camera, over HTTPS where `trust` says whom to believe.

        With one connection, and others for stops that do not wait for the answer to a move.
        """
        named = await asyncio.to_thread(import_module, "devices.onvif.resolver")  # with aiohttp: a fifth of a second
        import aiohttp

        digest = (aiohttp.DigestAuthMiddleware(*login),) if login[0] else ()
        connector = aiohttp.TCPConnector(
            limit=CONNECTIONS, resolver=named.Resolver(), ssl=await asyncio.to_thread(trust.check) if trust else True
        )
        patience = context.timing.patience  # for each of the two requests that HTTP Digest takes
        whole = aiohttp.ClientTimeout(total=2 * patience, sock_connect=patience, sock_read=patience)
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=whole,
            middlewares=digest,
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,  # a small answer stays small
        ) as session:
            yield cls(context, session, address, login, "https" if trust else "http")

    # --- what is asked ------------------------------------------------------------------------------------------

    async def tell_time(self) -> None:
        """Its clock, without password: every password is bound to the camera's own time (Core 5.12.1).

        A camera that tells nobody, or only who has the password, is taken to have ours.
        """
        try:
            answer = await self._told_time()
        except (NotSupported, Rejected):
            self._clock = datetime.now(UTC), self._loop.time()
            return
        at = {part: answer.findtext(f".//{TT}UTCDateTime//{TT}{part}") for part in _DATE}
        try:
            now = datetime(*(int(at[part] or 0) for part in _DATE), tzinfo=UTC)  # type: ignore[arg-type, misc]
        except ValueError:
            now = datetime.now(UTC)  # it does not know itself
        self._clock = now, self._loop.time()

    async def _told_time(self) -> Element:
        body = "<tds:GetSystemDateAndTime/>"
        if not self._guarded:
            try:
                return await self._post(DEVICE, body, "")
            except WrongPassword:
                if not self._login[0]:
                    raise
            self._guarded = True
            self._clock = datetime.now(UTC), self._loop.time()
        return await self._post(DEVICE, body, self._header())

    async def model(self) -> str:
        """Maker and model; "" where it does not say."""
        try:
            answer = await self._call(DEVICE, "<tds:GetDeviceInformation/>")
        except (NotSupported, Rejected):
            return ""
        return " ".join(soap.text(answer, f"{{{DEVICE}}}{part}") for part in ("Manufacturer", "Model")).strip()

    async def find_services(self) -> None:
        """Where its other services are; behind an address translation it names one that we cannot reach: ours is kept."""
        asked = "<tds:GetCapabilities><tds:Category>All</tds:Category></tds:GetCapabilities>"
        answer = await self._unless_refused(self._call(DEVICE, asked))
        if answer is not None:
            for service, name in ((MEDIA, "Media"), (PTZ, "PTZ")):
                self._found(service, soap.text(answer, f".//{TT}{name}/{TT}XAddr"))
        if MEDIA in self._services:
            return
        asked = "<tds:GetServices><tds:IncludeCapability>false</tds:IncludeCapability></tds:GetServices>"
        answer = await self._unless_refused(self._call(DEVICE, asked))
        for one in answer.findall(f"{{{DEVICE}}}Service")[:MOST_SERVICES] if answer is not None else ():
            if (service := soap.text(one, f"{{{DEVICE}}}Namespace")) in (MEDIA, MEDIA2, PTZ):
                self._found(service, soap.text(one, f"{{{DEVICE}}}XAddr"))

    async def _unless_refused(self, asked: Awaitable[Answer], *, lastingly: bool = False) -> Answer | None:
        """None when it refuses this one question: it does not know it, or not from us though our password is right.

        `lastingly`: raises what it may answer later, as while it starts.
        """
        try:
            return await asked
        except (NotSupported, Rejected) as error:
            if lastingly and error.retryable:
                raise
            return None
        except WrongPassword:
            if self._believed:
                return None
            raise

    def _found(self, service: str, address: str) -> None:
        if address:
            parts = urlsplit(address)
            self._services[service] = urlunsplit((self._scheme, self._address, parts.path, parts.query, ""))

    @property
    def _second(self) -> bool:
        """Only the second Media service is there, as some cameras have it alone (Profile T)."""
        return MEDIA not in self._services and MEDIA2 in self._services

    async def profiles(self) -> list[Profile]:
        """Its media profiles, in its order."""
        if self._second:
            answer = await self._call(MEDIA2, "<tr2:GetProfiles><tr2:Type>PTZ</tr2:Type></tr2:GetProfiles>")
            each, ptz_at = answer.findall(f"{{{MEDIA2}}}Profiles"), f"{{{MEDIA2}}}Configurations/{{{MEDIA2}}}PTZ"
        else:
            answer = await self._call(MEDIA, "<trt:GetProfiles/>")
            each, ptz_at = answer.findall(f"{{{MEDIA}}}Profiles"), f"{TT}PTZConfiguration"
        found = []
        for one in each:
            ptz = one.find(ptz_at) if PTZ in self._services else None
            found.append(Profile(one.get("token", "")[:64], ptz is not None, _axes(ptz)))
        return found

    async def stream(self, profile: Profile) -> str | None:
        """Address of its pictures over RTSP and TCP; None when it has none for us; raises Rejected when it has none yet."""
        return await self._unless_refused(self._stream(profile), lastingly=True)

    async def _stream(self, profile: Profile) -> str:
        if self._second:
            token = f"<tr2:ProfileToken>{escape(profile.token)}</tr2:ProfileToken>"
            asked = f"<tr2:GetStreamUri><tr2:Protocol>RTSP</tr2:Protocol>{token}</tr2:GetStreamUri>"
            uri = soap.text(await self._call(MEDIA2, asked), f"{{{MEDIA2}}}Uri")
        else:
            token = f"<trt:ProfileToken>{escape(profile.token)}</trt:ProfileToken>"
            setup = (
                "<trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol>"
                "</tt:Transport></trt:StreamSetup>"
            )
            answer = await self._call(MEDIA, f"<trt:GetStreamUri>{setup}{token}</trt:GetStreamUri>")
            uri = soap.text(answer, f".//{TT}Uri")
        try:
            parts = urlsplit(uri)
            port = parts.port or 554
        except ValueError:
            raise Garbage(uri) from None
        if parts.scheme != "rtsp":
            raise Garbage(uri)
        host = self._address.rpartition(":")[0]
        return urlunsplit(parts._replace(netloc=f"{host}:{port}"))

    async def status(self, profile: Profile) -> Status:
        """Where it looks and whether it moves."""
        answer = await self._call(PTZ, f"<tptz:GetStatus>{_token(profile)}</tptz:GetStatus>")
        place, zoom = answer.find(f".//{TT}Position/{TT}PanTilt"), answer.find(f".//{TT}Position/{TT}Zoom")
        said = [state.text for state in answer.iterfind(f".//{TT}MoveStatus/*")]
        moving = "MOVING" in said if said and "UNKNOWN" not in said else None
        return Status(soap.number(place, "x"), soap.number(place, "y"), soap.number(zoom, "x"), moving)

    async def move(self, profile: Profile, pan: float, tilt: float, zoom: float, seconds: float) -> None:
        """Drive with these speeds for at most `seconds`, if the camera minds them."""
        turn, closer = f'<tt:PanTilt x="{pan:.3f}" y="{tilt:.3f}"/>', f'<tt:Zoom x="{zoom:.3f}"/>'
        velocity = (turn if "pan_tilt" in profile.axes else "") + (closer if "zoom" in profile.axes else "")
        await self._call(
            PTZ,
            f"<tptz:ContinuousMove>{_token(profile)}<tptz:Velocity>{velocity}</tptz:Velocity>"
            f"<tptz:Timeout>PT{seconds:.1f}S</tptz:Timeout></tptz:ContinuousMove>",
        )

    async def stop(self, profile: Profile) -> None:
        """Both axes and the zoom."""
        both = "<tptz:PanTilt>true</tptz:PanTilt><tptz:Zoom>true</tptz:Zoom>"
        await self._call(PTZ, f"<tptz:Stop>{_token(profile)}{both}</tptz:Stop>")

    async def presets(self, profile: Profile) -> dict[str, str]:
        """Token to name of each position it remembers."""
        answer = await self._call(PTZ, f"<tptz:GetPresets>{_token(profile)}</tptz:GetPresets>")
        each = answer.findall(f"{{{PTZ}}}Preset")
        return {one.get("token", "")[:64]: soap.text(one, f"{TT}Name") for one in each[:300]}

    async def recall(self, profile: Profile, token: str) -> None:
        """Go to a position."""
        preset = f"<tptz:PresetToken>{escape(token)}</tptz:PresetToken>"
        await self._call(PTZ, f"<tptz:GotoPreset>{_token(profile)}{preset}</tptz:GotoPreset>")

    async def store(self, profile: Profile, token: str, name: str) -> None:
        """Remember where it looks, under the token of an earlier position or, when that is "", anew."""
        known = f"<tptz:PresetToken>{escape(token)}</tptz:PresetToken>" if token else ""
        called = f"<tptz:PresetName>{escape(name)}</tptz:PresetName>"
        await self._call(PTZ, f"<tptz:SetPreset>{_token(profile)}{called}{known}</tptz:SetPreset>")

    async def go_to(self, profile: Profile, pan: float, tilt: float, zoom: float | None) -> None:
        """Go to where it once said that it looked, for cameras that remember no positions."""
        place = f'<tt:PanTilt x="{pan:.3f}" y="{tilt:.3f}"/>' + ("" if zoom is None else f'<tt:Zoom x="{zoom:.3f}"/>')
        await self._call(
            PTZ, f"<tptz:AbsoluteMove>{_token(profile)}<tptz:Position>{place}</tptz:Position></tptz:AbsoluteMove>"
        )

    # --- how ----------------------------------------------------------------------------------------------------

    async def _call(self, service: str, body: str) -> Element:
        """With our name and password; once more when it did not believe us because its clock had moved, and only then."""
        if service not in self._services:
            raise NotSupported("the camera has no such service")
        try:
            answer = await self._post(service, body, self._header())
        except WrongPassword as refused:
            before = self._clock
            if not self._login[0] or before is None or self._guarded:
                raise
            try:
                await self.tell_time()
            except DeviceError:
                raise refused from None
            if not self._moved(before):
                raise  # many cameras lock out who is refused often
            answer = await self._post(service, body, self._header())
        self._believed = True
        return answer

    def _moved(self, before: tuple[datetime, float]) -> bool:
        """The camera's clock is not where it would have gone since then."""
        (then, at), (now, since) = before, self._clock or before
        return abs((now - then).total_seconds() - (since - at)) > MOVED

    def _header(self) -> str:
        name, password = self._login
        if not name or self._clock is None:
            return ""
        then, at = self._clock
        return soap.security(name, password, os.urandom(16), then + timedelta(seconds=self._loop.time() - at))

    async def _post(self, service: str, body: str, header: str) -> Element:
        import aiohttp

        types = {"Content-Type": "application/soap+xml; charset=utf-8"}
        try:
            url, data = self._services[service], soap.envelope(body, header)
            # never sent elsewhere: our password's digest is in it
            async with self._session.post(url, data=data, headers=types, allow_redirects=False) as answer:
                data = await answer.content.read(soap.LONGEST) if answer.status != 401 else b""
                while data and not answer.content.at_eof():
                    data += await answer.content.readany()
                    if len(data) > soap.LONGEST:
                        raise Garbage("an answer without end")
        except (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch) as error:  # one of them is a ValueError too
            raise distrusted(error) or Garbage(f"no TLS: {error}") from error
        except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError, ValueError) as error:
            self._context.garbled(str(error))
            raise Garbage(str(error)) from error
        except TimeoutError:  # some of aiohttp's are OSErrors, too
            raise self._context.silence() from None
        except (aiohttp.ClientError, OSError) as error:
            raise Lost(str(error), code=code_of(error)) from error
        if answer.status == 401:
            self._context.heard("401")
            raise WrongPassword("the camera refuses our name or password")
        return self._read(data)

    def _read(self, data: bytes) -> Element:
        try:
            said = soap.read(data)
        except NoSoap as error:
            self._context.garbled(data[:200])
            raise Garbage(str(error)) from None
        if isinstance(said, Fault):
            self._context.heard(" ".join((*said.codes[-1:], said.reason)))
            raise _error(said)
        self._context.heard(said.tag.rpartition("}")[2])
        return said


def _axes(configuration: Element | None) -> tuple[str, ...]:
    """Those with a space of speeds: who moves an axis names one for it (PTZ 5.2.1). Who names none turns, for all we know."""
    if configuration is None:
        return ()
    spaces = {"pan_tilt": "DefaultContinuousPanTiltVelocitySpace", "zoom": "DefaultContinuousZoomVelocitySpace"}
    return tuple(axis for axis, name in spaces.items() if configuration.find(f"{TT}{name}") is not None) or (
        "pan_tilt",
    )


_DATE = ("Year", "Month", "Day", "Hour", "Minute", "Second")


def _token(profile: Profile) -> str:
    return f"<tptz:ProfileToken>{escape(profile.token)}</tptz:ProfileToken>"


def _error(fault: Fault) -> DeviceError:
    codes, reason = set(fault.codes), fault.reason or " ".join(fault.codes)
    if codes & DENIED:
        return WrongPassword(reason)
    return NotSupported(reason) if codes & UNKNOWN else Rejected(reason, retryable="Receiver" in codes)
