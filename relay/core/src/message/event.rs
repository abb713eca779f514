//! What the relay tells the caller.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Stats, TransportPhase};

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
        /// `udp` or `tcp`, once connected.
        protocol: Option<String>,
        /// `AEAD_AES_256_GCM`, … once connected.
        srtp_profile: Option<String>,
        /// `1.2` or `1.3`, once connected.
        dtls: Option<String>,
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
    /// A subscription was withheld from its subscriber, or is no longer.
    SubscriptionPaused {
        /// Subscription id.
        subscription: String,
        /// Nothing of it is sent.
        paused: bool,
        /// Why, while paused.
        reason: Option<PauseReason>,
    },
    /// Other layers of a track are wanted by somebody: more at once, fewer after 2 s.
    LayersWanted {
        /// Track id.
        track: String,
        /// By layer, lowest first.
        layers: Vec<bool>,
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
        /// It came on a reliable channel: the caller answers, by a `SendData` with its transport as `source` or by
        /// `DropData`. After 64 KiB without an answer more waits, a second at most.
        reliable: bool,
    },
    /// Answer to `AwaitData`, at once where nothing waits; none where the transport ends before.
    DataTaken {
        /// The request's name.
        request: String,
        /// Transport id.
        transport: String,
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
    /// Answer to `DumpFlight`.
    Flight {
        /// The request's number.
        request: u64,
        /// A capture file (pcapng); empty where there is no such transport.
        payload: ByteBuf,
    },
    /// Answer to `GetStats`.
    Stats(Stats),
}

/// Why a subscription is paused by the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// The subscriber's link does not carry it.
    Bandwidth,
    /// Its publisher is none of those who spoke last.
    LastN,
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
