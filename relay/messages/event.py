"""Events: what the media relay tells the server."""

from __future__ import annotations

from typing import Literal

import msgspec

from relay.messages.base import Message, PauseReason, TransportPhase
from relay.messages.stats import Stats


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
    """One message (≤ 64 KiB) from a peer.

    `reliable`: it is answered, by a `SendData` with its transport as `source` or by `DropData`. After 64 KiB of a transport
    without an answer more of it waits in the relay, a second at most.
    """

    transport: str
    label: str
    payload: bytes
    reliable: bool = False


class DataTaken(Message, frozen=True, tag="data_taken"):
    """Answer to `AwaitData`, at once where nothing waits; none where the transport ends before."""

    request: str
    transport: str


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


Event = (
    TransportState
    | TrackLive
    | LayerChanged
    | SubscriptionPaused
    | LayersWanted
    | Speakers
    | DataChannelOpened
    | DataReceived
    | DataTaken
    | CommandFailed
    | Flight
    | Stats
)
