"""What the media relay counts: the answer to `GetStats`."""

from __future__ import annotations

import msgspec

from relay.messages.base import Kind, Message, PauseReason, TransportPhase


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
    """One forwarded stream. `lost` fraction 0..1 as the subscriber last reported it; `paused` while the relay withholds it.

    `ssrc` is the one it is sent with. `link_lost` is the same without what was lost before it came to the relay.
    """

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
    link_lost: float = 0.0
    ssrc: int | None = None


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
