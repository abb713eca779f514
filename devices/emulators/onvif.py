"""An ONVIF camera: its clock, its password, one profile, its moves and positions, and WS-Discovery."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from aiohttp import web

from devices.capabilities import AXES
from devices.emulators import onvif_answers as answers
from devices.emulators.faults import FAULTS, Emulator
from devices.hosts import bracketed
from devices.onvif import soap
from devices.onvif.soap import MEDIA, PTZ, SCHEMA, Element

DAY = 86400.0
TOLERATED = 30.0  # seconds that a password may be old
TT = f"{{{SCHEMA}}}"


@dataclass(frozen=True)
class Position:
    """Where it looks, each -1..1, zoom 0..1."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0


@dataclass
class Motion:
    """Speeds per second since `since` (loop time), which end by themselves at `until`."""

    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    since: float = 0.0
    until: float = field(default=float("inf"))


class OnvifEmulator(Emulator):
    """State for tests: `moving`, `position`, `preset`, `stored` (token to name and position), `refused` (passwords).

    `clock_offset`: its clock is wrong by so many seconds. `search`: where it
    hears WS-Discovery, the group's address or one of its own. `certificate`: PEM files of it and its key, for HTTPS.
    `second_media`: it has the second Media service alone. `remembers` False: it keeps no positions. `refuses`: the fault's
    subcode of each operation that it refuses. `guarded_clock`: it tells its time only to who has the password. `axes`: those
    that it moves. `maker`: how it calls its maker, in bytes that may be no UTF-8.

    Faults of its own: `timeout_ignored`, `no_stop` (it does not know Stop), `stop_ignored` (it says yes and moves on),
    `clock` (its clock jumps a day), `wrong_password`.
    """

    available_faults = (
        *(fault for fault in FAULTS if fault != "duplicate"),
        *("wrong_password", "clock", "timeout_ignored", "no_stop", "stop_ignored"),
    )

    def __init__(
        self,
        *,
        port: int = 0,
        password: str = "",
        stream: str = "rtsp://127.0.0.1:554/live",
        clock_offset: float = 0.0,
        search: tuple[str, int] | None = None,
        certificate: tuple[Path, Path] | None = None,
        second_media: bool = False,
        remembers: bool = True,
        refuses: Mapping[str, str] | None = None,
        guarded_clock: bool = False,
        axes: tuple[str, ...] = tuple(AXES),
        maker: bytes = b"roomctl",
        recall_time: float = 1.0,
        delay: float = 0.4,
        reboot: float = 3.0,
        seed: int = 1,
    ) -> None:
        super().__init__(delay=delay, reboot=reboot, seed=seed)
        self.address = ("127.0.0.1", port)
        self.name, self.password = "room", password
        self.stream = stream
        self.clock_offset = clock_offset
        self._started_at = time.time() - time.monotonic()  # its clock goes on by itself, whatever becomes of ours
        self.stored: dict[str, tuple[str, Position]] = {"1": ("Table", Position(0.5, 0.1, 0.2))}
        self.preset: str | None = None
        self.refused = 0  # requests whose password it did not believe
        self.inner_host = ""  # how it calls itself behind an address translation
        self.certificate = certificate
        self.second_media = second_media
        self.remembers = remembers
        self.refuses = refuses or {}
        self.guarded_clock = guarded_clock
        self.axes = axes
        self.maker = maker
        self._recall_time = recall_time
        self._position = Position()
        self._motion = Motion()
        self._arrival: Position | None = None  # of the recall under way
        self._search = search
        self._ear: asyncio.BaseTransport | None = None
        self._runner: web.AppRunner | None = None
        self._requests: list[web.Request] = []

    # --- the camera ---------------------------------------------------------------------------------------------

    @property
    def moving(self) -> bool:
        """By a move, or on its way to a position."""
        self._settle()
        return self._arrival is not None or bool(self._motion.pan or self._motion.tilt or self._motion.zoom)

    @property
    def position(self) -> Position:
        """Where it looks now."""
        self._settle()
        return self._position

    def _settle(self) -> None:
        """Bring the position up to now."""
        now, motion = self._now, self._motion
        if self._arrival is not None:
            if now >= motion.until:
                self._position, self._arrival, self._motion = self._arrival, None, Motion()
            return
        for_seconds = max(0.0, min(now, motion.until) - motion.since)
        place = self._position
        self._position = Position(
            *(
                max(-1.0, min(1.0, at + speed * for_seconds))
                for at, speed in ((place.pan, motion.pan), (place.tilt, motion.tilt), (place.zoom, motion.zoom))
            )
        )
        self._motion = Motion() if now >= motion.until else replace(motion, since=now)

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    @property
    def clock(self) -> float:
        """Its own Unix time."""
        return self._started_at + time.monotonic() + self.clock_offset + (DAY if "clock" in self._on else 0.0)

    def forget(self) -> None:
        """It stands still."""
        self._motion, self._arrival, self.preset = Motion(), None, None

    def answer(self, request: Element) -> str:
        """What is in the body of the answer; raises Denied or NoAction."""
        name = request.tag.rpartition("}")[2]
        if name in self.refuses:
            raise answers.NoAction(f"{name} is refused", self.refuses[name])
        match name:
            case "GetSystemDateAndTime":
                return answers.date_and_time(datetime.fromtimestamp(self.clock, UTC))
            case _ if self.second_media and request.tag.startswith(f"{{{MEDIA}}}"):
                raise answers.NoAction("no such service", "NoSuchService")
            case "GetStreamUri" if self.second_media:
                return answers.second_stream_uri(self.stream)
            case "GetStreamUri":
                return answers.stream_uri(self.stream)
            case "GetStatus":
                place = self.position
                return answers.status(
                    place.pan, place.tilt, place.zoom, self.moving, datetime.fromtimestamp(self.clock, UTC)
                )
            case "GetPresets" | "SetPreset" | "GotoPreset" if not self.remembers:
                raise answers.NoAction(f"{name} is not supported")
            case "GetPresets":
                return answers.presets({token: called for token, (called, _) in self.stored.items()})
            case "ContinuousMove" | "Stop" | "GotoPreset" | "SetPreset" | "AbsoluteMove":
                return self._carry_out(name, request)
        host, port = self.address
        scheme = "https" if self.certificate else "http"
        said = answers.constant(
            name, f"{scheme}://{self.inner_host or bracketed(host)}:{port}", second=self.second_media
        )
        return answers.with_axes(said, self.axes)

    def _carry_out(self, name: str, request: Element) -> str:
        self._settle()
        token = soap.text(request, f"{{{PTZ}}}PresetToken")
        if name == "Stop" and "no_stop" in self._on:
            raise answers.NoAction("Stop is not supported")
        if name == "GotoPreset":
            if token not in self.stored:
                raise answers.NoAction("No such preset", "NoToken")
            self._arrival, self.preset = self.stored[token][1], token
            self._motion = Motion(until=self._now + self._recall_time)
        elif name == "SetPreset":
            token = token or str(len(self.stored) + 100)
            self.stored[token] = (soap.text(request, f"{{{PTZ}}}PresetName"), self._position)
        elif name == "ContinuousMove":
            self._drive(request)
        elif name == "AbsoluteMove":
            turn, zoom = (request.find(f".//{TT}{part}") for part in ("PanTilt", "Zoom"))
            said = ((turn, "x"), (turn, "y"), (zoom, "x"))
            self._arrival = Position(*(soap.number(one, axis) or 0.0 for one, axis in said))
            self._motion = Motion(until=self._now + self._recall_time)
        elif "stop_ignored" not in self._on:
            self._motion, self._arrival = Motion(), None
        self.done(f"{name} {token}".strip())
        return answers.done(name, token)

    def _drive(self, request: Element) -> None:
        turn, zoom = (request.find(f".//{TT}{part}") for part in ("PanTilt", "Zoom"))
        pan, tilt, closer = (soap.number(one, axis) or 0.0 for one, axis in ((turn, "x"), (turn, "y"), (zoom, "x")))
        seconds = float(soap.text(request, f"{{{PTZ}}}Timeout").strip("PTS") or 10)
        until = float("inf") if "timeout_ignored" in self._on else self._now + seconds
        self._motion, self._arrival, self.preset = Motion(pan, tilt, closer, self._now, until), None, None

    # --- HTTP ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_post("/onvif/{service}", self._serve)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.05, access_log=None)
        await self._runner.setup()
        host, port = self.address
        await web.TCPSite(self._runner, host, port, reuse_address=True, ssl_context=self._tls()).start()
        self.address = (host, self._runner.addresses[0][1])
        if self._search is not None:
            self._ear, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Ear(f"http://{host}:{self.address[1]}/onvif/device_service"), sock=_listening(*self._search)
            )

    def _tls(self) -> ssl.SSLContext | None:
        if self.certificate is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        return context

    async def close(self) -> None:
        """Release the port and every connection."""
        if self._ear is not None:
            self._ear.close()
            self._ear = None
        for request in list(self._requests):
            _abort(request)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self._requests.append(request)
        try:
            return await self._respond(request)
        finally:
            self._requests.remove(request)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if "reset" in self._on:
            _abort(request)
        elif self.lost():
            await asyncio.Event().wait()  # until the client gives up
        status, said = self._judged(body)
        if "delay" in self._on:
            await asyncio.sleep(self.delay)
        if not (sent := self.sent(said)):
            _abort(request)
        return web.Response(status=status, body=b"".join(sent), content_type="application/soap+xml", charset="utf-8")

    def _judged(self, body: bytes) -> tuple[int, bytes]:
        try:
            root = soap.parse(body)
            first = root.find(f"{{{soap.ENVELOPE}}}Body")
            assert first is not None
            public = first[0].tag.endswith("}GetSystemDateAndTime") and not self.guarded_clock
            if not public and not self._known(root):
                self.refused += root.find(f".//{{{soap.SECURITY}}}Password") is not None
                return 400, answers.fault("Sender", "NotAuthorized", "Sender not authorized")
            return 200, answers.envelope(self.answer(first[0])).replace(b">roomctl<", b">" + self.maker + b"<")
        except (soap.NoSoap, AssertionError, IndexError):
            return 400, answers.fault("Sender", "WellFormed", "Well-formed Error")
        except answers.NoAction as error:
            return 500, answers.fault("Receiver", error.code, str(error))

    def _known(self, root: Element) -> bool:
        """The right name, password and time."""
        if not self.password:
            return True
        security, utility = f"{{{soap.SECURITY}}}", f"{{{soap.UTILITY}}}"
        said = [
            soap.text(root, f".//{name}") for name in (f"{security}Username", f"{security}Password", f"{security}Nonce")
        ]
        created = soap.text(root, f".//{utility}Created")
        secret = "changed" if "wrong_password" in self._on else self.password
        try:
            nonce = answers.decoded(said[2])
            age = abs(datetime.fromisoformat(created).timestamp() - self.clock)
        except ValueError:
            return False
        return said[0] == self.name and said[1] == soap.digest(nonce, created, secret) and age < TOLERATED


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _listening(host: str, port: int) -> socket.socket:
    """Bound to a port, and in the group when `host` is one, on this machine's own interface."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setblocking(False)
    one.bind((host, port))
    if host.startswith("239."):
        group = socket.inet_aton(host) + socket.inet_aton("127.0.0.1")
        one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    return one


class _Ear(asyncio.DatagramProtocol):
    """Answers searches."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A Probe, or anything else."""
        try:
            root = soap.parse(data)
        except soap.NoSoap:
            return
        to = soap.text(root, ".//{http://schemas.xmlsoap.org/ws/2004/08/addressing}MessageID")
        if root.find(".//{http://schemas.xmlsoap.org/ws/2005/04/discovery}Probe") is not None and self._transport:
            identity = "urn:uuid:6e9a0f6c-0000-4000-8000-00000000c0de"
            self._transport.sendto(answers.probe_match(to, identity, "Salle%20bleue", self._address), addr)
