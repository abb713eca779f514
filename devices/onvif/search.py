"""WS-Discovery: cameras that answer a Probe sent to everybody on the room's network.

Sources: WS-Discovery (April 2005) and ONVIF Core Specification 7.3.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from devices.discovery import Found
from devices.onvif import soap
from devices.onvif.soap import ENVELOPE, NoSoap

GROUP = ("239.255.255.250", 3702)
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
NETWORK = "http://www.onvif.org/ver10/network/wsdl"
MOST = 256  # cameras
SAME = 16  # cameras at one address
_SIOCGIFADDR = 0x8915  # netdevice(7): address of an interface
SENDS = 2  # datagrams get lost


def probe(message: str) -> bytes:
    """A search for cameras; `message` is its id."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{ENVELOPE}" xmlns:a="{ADDRESSING}"'
        f' xmlns:d="{DISCOVERY}" xmlns:dn="{NETWORK}"><s:Header><a:Action>{DISCOVERY}/Probe</a:Action>'
        f"<a:MessageID>{escape(message)}</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
        "</s:Header><s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>"
    ).encode()


def read(data: bytes, sender: str) -> list[Found]:
    """The cameras in an answer that came from address `sender`, none when it is none.

    Each answers for itself: an answer that names another's address would have our password sent there, so the address
    is where it came from, and only the port is what it says (an encoder has one for each of its cameras).
    """
    try:
        root = soap.parse(data)
    except NoSoap:
        return []
    found = [_camera(match, sender) for match in islice(root.iter(f"{{{DISCOVERY}}}ProbeMatch"), SAME)]
    return [one for one in found if one is not None]


def _camera(match: soap.Element, sender: str) -> Found | None:
    for address in soap.text(match, f"{{{DISCOVERY}}}XAddrs").split():
        try:
            parts = urlsplit(address)
            port = parts.port or 80
        except ValueError:
            continue
        if parts.scheme == "http" and ":" not in sender:
            named = dict(_scopes(soap.text(match, f"{{{DISCOVERY}}}Scopes")))
            identity = soap.text(match, f"{{{ADDRESSING}}}EndpointReference/{{{ADDRESSING}}}Address")
            settings = {"host": sender} | ({"port": port} if port != 80 else {})
            return Found("onvif", named.get("name", sender), named.get("hardware", ""), settings, identity)
    return None


def _scopes(text: str) -> Iterator[tuple[str, str]]:
    """`onvif://www.onvif.org/KIND/NAME` of each scope (Core 7.3.2.2)."""
    for scope in text.split():
        _, _, path = scope.removeprefix("onvif://").partition("/")
        kind, slash, name = path.partition("/")
        if slash:
            yield kind, unquote(name)


async def search(seconds: float, target: tuple[str, int] = GROUP, interface: str = "") -> list[Found]:
    """Ask everybody (or `target`) and listen for `seconds`. `interface`: our address on the only network to ask."""
    loop = asyncio.get_running_loop()
    found: dict[tuple[str, str], Found] = {}
    heard: Counter[str] = Counter()  # answers by address

    def receive(data: bytes, sender: str) -> None:
        heard[sender] += 1
        if heard[sender] > SAME * SENDS or len(found) >= MOST:
            return
        for one in read(data, sender):
            found[one.key] = one

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        ours.setblocking(False)
        ours.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        transport, _ = await loop.create_datagram_endpoint(lambda: _Answers(receive), sock=ours)
        try:
            message = probe(f"urn:uuid:{uuid.uuid4()}")
            for _ in range(SENDS):
                for address in [interface] if interface else addresses():
                    ours.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
                    with suppress(OSError):  # a network that is down
                        ours.sendto(message, target)
                await asyncio.sleep(seconds / SENDS)
        finally:
            transport.close()
    return list(found.values())


def addresses() -> list[str]:
    """Our own IPv4 address on each network: the room's devices may be on another than the way out."""
    found = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # an interface without an address
                reply = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                found.add(socket.inet_ntoa(reply[20:24]))
    return sorted(found)


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[bytes, str], None]) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """From some camera."""
        self._receive(data, addr[0])

    def error_received(self, exc: Exception) -> None:
        """Somebody on the way does not like it; others may answer."""
