"""JSON in, JSON out: bounded bodies, and every error as a Problem with a stable code and an HTTP status."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web
from prometheus_client import Counter

from wire.problems import Code, Problem, Refusal

MAX_BODY = 16 * 1024  # bytes
T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)
_refused = Counter("roomctl_refused_total", "Requests refused, by stable code", ["code"])

_STATUS = {
    Code.BAD_REQUEST: 400,
    Code.TOO_LARGE: 413,
    Code.TOO_MANY: 429,
    Code.NOT_FOUND: 404,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.BAD_ORIGIN: 403,
    Code.TOKEN_INVALID: 401,
    Code.TOKEN_EXPIRED: 401,
    Code.LINK_UNKNOWN: 404,
    Code.LINK_EXPIRED: 410,
    Code.LINK_REVOKED: 410,
    Code.LINK_USED: 410,
    Code.MEETING_OVER: 410,
    Code.MEETING_UNKNOWN: 404,
    Code.ROOM_UNKNOWN: 404,
    Code.NO_ROOMS: 400,
    Code.STORAGE_FULL: 507,
    Code.UNAVAILABLE: 503,
    Code.INTERNAL: 500,
}


def status_of(code: Code) -> int:
    """The HTTP status of a code; what is not listed is a conflict with the state of things (409)."""
    return _STATUS.get(code, 409)


def answer(value: object, status: int = 200) -> web.Response:
    """A struct, or a list or dict of them, as JSON; never cached."""
    body = msgspec.json.encode(value)
    return web.Response(
        body=body, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def count_refusal(code: Code) -> None:
    """One more request refused, for `/metrics`."""
    _refused.labels(code).inc()


def refused(problem: Problem) -> web.Response:
    """A Problem as an answer, counted."""
    count_refusal(problem.code)
    return answer(problem, status_of(problem.code))


def internal(error: BaseException) -> Problem:
    """Log an error of ours under a reference; the caller gets the reference and nothing else."""
    reference = secrets.token_hex(4)
    _log.error("internal error %s", reference, exc_info=error)
    return Problem(Code.INTERNAL, "Something went wrong on the server; its log has the reference", reference=reference)


async def read(request: web.Request, kind: type[T]) -> T:
    """The JSON body as `kind`. Raises Refusal (too_large, bad_request naming the field)."""
    body = await request.content.read(MAX_BODY + 1)
    while len(body) <= MAX_BODY and not request.content.at_eof():
        body += await request.content.read(MAX_BODY + 1 - len(body))
    if len(body) > MAX_BODY:
        raise Refusal(Code.TOO_LARGE, f"The body is larger than {MAX_BODY} bytes")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(Code.BAD_REQUEST, f"The body is not what this call takes: {error}") from None


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Middleware of the API: refusals and errors become Problems; no stack trace reaches a client."""
    if not request.path.startswith("/api/"):
        return await handler(request)
    try:
        return await handler(request)
    except Refusal as refusal:
        return refused(refusal.problem)
    except web.HTTPRequestEntityTooLarge:
        return refused(Problem(Code.TOO_LARGE, f"The body is larger than {MAX_BODY} bytes"))
    except web.HTTPException as error:
        code = Code.NOT_FOUND if error.status == 404 else Code.BAD_REQUEST
        return refused(Problem(code, f"{request.method} {request.path}: {error.reason}"))
    except Exception as error:
        return refused(internal(error))
