"""Credentials for a TURN server that end by themselves: `use-auth-secret` of coturn and others, "TURN REST API".

The user name is `expiry:identity`, the password the base64 of its HMAC-SHA1 under the secret that we and the TURN server
share (draft-uberti-behave-turn-rest-00 §2.2). Nothing is asked of the TURN server.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from livekit.protocol.rtc import ICEServer


@dataclass(frozen=True)
class TurnServers:
    """TURN servers that share a secret with us.

    `urls` like `turn:host:3478?transport=udp` or `turns:host:443` (RFC 7065); `ttl` in seconds: after it, no new
    connection is made with the credentials; what is relayed goes on.
    """

    urls: tuple[str, ...]
    secret: str
    ttl: float


def credentials(secret: str, identity: str, expiry: int) -> tuple[str, str]:
    """User name and password for `identity` until `expiry`, seconds since 1970."""
    name = f"{expiry}:{identity}"
    digest = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return name, base64.b64encode(digest).decode()


def announced(turn: TurnServers | None, identity: str, now: float) -> list[ICEServer]:
    """What the client `identity` is told at `now`."""
    if turn is None:
        return []
    name, password = credentials(turn.secret, identity, int(now + turn.ttl))
    return [ICEServer(urls=turn.urls, username=name, credential=password)]
