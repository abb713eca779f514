"""Join to first picture: from calling `connect` to the first decoded frame, as LiveKit's own SDK sees it.

A server of its own, one publisher of 640x360 at 15 frames/s, and one subscriber after another. Everything a person waits
for is inside: signaling, ICE, DTLS, the subscription, the key frame asked for, decoding.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import jwt
from livekit import rtc

from bench.rows import Row
from signaling.config import DEMO_KEY, DEMO_SECRET

WIDTH, HEIGHT, FRAMES = 640, 360, 15
ROOM = "bench"
JOINS = 15
PATIENCE = 15.0
"""Seconds one join may take."""
GOAL = 500.0
"""ms."""


async def measure(joins: int = JOINS) -> Row:
    """Join again and again; the median in ms."""
    with tempfile.TemporaryDirectory() as folder:
        async with server(Path(folder)) as url, publisher(url):
            await _join(url, "warm-up")
            taken = [await _join(url, f"viewer-{number}") for number in range(joins)]
    first, _, third = statistics.quantiles(taken, n=4)
    median = statistics.median(taken)
    return Row(
        name="join_to_first_frame",
        value=round(median, 1),
        unit="ms",
        limit=None,
        ratio=None,
        goal=GOAL,
        spread=round((third - first) / median, 3),
        conditions={
            "client": f"livekit {version('livekit')} (Python)",
            "video": f"{WIDTH}x{HEIGHT} at {FRAMES}/s",
            "joins": str(joins),
            "slowest": f"{max(taken):.0f} ms",
        },
    )


def token(identity: str) -> str:
    """A join token of the demo key."""
    claims = {
        "iss": DEMO_KEY,
        "sub": identity,
        "exp": int(time.time()) + 600,
        "video": {"roomJoin": True, "room": ROOM},
    }
    return jwt.encode(claims, DEMO_SECRET, algorithm="HS256")


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[str]:
    """A server on free ports, with the demo key (loopback only)."""
    port, media = _free_ports(2)
    config = folder / "signaling.toml"
    config.write_text(
        f'bind = "127.0.0.1:{port}"\npublic_url = "http://127.0.0.1:{port}"\ndata = "data"\n'
        f'[media]\nbind = ["127.0.0.1:{media}"]\n[keys]\n{DEMO_KEY} = "{DEMO_SECRET}"\n'
    )
    with (folder / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "signaling", "--config", str(config), stdout=log, stderr=log
        )
        try:
            await _listening(port, process, folder / "server.log")
            yield f"ws://127.0.0.1:{port}"
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


async def _listening(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(30):
        while True:
            if process.returncode is not None:
                raise RuntimeError(f"the server ended: {await asyncio.to_thread(log.read_text)}")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@asynccontextmanager
async def publisher(url: str) -> AsyncIterator[None]:
    """Publishes a picture in which a bar moves."""
    room = rtc.Room()
    await room.connect(url, token("publisher"))
    source = rtc.VideoSource(WIDTH, HEIGHT)
    track = rtc.LocalVideoTrack.create_video_track("camera", source)
    options = rtc.TrackPublishOptions(
        source=rtc.TrackSource.SOURCE_CAMERA, video_codec=rtc.VideoCodec.VP8, simulcast=False
    )
    await room.local_participant.publish_track(track, options)
    task = asyncio.create_task(_film(source))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await room.disconnect()


async def _film(source: rtc.VideoSource) -> None:
    row = b"".join(bytes((x * 255 // WIDTH, 128, 255 - x * 255 // WIDTH, 255)) for x in range(WIDTH))
    bar = b"\xff" * (16 * len(row))
    for number in range(1_000_000):
        top = number * 4 % (HEIGHT - 16)
        picture = row * top + bar + row * (HEIGHT - 16 - top)
        frame = rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, picture)
        source.capture_frame(frame)
        await asyncio.sleep(1 / FRAMES)


async def _join(url: str, identity: str) -> float:
    """Milliseconds from `connect` to the first frame."""
    room = rtc.Room()
    seen = asyncio.Event()
    watching: list[asyncio.Task[None]] = []

    async def watch(track: rtc.RemoteTrack) -> None:
        stream = rtc.VideoStream(track)
        async for _ in stream:
            seen.set()
            break
        await stream.aclose()

    @room.on("track_subscribed")
    def subscribed(track: rtc.RemoteTrack, _publication: object, _participant: object) -> None:
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            watching.append(asyncio.create_task(watch(track)))

    begin = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            await room.connect(url, token(identity))
            await seen.wait()
        return (time.perf_counter() - begin) * 1000
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await room.disconnect()
