"""Who is asking: IT's one-time links and session cookies, operators' bearer tokens, and the origin of browsers' requests."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web

from signaling.store import AuditRecord, Store
from wire.problems import Code, Refusal

SIGN_IN_TTL = 15 * 60.0  # seconds a one-time link works
SESSION_TTL = 12 * 3600.0  # seconds a browser stays signed in
_COOKIE = "roomctl_session"
_WHY_NOT = {
    "unknown": (Code.LINK_UNKNOWN, "This sign-in link does not exist"),
    "expired": (Code.LINK_EXPIRED, "This sign-in link has expired; make a new one: python -m signaling sign-in"),
    "used": (Code.LINK_USED, "This sign-in link was used already; make a new one: python -m signaling sign-in"),
}


def digest(secret: str) -> str:
    """What is stored of a secret: its SHA-256 in hex. Headers may hold any bytes, which arrive as lone surrogates."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Auth:
    """Signs IT in and tells who a request comes from."""

    def __init__(self, store: Store, tokens: Sequence[str], *, secure: bool) -> None:
        self._store = store
        self._tokens = [digest(token) for token in tokens]
        self._secure = secure  # cookies over HTTPS only

    async def new_sign_in(self) -> str:
        """A fresh one-time code for `/it/{code}`."""
        code = secrets.token_urlsafe(24)
        await self._store.put_sign_in(digest(code), time.time() + SIGN_IN_TTL)
        return code

    async def sign_in(self, code: str, response: web.StreamResponse) -> None:
        """Exchange a one-time code for a session cookie on `response`. Raises Refusal (link_*)."""
        now = time.time()
        outcome = await self._store.use_sign_in(digest(code), now)
        if outcome != "ok":
            raise Refusal(*_WHY_NOT[outcome])
        secret, operator = secrets.token_urlsafe(32), f"it:{secrets.token_hex(4)}"
        await self._store.put_operator_session(digest(secret), operator, now + SESSION_TTL)
        await self._store.audit(AuditRecord(now, operator, "sign_in", "dashboard"))
        response.set_cookie(
            _COOKIE, secret, max_age=int(SESSION_TTL), httponly=True, secure=self._secure, samesite="Lax", path="/"
        )

    async def sign_out(self, request: web.Request, response: web.StreamResponse) -> None:
        """End the session of this browser."""
        await self._store.end_operator_session(digest(request.cookies.get(_COOKIE, "")))
        response.del_cookie(_COOKIE, path="/")

    async def operator(self, request: web.Request) -> str:
        """Who of IT asks. Raises Refusal: unauthenticated, or bad_origin for a cookie sent from another site."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            if any(hmac.compare_digest(digest(token), known) for known in self._tokens):
                return "it:api"
            raise Refusal(Code.UNAUTHENTICATED, "This bearer token is not one of api.tokens")
        secret = request.cookies.get(_COOKIE, "")
        operator = await self._store.operator_by_session(digest(secret), time.time()) if secret else None
        if operator is None:
            raise Refusal(Code.UNAUTHENTICATED, "Sign in with a one-time link: python -m signaling sign-in")
        if request.method not in ("GET", "HEAD") or "Upgrade" in request.headers:
            check_origin(request)
        return operator


def check_origin(request: web.Request) -> None:
    """Refuse a browser's request from another site. Raises Refusal(bad_origin)."""
    origin = request.headers.get("Origin")
    if origin is None or urlsplit(origin).netloc != request.host:
        raise Refusal(Code.BAD_ORIGIN, "This request must come from a page of this server")
