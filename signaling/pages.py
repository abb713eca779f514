"""The HTML pages of the server, in the language of who asks, and what becomes of errors on the way to one."""

from __future__ import annotations

import json
from pathlib import Path

from aiohttp import web

from signaling.api.answers import Handler, count_refusal, internal, status_of
from signaling.auth import Auth
from signaling.config import is_loopback, split_host
from web import LANGUAGE_COOKIE, Pages, content_security_policy, preferred_language
from wire.problems import Code, Problem, Refusal

_HEADERS = {
    "Content-Security-Policy": content_security_policy("ws:", "wss:"),
    "Referrer-Policy": "no-referrer",  # guest links carry their secret in the path
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self)",
    "Cache-Control": "no-store",
}

_SIGN_IN_WORDS = {Code.LINK_UNKNOWN: "sign_in_unknown", Code.LINK_EXPIRED: "sign_in_expired"}  # not a meeting's links


class ServerPages:
    """Start, join, dashboard, room; `/it/{code}` signs in."""

    def __init__(self, auth: Auth, pages: Pages, demo_links: Path | None) -> None:
        self._auth = auth
        self._pages = pages
        self._demo_links = demo_links

    def routes(self) -> list[web.RouteDef | web.StaticDef]:
        """The routes of this part."""
        return [
            web.get("/", self._start),
            web.get("/join/{secret}", self._join),
            web.get("/it/{code}", self._sign_in),
            web.post("/sign-out", self._sign_out),
            web.get("/dashboard", self._dashboard),
            web.get("/dashboard/rooms/{room}", self._room),
            web.static("/static", self._pages.static_dir),
        ]

    async def _start(self, request: web.Request) -> web.Response:
        return self._render(request, "start", {"demo": self._links(request)})

    async def _join(self, request: web.Request) -> web.Response:
        return self._render(request, "join", {"secret": request.match_info["secret"]})

    async def _sign_in(self, request: web.Request) -> web.Response:
        response = web.Response(status=303, headers={"Location": "/dashboard", **_HEADERS})
        try:
            await self._auth.sign_in(request.match_info["code"], response)
        except Refusal as refusal:
            code = refusal.problem.code
            words = {"problem": {"code": _SIGN_IN_WORDS.get(code, code), "reference": None}}
            return self._render(request, "message", dict(words), status_of(code))
        return response

    async def _sign_out(self, request: web.Request) -> web.Response:
        await self._auth.operator(request)
        response = web.Response(status=303, headers={"Location": "/", **_HEADERS})
        await self._auth.sign_out(request, response)
        return response

    async def _dashboard(self, request: web.Request) -> web.Response:
        await self._auth.operator(request)
        return self._render(request, "dashboard", {})

    async def _room(self, request: web.Request) -> web.Response:
        await self._auth.operator(request)
        return self._render(request, "room", {"room": request.match_info["room"]})

    def _links(self, request: web.Request) -> object:
        """The demo's links, for this machine only: a site that points its name here (DNS rebinding) gets none."""
        if self._demo_links is None or not self._demo_links.exists():
            return None
        if not is_loopback(split_host(request.host)):
            return None
        return json.loads(self._demo_links.read_text())

    def _render(self, request: web.Request, page: str, data: dict[str, object], status: int = 200) -> web.Response:
        language = preferred_language(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("Accept-Language"))
        html = self._pages.render(page, language=language, data=data)
        return web.Response(text=html, content_type="text/html", status=status, headers=_HEADERS)

    @web.middleware
    async def problems(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Middleware of the pages: errors become a page with words and a next step."""
        try:
            return await handler(request)
        except Refusal as refusal:
            problem = refusal.problem
        except web.HTTPException as error:
            if error.status != 404 or not request.headers.get("Accept", "").startswith("text/html"):
                raise
            problem = Problem(Code.NOT_FOUND, "There is no such page")
        except Exception as error:
            problem = internal(error)
        count_refusal(problem.code)
        data: dict[str, object] = {"problem": {"code": problem.code, "reference": problem.reference}}
        return self._render(request, "message", data, status_of(problem.code))
