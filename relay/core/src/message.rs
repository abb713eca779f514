//! Commands to and events from the relay: the twin of `relay/messages.py`, msgpack on the wire.
//!
//! Maps are internally tagged by `type` in snake case; an optional field may be absent or nil; bytes are msgpack `bin`.
//! `tests/relay/test_messages.py` holds both twins together: change them in one commit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// Where a transport is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportPhase {
    /// Opened; nothing valid has arrived yet.
    New,
    /// A valid STUN check has arrived; DTLS may be running.
    Connecting,
    /// SRTP keys are in use.
    Connected,
    /// Will carry nothing any more; the caller closes it.
    Failed,
    /// Closed by the caller or by the peer's `close_notify`.
    Closed,
}

/// One negotiated codec of a track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codec {
    /// Like `video/VP8`.
    pub mime: String,
    /// RTP payload type, 0..127.
    pub payload_type: u8,
    /// RTP clock rate in Hz.
    pub clock_rate: u32,
    /// Audio channels.
    #[serde(default = "one")]
    pub channels: u8,
    /// Payload type of retransmissions (RFC 4588).
    pub rtx_payload_type: Option<u8>,
    /// Format parameters as in the SDP.
    #[serde(default)]
    pub fmtp: String,
}

const fn one() -> u8 {
    1
}

/// One simulcast layer, lowest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encoding {
    /// Restriction identifier (RFC 8852).
    pub rid: Option<String>,
    /// SSRC where the SDP gives one.
    pub ssrc: Option<u32>,
    /// SSRC of the layer's retransmissions.
    pub rtx_ssrc: Option<u32>,
}

/// Negotiated RTP header extension ids (RFC 8285), 1..255, `None` where not negotiated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extensions {
    /// Media identification (RFC 9143).
    pub mid: Option<u8>,
    /// Restriction identifier (RFC 8852).
    pub rid: Option<u8>,
    /// Repaired restriction identifier (RFC 8852).
    pub repaired_rid: Option<u8>,
    /// Client-to-mixer audio level (RFC 6464).
    pub audio_level: Option<u8>,
    /// Transport-wide sequence number.
    pub transport_cc: Option<u8>,
    /// Absolute send time.
    pub abs_send_time: Option<u8>,
}

/// What the caller asks of the relay. Ids are strings minted by the caller, unique within the relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// Create an ICE-lite, DTLS-server transport in `room`.
    OpenTransport {
        /// New transport's id.
        transport: String,
        /// Room whose home shard serves it.
        room: String,
        /// Our ICE user fragment, 4+ ice-chars.
        ufrag: String,
        /// Our ICE password, 22+ ice-chars.
        password: String,
    },
    /// What the peer's SDP said.
    SetRemote {
        /// Transport id.
        transport: String,
        /// Peer's ICE user fragment.
        ufrag: String,
        /// Peer's ICE password.
        password: String,
        /// SHA-256 of the peer's certificate, `AB:CD:…`.
        fingerprint: String,
    },
    /// New local credentials; the new remote ones follow by `SetRemote`.
    RestartIce {
        /// Transport id.
        transport: String,
        /// Our new ICE user fragment.
        ufrag: String,
        /// Our new ICE password.
        password: String,
    },
    /// End a transport with its tracks, subscriptions and data channels.
    CloseTransport {
        /// Transport id.
        transport: String,
    },
    /// A published track.
    AddTrack {
        /// Publisher's transport id.
        transport: String,
        /// New track's id.
        track: String,
        /// Sound or picture.
        kind: Kind,
        /// Its codec.
        codec: Codec,
        /// Its layers, lowest first.
        encodings: Vec<Encoding>,
        /// Header extension ids of the publisher.
        extensions: Extensions,
        /// Media identification of its m-line.
        mid: Option<String>,
    },
    /// End a track and every subscription to it.
    RemoveTrack {
        /// Track id.
        track: String,
    },
    /// Stop or resume forwarding a track.
    MuteTrack {
        /// Track id.
        track: String,
        /// Forward nothing while true.
        muted: bool,
    },
    /// Forward `track` to `transport`.
    Subscribe {
        /// New subscription's id.
        subscription: String,
        /// Subscriber's transport id.
        transport: String,
        /// Track id.
        track: String,
        /// SSRC towards the subscriber.
        ssrc: u32,
        /// Payload type towards the subscriber.
        payload_type: u8,
        /// Header extension ids of the subscriber.
        extensions: Extensions,
        /// SSRC of retransmissions towards the subscriber.
        rtx_ssrc: Option<u32>,
        /// Payload type of retransmissions towards the subscriber.
        rtx_payload_type: Option<u8>,
        /// Media identification of the subscriber's m-line.
        mid: Option<String>,
    },
    /// Stop a subscription.
    Unsubscribe {
        /// Subscription id.
        subscription: String,
    },
    /// Pause or resume, and cap the layer.
    SetSubscription {
        /// Subscription id.
        subscription: String,
        /// Forward nothing while true.
        #[serde(default)]
        paused: bool,
        /// Highest layer to forward, an index into the track's `encodings`.
        max_layer: Option<u8>,
    },
    /// Ask the publisher of `track` for a key frame.
    RequestKeyFrame {
        /// Track id.
        track: String,
    },
    /// Open a data channel (RFC 8832) from our side.
    OpenDataChannel {
        /// Transport id.
        transport: String,
        /// Channel label.
        label: String,
        /// Deliver in order.
        #[serde(default = "yes")]
        ordered: bool,
        /// `None` is reliable.
        max_retransmits: Option<u16>,
    },
    /// Send one binary message on channel `label` of each transport.
    SendData {
        /// Transport ids; those without the channel open are skipped.
        transports: Vec<String>,
        /// Channel label.
        label: String,
        /// The message, at most 64 KiB.
        payload: ByteBuf,
    },
    /// Answered by one `Stats` event.
    GetStats {
        /// Repeated in the answer.
        request: u64,
        /// `None` is the whole relay.
        room: Option<String>,
    },
}

const fn yes() -> bool {
    true
}

impl Command {
    /// The `type` tag, for `CommandFailed`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OpenTransport { .. } => "open_transport",
            Self::SetRemote { .. } => "set_remote",
            Self::RestartIce { .. } => "restart_ice",
            Self::CloseTransport { .. } => "close_transport",
            Self::AddTrack { .. } => "add_track",
            Self::RemoveTrack { .. } => "remove_track",
            Self::MuteTrack { .. } => "mute_track",
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::SetSubscription { .. } => "set_subscription",
            Self::RequestKeyFrame { .. } => "request_key_frame",
            Self::OpenDataChannel { .. } => "open_data_channel",
            Self::SendData { .. } => "send_data",
            Self::GetStats { .. } => "get_stats",
        }
    }

    /// The id of what the command is about, for `CommandFailed`.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::OpenTransport { transport, .. }
            | Self::SetRemote { transport, .. }
            | Self::RestartIce { transport, .. }
            | Self::CloseTransport { transport }
            | Self::OpenDataChannel { transport, .. } => transport.clone(),
            Self::AddTrack { track, .. }
            | Self::RemoveTrack { track }
            | Self::MuteTrack { track, .. }
            | Self::RequestKeyFrame { track } => track.clone(),
            Self::Subscribe { subscription, .. }
            | Self::Unsubscribe { subscription }
            | Self::SetSubscription { subscription, .. } => subscription.clone(),
            Self::SendData { label, .. } => label.clone(),
            Self::GetStats { request, .. } => request.to_string(),
        }
    }
}

/// What the relay tells the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A transport's phase changed.
    TransportState {
        /// Transport id.
        transport: String,
        /// The new phase.
        phase: TransportPhase,
        /// `ip:port` of the peer once connected.
        remote: Option<String>,
        /// `AEAD_AES_256_GCM`, … once connected.
        srtp_profile: Option<String>,
        /// Why, when failed.
        reason: Option<String>,
    },
    /// A layer's packets began, or none came for 2 s.
    TrackLive {
        /// Track id.
        track: String,
        /// Index into `encodings`.
        layer: u8,
        /// Whether packets are arriving.
        live: bool,
    },
    /// A subscription now shows `layer`.
    LayerChanged {
        /// Subscription id.
        subscription: String,
        /// `None`: nothing is being forwarded.
        layer: Option<u8>,
    },
    /// Active speakers of a room, loudest first; on change, at most every 300 ms.
    Speakers {
        /// Room.
        room: String,
        /// Loudest first; empty is silence.
        speakers: Vec<SpeakerLevel>,
    },
    /// A data channel is ready to send, whoever opened it.
    DataChannelOpened {
        /// Transport id.
        transport: String,
        /// Channel label.
        label: String,
    },
    /// One message from a peer.
    DataReceived {
        /// Transport id.
        transport: String,
        /// Channel label.
        label: String,
        /// The message, at most 64 KiB.
        payload: ByteBuf,
    },
    /// A command could not be done.
    CommandFailed {
        /// The command's `type`.
        command: String,
        /// The id it was about.
        id: String,
        /// Stable code: `unknown_transport`, `unknown_track`, `duplicate_id`, `invalid`, `limit`…
        code: String,
        /// For a log.
        message: String,
    },
    /// Answer to `GetStats`.
    Stats(Stats),
}

/// One speaker of `Speakers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpeakerLevel {
    /// Track id.
    pub track: String,
    /// Linear 0..1, 1 is loudest.
    pub level: f64,
    /// Speaking now.
    pub active: bool,
}

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
}

/// Read a msgpack array of commands.
///
/// # Errors
/// What is wrong, in words, where the bytes are no such array.
pub fn decode_commands(bytes: &[u8]) -> Result<Vec<Command>, String> {
    rmp_serde::from_slice(bytes).map_err(|error| error.to_string())
}

/// Write events as a msgpack array of maps.
///
/// # Errors
/// What is wrong, in words; does not happen with the types above.
pub fn encode_events(events: &[Event]) -> Result<Vec<u8>, String> {
    rmp_serde::to_vec_named(events).map_err(|error| error.to_string())
}
