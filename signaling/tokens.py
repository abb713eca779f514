"""LiveKit join tokens: HS256 JWTs with video grants, minted and verified.

The claims are LiveKit's (https://docs.livekit.io/home/get-started/authentication/): `iss` names the API key, `sub` is
the identity, `video` holds the grants. Grants absent from `video` default to true for publish, subscribe and data.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.types import Options

from signaling.media import Grants
from wire.problems import Code, Refusal

MAX_TOKEN = 8192  # characters
MAX_NAME = 256  # characters of an identity, a room or a display name
MAX_ATTRIBUTES = 32  # entries
MAX_TEXT = 4096  # characters of metadata and of one attribute value
LEEWAY = 10.0  # seconds a clock may be off
SOURCES = ("camera", "microphone", "screen_share", "screen_share_audio")


@dataclass(frozen=True)
class Claims:
    """A verified token: what it allows, until when (Unix seconds), and the API key that signed it."""

    grants: Grants
    expires_at: float
    key: str


@dataclass(frozen=True)
class ApiGrants:
    """What a token of the server API allows; it needs no identity."""

    room_create: bool = False
    room_list: bool = False
    room_admin: bool = False
    room: str = ""


class Tokens:
    """Mints and verifies tokens. `keys` maps API key to secret; the first one signs what we mint."""

    def __init__(self, keys: Mapping[str, str], clock: Callable[[], float] = time.time) -> None:
        if not keys:
            raise ValueError("at least one API key is needed")
        self._keys = dict(keys)
        self._clock = clock
        self._jwt = jwt.PyJWT()

    def mint(self, grants: Grants, ttl_seconds: float, key: str | None = None) -> str:
        """A token for `grants`, valid `ttl_seconds` from now, signed with `key` (default: our first)."""
        key = key if key in self._keys else next(iter(self._keys))
        now = self._clock()
        claims: dict[str, Any] = {
            "iss": key,
            "sub": grants.identity,
            "nbf": int(now),
            "exp": int(now + ttl_seconds),
            "name": grants.name,
            "metadata": grants.metadata,
            "attributes": dict(grants.attributes),
            "video": _to_video(grants),
        }
        with _no_length_warning():
            return self._jwt.encode(claims, self._keys[key], algorithm="HS256")

    def renew(self, grants: Grants, ttl_seconds: float, key: str | None, lasting: Collection[str]) -> str:
        """As `mint`, and sure to be taken by `read`: what is too long for a token is left out.

        That is metadata, or the attributes that are not `lasting`, or both.
        """
        few = {name: value for name, value in grants.attributes.items() if name in lasting}
        for metadata, attributes in (
            (grants.metadata, grants.attributes),
            ("", grants.attributes),
            (grants.metadata, few),
        ):
            tried = dataclasses.replace(grants, metadata=metadata, attributes=attributes)
            token = self.mint(tried, ttl_seconds, key)
            with contextlib.suppress(Refusal):
                self.read(token)
                return token
        return self.mint(dataclasses.replace(grants, metadata="", attributes=few), ttl_seconds, key)

    def verify(self, token: str) -> Grants:
        """What `token` allows. Raises Refusal (token_invalid, token_expired)."""
        return self.read(token).grants

    def read(self, token: str) -> Claims:
        """What `token` allows, until when, and who signed. Raises Refusal (token_invalid, token_expired)."""
        claims = self._decode(token)
        return Claims(_to_grants(claims), self._valid(claims), str(claims["iss"]))

    def read_api(self, token: str) -> ApiGrants:
        """What a token allows in the server API. Raises Refusal (token_invalid, token_expired)."""
        claims = self._decode(token)
        self._valid(claims)
        video = claims.get("video") or {}
        if not isinstance(video, dict):
            raise _invalid("the claim video must be an object")
        return ApiGrants(
            room_create=_flag(video, "roomCreate", False),
            room_list=_flag(video, "roomList", False),
            room_admin=_flag(video, "roomAdmin", False),
            room=_text(video, "room"),
        )

    def sign_body(self, digest: str, ttl_seconds: float, key: str | None = None) -> str:
        """A token that vouches for a message body by its SHA-256 in base64 (webhooks)."""
        key = key if key in self._keys else next(iter(self._keys))
        now = self._clock()
        claims = {"iss": key, "nbf": int(now), "exp": int(now + ttl_seconds), "sha256": digest}
        with _no_length_warning():
            return self._jwt.encode(claims, self._keys[key], algorithm="HS256")

    def _valid(self, claims: Mapping[str, Any]) -> float:
        """When the token expires, Unix seconds; raises where it is not valid now."""
        now = self._clock()
        expires, starts = claims.get("exp"), claims.get("nbf", 0)
        if not isinstance(expires, int | float) or not isinstance(starts, int | float):
            raise _invalid("exp and nbf must be numbers, exp must be there")
        if now > expires + LEEWAY:
            raise Refusal(Code.TOKEN_EXPIRED, "the join token has expired")
        if now < starts - LEEWAY:
            raise _invalid("the token is not valid yet")
        return float(expires)

    def _decode(self, token: str) -> dict[str, Any]:
        if not token or len(token) > MAX_TOKEN:
            raise _invalid("no token" if not token else "the token is too long")
        unchecked: Options = {"verify_signature": False, "verify_exp": False, "verify_nbf": False}
        try:
            key = self._jwt.decode(token, options=unchecked).get("iss")
            secret = self._keys.get(key) if isinstance(key, str) else None
            if secret is None:
                raise _invalid("the token is signed with an API key that is not ours")
            checks: Options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
            with _no_length_warning():
                return self._jwt.decode(token, secret, algorithms=["HS256"], options=checks)
        except (jwt.PyJWTError, ValueError, TypeError):
            raise _invalid("the token is malformed or its signature is wrong") from None


@contextlib.contextmanager
def _no_length_warning() -> Iterator[None]:
    """The length of secrets is the configuration's rule (the demo's is short, on loopback only)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        yield


def _invalid(message: str) -> Refusal:
    return Refusal(Code.TOKEN_INVALID, message)


def _to_video(grants: Grants) -> dict[str, Any]:
    return {
        "room": grants.media,
        "roomJoin": True,
        "canPublish": grants.can_publish,
        "canSubscribe": grants.can_subscribe,
        "canPublishData": grants.can_publish_data,
        "canPublishSources": list(grants.can_publish_sources),
        "canUpdateOwnMetadata": grants.can_update_own_metadata,
        "hidden": grants.hidden,
        "roomAdmin": grants.room_admin,
    }


def _to_grants(claims: Mapping[str, Any]) -> Grants:
    video = claims.get("video")
    if not isinstance(video, dict) or video.get("roomJoin") is not True:
        raise _invalid("the token does not grant roomJoin")
    return Grants(
        identity=_text(claims, "sub", required=True),
        media=_text(video, "room", required=True),
        name=_text(claims, "name"),
        attributes=_attributes(claims.get("attributes")),
        metadata=_text(claims, "metadata", limit=MAX_TEXT),
        can_publish=_flag(video, "canPublish", True),
        can_subscribe=_flag(video, "canSubscribe", True),
        can_publish_data=_flag(video, "canPublishData", True),
        can_publish_sources=_sources(video.get("canPublishSources")),
        can_update_own_metadata=_flag(video, "canUpdateOwnMetadata", False),
        hidden=_flag(video, "hidden", False),
        room_admin=_flag(video, "roomAdmin", False),
    )


def _text(claims: Mapping[str, Any], name: str, *, required: bool = False, limit: int = MAX_NAME) -> str:
    value = claims.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or len(value) > limit or (required and not value):
        raise _invalid(f"the claim {name} must be text of at most {limit} characters")
    return value


def _flag(video: Mapping[str, Any], name: str, default: bool) -> bool:
    value = video.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise _invalid(f"the grant {name} must be true or false")
    return value


def _sources(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > len(SOURCES) or any(name not in SOURCES for name in value):
        raise _invalid("the grant canPublishSources names an unknown source")
    return tuple(value)


def _attributes(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MAX_ATTRIBUTES:
        raise _invalid(f"attributes must be an object of at most {MAX_ATTRIBUTES} entries")
    for name, text in value.items():
        if not isinstance(name, str) or not isinstance(text, str) or len(name) > MAX_NAME or len(text) > MAX_TEXT:
            raise _invalid("attributes must map short names to text")
    return dict(value)
