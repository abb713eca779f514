"""Twirp over HTTP (https://twitchtv.github.io/twirp/docs/spec_v7.html): POST, protobuf or JSON, errors always in JSON."""

from __future__ import annotations

import json
import logging

from aiohttp import web
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from signaling.rtc import RtcServer
from signaling.rtc.counters import REFUSED
from signaling.server_api.rooms import Call, RoomCalls
from signaling.tokens import Tokens
from wire.problems import Code, Refusal

MAX_BODY = 128 * 1024  # bytes
PROTOBUF, JSON = "application/protobuf", "application/json"
MAX_DEPTH = 20  # of JSON

_log = logging.getLogger(__name__)
_ERRORS = {  # our code -> Twirp's code and HTTP status
    Code.BAD_REQUEST: ("invalid_argument", 400),
    Code.TOO_LARGE: ("invalid_argument", 400),
    Code.NOT_FOUND: ("not_found", 404),
    Code.FORBIDDEN: ("permission_denied", 403),
    Code.TOKEN_INVALID: ("unauthenticated", 401),
    Code.TOKEN_EXPIRED: ("unauthenticated", 401),
    Code.TOO_MANY: ("resource_exhausted", 429),
    Code.UNAVAILABLE: ("unavailable", 503),
}


class ServerApi:
    """`POST /twirp/livekit.RoomService/{method}` for programs that hold an API key's secret."""

    def __init__(self, media: RtcServer, tokens: Tokens) -> None:
        self._tokens = tokens
        self._rooms = RoomCalls(media)

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [web.post("/twirp/{service}/{method}", self._handle)]

    async def _handle(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        try:
            return await self._answer(request, method)
        except Refusal as refusal:
            problem = refusal.problem
            code, status = _ERRORS.get(problem.code, ("failed_precondition", 412))
            return _refused(problem.code, code, problem.message, status)
        except web.HTTPRequestEntityTooLarge:
            return _refused(Code.TOO_LARGE, "invalid_argument", f"a request may have {MAX_BODY} bytes", 413)
        except Exception:
            _log.exception("%s failed", method)
            return _error("internal", "the server failed; its log says why", 500)

    async def _answer(self, request: web.Request, method: str) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        grants = self._tokens.read_api(token.strip() if scheme.lower() == "bearer" else "")
        service = request.match_info["service"]
        call = self._rooms.calls.get(method) if service == "livekit.RoomService" else None
        if call is None:
            message = f"{service}/{method} is not served; docs/livekit.md lists what is"
            return _refused("unimplemented", "unimplemented", message, 501)
        if request.content_type not in (PROTOBUF, JSON):
            return _refused("bad_route", "bad_route", f"Content-Type must be {PROTOBUF} or {JSON}", 404)
        if (request.content_length or 0) > MAX_BODY:
            raise Refusal(Code.TOO_LARGE, f"a request may have {MAX_BODY} bytes")
        asked = _read(await request.read(), call, request.content_type)
        self._rooms.allow(grants, call, asked)
        return _message(call.do(asked), request.content_type)


def _read(body: bytes, call: Call, content_type: str) -> Message:
    try:
        if content_type == JSON:
            return json_format.Parse(body, call.request(), ignore_unknown_fields=True, max_recursion_depth=MAX_DEPTH)
        return call.request.FromString(body)
    except (DecodeError, json_format.ParseError, RecursionError, UnicodeDecodeError) as error:
        raise Refusal(Code.BAD_REQUEST, f"no {call.request.DESCRIPTOR.name}: {str(error)[:200]}") from None


def _message(message: Message, content_type: str) -> web.Response:
    if content_type == JSON:
        text = json_format.MessageToJson(message, preserving_proto_field_name=True, indent=None)
        return web.Response(text=text, content_type=JSON)
    return web.Response(body=message.SerializeToString(), content_type=PROTOBUF)


def _refused(reason: str, code: str, message: str, status: int) -> web.Response:
    """An error that is counted by its reason: our code, or Twirp's where we have none."""
    REFUSED.labels(reason, "server_api").inc()
    return _error(code, message, status)


def _error(code: str, message: str, status: int) -> web.Response:
    return web.Response(status=status, text=json.dumps({"code": code, "msg": message}), content_type=JSON)
