"""Two WebRTC stacks of other people for `participants`: aiortc, and str0m behind its standard input."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from asyncio.subprocess import PIPE, Process
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from tests.network.participants import Received

WIDTH, HEIGHT, FRAMES, BITRATE = 320, 180, 10, 120_000
"""What these publish: pixels, per second, bit/s."""
RATE, BLOCK = 48_000, 960
"""Hz, samples."""
LOUD = 500
"""A sample above is no silence."""
WORKSPACE = Path(__file__).parents[2] / "relay" / "Cargo.toml"


def picture(number: int) -> av.VideoFrame:
    """A bar that moves over a shade."""
    pixels = np.full((HEIGHT, WIDTH, 3), 60, dtype=np.uint8)
    pixels[:, number * 4 % WIDTH :][:, :16] = (200, 180, 40)
    return av.VideoFrame.from_ndarray(pixels, format="rgb24")


def tone(number: int) -> av.AudioFrame:
    """20 ms of 330 Hz."""
    at = (np.arange(BLOCK) + number * BLOCK) / RATE
    samples = (np.sin(at * 2 * np.pi * 330) * 8000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, number * BLOCK, Fraction(1, RATE)
    return frame


class Beat:
    """Numbers that come at a steady pace; where time was lost some are left out."""

    def __init__(self, interval: float) -> None:
        self._interval, self._begin, self._last = interval, time.monotonic(), -1

    async def next(self) -> int:
        """Wait for the next."""
        due = int((time.monotonic() - self._begin) / self._interval)
        self._last = max(self._last + 1, due)
        await asyncio.sleep(max(0.0, self._begin + self._last * self._interval - time.monotonic()))
        return self._last


class _Camera(MediaStreamTrack):
    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._beat = Beat(1 / FRAMES)

    async def recv(self) -> av.VideoFrame:
        number = await self._beat.next()
        frame = picture(number).reformat(format="yuv420p")
        frame.pts, frame.time_base = number * 90_000 // FRAMES, Fraction(1, 90_000)
        return frame


class _Microphone(MediaStreamTrack):
    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._beat = Beat(BLOCK / RATE)

    async def recv(self) -> av.AudioFrame:
        return tone(await self._beat.next())


class Aiortc:
    """aiortc's peer connection."""

    def __init__(self, received: Received) -> None:
        self._received = received
        # By its own choice (balanced) aiortc 1.16 leaves all tracks of an offer but the first of each kind on a transport
        # that is never connected, where the section for data comes first; their packets all go to that first one.
        self._peer = RTCPeerConnection(RTCConfiguration(bundlePolicy=RTCBundlePolicy.MAX_COMPAT))
        self._tasks: list[asyncio.Task[None]] = []
        self._peer.on("track", self._on_track)

    async def offer(self) -> str:
        """Offer what it publishes."""
        self._peer.addTrack(_Microphone())
        self._peer.addTrack(_Camera())
        for transceiver in self._peer.getTransceivers():
            transceiver.direction = "sendonly"
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return str(self._peer.localDescription.sdp)

    async def answered(self, sdp: str) -> None:
        """Take the server's answer."""
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def accept(self, sdp: str) -> str:
        """Answer the server's offer; all of it is taken."""
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        return str(self._peer.localDescription.sdp)

    async def close(self) -> None:
        """End."""
        await self._peer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._consume(track)))

    async def _consume(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                if isinstance(frame, av.VideoFrame):
                    self._received.frames[track.id] += 1
                elif isinstance(frame, av.AudioFrame):
                    self._received.sounds[track.id] += int(np.abs(frame.to_ndarray()).max() > LOUD)
        except MediaStreamError:
            return


def build() -> Path:
    """The program around str0m, built; blocking."""
    command = ["cargo", "build", "--quiet", "--locked", "--workspace", "--example", "participant"]
    subprocess.run([*command, "--manifest-path", str(WORKSPACE), "--message-format", "short"], check=True, timeout=600)
    told = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1", "--manifest-path", str(WORKSPACE)],
        check=True,
        stdout=subprocess.PIPE,
        timeout=60,
    )
    return Path(json.loads(told.stdout)["target_directory"]) / "debug" / "examples" / "participant"


def _decoder(kind: str) -> av.VideoCodecContext | av.AudioCodecContext:
    """FFmpeg's own VP8 and Opus decoders."""
    if kind == "video":
        return av.VideoCodecContext.create("vp8", "r")
    sound = av.AudioCodecContext.create("opus", "r")
    sound.sample_rate, sound.layout = RATE, "stereo"
    return sound


class Str0m:
    """str0m's peer connection (relay/core/examples/participant.rs). It neither encodes nor decodes: FFmpeg does."""

    def __init__(self, program: Path, address: str, received: Received) -> None:
        self._program, self._address, self._received = program, address, received
        self._process: Process | None = None
        self._said: asyncio.Queue[str] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._decoders: dict[str, av.VideoCodecContext | av.AudioCodecContext] = {}
        self._wanted = False

    async def offer(self) -> str:
        """Offer what it publishes."""
        return await self._ask("offer")

    async def answered(self, sdp: str) -> None:
        """Take the server's answer and begin to send."""
        await self._tell(f"answered {sdp.encode().hex()}")
        self._tasks += [asyncio.create_task(self._film()), asyncio.create_task(self._speak())]

    async def accept(self, sdp: str) -> str:
        """Answer an offer. str0m is the DTLS server where it may choose, so the relay is its client."""
        answer = await self._ask(f"accept {sdp.encode().hex()}")
        assert "a=setup:passive" in answer
        return answer

    async def close(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _ask(self, line: str) -> str:
        await self._tell(line)
        async with asyncio.timeout(10):
            return await self._said.get()

    async def _tell(self, line: str) -> None:
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                self._program, self._address, stdin=PIPE, stdout=PIPE, limit=1 << 22
            )
            self._tasks.append(asyncio.create_task(self._listen(self._process)))
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()

    async def _listen(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            match line.decode().split():
                case ["sdp", sdp]:
                    self._said.put_nowait(bytes.fromhex(sdp).decode())
                case ["wanted"]:
                    self._wanted = True
                case [("audio" | "video") as kind, mid, frame]:
                    self._decode(kind, mid, bytes.fromhex(frame))

    def _decode(self, kind: str, mid: str, frame: bytes) -> None:
        if mid not in self._decoders:
            self._decoders[mid] = _decoder(kind)
        decoder = self._decoders[mid]
        try:
            if isinstance(decoder, av.VideoCodecContext):
                self._received.frames[mid] += len(decoder.decode(av.Packet(frame)))
            else:
                loudest = [np.abs(sound.to_ndarray().astype(float)).max() for sound in decoder.decode(av.Packet(frame))]
                self._received.sounds[mid] += sum(bool(loud > LOUD / 32768) for loud in loudest)
        except av.error.FFmpegError:
            return  # before the first key frame

    async def _film(self) -> None:
        encoder = av.CodecContext.create("libvpx", "w")
        encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        encoder.bit_rate, encoder.time_base, encoder.framerate = BITRATE, Fraction(1, FRAMES), Fraction(FRAMES)
        encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "100000"}
        beat = Beat(1 / FRAMES)
        while True:
            number = await beat.next()
            frame = picture(number).reformat(format="yuv420p")
            frame.pts = number
            frame.pict_type = av.video.frame.PictureType.I if self._wanted else av.video.frame.PictureType.NONE
            self._wanted = False
            for packet in encoder.encode(frame):
                await self._tell(f"write video {number * 90_000 // FRAMES} {bytes(packet).hex()}")

    async def _speak(self) -> None:
        encoder = av.CodecContext.create("libopus", "w")
        encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = RATE, "mono", "s16", 32_000
        beat = Beat(BLOCK / RATE)
        while True:
            frame = tone(await beat.next())
            for packet in encoder.encode(frame):
                await self._tell(f"write audio {frame.pts} {bytes(packet).hex()}")
