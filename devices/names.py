"""Addresses of devices by name: looked up on threads of their own, so that a name nobody knows stalls nothing local.

The C library's resolver blocks for as long as its name servers are silent (resolv.conf(5): 5 s and two tries each). On
the loop's own pool a few such names would hold up every file and device node; and one name holds one thread at most.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from devices.errors import Lost

THREADS = 16
MOST = 4  # addresses of one name that are tried


class Names:
    """Looks names up; the same name asked for again while it is looked up waits for the same answer."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="names")
        self._lock = threading.Lock()
        self._asked: dict[str, Future[list[str]]] = {}

    async def addresses(self, host: str) -> list[str]:
        """Those of `host`, as itself when it is one; raises Lost."""
        if _is_address(host):
            return [host]
        with self._lock:
            before = self._asked.get(host)
            answer = self._asked[host] = before or self._pool.submit(_look_up, host)
        if before is None:
            answer.add_done_callback(lambda _: self._forget(host))
        try:
            return await asyncio.shield(asyncio.wrap_future(answer))
        except OSError as error:
            raise Lost(f"{host}: {error}") from error

    async def addresses_v4(self, host: str) -> list[str]:
        """Those of IPv4 alone, for what knows no other; raises Lost when there are none."""
        if not (found := [one for one in await self.addresses(host) if ":" not in one]):
            raise Lost(f"{host} has no IPv4 address")
        return found

    def _forget(self, host: str) -> None:
        with self._lock:
            self._asked.pop(host, None)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _look_up(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))[:MOST]


NAMES = Names()
