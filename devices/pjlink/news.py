"""PJLink class 2 over UDP: the search for devices, and what they tell by themselves.

Source: "PJLink Specifications" class 2, JBMIA: `%2SRCH` is broadcast to port 4352, each device answers `%2ACKN=` and its
hardware address; a device that was told our address sends `%2POWR=`, `%2INPT=`, `%2ERST=` and, when it comes to the
network, `%2LKUP=` to our port 4352. Anybody on the network can send these: they only make us ask the device at once.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from devices.errors import Lost
from devices.pjlink.lines import SEARCH, read_found, read_news

PORT = 4352
MOST = 256  # devices found by one search
_SIOCGIFBRDADDR = 0x8919  # netdevice(7): broadcast address of an interface
_LOOPBACK = "127.255.255.255"  # what runs on this machine


class NewsListener(asyncio.DatagramProtocol):
    """News by the address they come from; those of strangers are dropped."""

    def __init__(self) -> None:
        self._tell: dict[str, set[Callable[[], None]]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int) -> AsyncIterator[NewsListener]:
        """Listen on every address of this machine; raises Lost when the port is taken."""
        loop = asyncio.get_running_loop()
        try:
            transport, listener = await loop.create_datagram_endpoint(cls, local_addr=("0.0.0.0", port))  # noqa: S104
        except OSError as error:
            raise Lost(f"UDP port {port} cannot be listened on: {error.strerror}") from error
        try:
            yield listener
        finally:
            transport.close()

    @contextmanager
    def listen(self, addresses: Iterable[str], tell: Callable[[], None]) -> Iterator[None]:
        """Call `tell` whenever one of `addresses` has news."""
        own = set(addresses)
        for address in own:
            self._tell.setdefault(address, set()).add(tell)
        try:
            yield
        finally:
            for address in own:
                self._tell[address].discard(tell)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Any datagram of anybody."""
        told = tuple(self._tell.get(addr[0], ()))
        if told and read_news(data) is not None:
            for tell in told:
                tell()


async def addresses_of(host: str) -> set[str]:
    """The IPv4 addresses of a host; none when its name is not known now."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, family=socket.AF_INET)
    except OSError:
        return set()
    return {str(one[4][0]) for one in found}


class _Answers(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.found: dict[str, str] = {}  # address: hardware address

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        identity = read_found(data)
        if identity is not None and len(self.found) < MOST:
            self.found[addr[0]] = identity


async def search(seconds: float, port: int = PORT) -> dict[str, str]:
    """Address to hardware address of every class 2 device that answers within `seconds`; asked twice, as UDP may lose."""
    loop = asyncio.get_running_loop()
    transport, answers = await loop.create_datagram_endpoint(
        _Answers,
        local_addr=("0.0.0.0", 0),  # noqa: S104
        allow_broadcast=True,
    )
    try:
        for part in (0.3, 0.7):
            for address in broadcasts():
                transport.sendto(SEARCH, (address, port))
            await asyncio.sleep(part * seconds)
    finally:
        transport.close()
    return answers.found


def broadcasts() -> list[str]:
    """The broadcast address of each interface of this machine."""
    found = {_LOOPBACK}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # an interface without an address
                reply = fcntl.ioctl(asking, _SIOCGIFBRDADDR, struct.pack("256s", name.encode()[:15]))
                found.add(socket.inet_ntoa(reply[20:24]))
    return sorted(found - {"0.0.0.0"})  # noqa: S104
