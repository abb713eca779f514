"""The switches among addresses that the installer names, and no others: each is asked what it is, once.

Source: RFC 3418 (sysDescr, sysName).
"""

from __future__ import annotations

import asyncio
from typing import Any

from devices.discovery import Found
from devices.errors import DeviceError
from devices.snmp.engines import Engines
from devices.snmp.link import SnmpLink
from devices.snmp.place import SnmpPlace

DESCRIPTION, NAME = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.5.0"
TOGETHER = 32  # asked at the same time


async def search(place: SnmpPlace, seconds: float) -> list[Found]:
    """Those that answer. Passwords and communities are not repeated."""
    turn = asyncio.Semaphore(TOGETHER)
    each = seconds / -(-len(place.addresses) // TOGETHER)
    async with Engines.kept(place.login) as engines, engines.lend() as one:

        async def ask(host: str) -> Found | None:
            async with turn:
                try:
                    async with asyncio.timeout(each):
                        link = await SnmpLink.open(one, (host, place.port), place.login, each)
                        what, name = await link.get(DESCRIPTION, NAME)
                except (TimeoutError, DeviceError):
                    return None
            settings: dict[str, Any] = {"host": host} | ({"port": place.port} if place.port != 161 else {})
            return Found("snmp", str(name or f"SNMP {host}"), str(what or "")[:200], settings, f"{host}:{place.port}")

        answered = await asyncio.gather(*(ask(host) for host in place.addresses))
    return [one for one in answered if one is not None]
