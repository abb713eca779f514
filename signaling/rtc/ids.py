"""Ids, ICE credentials and SSRCs, minted from the system's randomness."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass

_LETTERS = string.ascii_letters + string.digits


def _mint(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def participant_sid() -> str:
    """Like `PA_3kT9…`: one session."""
    return "PA_" + _mint(12)


def track_sid(video: bool) -> str:
    """Like `TR_VC…` (video) or `TR_AM…` (audio)."""
    return ("TR_V" if video else "TR_A") + _mint(12)


def room_sid() -> str:
    """Like `RM_…`: one life of a media room."""
    return "RM_" + _mint(12)


def frame_trailer() -> bytes:
    """What no frame of a publisher ends with by chance: `sif_trailer`."""
    return secrets.token_bytes(16)


def ssrc() -> int:
    """A random non-zero SSRC (RFC 3550 §8); 2³¹ values are enough and dodge signed readers."""
    return secrets.randbelow(0x7FFFFFFF - 0x1000) + 0x1000


@dataclass(frozen=True)
class IceCredentials:
    """ICE user fragment and password (RFC 8445 §5.3: at least 24 and 128 bits)."""

    ufrag: str
    password: str

    @classmethod
    def mint(cls) -> IceCredentials:
        """New ones."""
        return cls(_mint(8), _mint(24))
