"""A published track: what the client asked for, and what its SDP bound it to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from livekit.protocol.models import SimulcastCodecInfo, TrackInfo, TrackSource, TrackType, VideoLayer, VideoQuality
from livekit.protocol.rtc import AddTrackRequest, SubscribedQualityUpdate

from relay.messages import Codec, Encoding, Kind
from signaling.rtc import codecs
from signaling.rtc.ids import track_sid

SOURCE_NAMES = {
    TrackSource.CAMERA: "camera",
    TrackSource.MICROPHONE: "microphone",
    TrackSource.SCREEN_SHARE: "screen_share",
    TrackSource.SCREEN_SHARE_AUDIO: "screen_share_audio",
}
_STREAMS = {  # what belongs together by LiveKit's rules, where its publisher names no stream
    TrackSource.CAMERA: "camera",
    TrackSource.MICROPHONE: "camera",
    TrackSource.SCREEN_SHARE: "screen_share",
    TrackSource.SCREEN_SHARE_AUDIO: "screen_share",
}
_STREAM = re.compile(r"(?!TR)[A-Za-z0-9_-]{1,64}\Z")  # what may stand in `a=msid` and looks like no track
_RID_ORDER = "qhf"  # LiveKit's names of simulcast layers, lowest first
_QUALITIES = (VideoQuality.LOW, VideoQuality.MEDIUM, VideoQuality.HIGH)
MAX_NAME = 256  # characters of what a client names: everyone in the room is told of it at every change
MAX_RID = 16
MAX_LAYERS = 3
MAX_CODECS = 4  # simulcast codecs of one request
MAX_FEATURES = 16


@dataclass(eq=False)
class Track:
    """One track of one session. `mid`, `codec` and `encodings` are None or empty until the offer carries it."""

    owner: str  # participant sid
    info: TrackInfo
    cids: tuple[str, ...]  # the client's ids for it, as its SDP may name it
    mid: str | None = None
    codec: Codec | None = None
    encodings: list[Encoding] = field(default_factory=list)
    subscribed: bool = False  # its publisher was told of a first subscriber
    silenced: bool = False  # muted at the meeting's wish
    spare: str | None = None  # MIME type of a second codec that its publisher can send besides (backup codec)
    backup: Track | None = None  # that second codec, while it is published
    main: Track | None = None  # of a second codec: the track that it is of
    layers_wanted: list[bool] | None = None  # what somebody could be shown, lowest first, as the relay says
    told: SubscribedQualityUpdate | None = None  # what of that the publisher knows

    @property
    def sid(self) -> str:
        """Its id, also towards the relay."""
        return self.info.sid

    @property
    def kind(self) -> Kind:
        """Audio or video."""
        return "video" if self.info.type == TrackType.VIDEO else "audio"

    @property
    def source(self) -> str:
        """Like `camera`; empty where the client did not say."""
        return SOURCE_NAMES.get(self.info.source, "")

    @property
    def stream(self) -> str:
        """The media stream it is in: sound and pictures of one stream are shown in step. Its sid where it is in none."""
        named = self.info.stream if _STREAM.match(self.info.stream) else ""
        return named or _STREAMS.get(self.info.source, self.sid)

    @property
    def wanted_codec(self) -> str | None:
        """The codec the client asked for, as a name like `h264`."""
        name = self.info.mime_type.partition("/")[2]
        return name or None

    @property
    def scalability(self) -> str | None:
        """The webrtc-svc mode, where its one encoding holds several layers."""
        mime = self.codec.mime if self.codec is not None else ""
        return codecs.scalability(mime, len(self.encodings), len(self.info.layers))

    @property
    def layer_count(self) -> int:
        """Layers as the relay numbers them: encodings, or the spatial layers of one stream."""
        return max(1, len(self.info.layers)) if self.scalability is not None else len(self.encodings)

    def bind(self, mid: str, codec: Codec, encodings: list[Encoding]) -> None:
        """The publisher's SDP carries it now."""
        self.mid, self.codec, self.encodings = mid, codec, encodings
        self.info.mid = mid
        self.info.mime_type = codec.mime
        self.info.simulcast = self.layer_count > 1
        self.info.codecs[0].mime_type, self.info.codecs[0].mid = codec.mime, mid
        if self.main is not None:
            self.main.backup = self
            del self.main.info.codecs[1:]
            self.main.info.codecs.append(self.info.codecs[0])
        elif self.spare == codec.mime:
            self.spare = None
            del self.info.codecs[1:]

    @property
    def versions(self) -> list[Track]:
        """The track in each codec it is published in, as the relay knows them."""
        return [self] if self.backup is None else [self, self.backup]

    def qualities(self) -> dict[VideoQuality, bool]:
        """Which of LiveKit's qualities somebody could be shown: those of missing layers go with the next lower one."""
        wanted = self.layers_wanted or [True]
        rids = [encoding.rid for encoding in self.encodings]
        named = all(rid is not None and rid in _RID_ORDER for rid in rids)
        places = (
            [_RID_ORDER.index(str(rid)) for rid in rids] if named and len(rids) == len(wanted) else range(len(wanted))
        )
        found: dict[VideoQuality, bool] = {}
        for place, quality in enumerate(_QUALITIES):
            below = [on for at, on in zip(places, wanted, strict=False) if at <= place]
            found[quality] = below[-1] if below else wanted[0]
        return found

    def top_layer(self, quality: VideoQuality) -> int | None:
        """The highest layer (index into `encodings`) for a wanted quality; None = no cap."""
        top = self.layer_count - 1
        if top <= 0 or quality == VideoQuality.HIGH:
            return None
        return 0 if quality == VideoQuality.LOW else min(1, top)

    def layer_for_size(self, width: int, height: int) -> int | None:
        """The lowest layer that fills `width` × `height` px; None = no cap."""
        sizes = self._layer_sizes()
        for index, (layer_width, layer_height) in enumerate(sizes[:-1]):
            if layer_width >= width and layer_height >= height:
                return index
        return None

    def _layer_sizes(self) -> list[tuple[int, int]]:
        count = self.layer_count
        declared = sorted((layer.width * layer.height, layer.width, layer.height) for layer in self.info.layers)
        if len(declared) == count and declared and declared[0][0] > 0:
            return [(width, height) for _, width, height in declared]
        return [(self.info.width >> (count - 1 - i), self.info.height >> (count - 1 - i)) for i in range(count)]


def from_request(owner: str, request: AddTrackRequest) -> Track:
    """A track as asked for by `add_track`, not yet bound; only what we know of the request is kept, each part bounded."""
    video = request.type == TrackType.VIDEO
    layers = [_layer(layer) for layer in request.layers[:MAX_LAYERS]]
    info = TrackInfo(
        sid=track_sid(video),
        type=request.type,
        name=request.name[:MAX_NAME],
        muted=request.muted,
        width=request.width,
        height=request.height,
        disable_dtx=request.disable_dtx,
        source=request.source,
        stereo=request.stereo,
        disable_red=request.disable_red,
        encryption=request.encryption,
        stream=request.stream[:MAX_NAME],
        audio_features=request.audio_features[:MAX_FEATURES],
        mime_type=_mime(request, video),
    )
    info.layers.extend(layers)
    info.simulcast = len(layers) > 1
    others = [entry.cid[:MAX_NAME] for entry in request.simulcast_codecs[:MAX_CODECS]]
    cids = tuple(cid for cid in (request.cid, *others) if cid)
    codec = SimulcastCodecInfo(mime_type=info.mime_type, cid=request.cid)
    codec.layers.extend(layers)
    info.codecs.append(codec)
    spare = _video_mime(request.simulcast_codecs[1].codec) if video and len(request.simulcast_codecs) > 1 else None
    if spare == info.mime_type:
        spare = None
    if spare is not None:
        info.codecs.append(SimulcastCodecInfo(mime_type=spare))
    return Track(owner, info, cids, spare=spare)


def second_sid(sid: str, mime: str) -> str:
    """The relay's id of a track's second codec."""
    return f"{sid}.{mime.partition('/')[2].lower()}"


def second_codec(main: Track, request: AddTrackRequest) -> Track | None:
    """A track's second codec as asked for by `add_track` with the track's sid; None where none was announced.

    It is a track of its own for the relay, and a part of its main one for everybody else.
    """
    asked = request.simulcast_codecs[0] if request.simulcast_codecs else None
    if asked is None or main.spare is None or _video_mime(asked.codec) != main.spare:
        return None
    layers = [_layer(layer) for layer in (asked.layers or request.layers)[:MAX_LAYERS]]
    info = TrackInfo(
        sid=second_sid(main.sid, main.spare),
        type=TrackType.VIDEO,
        width=request.width or main.info.width,
        height=request.height or main.info.height,
        source=main.info.source,
        mime_type=main.spare,
        layers=layers,
    )
    info.codecs.append(SimulcastCodecInfo(mime_type=main.spare, cid=request.cid, layers=layers))
    cids = tuple(cid for cid in (request.cid, asked.cid[:MAX_NAME]) if cid)
    return Track(main.owner, info, cids, main=main)


def _layer(layer: VideoLayer) -> VideoLayer:
    """A layer as declared, without the fields we do not know, which could be of any size."""
    return VideoLayer(
        quality=layer.quality,
        width=layer.width,
        height=layer.height,
        bitrate=layer.bitrate,
        ssrc=layer.ssrc,
        spatial_layer=layer.spatial_layer,
        rid=layer.rid[:MAX_RID],
    )


def _mime(request: AddTrackRequest, video: bool) -> str:
    if not video:
        return "audio/opus"
    wanted = request.simulcast_codecs[0].codec if request.simulcast_codecs else ""
    return _video_mime(wanted) or "video/VP8"


def _video_mime(name: str) -> str | None:
    """The MIME type of a codec named like `vp9`; None for one we do not take."""
    return codecs.NAMES.get("video/" + name.lower().removeprefix("video/"))


def lowest_first(rids: Sequence[str], layers: Sequence[VideoLayer]) -> list[str]:
    """RIDs from the smallest layer up: by LiveKit's names q, h, f; else by declared quality; else as offered."""
    if all(rid in _RID_ORDER for rid in rids):
        return sorted(rids, key=_RID_ORDER.index)
    quality = {layer.rid: _QUALITIES.index(layer.quality) for layer in layers if layer.quality in _QUALITIES}
    if all(rid in quality for rid in rids):
        return sorted(rids, key=quality.__getitem__)
    return list(rids)
