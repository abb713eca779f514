"""PJLink class 2 over UDP: the search for devices, and what they tell by themselves.

Source: "PJLink Specifications" class 2, JBMIA: `%2SRCH` is broadcast to port 4352, each device answers `%2ACKN=` and its
hardware address; a device that was told our address sends `%2POWR=`, `%2INPT=`, `%2ERST=` and, when it comes to the
network, `%2LKUP=` to our port 4352. Anybody on the network can send these: they only make us ask the device at once.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress

from devices.errors import Lost
from devices.journal import Journal
from devices.names import NAMES
from devices.pjlink.lines import SEARCH, read_found, read_news

log = logging.getLogger(__name__)

PORT = 4352
ANSWERS_WITHIN = 10.0  # seconds: at random, so that not all answer at once (class 2, search)
AGAIN = 1.0  # seconds until a search is sent again, at most
MOST = 256  # devices found by one search
MOST_READ = 100  # notifications a second, of all devices and strangers
SECOND = 1.0
LARGEST = 512  # bytes of one that is read
_SIOCGIFBRDADDR = 0x8919  # netdevice(7): broadcast address of an interface
_LOOPBACK = "127.255.255.255"  # what runs on this machine


class NewsListener:
    """News by the address they come from; those of strangers are dropped, and of all only so many a second are read.

    What comes beyond that waits in the socket, and is lost by the kernel when that is full. `dropped`: datagrams by
    reason, `stranger` and `unreadable`, and `too_many`: seconds that were cut short.
    """

    def __init__(self, one: socket.socket) -> None:
        self._socket = one
        self._loop = asyncio.get_running_loop()
        self._tell: dict[str, set[Callable[[], None]]] = {}
        self._read = 0  # since the second began
        self._second: asyncio.TimerHandle | None = None
        self._journal = Journal(log)
        self.dropped: Counter[str] = Counter()

    @classmethod
    @asynccontextmanager
    async def open(cls, port: int) -> AsyncIterator[NewsListener]:
        """Listen on every address of this machine; raises Lost when the port is taken."""
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as one:
            one.setblocking(False)
            try:
                one.bind(("0.0.0.0", port))  # noqa: S104
            except OSError as error:
                raise Lost(f"UDP port {port} cannot be listened on: {error.strerror}") from error
            listener = cls(one)
            listener._loop.add_reader(one, listener._readable)
            try:
                yield listener
            finally:
                listener._loop.remove_reader(one)
                if listener._second is not None:
                    listener._second.cancel()

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
                if not self._tell[address]:
                    del self._tell[address]

    def _readable(self) -> None:
        """One datagram of anybody."""
        try:
            data, (address, _) = self._socket.recvfrom(LARGEST)
        except OSError:
            return
        if self._second is None:
            self._second = self._loop.call_later(SECOND, self._begin)
        self._read += 1
        if self._read >= MOST_READ:
            self._loop.remove_reader(self._socket)
            self.dropped["too_many"] += 1
            self._journal.say(logging.WARNING, "too many PJLink notifications come; dropped: %s", dict(self.dropped))
        self._hear(data, address)

    def _begin(self) -> None:
        """Another second, when something comes."""
        self._second = None
        if self._read >= MOST_READ:
            self._loop.add_reader(self._socket, self._readable)
        self._read = 0

    def _hear(self, data: bytes, address: str) -> None:
        if not (told := tuple(self._tell.get(address, ()))):
            self.dropped["stranger"] += 1
        elif read_news(data) is None:
            self.dropped["unreadable"] += 1
        else:
            for tell in told:
                tell()


async def addresses_of(host: str) -> set[str]:
    """The IPv4 addresses of a host; none when its name is not known now."""
    try:
        return set(await NAMES.addresses_v4(host))
    except Lost:
        return set()


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
        again = min(AGAIN, 0.3 * seconds)
        for pause in (again, seconds - again):
            for address in broadcasts():
                transport.sendto(SEARCH, (address, port))
            await asyncio.sleep(pause)
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
