"""Pictures from a real RTSP server: while wanted, again after a failure, never of a camera that hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import DeviceConfig
from devices.emulators.cable import Cable
from devices.emulators.rtsp import RtspServer
from devices.errors import Lost, WrongPassword
from devices.rtsp import messages
from devices.rtsp.capture import STALL, Progress, capture, with_login
from devices.rtsp.feed import VideoFeed
from devices.rtsp.link import RtspLink
from tests.devices.stage import Stage, nothing_left_behind, stage
from wire.devices import Connection, Role


@pytest.fixture
async def server() -> AsyncIterator[RtspServer]:
    async with nothing_left_behind(), RtspServer(name="room", password="s3:cr@t", reboot=0.3) as one:
        yield one


def camera(url: str, password: str = "s3:cr@t") -> DeviceConfig:
    settings = {"url": url, "username": "room", "password": password}
    return DeviceConfig("cam", Role.MAIN_CAMERA, "rtsp", "Caméra", settings)


def feed(room: Stage) -> VideoFeed:
    assert room.hub.video(Role.ROOM_SPEAKER) is None, "the room has none"
    found = room.hub.video(Role.MAIN_CAMERA)
    assert found is not None
    return found


async def sessions(server: RtspServer, wanted: int) -> None:
    """Wait until the server counts so many."""
    async with asyncio.timeout(5):
        while await server.sessions() != wanted:
            await asyncio.sleep(0.02)


async def test_pictures_flow_while_somebody_watches_and_the_session_is_closed_after(server: RtspServer) -> None:
    async with stage(camera(server.url)) as room:
        assert "H264" in (await room.online()).model
        assert await server.sessions() == 0, "nothing is captured while nobody wants it"
        async with feed(room).watch() as pictures, feed(room).watch() as others:
            stamps = [(await anext(pictures)).pts for _ in range(5)]
            assert stamps == sorted(set(stamps), key=lambda pts: pts or 0)
            assert (await anext(others)).width == 320
            await room.shows("streaming", True)
            assert await server.sessions() == 1, "all watch through one session"
        await room.shows("streaming", False)
        await sessions(server, 0)


async def test_a_picture_that_stands_still_is_noticed_though_it_keeps_coming(server: RtspServer) -> None:
    async with stage(camera(server.url)) as room:
        await room.online()
        async with feed(room).watch() as pictures:
            await anext(pictures)
            await server.freeze()
            await room.until(lambda device: device.fault is not None and device.fault.code == "device.no_picture")
            assert room.property("streaming").reported is False
            await server.freeze(False)
            await anext(pictures)  # one of before
            await room.shows("streaming", True)
            assert (await anext(pictures)).width == 320


async def test_a_stream_that_falls_silent_or_ends_begins_again_for_the_same_viewer() -> None:
    async with nothing_left_behind(), RtspServer() as server, Cable(server.address, reboot=60.0) as cable:
        host, port = cable.address
        async with stage(camera(f"rtsp://{host}:{port}/live")) as room:
            await room.online()
            async with feed(room).watch() as pictures:
                await room.shows("streaming", True)
                for fault in ("silent", "reboot"):
                    cable.fault(fault)
                    await room.gone()
                    assert room.property("streaming").reported is False
                    cable.fault(fault, False)
                    await room.shows("streaming", True)
                    await anext(pictures)


@pytest.mark.parametrize("how", ["silent", "closed"])
async def test_who_shows_pictures_is_there_though_our_questions_are_not_answered(
    how: str, server: RtspServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(camera(server.url)) as room:
        await room.online()
        async with feed(room).watch() as pictures:
            await anext(pictures)
            heard = asyncio.Event()

            async def unanswered(link: RtspLink, request: bytes) -> None:
                heard.set()
                if how == "closed":
                    assert link._channel is not None
                    link._channel.close()
                await asyncio.Event().wait()

            with monkeypatch.context() as silent:
                silent.setattr(RtspLink, "_answered", unanswered)
                await heard.wait()
                for _ in range(30):
                    await anext(pictures)
                assert room.device.connection is Connection.ONLINE
                assert await server.sessions() == 1
            monkeypatch.setattr(RtspLink, "_answered", unanswered)
        await room.gone()


async def test_a_wrong_password_is_said_and_never_shown(server: RtspServer) -> None:
    async with stage(camera(server.url, "wrong-one")) as room:
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.password"
        assert "wrong-one" not in repr(device)


async def test_a_capture_that_is_not_let_in_says_so_without_the_password(server: RtspServer) -> None:
    url = with_login(server.url, ("room", "wrong-one"))
    with pytest.raises(WrongPassword) as caught:
        await asyncio.to_thread(capture, url, threading.Event(), lambda frame: None)
    assert "wrong-one" not in str(caught.value)
    with pytest.raises(Lost) as lost:
        await asyncio.to_thread(capture, with_login("rtsp://127.0.0.1:1/x", ("a", "secret")), threading.Event(), print)
    assert lost.value.code == "device.unreachable"
    assert lost.value.notice.code == "device.no_picture"
    assert "secret" not in str(lost.value)


def test_name_and_password_are_written_as_an_address_wants_them() -> None:
    assert with_login("rtsp://cam:8554/a?b=1", ("me", "p@ss:/")) == "rtsp://me:p%40ss%3A%2F@cam:8554/a?b=1"
    assert with_login("rtsp://cam/a", ("", "")) == "rtsp://cam/a"


def test_progress_is_time_stamps_that_change() -> None:
    one = Progress(0.0)
    assert not one.stalled(1, STALL - 0.1)
    assert not one.stalled(2, 2 * STALL - 0.2)
    assert not one.stalled(2, 2 * STALL)
    assert one.stalled(2, 3 * STALL)
    assert Progress(0.0).stalled(None, STALL + 0.1), "no picture at all"


def test_the_digest_of_the_specification() -> None:
    """RFC 2069 2.4 as corrected by its errata: Digest without qop."""
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c"'
    words = messages.authorization((challenge,), "GET", "/dir/index.html", "Mufasa", "CircleOfLife")
    assert 'response="1949323746fe6a43ef61f9606e7febea"' in words
    assert 'opaque="5ccc069c"' in words
    basic = messages.authorization(('Basic realm="x"',), "DESCRIBE", "u", "a", "b")
    assert basic == "Basic YTpi"


@given(st.lists(st.binary(max_size=60) | st.just(b"RTSP/1.0 200 OK\r\n"), max_size=8))
def test_any_bytes_are_responses_or_malformed(pieces: list[bytes]) -> None:
    reader = messages.Reader()
    found: list[Any] = [one for piece in pieces for one in reader.feed(piece)]
    assert all(isinstance(one, messages.Response) for one in found[:-1])


@given(st.binary(max_size=100), st.integers(1, 30))
def test_a_response_is_read_however_it_is_cut(body: bytes, size: int) -> None:
    data = b"RTSP/1.0 200 OK\r\nCSeq: 7\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    reader = messages.Reader()
    (one,) = [one for at in range(0, len(data), size) for one in reader.feed(data[at : at + size])]
    assert isinstance(one, messages.Response)
    assert (one.status, one.number, one.body) == (200, 7, body)


@given(st.binary(max_size=200))
def test_any_description_has_a_codec_or_none(sdp: bytes) -> None:
    messages.codec(b"m=video" + sdp)
