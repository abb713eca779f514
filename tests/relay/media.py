"""Sound and picture for the test clients, and how they are published, subscribed and judged."""

from __future__ import annotations

import fractions
import secrets

import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiver,
    RTCRtpSender,
    VideoStreamTrack,
)
from aiortc.mediastreams import AudioStreamTrack
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtcpParameters,
    RTCRtpDecodingParameters,
    RTCRtpReceiveParameters,
    RTCRtpRtxParameters,
    RTCRtpSendParameters,
)
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from av import AudioFrame, VideoFrame

from relay import Relay
from relay.messages import AddTrack, Codec, Encoding, Extensions, Kind, Subscribe
from tests.relay.peer import Peer

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
CODECS = {
    "audio": Codec(mime="audio/opus", payload_type=111, clock_rate=48000, channels=2),
    "video": Codec(mime="video/VP8", payload_type=96, clock_rate=90000, rtx_payload_type=97),
}


class Tone(AudioStreamTrack):
    """440 Hz at a fifth of full scale."""

    async def recv(self) -> AudioFrame:
        """The next 20 ms."""
        silent = await super().recv()
        assert isinstance(silent, AudioFrame)
        start = silent.pts or 0
        wave = np.sin(2 * np.pi * 440 * (start + np.arange(silent.samples)) / silent.sample_rate)
        frame = AudioFrame.from_ndarray((wave * 6500).astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.pts, frame.sample_rate = start, silent.sample_rate
        frame.time_base = fractions.Fraction(1, silent.sample_rate)
        return frame


class Moving(VideoStreamTrack):
    """A bar that moves over grey, 320×240."""

    async def recv(self) -> VideoFrame:
        """The next frame."""
        pts, time_base = await self.next_timestamp()
        picture = np.full((240, 320, 3), 96, dtype=np.uint8)
        left = (pts // 3000 * 4) % 280
        picture[:, left : left + 40] = 230
        frame = VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = pts, time_base
        return frame


def parameters(kind: Kind) -> tuple[list[RTCRtpCodecParameters], list[RTCRtpHeaderExtensionParameters]]:
    """Our codec of `kind` in the words of aiortc."""
    codec = CODECS[kind]
    feedback = [] if kind == "audio" else [RTCRtcpFeedback("nack"), RTCRtcpFeedback("nack", "pli")]
    codecs = [
        RTCRtpCodecParameters(
            mimeType=codec.mime,
            clockRate=codec.clock_rate,
            channels=codec.channels if kind == "audio" else None,
            payloadType=codec.payload_type,
            rtcpFeedback=feedback,
        )
    ]
    if codec.rtx_payload_type is not None:
        rtx = RTCRtpCodecParameters(
            mimeType="video/rtx",
            clockRate=codec.clock_rate,
            payloadType=codec.rtx_payload_type,
            parameters={"apt": codec.payload_type},
        )
        codecs.append(rtx)
    return codecs, [RTCRtpHeaderExtensionParameters(id=1, uri=MID)]


async def publish(peer: Peer, relay: Relay, kind: Kind, track: str) -> RTCRtpSender:
    """Publish a tone or a moving picture as `track`."""
    source: MediaStreamTrack = Tone() if kind == "audio" else Moving()
    sender = RTCRtpSender(source, peer.dtls)
    command = AddTrack(
        transport=peer.name,
        track=track,
        kind=kind,
        codec=CODECS[kind],
        encodings=[Encoding(ssrc=sender._ssrc, rtx_ssrc=sender._rtx_ssrc if kind == "video" else None)],
        extensions=Extensions(mid=1),
        mid=track,
    )
    relay.submit(command)
    codecs, extensions = parameters(kind)
    send = RTCRtpSendParameters(
        codecs=codecs, headerExtensions=extensions, muxId=track, rtcp=RTCRtcpParameters(cname="test", mux=True)
    )
    await sender.send(send)
    return sender


async def subscribe(peer: Peer, relay: Relay, kind: Kind, track: str) -> RTCRtpReceiver:
    """Subscribe to `track`; the subscription's id is `PEER<TRACK`."""
    ssrc, rtx_ssrc = secrets.randbits(31), secrets.randbits(31)
    codec = CODECS[kind]
    receiver = RTCRtpReceiver(kind, peer.dtls)
    receiver._track = RemoteStreamTrack(kind=kind)
    receiver._set_rtcp_ssrc(secrets.randbits(31))
    codecs, extensions = parameters(kind)
    receive = RTCRtpReceiveParameters(
        codecs=codecs,
        headerExtensions=extensions,
        muxId=track,
        rtcp=RTCRtcpParameters(mux=True),
        encodings=[
            RTCRtpDecodingParameters(ssrc=ssrc, payloadType=codec.payload_type, rtx=RTCRtpRtxParameters(ssrc=rtx_ssrc))
        ],
    )
    await receiver.receive(receive)
    command = Subscribe(
        subscription=f"{peer.name}<{track}",
        transport=peer.name,
        track=track,
        ssrc=ssrc,
        payload_type=codec.payload_type,
        extensions=Extensions(mid=1),
        rtx_ssrc=rtx_ssrc if kind == "video" else None,
        rtx_payload_type=codec.rtx_payload_type,
        mid=track,
    )
    relay.submit(command)
    return receiver


async def loudness(receiver: RTCRtpReceiver, frames: int) -> float:
    """Root mean square of the next `frames` of sound, of full scale 1."""
    energy, samples = 0.0, 0
    for _ in range(frames):
        frame = await receiver.track.recv()
        assert isinstance(frame, AudioFrame)
        wave = frame.to_ndarray().astype(np.float64) / 32768
        energy += float((wave**2).sum())
        samples += wave.size
    return float(np.sqrt(energy / samples))


async def pictures(receiver: RTCRtpReceiver, frames: int) -> list[VideoFrame]:
    """The next `frames` decoded pictures."""
    decoded = []
    for _ in range(frames):
        frame = await receiver.track.recv()
        assert isinstance(frame, VideoFrame)
        decoded.append(frame)
    return decoded
