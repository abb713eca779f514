"""What passes between FFmpeg and a camera: never a way elsewhere, never our password by another's hand."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.context import Context
from devices.errors import Lost
from devices.hosts import bracketed
from devices.rtsp import messages
from devices.rtsp.capture import capture, with_login, without_login
from devices.rtsp.gate import LONGEST, MOST, Broken, Gate
from devices.rtsp.link import RtspLink
from devices.rtsp.passage import passage

NEAR, FAR = "rtsp://127.0.0.1:9/token", "rtsp://cam:8554"
FRAME = b"$\x00\x00\x03abc"
SDP = b"v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t\r\n"


def gate(login: tuple[str, str] = ("room", "secret")) -> Gate:
    return Gate(NEAR, FAR, login)


def request(method: str, url: str = f"{NEAR}/live", number: int = 1) -> bytes:
    return f"{method} {url} RTSP/1.0\r\nCSeq: {number}\r\nUser-Agent: Lavf\r\n\r\n".encode()


def answer(status: int, number: int = 1, *lines: str, body: bytes = b"") -> bytes:
    head = [f"RTSP/1.0 {status} X", f"CSeq: {number}", *lines, *([f"Content-Length: {len(body)}"] if body else [])]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def test_requests_name_the_camera_and_answers_their_own_number() -> None:
    one = gate()
    sent = one.ask(request("OPTIONS", number=7))
    assert sent == b"OPTIONS rtsp://cam:8554/live RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Lavf\r\n\r\n"
    assert one.answer(answer(200, 1, "Public: PLAY")) == (b"RTSP/1.0 200 X\r\nCSeq: 7\r\nPublic: PLAY\r\n\r\n", b"")
    assert one.answer(answer(200, 1)) == (b"", b""), "nobody asked"
    assert one.ask(request("SETUP", "rtsp://10.0.0.1/live/t", 8)).startswith(b"SETUP rtsp://10.0.0.1/live/t RTSP/1.0")


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP"])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 399])
def test_a_way_elsewhere_is_a_refusal(method: str, status: int) -> None:
    one = gate()
    one.ask(request(method, number=3))
    told, asked = one.answer(answer(status, 1, "Location: rtsp://evil/"))
    assert told == b"RTSP/1.0 403 Forbidden\r\nCSeq: 3\r\n\r\n"
    assert asked == b""
    assert one.elsewhere


def test_the_password_is_given_where_it_is_asked_for_and_once() -> None:
    one = gate()
    one.ask(request("DESCRIBE", number=2))
    told, again = one.answer(answer(401, 1, 'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'))
    assert told == b""
    assert again.startswith(b"DESCRIBE rtsp://cam:8554/live RTSP/1.0\r\nCSeq: 2\r\n")
    assert b'uri="rtsp://cam:8554/live"' in again
    assert b"nc=00000001" in again
    told, asked = one.answer(answer(401, 2, 'WWW-Authenticate: Digest realm="r", nonce="m"'))
    assert told.startswith(b"RTSP/1.0 401 X\r\nCSeq: 2\r\n"), "FFmpeg knows that it is the password"
    assert asked == b""


def test_a_nonce_that_is_too_old_is_renewed_while_pictures_flow() -> None:
    one = gate()
    one.ask(request("PLAY"))
    one.answer(answer(200))
    one.ask(request("GET_PARAMETER", number=5))
    told, asked = one.answer(
        FRAME + answer(401, 2, 'WWW-Authenticate: Digest realm="r", nonce="new", stale=true') + FRAME
    )
    assert told == 2 * FRAME
    assert b'nonce="new"' in asked


def test_without_a_password_the_question_for_one_reaches_ffmpeg() -> None:
    one = gate(("", ""))
    one.ask(request("DESCRIBE"))
    assert one.answer(answer(401, 1, 'WWW-Authenticate: Basic realm="r"'))[0].startswith(b"RTSP/1.0 401")


def test_what_a_camera_asks_of_us_is_not_passed_on() -> None:
    one = gate()
    one.ask(request("PLAY"))
    told, asked = one.answer(b"REDIRECT rtsp://x RTSP/1.0\r\nCSeq: 1\r\nLocation: rtsp://evil/\r\n\r\n" + FRAME)
    assert (told, asked) == (FRAME, b"")


def test_frames_that_cannot_be_told_apart_pass_once_pictures_flow_and_not_before() -> None:
    one = gate()
    one.ask(request("PLAY"))
    with pytest.raises(Broken):
        one.answer(b"\x00\x01\x02")
    one = gate()
    one.ask(request("PLAY"))
    one.answer(answer(200))
    assert one.answer(b"\x00\x01" + FRAME) == (b"\x00\x01" + FRAME, b"")
    assert one.answer(b"more") == (b"more", b"")


@pytest.mark.parametrize("url", ["rtsp://127.0.0.1:9/live", "rtsp://127.0.0.1:9/tokens", "rtsp://cam:8554/live", "*"])
def test_a_stranger_who_comes_in_first_is_not_let_through(url: str) -> None:
    with pytest.raises(Broken):
        gate().ask(request("DESCRIBE", url))


def test_what_has_no_end_ends() -> None:
    one = gate()
    with pytest.raises(Broken):
        for _ in range(MOST + 1):
            one.ask(request("OPTIONS"))
    with pytest.raises(Broken):
        gate().answer(b"RTSP/1.0 200 OK\r\n" + b"x" * LONGEST)
    with pytest.raises(Broken):
        gate().answer(b"RTSP/1.0 200 OK\r\nContent-Length: 999999\r\n\r\n")


PIECES = st.lists(
    st.binary(max_size=40) | st.sampled_from([FRAME, answer(200), answer(302), answer(401), request("PLAY")])
)


@given(PIECES, PIECES)
def test_any_bytes_pass_or_are_broken_and_no_way_elsewhere_passes(asked: list[bytes], answered: list[bytes]) -> None:
    one = gate()
    with suppress(Broken):
        for piece in asked:
            one.ask(piece)
    with suppress(Broken):
        for piece in answered:
            told, _ = one.answer(piece)
            assert one._playing or b" 302 " not in told


@given(st.lists(st.sampled_from([FRAME, b"$\x01\x00\x00", answer(200, 1, body=SDP)]), max_size=6), st.integers(1, 50))
def test_what_comes_in_pieces_passes_as_if_it_were_whole(what: list[bytes], size: int) -> None:
    data = b"".join(what)
    whole, cut = gate(), gate()
    for one in (whole, cut):
        one.ask(request("DESCRIBE"))
    told = b"".join(cut.answer(data[at : at + size])[0] for at in range(0, len(data), size))
    assert told == whole.answer(data)[0]


def test_the_digest_of_the_specification_with_a_nonce_of_our_own() -> None:
    """RFC 2617 §3.5."""
    challenge = (
        'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
        ' opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    login = ("Mufasa", "Circle Of Life")
    words = messages.authorization((challenge,), "GET", "/dir/index.html", *login, random=lambda: "0a4f113b")
    assert 'response="6629fae49393a05397450978507c4ef1"' in words
    assert 'qop=auth, nc=00000001, cnonce="0a4f113b"' in words


def test_name_and_password_are_taken_out_of_an_address_as_they_were_put_in() -> None:
    for url in ("rtsp://cam:8554/a?b=1", "rtsp://[::1]/a"):
        for login in (("", ""), ("me", "p@ss:/"), ("a b", "")):
            assert without_login(with_login(url, login)) == (url, login)


async def test_the_interface_of_an_address_is_told_as_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a URL its sign is escaped (RFC 6874 §2)."""
    asked = []

    def connect(to: tuple[str, int], *_: object) -> None:
        asked.append(to)
        raise OSError("no way there")

    @asynccontextmanager
    async def opened(host: str, port: int, receive: object) -> AsyncIterator[None]:
        asked.append((host, port))
        raise Lost("no way there")
        yield

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr("devices.rtsp.link.open_tcp", opened)
    url = f"rtsp://{bracketed('fe80::1%eth0')}:8554/live"
    with pytest.raises(OSError, match="no way there"), passage(url, ("", "")):
        pass
    with pytest.raises(Lost):
        async with RtspLink.open(cast(Context, None), url, ("", "")):
            pass
    assert asked == [("fe80::1%eth0", 8554)] * 2


@asynccontextmanager
async def liar(hostile: str, target: str) -> AsyncIterator[str]:
    """A camera that answers well until it is asked `hostile`, and then sends people to `target`; yields its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                asked = (await reader.readuntil(b"\r\n\r\n")).decode()
                number = int(asked.partition("CSeq:")[2].split()[0])
                if asked.startswith(hostile):
                    writer.write(answer(302, number, f"Location: {target}"))
                elif asked.startswith("DESCRIBE"):
                    writer.write(answer(200, number, "Content-Type: application/sdp", body=SDP))
                else:
                    writer.write(answer(200, number, "Public: DESCRIBE, SETUP, PLAY"))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as here:
        yield f"rtsp://127.0.0.1:{here.sockets[0].getsockname()[1]}/live"


@pytest.mark.parametrize("hostile", ["OPTIONS", "DESCRIBE", "SETUP"])
async def test_ffmpeg_goes_nowhere_a_camera_sends_it(hostile: str) -> None:
    visits: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(await reader.read(1000))
        writer.close()

    async with await asyncio.start_server(elsewhere, "127.0.0.1", 0) as there:
        target = f"rtsp://127.0.0.1:{there.sockets[0].getsockname()[1]}/live"
        async with liar(hostile, target) as url:
            with pytest.raises(Lost, match="another address"):
                await asyncio.to_thread(capture, with_login(url, ("room", "secret")), threading.Event(), print)
    assert visits == []


async def test_a_camera_that_hangs_up_leaves_no_thread_and_no_door() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(rude, "127.0.0.1", 0) as here:
        url = f"rtsp://127.0.0.1:{here.sockets[0].getsockname()[1]}/live"

        def visit() -> None:
            with passage(url, ("", "")):
                pass  # FFmpeg never came

        await asyncio.to_thread(visit)
        with pytest.raises(Lost):
            await asyncio.to_thread(capture, url, threading.Event(), print)
        assert not [one for one in threading.enumerate() if one.name == "passage"]


async def test_an_address_nobody_answers_is_no_picture() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Lost) as caught:
        await asyncio.to_thread(capture, f"rtsp://a:b@127.0.0.1:{port}/", threading.Event(), print)
    assert caught.value.notice.code == "device.no_picture"
