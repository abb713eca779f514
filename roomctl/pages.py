"""The HTML of a room's panel and display. Both follow one live document over their WebSocket."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from aiohttp import web

from roomctl.agent import RoomAgent
from web import LANGUAGE_COOKIE, Pages, PagesNotBuilt, content_security_policy, preferred_language
from wire.problems import Code

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(self), microphone=(self)",
    "Cache-Control": "no-store",
}


class RoomPages:
    """Renders the pages of rooms with the renderer that the server uses too."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    @property
    def static(self) -> web.StaticDef:
        """Scripts, styles and catalogs."""
        self._pages.static_dir.mkdir(parents=True, exist_ok=True)
        return web.static("/static", self._pages.static_dir)

    def room(self, request: web.Request, agent: RoomAgent, page: str) -> web.Response:
        """`panel` or `display` of a room. The language is the person's, else the browser's, else the center's."""
        data = {"room": agent.room.id, "live": f"/rooms/{agent.room.id}/live/{page}"}
        accepted = request.headers.get("Accept-Language") or agent.config.center.language
        return self._render(request, page, data, accepted, policy=_policy(agent))

    def missing(self, request: web.Request) -> web.Response:
        """There is no such room here."""
        data = {"problem": {"code": Code.NOT_FOUND, "reference": None}}
        accepted = request.headers.get("Accept-Language")
        return self._render(request, "message", data, accepted, status=404, policy=content_security_policy())

    def _render(
        self,
        request: web.Request,
        page: str,
        data: Mapping[str, object],
        accepted: str | None,
        *,
        policy: str,
        status: int = 200,
    ) -> web.Response:
        language = preferred_language(request.cookies.get(LANGUAGE_COOKIE), accepted)
        headers = {**HEADERS, "Content-Security-Policy": policy}
        try:
            html = self._pages.render(page, language=language, data=data)
        except PagesNotBuilt as error:
            return web.Response(text=str(error), status=503, headers=headers)
        return web.Response(text=html, content_type="text/html", status=status, headers=headers)


def _policy(agent: RoomAgent) -> str:
    """The display reaches the media wherever the server says it is, and asks the server why a join failed."""
    server = urlsplit(agent.config.server.url)
    http = {"ws": "http", "wss": "https"}.get(server.scheme, server.scheme)
    return content_security_policy("ws:", "wss:", f"{http}://{server.netloc}")
