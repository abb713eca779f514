"""Which codec a section gets: one per published track, and our own payload types towards subscribers.

The relay forwards Opus, VP8, H.264 (constrained baseline, packetization mode 1: what every browser decodes), VP9 and AV1
(profile 0). A stream of the last two may hold several layers, which the relay takes apart: see `scalability`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters
from aiortc.sdp import MediaDescription, parameters_from_sdp, parameters_to_sdp

from relay.messages import Codec, Extensions

OPUS, VP8, H264, VP9, AV1 = "audio/opus", "video/vp8", "video/h264", "video/vp9", "video/av1"
RED = "audio/red"
PUBLISHABLE = ("video/VP8", "video/H264", "video/VP9", "video/AV1", "audio/opus", "audio/red")  # as announced in `join`
NAMES = {mime.lower(): mime for mime in PUBLISHABLE}  # as SDP spells them
LAYERED = (VP9, AV1)  # whose one stream may hold several layers

_URIS = {
    "mid": "urn:ietf:params:rtp-hdrext:sdes:mid",
    "rid": "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "repaired_rid": "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "audio_level": "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "transport_cc": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "abs_send_time": "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "dependency_descriptor": "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
}
_NAMES = {uri: name for name, uri in _URIS.items()}
# ids towards subscribers
_OURS = {"mid": 1, "audio_level": 2, "transport_cc": 3, "abs_send_time": 4, "dependency_descriptor": 5}
_ONLY = {"audio_level": "audio", "dependency_descriptor": "video"}  # extensions that mean nothing to the other kind
_FMTP = {
    H264: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
    VP9: "profile-id=0",
    AV1: "level-idx=5;profile=0;tier=0",
}
_FEEDBACK: dict[str, list[tuple[str, str | None]]] = {
    "audio": [("transport-cc", None)],
    "video": [("goog-remb", None), ("transport-cc", None), ("ccm", "fir"), ("nack", None), ("nack", "pli")],
}
_DYNAMIC = [*range(96, 128), *range(35, 64)]  # payload types free for codecs under rtcp-mux (RFC 5761, RFC 3551)


@dataclass(frozen=True)
class Chosen:
    """A codec of the peer's section that we take, with its retransmission format (RFC 4588) if it offers one.

    `red`: the same with redundancy (RFC 2198), for Opus.
    """

    codec: RTCRtpCodecParameters
    rtx: RTCRtpCodecParameters | None
    red: RTCRtpCodecParameters | None = None


def choose(media: MediaDescription, wanted: str | None) -> Chosen | None:
    """One codec of an offered section: `wanted` (a name like `h264`) if it is there, else Opus or what most decode."""
    order = [OPUS] if media.kind == "audio" else [VP8, H264, VP9, AV1]
    if wanted is not None and f"{media.kind}/{wanted.lower()}" in order:
        order.sort(key=lambda mime: mime != f"{media.kind}/{wanted.lower()}")
    for mime in order:
        for codec in media.rtp.codecs:
            if codec.mimeType.lower() == mime and _usable(codec):
                return Chosen(codec, _rtx(media, codec.payloadType), _red(media, codec))
    return None


def _usable(codec: RTCRtpCodecParameters) -> bool:
    mime = codec.mimeType.lower()
    if mime == OPUS:
        return bool(codec.clockRate == 48000)
    if mime in LAYERED:  # 8 bits, 4:2:0
        return str(codec.parameters.get("profile-id" if mime == VP9 else "profile", "0")) == "0"
    if mime != H264:
        return True
    profile = str(codec.parameters.get("profile-level-id", "42e01f")).lower()
    return profile[:4] in ("42e0", "4200") and str(codec.parameters.get("packetization-mode", "0")) == "1"


def _rtx(media: MediaDescription, payload_type: int | None) -> RTCRtpCodecParameters | None:
    for codec in media.rtp.codecs:
        if codec.mimeType.lower().endswith("/rtx") and codec.parameters.get("apt") == payload_type:
            return codec
    return None


def _red(media: MediaDescription, of: RTCRtpCodecParameters) -> RTCRtpCodecParameters | None:
    """The redundancy format whose blocks are all of this codec: `a=fmtp:63 111/111` (RFC 2198 §5)."""
    for codec in media.rtp.codecs:
        if codec.mimeType.lower() == RED and codec.clockRate == of.clockRate:
            blocks = {block for parameter in codec.parameters for block in parameter.split("/")}
            if blocks == {str(of.payloadType)}:
                return codec
    return None


def answer_codecs(
    media: MediaDescription, chosen: Chosen, *, dtx: bool, stereo: bool, red: bool = True
) -> list[RTCRtpCodecParameters]:
    """The codecs of our answer: what the peer said, with the feedback we speak. A peer sends the first one."""
    codec = chosen.codec
    wanted = _FEEDBACK[media.kind]
    codec.rtcpFeedback = [f for f in codec.rtcpFeedback if (f.type, f.parameter) in wanted]
    if media.kind == "audio":
        codec.parameters = {"minptime": 10, "useinbandfec": 1}
        codec.parameters.update({"usedtx": "1"} if dtx else {})
        codec.parameters.update({"stereo": 1, "sprop-stereo": "1", "maxaveragebitrate": "510000"} if stereo else {})
    if chosen.red is not None and red:
        chosen.red.rtcpFeedback = list(codec.rtcpFeedback)
        return [chosen.red, codec]
    if chosen.rtx is None:
        return [codec]
    chosen.rtx.rtcpFeedback = []
    return [codec, chosen.rtx]


def payload_type(codec: RTCRtpCodecParameters) -> int:
    """The payload type a parsed or built codec always has."""
    assert codec.payloadType is not None
    return codec.payloadType


def scalability(mime: str, encodings: int, layers: int) -> str | None:
    """The webrtc-svc mode of a track by LiveKit's rules, None for simulcast or a codec without layers in one stream.

    VP9 and AV1 in one encoding are one stream of as many spatial layers as `add_track` declared. How these depend on one
    another the stream itself tells, so the rest of the mode stands for any.
    """
    if mime.lower() not in LAYERED or encodings != 1:
        return None
    return f"L{layers}T3_KEY" if layers > 1 else "L1T3"


def relay_codec(chosen: Chosen) -> Codec:
    """The chosen codec in the relay's words."""
    codec = chosen.codec
    return Codec(
        mime=codec.mimeType,
        payload_type=payload_type(codec),
        clock_rate=codec.clockRate,
        channels=codec.channels or 1,
        rtx_payload_type=chosen.rtx.payloadType if chosen.rtx is not None else None,
        red_payload_type=chosen.red.payloadType if chosen.red is not None else None,
        fmtp=parameters_to_sdp(codec.parameters),
    )


# --- header extensions (RFC 8285) ---------------------------------------------------------------------------------


def known_extensions(media: MediaDescription, chosen: Chosen | None = None) -> list[RTCRtpHeaderExtensionParameters]:
    """The offered extensions that the relay speaks, with ids of the one-byte form.

    With `chosen`, what a publisher's packets should carry: a dependency descriptor is bytes for nothing where a stream has
    one layer.
    """
    seen = {"dependency_descriptor"} if chosen is not None and chosen.codec.mimeType.lower() not in LAYERED else set()
    taken = []
    for extension in media.rtp.headerExtensions:
        name = _NAMES.get(extension.uri)
        if name is None or not 1 <= extension.id <= 14 or name in seen or _ONLY.get(name, media.kind) != media.kind:
            continue
        seen.add(name)
        taken.append(extension)
    return taken


def relay_extensions(extensions: Iterable[RTCRtpHeaderExtensionParameters]) -> Extensions:
    """Negotiated extension ids in the relay's words."""
    return Extensions(**{_NAMES[e.uri]: e.id for e in extensions if e.uri in _NAMES})


def our_extensions(kind: str) -> list[RTCRtpHeaderExtensionParameters]:
    """The extensions we offer to subscribers."""
    names = [name for name in _OURS if _ONLY.get(name, kind) == kind]
    return [RTCRtpHeaderExtensionParameters(id=_OURS[name], uri=_URIS[name]) for name in names]


# --- payload types towards one subscriber ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Format:
    """A codec as offered to a subscriber, with our payload types."""

    kind: str
    mime: str
    clock_rate: int
    channels: int
    fmtp: str
    payload_type: int
    rtx_payload_type: int | None
    red_payload_type: int | None = None

    def codecs(self) -> list[RTCRtpCodecParameters]:
        """For the SDP."""
        main = RTCRtpCodecParameters(
            mimeType=self.mime,
            clockRate=self.clock_rate,
            channels=self.channels if self.kind == "audio" else None,
            payloadType=self.payload_type,
            rtcpFeedback=[RTCRtcpFeedback(type=t, parameter=p) for t, p in _FEEDBACK[self.kind]],
            parameters=parameters_from_sdp(self.fmtp) if self.fmtp else {},
        )
        if self.red_payload_type is not None:
            red = RTCRtpCodecParameters(
                mimeType=RED,
                clockRate=self.clock_rate,
                channels=self.channels,
                payloadType=self.red_payload_type,
                rtcpFeedback=list(main.rtcpFeedback),
                parameters={f"{self.payload_type}/{self.payload_type}": None},
            )
            return [main, red]
        if self.rtx_payload_type is None:
            return [main]
        rtx = RTCRtpCodecParameters(
            mimeType="video/rtx",
            clockRate=self.clock_rate,
            payloadType=self.rtx_payload_type,
            parameters={"apt": self.payload_type},
        )
        return [main, rtx]


class Formats:
    """Our payload types on one subscriber transport: the same codec always gets the same ones (RFC 8829 §5.2.2)."""

    def __init__(self) -> None:
        self._free = list(_DYNAMIC)
        self._known: dict[tuple[str, str], Format] = {}
        opus = self.of(Codec("audio/opus", 0, 48000, 2))
        vp8 = self.of(Codec("video/VP8", 0, 90000))
        assert opus is not None  # the free list is long enough
        assert vp8 is not None
        self._placeholders = {"audio": opus, "video": vp8}

    def of(self, codec: Codec, *, stereo: bool = False) -> Format | None:
        """The format for a track's codec; None where no payload type is left."""
        mime, fmtp = codec.mime.lower(), _FMTP.get(codec.mime.lower(), "")
        if mime == OPUS:
            fmtp = "minptime=10;useinbandfec=1" + (";stereo=1;sprop-stereo=1" if stereo else "")
        known = self._known.get((mime, fmtp))
        if known is None:
            kind = mime.partition("/")[0]
            if len(self._free) < 2:
                return None
            payload_type = self._free.pop(0)
            rtx = self._free.pop(0) if kind == "video" else None
            red = self._free.pop(0) if mime == OPUS else None
            channels = 2 if mime == OPUS else 1
            known = Format(kind, codec.mime, codec.clock_rate, channels, fmtp, payload_type, rtx, red)
            self._known[(mime, fmtp)] = known
        return known

    def placeholder(self, kind: str) -> Format:
        """The format an inactive section names: what every client knows. Taken before tracks can use up the types."""
        return self._placeholders[kind]
