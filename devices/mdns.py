"""Multicast DNS: what announces itself on the room's networks, by kind of service (RFC 6762, RFC 6763).

Anybody on the network can announce anything, in anybody's name: what is found is a suggestion to the installer, who looks
at its address before a password goes there. An address outside of our own networks is not believed, and nothing is sent to it:
it is told apart, since a reflector may carry a true one here from another network of the house.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from ipaddress import IPv4Network
from typing import Any

from devices.discovery import Found
from devices.networks import near, own_networks

log = logging.getLogger(__name__)

BROWSING = 0.7  # part of a search's time; what is left is for those that did not tell their address at once
MOST = 256  # services of one search
LONGEST = 255  # characters of a name, or of a value that comes with it (RFC 6763 §6.5)


@dataclass(frozen=True)
class Announced:
    """One service: the name people gave it, its IPv4 address and port, and what it says of itself."""

    kind: str
    name: str
    host: str
    port: int
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Heard:
    """Services on our own networks, and those left out because they name an address elsewhere."""

    near: list[Announced] = field(default_factory=list)
    elsewhere: list[Announced] = field(default_factory=list)

    def left_out(self, driver: str) -> list[Found]:
        """For the installer, who may know better."""
        places = {f"{one.host}:{one.port}": one.name for one in self.elsewhere}
        return [Found(driver, name, identity=place, elsewhere=place) for place, name in places.items()]


async def announced(*kinds: str, seconds: float, interfaces: Sequence[str] = ()) -> Heard:
    """Services of `kinds` (`_rtsp._tcp`) that announce themselves within `seconds`; none where nobody can listen.

    `interfaces`: our own addresses on the networks to ask, all of them when none is named.
    """
    mdns = await asyncio.to_thread(import_module, "zeroconf.asyncio")  # a tenth of a second, the first time
    from zeroconf import DNSQuestionType, Error, InterfaceChoice, IPVersion

    try:
        ours = mdns.AsyncZeroconf(interfaces=list(interfaces) or InterfaceChoice.All, ip_version=IPVersion.V4Only)
    except (OSError, Error) as error:
        log.warning("services cannot be searched by multicast DNS: %s", error)
        return Heard()
    heard: dict[tuple[str, str], None] = {}

    def hear(zeroconf: Any, service_type: str, name: str, state_change: Any) -> None:
        if len(heard) < MOST:
            heard[service_type, name] = None

    try:
        networks = await asyncio.to_thread(own_networks, interfaces)
        wanted = [f"{kind}.local." for kind in kinds]
        # Answers to everybody: one sent to our address alone reaches whichever program of this machine also has the port
        everybody = DNSQuestionType.QM
        browser = mdns.AsyncServiceBrowser(ours.zeroconf, wanted, handlers=[hear], question_type=everybody)
        await asyncio.sleep(BROWSING * seconds)
        left = (1 - BROWSING) * seconds
        asked = await asyncio.gather(*(_known(mdns, ours, *one, left, networks) for one in list(heard)))
        await browser.async_cancel()
    finally:
        await ours.async_close()
    known = sorted((one for one in asked if one is not None), key=lambda one: (one.kind, one.name))
    here = {one.host for one in known if near([one.host], networks)}
    return Heard([one for one in known if one.host in here], [one for one in known if one.host not in here])


async def _known(
    mdns: Any, ours: Any, kind: str, name: str, seconds: float, networks: Sequence[IPv4Network]
) -> Announced | None:
    """Its address, the first on one of our networks if there is one, and its words, when it tells them in time."""
    from zeroconf import DNSQuestionType, Error, IPVersion

    try:
        info = mdns.AsyncServiceInfo(kind, name)
        if not await info.async_request(ours.zeroconf, 1000 * seconds, DNSQuestionType.QM):
            return None
        addresses = info.parsed_addresses(IPVersion.V4Only)
    except (Error, ValueError, UnicodeError) as error:
        log.debug("%s announces itself in no readable way: %s", name, error)
        return None
    if not addresses or not info.port:
        return None
    host = (near(addresses, networks) or addresses)[0]
    text = {key[:LONGEST]: (value or "")[:LONGEST] for key, value in info.decoded_properties.items()}
    short = kind.removesuffix(".local.")
    return Announced(short, name.removesuffix(f".{kind}")[:LONGEST], host, info.port, text)
