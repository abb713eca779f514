"""Devices that mean harm: endless answers, documents made to keep us busy, floods, searches answered with lies."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from xml.sax.saxutils import escape

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from devices import DeviceConfig, channel
from devices.channel import Channel
from devices.errors import Lost
from devices.mqtt import broker, packets
from devices.mqtt.broker import BrokerLink
from devices.onvif import search, soap
from devices.pjlink import lines
from devices.probe import probe
from devices.rtsp import messages
from devices.visca import frames
from tests.devices.stage import QUICK
from wire.devices import Connection, Role

MANY = 50_000


# --- documents ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", ["<!--", "<![CDATA[", "<!-- -->", "<!DOCTYPE", "<!ENTITY"])
def test_a_document_of_openings_is_refused_in_one_pass(piece: str) -> None:
    with pytest.raises(soap.NoSoap):
        soap.parse((piece * (soap.LONGEST // len(piece))).encode())  # a pass for each opening would outlast the test


BOMBS = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><x>&b;</x>',
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    '<!DOCTYPE x SYSTEM "http://10.0.0.1/x.dtd"><x/>',
    "<!-- <x> --><!DOCTYPE x><x/>",
)


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_document_with_a_type_is_refused_wherever_it_hides(bomb: str) -> None:
    with pytest.raises(soap.NoSoap):
        soap.parse(bomb.encode())


def test_comments_and_character_data_are_no_document_type() -> None:
    assert soap.parse(b"<x><!-- <!DOCTYPE y> --><![CDATA[<!DOCTYPE z>]]></x>").text == "<!DOCTYPE z>"


@pytest.mark.parametrize("said", ["nan", "inf", "-inf", "1e999", "x"])
def test_a_position_that_is_no_number_is_none(said: str) -> None:
    assert soap.number(soap.parse(f'<x y="{said}"/>'.encode()), "y") is None
    assert math.isclose(soap.number(soap.parse(b'<x y="0.5"/>'), "y") or 0, 0.5)


# --- streams --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", ["000000000999999999999", "0" * 9 + "1" * 5000, "9" * 10, "65537", "-1", "²"])
def test_an_rtsp_answer_of_a_false_length_is_garbage_at_once(length: str) -> None:
    reader = messages.Reader()
    (said,) = reader.feed(f"RTSP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
    assert isinstance(said, messages.Malformed)
    assert reader.feed(b"x" * 1000) == []
    assert not reader._rest, "nothing more is kept of it"


def test_an_rtsp_head_without_end_is_garbage() -> None:
    reader = messages.Reader()
    said = [one for _ in range(40) for one in reader.feed(b"RTSP/1.0 200 OK" + b"x" * 1000)]
    assert [type(one) for one in said] == [messages.Malformed]


def test_many_small_packets_are_read_each_once() -> None:
    assert len(packets.Reader().feed(packets.PING.replace(b"\xc0", b"\xd0") * MANY)) == MANY
    assert len(messages.Reader().feed(b"RTSP/1.0 200\r\n\r\n" * (MANY // 10))) == MANY // 10


@pytest.mark.parametrize(
    "read",
    [
        lambda: frames.StreamReader().feed(b"\xff" * MANY),
        lambda: list(frames.read_messages(b"\x90\x41\xff" * MANY)),
        lambda: lines.LineReader().feed(b"x\r" * MANY),
    ],
)
def test_a_flood_of_small_messages_is_one_piece_of_junk(read: Callable[[], list[object]]) -> None:
    assert len(read()) <= 2 + frames.MOST


# --- floods ---------------------------------------------------------------------------------------------------------


class Wire(asyncio.Transport):
    """A transport that says whether it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = 0
        self.resumed = asyncio.Event()

    def pause_reading(self) -> None:
        self.paused += 1

    def resume_reading(self) -> None:
        self.resumed.set()

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        pass


@pytest.fixture
def slow_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading anything takes 0.4 s of the processor, as that clock says; a second may be taken at once."""
    now = itertools.count()
    monkeypatch.setattr(channel, "thread_time", lambda: 0.4 * next(now))


async def test_a_stream_that_floods_waits_in_its_socket_and_goes_on_later(
    slow_to_read: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, heard = Wire(), list[bytes]()
    one = Channel(heard.append, datagrams=False)
    one.connection_made(wire)
    one.data_received(b"a")
    one.data_received(b"b")
    assert wire.paused == 0, "a burst is read"
    monkeypatch.setattr(channel, "SHARE", 100.0)  # that it goes on soon
    one.data_received(b"c")
    assert wire.paused == 1
    await asyncio.wait_for(wire.resumed.wait(), 5)
    for _ in range(3):
        one.data_received(b"d")
    assert wire.paused >= 2
    one.close()
    assert one._pause is None, "no timer is left of a connection that ended"
    assert heard == [b"a", b"b", b"c", b"d", b"d", b"d"], "nothing is lost"


async def test_datagrams_that_flood_end_the_connection(slow_to_read: None) -> None:
    heard = list[bytes]()
    one = Channel(heard.append, datagrams=True)
    one.connection_made(Wire())
    for _ in range(5):
        one.datagram_received(b"x", None)
    with pytest.raises(Lost) as ended:
        await one.until_lost()
    assert ended.value.notice.code == "device.garbage"
    assert len(heard) == 3, "the rest is not read any more"


async def test_a_broker_full_of_announcements_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "ANNOUNCED_BYTES", 1000)
    link = BrokerLink()
    link._prefixes.add("homeassistant")
    said = b'{"stat_t":"t","dev_cla":"battery","dev":{"ids":"%d"}}'
    topics = [f"homeassistant/sensor/{number}/config" for number in range(50)]
    for number, topic in enumerate(topics):
        link.received(packets.publish(packets.Published(topic, said % number)))
    kept = len(link.announced)
    assert 5 < kept < 20
    link.received(packets.publish(packets.Published(topics[0], b"")))
    link.received(packets.publish(packets.Published(topics[40], said % 40)))
    assert len(link.announced) == kept, "what is withdrawn makes room"
    for topic in topics:
        link.received(packets.publish(packets.Published(topic, b"")))
    assert (link.announced, link._kept) == ({}, 0)


# --- answers that lead elsewhere ------------------------------------------------------------------------------------


async def test_a_camera_that_sends_us_elsewhere_is_not_followed() -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append("elsewhere")
        return web.Response()

    async def redirect(request: web.Request) -> web.Response:
        asked.append("camera")
        return web.Response(status=307, headers={"Location": str(there.make_url("/"))})

    async with served(elsewhere) as there, served(redirect) as here:
        device = await probe(onvif(here))
    assert device.fault is not None
    assert device.fault.code == "device.garbage"
    assert set(asked) == {"camera"}


async def test_an_answer_packed_small_is_never_unpacked() -> None:
    asked: list[str] = []
    time = soap.envelope("<tds:GetSystemDateAndTimeResponse/>")

    async def packed(request: web.Request) -> web.Response:
        asked.append(request.headers["Accept-Encoding"])
        return web.Response(body=gzip.compress(time), headers={"Content-Encoding": "gzip"})

    async with served(packed) as here:
        device = await probe(onvif(here))
    assert set(asked) == {"identity"}
    assert device.fault is not None
    assert device.fault.code == "device.garbage"
    assert device.last_words.startswith("1f 8b"), "as it came"


@asynccontextmanager
async def served(handler: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[BaseTestServer]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        yield server


def onvif(server: BaseTestServer) -> DeviceConfig:
    settings = {"host": server.host, "port": server.port, "username": "room", "password": "secret"}
    return DeviceConfig("cam", Role.MAIN_CAMERA, "onvif", "Caméra", settings)


# --- an agent that says nonsense ------------------------------------------------------------------------------------

NONSENSE = {
    "nested": b"\x30\x80" * 20_000,
    "endless": b"\x30\x84\xff\xff\xff\xff" + bytes(50_000),
    "big": b"\x30\x82\xc3\x54\x02\x82\xc3\x50" + b"\x7f" * 50_000,
    "nothing": b"",
}


@pytest.mark.parametrize("said", NONSENSE.values(), ids=list(NONSENSE))
async def test_an_snmp_agent_that_says_nonsense_is_as_good_as_silent(
    said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    class Agent(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            for _ in range(20):
                self.transport.sendto(said, addr)  # type: ignore[attr-defined]

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Agent, local_addr=("127.0.0.1", 0))
    host, port = transport.get_extra_info("sockname")
    settings = {"host": host, "port": port, "community": "room", "ports": {"1": {"interface": 1}}}
    try:
        device = await probe(DeviceConfig("sw", Role.NETWORK_SWITCH, "snmp", "Commutateur", settings), timing=QUICK)
    finally:
        transport.close()
    assert device.connection is Connection.UNREACHABLE
    assert not [one for one in caplog.records if one.exc_info], "nor is anything said of each"


# --- searches -------------------------------------------------------------------------------------------------------


def answer(*addresses: str, scopes: str = "") -> bytes:
    each = "".join(
        f"<d:ProbeMatch><d:Scopes>{escape(scopes)}</d:Scopes><d:XAddrs>{escape(one)}</d:XAddrs></d:ProbeMatch>"
        for one in addresses
    )
    return search.probe("x").decode().replace("<s:Body>", f"<s:Body>{each}").encode()


def test_a_camera_found_is_where_its_answer_came_from() -> None:
    (found,) = search.read(answer("http://198.51.100.66:8080/onvif"), "10.0.0.9")
    assert found.settings == {"host": "10.0.0.9", "port": 8080}
    scopes = "onvif://www.onvif.org/name/Salle%20A onvif://[ x://[/name"
    (found,) = search.read(answer("http://10.0.0.9/", scopes=scopes), "10.0.0.9")
    assert (found.name, found.settings) == ("Salle A", {"host": "10.0.0.9"})


def test_one_answer_names_only_some_cameras() -> None:
    many = answer(*(f"http://x:{port}/" for port in range(1000, 1400)))
    assert len(search.read(many, "10.0.0.9")) == search.SAME


async def test_a_search_hears_only_so_many_answers_of_one_address() -> None:
    class Liar(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            for port in range(1000, 1100):
                self.transport.sendto(answer(f"http://x:{port}/"), addr)  # type: ignore[attr-defined]

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Liar, local_addr=("127.0.0.1", 0))
    try:
        found = await search.search(0.4, transport.get_extra_info("sockname"), "127.0.0.1")
    finally:
        transport.close()
    assert len(found) <= search.SAME * search.SENDS
