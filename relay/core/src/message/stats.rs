//! Counters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Kind, PauseReason, TransportPhase};

/// Answer to `GetStats`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The request's number.
    pub request: u64,
    /// Per transport.
    pub transports: Vec<TransportStats>,
    /// Per published track.
    pub tracks: Vec<TrackStats>,
    /// Per forwarded stream.
    pub subscriptions: Vec<SubscriptionStats>,
    /// Per shard thread.
    pub shards: Vec<ShardStats>,
}

/// Counters since the transport opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TransportStats {
    /// Transport id.
    pub transport: String,
    /// Its room.
    pub room: String,
    /// Its phase.
    pub phase: TransportPhase,
    /// Datagrams received.
    pub packets_received: u64,
    /// UDP payload bytes received.
    pub bytes_received: u64,
    /// Datagrams sent.
    pub packets_sent: u64,
    /// UDP payload bytes sent.
    pub bytes_sent: u64,
    /// Round trip from SR/RR, ms.
    pub rtt_ms: Option<f64>,
    /// What its link carries as a subscriber, bit/s; `None` while nothing is known.
    pub estimate: Option<u64>,
    /// What it last asked for by REMB, bit/s.
    pub remb: Option<u64>,
    /// Packets refused, by reason.
    pub dropped: BTreeMap<String, u64>,
}

/// One received layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerStats {
    /// Restriction identifier.
    pub rid: Option<String>,
    /// SSRC once known.
    pub ssrc: Option<u32>,
    /// Packets came within 2 s.
    pub live: bool,
    /// RTP packets received.
    pub packets: u64,
    /// RTP payload bytes received.
    pub bytes: u64,
    /// Packets never received.
    pub lost: u64,
    /// bit/s over the last second.
    pub bitrate: u64,
    /// Interarrival jitter in seconds (RFC 3550).
    pub jitter: f64,
    /// Key frames seen.
    pub key_frames: u64,
    /// Negative acknowledgements sent.
    pub nacks_sent: u64,
    /// Key frame requests sent.
    pub plis_sent: u64,
}

/// One published track.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackStats {
    /// Track id.
    pub track: String,
    /// Publisher's transport id.
    pub transport: String,
    /// Sound or picture.
    pub kind: Kind,
    /// Muted by the caller.
    pub muted: bool,
    /// Lowest first.
    pub layers: Vec<LayerStats>,
}

/// One forwarded stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionStats {
    /// Subscription id.
    pub subscription: String,
    /// Track id.
    pub track: String,
    /// Subscriber's transport id.
    pub transport: String,
    /// What it is sent with.
    pub ssrc: u32,
    /// Layer being forwarded.
    pub layer: Option<u8>,
    /// RTP packets sent.
    pub packets: u64,
    /// RTP payload bytes sent.
    pub bytes: u64,
    /// Packets sent again.
    pub retransmitted: u64,
    /// Negative acknowledgements received.
    pub nacks_received: u64,
    /// Key frame requests received.
    pub plis_received: u64,
    /// Fraction 0..1 as the subscriber last reported.
    pub lost: f64,
    /// The same without what was lost before it came here.
    pub link_lost: f64,
    /// Why the relay withholds it, while it does.
    pub paused: Option<PauseReason>,
}

/// One shard thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardStats {
    /// Index.
    pub shard: u32,
    /// Segmentation offload in use.
    pub gso: bool,
    /// Datagrams received.
    pub datagrams_received: u64,
    /// Datagrams sent.
    pub datagrams_sent: u64,
    /// Send system calls.
    pub send_calls: u64,
    /// CPU time of the thread, user and system, seconds.
    pub cpu_seconds: f64,
    /// Datagrams that belonged to no transport, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// What its transports counted, with those that have gone.
    pub totals: Totals,
}

/// Counters that only grow: of all transports, tracks and subscriptions there are and were.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Transports opened.
    pub transports: u64,
    /// Tracks published.
    pub tracks: u64,
    /// Subscriptions made.
    pub subscriptions: u64,
    /// Datagrams received of transports.
    pub packets_received: u64,
    /// UDP payload bytes received.
    pub bytes_received: u64,
    /// Datagrams sent to transports.
    pub packets_sent: u64,
    /// UDP payload bytes sent.
    pub bytes_sent: u64,
    /// RTP packets taken into tracks.
    pub media_received: u64,
    /// RTP packets forwarded, retransmissions not counted.
    pub media_sent: u64,
    /// RTP packets sent again.
    pub retransmitted: u64,
    /// Negative acknowledgements received.
    pub nacks_received: u64,
    /// Negative acknowledgements sent.
    pub nacks_sent: u64,
    /// Key frame requests received.
    pub plis_received: u64,
    /// Key frame requests sent.
    pub plis_sent: u64,
    /// Key frames received.
    pub key_frames: u64,
    /// Times the relay began to withhold a subscription.
    pub pauses: u64,
    /// Packets of transports refused, by reason.
    pub dropped: BTreeMap<String, u64>,
}
