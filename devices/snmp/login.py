"""How one is let in by an SNMP agent. Sources: RFC 3584 (communities), RFC 3414 (users of version 3)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Login:
    """A community (v2c), or a user with passwords (v3, with `privacy` encrypted by AES)."""

    community: str = ""
    user: str = ""
    authentication: str = "sha"
    password: str = ""
    privacy: str = ""
