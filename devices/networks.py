"""The networks that this machine is on: whoever names an address elsewhere is not believed (RFC 6762, section 11)."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import ifaddr


def own_networks(interfaces: Iterable[str] = ()) -> list[IPv4Network]:
    """Those of our interfaces (blocking), or of the ones whose own addresses are named."""
    named = set(interfaces)
    ours = [one for adapter in ifaddr.get_adapters() for one in adapter.ips if isinstance(one.ip, str)]
    return [IPv4Interface(f"{one.ip}/{one.network_prefix}").network for one in ours if not named or one.ip in named]


def near(addresses: Iterable[str], networks: Iterable[IPv4Network]) -> list[str]:
    """Those of `addresses` (IPv4) that are within `networks`; one that is none is within none."""
    known = list(networks)
    return [one for one in addresses if (at := _address(one)) is not None and any(at in network for network in known)]


def _address(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except ValueError:
        return None
