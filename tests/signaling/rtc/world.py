"""A media server for tests: with a recorded relay, or around a real one; and clients to talk to it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web
from livekit.protocol.rtc import (
    ConnectionSettings,
    JoinRequest,
    LeaveRequest,
    SessionDescription,
    SignalRequest,
    SignalResponse,
    WrappedJoinRequest,
)

from relay.messages import CloseTransport, Command, Event, Stats, TransportState
from signaling.media import Grants
from signaling.rtc import MediaRelay, RtcServer, RtcSettings
from signaling.tokens import Tokens
from wire.problems import Problem

KEYS = {"testkey": "a secret of thirty-two characters, or more"}
FINGERPRINT = ":".join(["AB"] * 32)
C = TypeVar("C", bound=Command)


class RecordedRelay:
    """Takes commands and keeps them; tests play its events.

    `closing`: it says of itself that transports are closed, soon after it was told to.
    """

    fingerprint = FINGERPRINT

    def __init__(self, *, closing: bool = True) -> None:
        self._closing = closing
        self.commands: list[Command] = []
        self.counters = Stats(0, [], [], [], [])
        self.measured = 0
        self._listener: Callable[[list[Event]], None] = lambda events: None

    def candidates(self, room: str) -> list[tuple[str, int, str]]:
        return [("127.0.0.1", 22999, "udp")]

    def submit(self, *commands: Command) -> None:
        self.commands.extend(commands)
        closed = [command.transport for command in commands if isinstance(command, CloseTransport)]
        if closed and self._closing:
            ended = [TransportState(transport, "closed") for transport in closed]
            asyncio.get_running_loop().call_soon(lambda: self._listener(list(ended)))

    def listen(self, listener: Callable[[list[Event]], None]) -> None:
        self._listener = listener

    async def stats(self, room: str | None = None) -> Stats:
        self.measured += 1
        return self.counters

    def play(self, *events: Event) -> None:
        """Deliver events as one batch."""
        self._listener(list(events))

    def connect(self, *transports: str) -> None:
        """The transports came up."""
        self.play(
            *(
                TransportState(
                    transport, "connected", remote="127.0.0.1:9", srtp_profile="AEAD_AES_256_GCM", dtls="1.2"
                )
                for transport in transports
            )
        )

    def of(self, kind: type[C]) -> list[C]:
        """Commands of one kind, in order."""
        return [command for command in self.commands if isinstance(command, kind)]


class Gate:
    """Admission with a switch."""

    def __init__(self) -> None:
        self.problem: Problem | None = None

    def admit(self, grants: Grants) -> Problem | None:
        return self.problem


class World:
    """A running server and what is around it."""

    def __init__(
        self,
        relay: MediaRelay,
        settings: RtcSettings,
        clock: Callable[[], float] | None,
        wall: Callable[[], float] | None = None,
    ) -> None:
        self.gate = Gate()
        self.tokens = Tokens(KEYS)
        extra: dict[str, Any] = {name: at for name, at in (("clock", clock), ("wall", wall)) if at is not None}
        self.server = RtcServer(relay, self.tokens, self.gate, settings, **extra)
        self.url = ""
        self.http: ClientSession

    def token(self, identity: str = "guest:ann", media: str = "demo", **grants: Any) -> str:
        """A join token for ten minutes."""
        return self.tokens.mint(Grants(identity, media, **grants), 600)

    @asynccontextmanager
    async def join(self, identity: str = "guest:ann", *, query: str = "", **grants: Any) -> AsyncIterator[Client]:
        """A client past its `join` message."""
        url = f"{self.url}/rtc?access_token={self.token(identity, **grants)}{query}"
        async with self.http.ws_connect(url, max_msg_size=0) as socket:
            client = Client(socket)
            client.joined = (await client.expect("join")).join
            yield client
            await client.goodbye()

    @asynccontextmanager
    async def single(
        self,
        identity: str = "guest:ann",
        offer: str = "",
        about: dict[str, str] | None = None,
        allow_pause: bool | None = None,
        **grants: Any,
    ) -> AsyncIterator[Client]:
        """A client of path V1 past its `join` message; `offer` goes with the request, as livekit-client sends it.

        `about`: attributes it gives itself. `allow_pause`: whether it says that pictures may be paused.
        """
        settings = ConnectionSettings(auto_subscribe=True)
        if allow_pause is not None:
            settings.subscriber_allow_pause = allow_pause
        request = JoinRequest(
            connection_settings=settings,
            participant_attributes=about or {},
            publisher_offer=SessionDescription(sdp=offer, id=1),
        )
        query = f"?access_token={self.token(identity, **grants)}&join_request={packed(request)}"
        async with self.http.ws_connect(f"{self.url}/rtc/v1{query}", max_msg_size=0) as socket:
            client = Client(socket)
            client.joined = (await client.expect("join")).join
            yield client
            await client.goodbye()

    @asynccontextmanager
    async def back(
        self, sid: str, identity: str = "guest:ann", *, single: bool = False, **grants: Any
    ) -> AsyncIterator[Client]:
        """A client that comes back to a session; its first message is not read."""
        path, query = "/rtc", f"?access_token={self.token(identity, **grants)}&reconnect=1&sid={sid}"
        if single:
            path = "/rtc/v1"
            query += f"&join_request={packed(JoinRequest(reconnect=True, participant_sid=sid))}"
        async with self.http.ws_connect(f"{self.url}{path}{query}", max_msg_size=0) as socket:
            yield Client(socket)


def packed(request: JoinRequest, compression: WrappedJoinRequest.Compression = WrappedJoinRequest.GZIP) -> str:
    """A `join_request` parameter."""
    plain = request.SerializeToString()
    inner = gzip.compress(plain) if compression == WrappedJoinRequest.GZIP else plain
    wrapped = WrappedJoinRequest(compression=compression, join_request=inner)
    return base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()


class Client:
    """A LiveKit client's signal connection, message by message."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.seen: list[SignalResponse] = []
        self.joined = SignalResponse().join

    @property
    def sid(self) -> str:
        return self.joined.participant.sid

    async def send(self, **message: Any) -> None:
        await self.socket.send_bytes(SignalRequest(**message).SerializeToString())

    async def goodbye(self) -> None:
        """Leave, as a client does that is closed properly; without it the session is kept for a while."""
        if not self.socket.closed:
            with contextlib.suppress(ConnectionError):
                await self.send(leave=LeaveRequest())

    async def receive(self) -> SignalResponse:
        async with asyncio.timeout(10):
            frame = await self.socket.receive()
        assert frame.type is WSMsgType.BINARY, frame
        response = SignalResponse.FromString(frame.data)
        self.seen.append(response)
        return response

    async def expect(self, kind: str) -> SignalResponse:
        """The next message of a kind; others are kept in `seen`."""
        while True:
            response = await self.receive()
            if response.WhichOneof("message") == kind:
                return response

    async def closed(self) -> tuple[int | None, str]:
        """Read to the end: close code and reason."""
        async with asyncio.timeout(10):
            while True:
                frame = await self.socket.receive()
                if frame.type is WSMsgType.BINARY:
                    self.seen.append(SignalResponse.FromString(frame.data))
                elif frame.type is WSMsgType.CLOSE:
                    return frame.data, str(frame.extra)
                elif frame.type is not WSMsgType.TEXT:
                    return self.socket.close_code, ""

    async def settled(self) -> list[str]:
        """Everything the server had to say so far: the kinds of messages up to the answer to a ping."""
        start = len(self.seen)
        await self.send(ping=1)
        await self.expect("pong")
        return [str(response.WhichOneof("message")) for response in self.seen[start:-1]]

    def last(self, kind: str) -> SignalResponse:
        return next(r for r in reversed(self.seen) if r.WhichOneof("message") == kind)


@asynccontextmanager
async def serve(
    relay: MediaRelay,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    settings: RtcSettings | None = None,
    clock: Callable[[], float] | None = None,
    wall: Callable[[], float] | None = None,
    routes: list[web.RouteDef] | None = None,
    extend: Callable[[World, web.Application], None] = lambda world, app: None,
) -> AsyncIterator[World]:
    """Serve media signaling, on loopback unless `host` says another address."""
    world = World(relay, settings or RtcSettings(), clock, wall)
    app = web.Application()
    app.add_routes(world.server.routes())
    app.add_routes(routes or [])
    extend(world, app)
    runner = web.AppRunner(app, max_line_size=65536, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    at, bound, *_ = runner.addresses[0]
    world.url = f"http://{at}:{bound}"
    async with ClientSession() as world.http:
        yield world
        await world.server.close()
    await runner.cleanup()
