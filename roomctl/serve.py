"""Serves the panels and displays of one or more rooms: pages, live documents, actions.

Whoever reaches a panel has the rights of its room. So the pages are served on loopback unless configured otherwise, a
WebSocket is taken from its own origin only, and names that are not this machine's are refused (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import ipaddress
import weakref
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from roomctl.actions import act
from roomctl.agent import RoomAgent
from roomctl.pages import RoomPages
from web import Pages
from wire.problems import Code, Problem
from wire.topic import Subscription, Topic
from wire.views import ActionResult, PanelAction

MAX_ACTION = 16 * 1024  # bytes of one message from a panel
MAX_UNDER_WAY = 16  # actions of one panel at a time
MAX_READERS = 32  # WebSockets per room and page
PING = 20.0  # seconds
TOPICS = ("panel", "display")


def agents_app(
    agents: Iterable[RoomAgent], *, pages: Pages | None = None, names: Iterable[str] = ()
) -> web.Application:
    """The application of these rooms. `names`: host names it may be reached by, besides addresses and localhost."""
    server = RoomServer(pages or Pages(), names)
    for agent in agents:
        server.add(agent)
    return server.application()


class RoomServer:
    """Serves rooms that may come and go."""

    def __init__(self, pages: Pages, names: Iterable[str] = ()) -> None:
        self._agents: dict[str, RoomAgent] = {}
        self._pages = RoomPages(pages)
        self._names = frozenset(names)
        self._sockets: dict[str, weakref.WeakSet[web.WebSocketResponse]] = {}

    def add(self, agent: RoomAgent) -> None:
        """Serve a room's pages from now on."""
        self._agents[agent.config.room.id] = agent

    async def drop(self, room: str) -> None:
        """Serve a room's pages no longer; those open lose their connection. Unknown rooms are ignored."""
        self._agents.pop(room, None)
        for socket in list(self._sockets.pop(room, ())):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    def application(self) -> web.Application:
        """Routes, the host check, and a clean end."""
        app = web.Application(middlewares=[self._own_names], client_max_size=MAX_ACTION)
        app.add_routes(
            [
                web.get("/rooms/{room}/{page:panel|display}", self._page),
                web.get("/rooms/{room}/live/{topic:panel|display}", self._live),
                web.get("/healthz", self._health),
                self._pages.static,
            ]
        )
        app.on_shutdown.append(self._close_sockets)
        return app

    @web.middleware
    async def _own_names(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer only to our own names."""
        host = request.url.host or ""
        if host not in self._names and not _is_this_machine(host):
            return _refuse(421, Problem(Code.BAD_ORIGIN, f"this is not {host}"))
        return await handler(request)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        agent = self._agents.get(request.match_info["room"])
        if agent is None:
            return self._pages.missing(request)
        return self._pages.room(request, agent, request.match_info["page"])

    async def _health(self, request: web.Request) -> web.StreamResponse:
        rooms = {id: {"phase": agent.room.phase, "link": agent.link.open} for id, agent in self._agents.items()}
        return web.json_response({"status": "ok", "rooms": rooms})

    async def _live(self, request: web.Request) -> web.StreamResponse:
        agent = self._agents.get(request.match_info["room"])
        if agent is None:
            return _refuse(404, Problem(Code.ROOM_UNKNOWN, "no such room here"))
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            return _refuse(403, Problem(Code.BAD_ORIGIN, "a panel's page talks with its own agent only"))
        topic = agent.panel if request.match_info["topic"] == "panel" else agent.display
        if topic.readers >= MAX_READERS:
            return _refuse(429, Problem(Code.TOO_MANY, "too many pages of this room are open"))
        socket = web.WebSocketResponse(max_msg_size=MAX_ACTION, heartbeat=PING)
        await socket.prepare(request)
        self._sockets.setdefault(agent.config.room.id, weakref.WeakSet()).add(socket)
        await _Reader(agent, topic, socket).serve()
        return socket

    async def _close_sockets(self, _: web.Application) -> None:
        for room in list(self._agents):
            await self.drop(room)


class _Reader:
    """One page with its WebSocket: sends every change, takes actions (from panels), answers each."""

    def __init__(self, agent: RoomAgent, topic: Topic, socket: web.WebSocketResponse) -> None:
        self._agent = agent
        self._topic = topic
        self._socket = socket
        self._under_way = 0

    async def serve(self) -> None:
        """Until the page goes."""
        self._agent.refresh()
        with self._topic.subscribe() as changes:
            self._agent.changed()
            async with asyncio.TaskGroup() as tasks:
                sender = tasks.create_task(self._send_changes(changes))
                async for message in self._socket:
                    if message.type is not WSMsgType.TEXT:
                        break
                    await self._take(message.data, changes, tasks)
                sender.cancel()
        self._agent.changed()

    async def _send_changes(self, changes: Subscription) -> None:
        async for change in changes:
            await self._send(change)

    async def _take(self, text: str, changes: Subscription, tasks: asyncio.TaskGroup) -> None:
        try:
            action = msgspec.json.decode(text, type=PanelAction)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            await self._send(ActionResult(_id_of(text), Problem(Code.BAD_REQUEST, f"not an action: {error}")))
            return
        if action.op == "resync":
            self._agent.refresh()
            changes.resync()
            await self._send(ActionResult(action.id))
        elif self._topic is not self._agent.panel:
            await self._send(ActionResult(action.id, Problem(Code.FORBIDDEN, "a display only shows")))
        elif self._under_way >= MAX_UNDER_WAY:
            await self._send(ActionResult(action.id, Problem(Code.TOO_MANY, "wait for the answers")))
        else:
            self._under_way += 1
            tasks.create_task(self._act(action))

    async def _act(self, action: PanelAction) -> None:
        try:
            await self._send(await act(self._agent, action))
        finally:
            self._under_way -= 1

    async def _send(self, message: msgspec.Struct) -> None:
        if self._socket.closed:
            return
        try:
            await self._socket.send_str(msgspec.json.encode(message).decode())
        except ConnectionError:
            await self._socket.close()


def _id_of(text: str) -> int:
    """The id of a message that is otherwise no action, 0 if it has none: so that its sender hears of it."""
    try:
        return msgspec.json.decode(text, type=_Numbered).id
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return 0


class _Numbered(msgspec.Struct):
    id: int = 0


def _is_this_machine(host: str) -> bool:
    """An address, or localhost: a name could be pointed at us by anyone."""
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refuse(status: int, problem: Problem) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(problem), content_type="application/json")
