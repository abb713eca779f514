"""LiveKit tokens: what is minted comes back, LiveKit's own are read, everything else is refused."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from signaling.media import Grants
from signaling.tokens import Tokens
from wire.problems import Code, Refusal

SECRET = "a secret of forty-eight characters or more, for HS384"
NOW = 1_800_000_000.0


def make(now: float = NOW) -> Tokens:
    return Tokens({"ours": SECRET, "other": SECRET[::-1]}, clock=lambda: now)


def sign(secret: str = SECRET, *, algorithm: str = "HS256", video: Any = None, **claims: Any) -> str:
    body = {
        "iss": "ours",
        "sub": "guest:ann",
        "exp": NOW + 60,
        "video": {"roomJoin": True, "room": "demo"} | (video or {}),
    }
    return jwt.encode({k: v for k, v in (body | claims).items() if v is not None}, secret, algorithm=algorithm)


def code(token: str, now: float = NOW) -> Code:
    with pytest.raises(Refusal) as refused:
        make(now).verify(token)
    return refused.value.problem.code


def test_what_is_minted_comes_back() -> None:
    grants = Grants(
        "room:lln-lauzelle/display",
        "demo",
        name="Lauzelle",
        attributes={"room": "lln-lauzelle"},
        metadata="m",
        can_publish=False,
        can_publish_data=False,
        can_publish_sources=("camera", "microphone"),
        can_update_own_metadata=True,
        hidden=True,
        room_admin=True,
    )
    assert make().verify(make().mint(grants, 60)) == grants


def test_absent_grants_default_as_livekit_does() -> None:
    grants = make().verify(sign())
    assert (grants.can_publish, grants.can_subscribe, grants.can_publish_data) == (True, True, True)
    assert (grants.hidden, grants.room_admin, grants.can_publish_sources) == (False, False, ())


def test_a_refreshed_token_is_signed_by_the_same_key() -> None:
    assert make().read(make().mint(Grants("a", "demo"), 60, key="other")).key == "other"


def test_the_demo_secret_raises_no_warning() -> None:
    tokens = Tokens({"devkey": "secret"})
    assert tokens.verify(tokens.mint(Grants("a", "demo"), 60)).media == "demo"


def test_expiry_and_a_clock_a_little_off() -> None:
    assert make(NOW + 65).verify(sign()).identity == "guest:ann"
    assert code(sign(), NOW + 75) is Code.TOKEN_EXPIRED
    assert code(sign(nbf=NOW + 60)) is Code.TOKEN_INVALID


@pytest.mark.parametrize(
    "token",
    [
        "",
        "not.a.token",
        "x" * 9000,
        sign("another secret of thirty-two characters!"),
        sign(algorithm="HS384"),
        jwt.encode({"iss": "ours", "sub": "a", "exp": NOW + 60}, "", algorithm="none"),
        sign(iss="stranger"),
        sign(iss=None),
        sign(exp=None),
        sign(exp="soon"),
        sign(sub=""),
        sign(sub="x" * 300),
        sign(sub=7),
        sign(video={"roomJoin": False}),
        sign(video={"room": ""}),
        sign(video={"room": None}),
        sign(video={"canPublish": "yes"}),
        sign(video={"canPublishSources": ["camera", "soul"]}),
        sign(attributes={"room": 1}),
        sign(attributes={str(n): "" for n in range(40)}),
        sign(metadata="x" * 5000),
    ],
)
def test_bad_tokens_have_one_code(token: str) -> None:
    assert code(token) is Code.TOKEN_INVALID
