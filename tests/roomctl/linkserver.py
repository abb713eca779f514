"""A small real server of the control link, for tests: proves keys, answers requests, gives commands."""

from __future__ import annotations

import asyncio
import base64
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from wire.link import (
    SIGNING_CONTEXT,
    Beat,
    Challenge,
    Command,
    Document,
    FromAgent,
    FromServer,
    Hello,
    Refused,
    Reply,
    Report,
    Request,
    Result,
    Welcome,
)
from wire.live import Change, Json
from wire.problems import Code, Problem

Answer = Callable[[Request], Json | Problem]
_ids = itertools.count(1)


class LinkServer:
    """Speaks with one agent at a time. `heard` holds what it said, in order."""

    def __init__(self) -> None:
        self.refuse: Problem | None = None
        self.heartbeat = 15.0
        self.answers: dict[str, Answer] = {}
        self.heard: list[FromAgent] = []
        self.hellos: list[Hello] = []
        self.port = 0
        self._news = asyncio.Condition()
        self._agent: ServerConnection | None = None
        self._server: Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the same port as before."""
        self._server = await serve(self._converse, "127.0.0.1", self.port, ping_interval=None)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Die: every connection ends."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def said(self, wanted: Callable[[FromAgent], bool], seconds: float = 10.0) -> FromAgent:
        """Wait until the agent said something like it (or already has); it is then taken out of `heard`."""
        async with asyncio.timeout(seconds), self._news:
            while True:
                for message in self.heard:
                    if wanted(message):
                        self.heard.remove(message)
                        return message
                await self._news.wait()

    async def linked(self) -> None:
        """Wait for the whole first report."""
        await self.said(lambda message: isinstance(message, Report))

    async def command(
        self, op: Literal["ring", "stop_ring", "prepare", "release"], args: msgspec.Struct, **changes: Any
    ) -> str:
        """Give a command; its id."""
        id = f"c{next(_ids)}"
        command = Command(id, f"key-{id}", op, msgspec.to_builtins(args), time.time() + 10, "server")
        await self.send(msgspec.structs.replace(command, **changes))
        return str(changes.get("id", id))

    async def result(self, id: str, outcome: str) -> Result:
        """Wait for what became of a command."""
        message = await self.said(lambda said: isinstance(said, Result) and (said.id, said.outcome) == (id, outcome))
        assert isinstance(message, Result)
        return message

    async def document(self, change: Change) -> None:
        """Send a document."""
        await self.send(Document(change))

    async def send(self, message: FromServer) -> None:
        assert self._agent is not None
        await self._agent.send(msgspec.json.encode(message).decode())

    async def _converse(self, connection: ServerConnection) -> None:
        try:
            if await self._admit(connection):
                self._agent = connection
                async for frame in connection:
                    await self._take(connection, msgspec.json.decode(frame, type=FromAgent))
        except ConnectionClosed:
            return

    async def _admit(self, connection: ServerConnection) -> bool:
        nonce = base64.b64encode(bytes(range(32))).decode()
        await self._say(connection, Challenge(nonce))
        hello = msgspec.json.decode(await connection.recv(), type=FromAgent)
        assert isinstance(hello, Hello)
        self.hellos.append(hello)
        problem = self.refuse or _checked(hello, nonce)
        if problem is not None:
            await self._say(connection, Refused(problem))
            return False
        await self._say(connection, Welcome(1, self.heartbeat, time.time()))
        return True

    async def _take(self, connection: ServerConnection, message: FromAgent) -> None:
        async with self._news:
            self.heard.append(message)
            self._news.notify_all()
        if isinstance(message, Request):
            answer = self.answers[message.op](message) if message.op in self.answers else {}
            reply = Reply(message.id, problem=answer) if isinstance(answer, Problem) else Reply(message.id, answer)
            await self._say(connection, reply)
        elif isinstance(message, Beat):
            await self._say(connection, Beat(time.time()))

    async def _say(self, connection: ServerConnection, message: FromServer) -> None:
        await connection.send(msgspec.json.encode(message).decode())


def _checked(hello: Hello, nonce: str) -> Problem | None:
    message = SIGNING_CONTEXT + hello.room.encode() + b"\n" + nonce.encode()
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(hello.key)).verify(
            base64.b64decode(hello.signature), message
        )
    except InvalidSignature:
        return Problem(Code.SIGNATURE_INVALID, "the signature does not fit")
    return None


@asynccontextmanager
async def link_server() -> AsyncIterator[LinkServer]:
    """A server for the length of a test."""
    server = LinkServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
