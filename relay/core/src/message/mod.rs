//! Commands to and events from the relay: the twin of `relay/messages/`, msgpack on the wire.
//!
//! Maps are internally tagged by `type` in snake case; an optional field may be absent or nil; bytes are msgpack `bin`.
//! `tests/relay/test_messages.py` holds both twins together: change them in one commit.

mod command;
mod event;
mod stats;

use serde::{Deserialize, Serialize};

pub use command::Command;
pub use event::{Event, PauseReason, SpeakerLevel};
pub use stats::{LayerStats, ShardStats, Stats, SubscriptionStats, Totals, TrackStats, TransportStats};

/// What a track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// Our end of a DTLS association.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DtlsRole {
    /// The peer begins: it offered or answered `a=setup:active`.
    #[default]
    Server,
    /// We begin: it answered `a=setup:passive`.
    Client,
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
    /// Payload type of the same with redundancy (RFC 2198), audio only.
    pub red_payload_type: Option<u8>,
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
    /// Dependency descriptor (RTP Payload Format For AV1, appendix A).
    pub dependency_descriptor: Option<u8>,
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
