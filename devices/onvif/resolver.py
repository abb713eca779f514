"""Names of cameras for aiohttp, which would look them up on the loop's own threads."""

from __future__ import annotations

import ipaddress
import socket

from aiohttp.abc import AbstractResolver, ResolveResult

from devices.errors import Lost
from devices.names import NAMES


class Resolver(AbstractResolver):
    """As `devices/names.py` finds them."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Every address of the host; raises OSError."""
        try:
            found = await NAMES.addresses(host)
        except Lost as error:
            raise OSError(str(error)) from error
        return [
            ResolveResult(hostname=host, host=one, port=port, family=_family(one), proto=0, flags=socket.AI_NUMERICHOST)
            for one in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _family(address: str) -> int:
    return socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
