"""Where a device is on the network, as its room's file says it: the one schema of every driver's `host`."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Annotated

import msgspec

_BYTE = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"{_BYTE}(\.{_BYTE}){{3}}"
_GROUP = r"[0-9A-Fa-f]{1,4}"
_WHOLE = rf"({_GROUP}:){{6}}({_GROUP}:{_GROUP}|{_IPV4})"
_BEGUN = rf":{{0,2}}({_GROUP}:{{1,2}})"  # and what comes after so many groups
_SHORT = (
    rf"(?!{_BEGUN}{{7}}{_GROUP})(?!{_BEGUN}{{6}}[0-9]+\.)"  # :: stands for a group at least, an IPv4 address for two
    rf"({_GROUP}(:{_GROUP})*)?::(({_GROUP}:)*({_GROUP}|{_IPV4}))?"
)
_IPV6 = rf"({_WHOLE}|{_SHORT})(%[\w.-]{{1,32}})?"  # RFC 4291 §2.2, and the interface of RFC 4007 §11
_NAME = (
    r"(?![\d.]+$)[\w]([\w-]{0,62})(\.[\w-]{1,63})*\.?"  # RFC 1123 §2.1: letters, digits, hyphens; some have underscores
)

Host = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=253,
        pattern=f"^({_NAME}|{_IPV4}|{_IPV6})$(?!\\n)",
        description="a host name, like 'camera.example.org', or an address, like '10.0.0.5' or '2001:db8::5', alone: "
        "without http://, port, path, brackets or spaces",
    ),
]
"""A host name, an IPv4 address, or an IPv6 address without brackets."""


def bracketed(host: str) -> str:
    """As it stands in a URL: an IPv6 address between brackets (RFC 3986 §3.2.2), its interface escaped (RFC 6874 §2)."""
    try:
        IPv6Address(host)
    except ValueError:
        return host
    return f"[{host.replace('%', '%25', 1)}]"
