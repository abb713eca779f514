"""Commands to and events from the media relay: plain data, msgpack on the wire.

The same messages drive a relay inside the server's process and, later, one in a process of its own. All ids are
strings minted by the caller (signaling) and unique within the relay. The Rust twin is `relay/core/src/message/`;
`tests/relay/test_messages.py` holds the two together.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["audio", "video"]
TransportPhase = Literal["new", "connecting", "connected", "failed", "closed"]
PauseReason = Literal["bandwidth", "last_n"]


class Message(msgspec.Struct, frozen=True, omit_defaults=False, tag_field="type"):
    """Base of every command and event; `type` carries the snake-case tag."""


class Codec(msgspec.Struct, frozen=True):
    """One negotiated codec of a track. `mime` is like `video/VP8`; `clock_rate` in Hz; `rtx_payload_type` as RFC 4588.

    `red_payload_type`: of the same with redundancy (RFC 2198), audio only.
    """

    mime: str
    payload_type: int
    clock_rate: int
    channels: int = 1
    rtx_payload_type: int | None = None
    red_payload_type: int | None = None
    fmtp: str = ""


class Encoding(msgspec.Struct, frozen=True):
    """One simulcast layer, lowest first. A layer is known by its RID (RFC 8852), or its SSRC where the SDP gives one."""

    rid: str | None = None
    ssrc: int | None = None
    rtx_ssrc: int | None = None


class Extensions(msgspec.Struct, frozen=True):
    """Negotiated RTP header extension ids (RFC 8285), None where not negotiated."""

    mid: int | None = None
    rid: int | None = None
    repaired_rid: int | None = None
    audio_level: int | None = None
    transport_cc: int | None = None
    abs_send_time: int | None = None
    dependency_descriptor: int | None = None  # RTP Payload Format For AV1, appendix A


# --- commands ---------------------------------------------------------------------------------------------------


class OpenTransport(Message, frozen=True, tag="open_transport"):
    """Create an ICE-lite, DTLS-server transport in `room`. `ufrag` (4+ ice-chars) and `password` (22+) are ours."""

    transport: str
    room: str
    ufrag: str
    password: str


class SetRemote(Message, frozen=True, tag="set_remote"):
    """What the peer's SDP said: ICE credentials, SHA-256 certificate fingerprint (`AB:CD:…`)."""

    transport: str
    ufrag: str
    password: str
    fingerprint: str


class RestartIce(Message, frozen=True, tag="restart_ice"):
    """New local credentials; the new remote ones follow by `SetRemote`. Media flows on meanwhile."""

    transport: str
    ufrag: str
    password: str


class CloseTransport(Message, frozen=True, tag="close_transport"):
    """End a transport with its tracks, subscriptions and data channels."""

    transport: str


class AddTrack(Message, frozen=True, tag="add_track"):
    """A published track. Packets are bound to it by SSRC, or by MID and RID header extensions until SSRCs are known.

    `scalability`: a W3C webrtc-svc mode such as `L3T3_KEY` (VP9, AV1) where the one encoding holds several layers; then
    "layer" in every message means the spatial layer.
    """

    transport: str
    track: str
    kind: Kind
    codec: Codec
    encodings: list[Encoding]
    extensions: Extensions
    mid: str | None = None
    scalability: str | None = None


class RemoveTrack(Message, frozen=True, tag="remove_track"):
    """End a track and every subscription to it."""

    track: str


class MuteTrack(Message, frozen=True, tag="mute_track"):
    """Stop (or resume) forwarding a track; a muted track forwards nothing at all."""

    track: str
    muted: bool


class Subscribe(Message, frozen=True, tag="subscribe"):
    """Forward `track` to `transport` as `ssrc` with the subscriber's payload types and extension ids.

    Without `red_payload_type` redundant audio (RFC 2198) is taken apart: the subscriber gets the packets proper.
    """

    subscription: str
    transport: str
    track: str
    ssrc: int
    payload_type: int
    extensions: Extensions
    rtx_ssrc: int | None = None
    rtx_payload_type: int | None = None
    red_payload_type: int | None = None
    mid: str | None = None


class Unsubscribe(Message, frozen=True, tag="unsubscribe"):
    """Stop a subscription."""

    subscription: str


class SetSubscription(Message, frozen=True, tag="set_subscription"):
    """Pause or resume, cap the layer, and say how important it is. Each one replaces all fields of the one before.

    The highest live layer ≤ `max_layer` (index into `encodings`) that the subscriber's link carries is forwarded. Where
    not everything fits, `priority` (larger first) comes before `screen` (a shared screen, to be readable), that before
    the active speaker, and that before `visible`, the pixels (width × height) it is shown at. A `priority` above 0 pins:
    `SetRoom.last_video` does not hide it.
    `max_temporal` caps the temporal layer of a scalable track.
    """

    subscription: str
    paused: bool = False
    max_layer: int | None = None
    max_temporal: int | None = None
    screen: bool = False
    visible: int | None = None
    priority: int = 0


class SetRoom(Message, frozen=True, tag="set_room"):
    """Limit what a large room forwards; None = all. Forgotten with the room's last transport.

    Only the `loudest_audio` loudest audio tracks, and only cameras of the `last_video` transports that spoke last
    (screens and pinned videos always).
    """

    room: str
    loudest_audio: int | None = None
    last_video: int | None = None


class RequestKeyFrame(Message, frozen=True, tag="request_key_frame"):
    """Ask the publisher of `track` for a key frame (PLI, throttled)."""

    track: str


class OpenDataChannel(Message, frozen=True, tag="open_data_channel"):
    """Open a data channel (RFC 8832) from our side. `max_retransmits` None = reliable."""

    transport: str
    label: str
    ordered: bool = True
    max_retransmits: int | None = None


class SendData(Message, frozen=True, tag="send_data"):
    """Send one binary message on the channel `label` of each transport; silently skips transports without it open."""

    transports: list[str]
    label: str
    payload: bytes


class DumpFlight(Message, frozen=True, tag="dump_flight"):
    """Answered by one `Flight` event with the same `request`. `unix`: wall clock now, µs since 1970."""

    request: int
    transport: str
    unix: int


class GetStats(Message, frozen=True, tag="get_stats"):
    """Answered by one `Stats` event with the same `request`; `room` None = the whole relay."""

    request: int
    room: str | None = None


Command = (
    OpenTransport
    | SetRemote
    | RestartIce
    | CloseTransport
    | AddTrack
    | RemoveTrack
    | MuteTrack
    | Subscribe
    | Unsubscribe
    | SetSubscription
    | SetRoom
    | RequestKeyFrame
    | OpenDataChannel
    | SendData
    | DumpFlight
    | GetStats
)

# --- events -----------------------------------------------------------------------------------------------------


class TransportState(Message, frozen=True, tag="transport_state"):
    """Phase changed. `srtp_profile` (`AEAD_AES_256_GCM`…), `dtls`, `remote` (`ip:port`) and `protocol` once connected.

    `reason` when failed.
    """

    transport: str
    phase: TransportPhase
    remote: str | None = None
    protocol: Literal["udp", "tcp"] | None = None
    srtp_profile: str | None = None
    dtls: Literal["1.2", "1.3"] | None = None
    reason: str | None = None


class TrackLive(Message, frozen=True, tag="track_live"):
    """First packet of a layer arrived (`live`), or none came for 2 s (not `live`). `layer` indexes `encodings`."""

    track: str
    layer: int
    live: bool


class LayerChanged(Message, frozen=True, tag="layer_changed"):
    """A subscription now shows `layer` (None = nothing is being forwarded)."""

    subscription: str
    layer: int | None


class SubscriptionPaused(Message, frozen=True, tag="subscription_paused"):
    """The relay withholds a video from its subscriber (and why), or does no longer (`reason` None)."""

    subscription: str
    paused: bool
    reason: PauseReason | None = None


class LayersWanted(Message, frozen=True, tag="layers_wanted"):
    """Which layers of a track, lowest first, somebody could be shown: more are told of at once, fewer after 2 s.

    The others need not be sent. Until the first one all are wanted.
    """

    track: str
    layers: list[bool]


class SpeakerLevel(msgspec.Struct, frozen=True):
    """`level` linear 0..1 (1 = loudest) smoothed from RFC 6464 levels."""

    track: str
    level: float
    active: bool


class Speakers(Message, frozen=True, tag="speakers"):
    """Active speakers of a room, loudest first; sent on change, at most every 300 ms. Empty = silence."""

    room: str
    speakers: list[SpeakerLevel]


class DataChannelOpened(Message, frozen=True, tag="data_channel_opened"):
    """A data channel is ready to send, whoever opened it."""

    transport: str
    label: str


class DataReceived(Message, frozen=True, tag="data_received"):
    """One message (≤ 64 KiB) from a peer."""

    transport: str
    label: str
    payload: bytes


class CommandFailed(Message, frozen=True, tag="command_failed"):
    """A command could not be done. `code` is stable: unknown_transport, unknown_track, duplicate_id, invalid, limit…"""

    command: str
    id: str
    code: str
    message: str


class Flight(Message, frozen=True, tag="flight"):
    """The heads of a transport's packets of the last 10 s as a capture file (pcapng).

    RTP headers, RTCP in the clear, the start of STUN and DTLS; never a payload.
    """

    request: int
    payload: bytes


class TransportStats(msgspec.Struct, frozen=True):
    """Counters since the transport opened. `rtt_ms` from SR/RR; `dropped` maps a reason to packets refused.

    `estimate` is what its link carries as a subscriber and `remb` what it last asked for, both in bit/s, `None` while
    nothing is known.
    """

    transport: str
    room: str
    phase: TransportPhase
    packets_received: int
    bytes_received: int
    packets_sent: int
    bytes_sent: int
    rtt_ms: float | None
    dropped: dict[str, int]
    estimate: int | None = None
    remb: int | None = None


class LayerStats(msgspec.Struct, frozen=True):
    """One received layer. `bitrate` bit/s over the last second; `jitter` in seconds (RFC 3550)."""

    rid: str | None
    ssrc: int | None
    live: bool
    packets: int
    bytes: int
    lost: int
    bitrate: int
    jitter: float
    key_frames: int
    nacks_sent: int
    plis_sent: int


class TrackStats(msgspec.Struct, frozen=True):
    """One published track."""

    track: str
    transport: str
    kind: Kind
    muted: bool
    layers: list[LayerStats]


class SubscriptionStats(msgspec.Struct, frozen=True):
    """One forwarded stream. `lost` fraction 0..1 as the subscriber last reported it; `paused` while the relay withholds it."""

    subscription: str
    track: str
    transport: str
    layer: int | None
    packets: int
    bytes: int
    retransmitted: int
    nacks_received: int
    plis_received: int
    lost: float
    paused: PauseReason | None = None


class Totals(msgspec.Struct, frozen=True):
    """Counters that only grow: of all transports, tracks and subscriptions there are and were. `dropped` by reason."""

    transports: int = 0
    tracks: int = 0
    subscriptions: int = 0
    packets_received: int = 0
    bytes_received: int = 0
    packets_sent: int = 0
    bytes_sent: int = 0
    media_received: int = 0
    media_sent: int = 0
    retransmitted: int = 0
    nacks_received: int = 0
    nacks_sent: int = 0
    plis_received: int = 0
    plis_sent: int = 0
    key_frames: int = 0
    pauses: int = 0
    dropped: dict[str, int] = {}


class ShardStats(msgspec.Struct, frozen=True):
    """One shard thread. `dropped` counts datagrams that belonged to no transport, by reason."""

    shard: int
    gso: bool
    datagrams_received: int
    datagrams_sent: int
    send_calls: int
    cpu_seconds: float
    dropped: dict[str, int]
    totals: Totals = Totals()


class Stats(Message, frozen=True, tag="stats"):
    """Answer to `GetStats`."""

    request: int
    transports: list[TransportStats]
    tracks: list[TrackStats]
    subscriptions: list[SubscriptionStats]
    shards: list[ShardStats]


Event = (
    TransportState
    | TrackLive
    | LayerChanged
    | SubscriptionPaused
    | LayersWanted
    | Speakers
    | DataChannelOpened
    | DataReceived
    | CommandFailed
    | Flight
    | Stats
)
