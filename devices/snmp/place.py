"""Where to search for switches: addresses that the installer names."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated

import msgspec

from devices.snmp.login import Login

MOST = 256  # addresses of one search
SHORTEST = 8  # letters of a password (RFC 3414 §11.2)


class SnmpPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`hosts`: an address, or a network of at most 256 (`10.0.0.0/24`). The login as in the settings of a switch."""

    hosts: Annotated[str, msgspec.Meta(max_length=64)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 161
    community: Annotated[str, msgspec.Meta(max_length=64)] = ""
    user: Annotated[str, msgspec.Meta(max_length=32)] = ""
    authentication: str = "sha"
    password: str = ""
    privacy: str = ""

    def __post_init__(self) -> None:
        if bool(self.community) == bool(self.user):
            raise ValueError("give community, or user and password")
        if (self.privacy and not self.password) or any(
            0 < len(one) < SHORTEST for one in (self.password, self.privacy)
        ):
            raise ValueError(f"passwords have {SHORTEST} letters or more, and privacy goes with a password")
        if self.authentication not in ("md5", "sha", "sha256"):
            raise ValueError("authentication is md5, sha or sha256")
        if IPv4Network(self.hosts, strict=False).num_addresses > MOST:
            raise ValueError(f"hosts are more than {MOST} addresses")

    @property
    def addresses(self) -> list[str]:
        """Each, without those of the network itself and its broadcast."""
        return [str(one) for one in IPv4Network(self.hosts, strict=False).hosts()]

    @property
    def login(self) -> Login:
        """As one is let in."""
        return Login(self.community, self.user, self.authentication, self.password, self.privacy)
