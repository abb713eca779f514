"""Devices that mean harm: endless answers, documents made to keep us busy, floods, searches answered with lies."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable
from xml.sax.saxutils import escape

import pytest

from devices import channel
from devices.channel import Channel
from devices.errors import Lost
from devices.mqtt import packets
from devices.onvif import search, soap
from devices.pjlink import lines
from devices.rtsp import messages
from devices.visca import frames

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
