//! The media plane of one shard: peers, published tracks and subscriptions, and the packets between them.
//!
//! How it is driven (by the shard's dispatcher, which owns ICE, DTLS, ids and rooms):
//!
//! 1. `add_room`, then `add_peer` when a transport opens. Tracks and subscriptions may be added at once; nothing flows
//!    before [`Switch::set_keys`] (after DTLS, with [`crate::srtp::from_dtls_server`]) and [`Switch::set_destination`]
//!    (whenever ICE validates or nominates another address; packets sent later use it).
//! 2. Each datagram that RFC 7983 gives to RTP/RTCP (first byte 128..=191) goes to [`Switch::receive`] in the buffer it
//!    was received in: it is decrypted in place, and everything to be sent because of it is written to the
//!    [`Outbox`] at once.
//! 3. [`Switch::poll`] is called at [`Switch::next_timeout`] (the past when something is urgent): NACK, PLI, transport
//!    feedback, reports, liveness. After `receive` ask `next_timeout` again, once per batch.
//! 4. [`Switch::poll_event`] is drained after each batch.
//!
//! Keys are small numbers, never reused while anything refers to them; the dispatcher keeps the map from ids to keys.
//! A stale key is harmless: commands on it do nothing, statistics on it are `None`.

use std::time::Instant;

use crate::drop::Drops;
use crate::message::{Codec, Encoding, Extensions, Kind, LayerStats};
use crate::outbox::{Destination, Outbox};
use crate::srtp::{Opener, Sealer};

/// A room: its members hear about each other's speakers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomKey(u64);

/// A transport's media side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerKey(u64);

/// A published track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackKey(u64);

/// One track forwarded to one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionKey(u64);

/// What a publisher announced of a track.
#[derive(Clone, Debug)]
pub struct TrackConfig {
    /// Sound or picture.
    pub kind: Kind,
    /// Its codec.
    pub codec: Codec,
    /// Its layers, lowest first, 1..=4.
    pub encodings: Vec<Encoding>,
    /// Header extension ids of the publisher.
    pub extensions: Extensions,
    /// Media identification of its m-line.
    pub mid: Option<String>,
}

/// How a track appears to a subscriber.
#[derive(Clone, Debug)]
pub struct SubscriptionConfig {
    /// SSRC towards the subscriber, unique within its transport.
    pub ssrc: u32,
    /// Payload type towards the subscriber.
    pub payload_type: u8,
    /// Header extension ids of the subscriber.
    pub extensions: Extensions,
    /// SSRC of retransmissions towards the subscriber.
    pub rtx_ssrc: Option<u32>,
    /// Payload type of retransmissions towards the subscriber.
    pub rtx_payload_type: Option<u8>,
    /// Media identification of the subscriber's m-line.
    pub mid: Option<String>,
}

/// Why a track or subscription was refused. `code` is the stable code of `CommandFailed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such room.
    UnknownRoom,
    /// No such peer.
    UnknownPeer,
    /// No such track.
    UnknownTrack,
    /// Contradictory or out of range.
    Invalid,
    /// More than one peer or track may have.
    Limit,
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownRoom => "unknown_room",
            Self::UnknownPeer => "unknown_transport",
            Self::UnknownTrack => "unknown_track",
            Self::Invalid => "invalid",
            Self::Limit => "limit",
        }
    }
}

/// Something the caller may want to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum SwitchEvent {
    /// A layer's packets began, or none came for 2 s.
    Live {
        /// The track.
        track: TrackKey,
        /// Index into its encodings.
        layer: u8,
        /// Whether packets are arriving.
        live: bool,
    },
    /// A subscription now shows `layer`.
    LayerChanged {
        /// The subscription.
        subscription: SubscriptionKey,
        /// `None`: nothing is being forwarded.
        layer: Option<u8>,
    },
    /// Active speakers of a room, loudest first.
    Speakers {
        /// The room.
        room: RoomKey,
        /// Track, smoothed linear level 0..=1.
        speakers: Vec<(TrackKey, f32)>,
    },
}

/// Counters of a peer.
#[derive(Clone, Debug, Default)]
pub struct PeerStats {
    /// RTP and RTCP packets received, dropped ones included.
    pub packets_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// RTP and RTCP packets sent.
    pub packets_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Round trip from SR/RR, ms; known of subscribers only.
    pub rtt_ms: Option<f64>,
    /// Packets refused, by reason.
    pub dropped: Drops,
}

/// Counters of a subscription.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForwardStats {
    /// The layer shown, `None` while nothing is forwarded.
    pub layer: Option<u8>,
    /// RTP packets sent, retransmissions not counted.
    pub packets: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// Packets sent again.
    pub retransmitted: u64,
    /// Sequence numbers the subscriber asked for again.
    pub nacks_received: u64,
    /// Key frame requests of the subscriber.
    pub plis_received: u64,
    /// Fraction 0..=1 lost, as the subscriber last reported.
    pub lost: f64,
}

/// The media plane of one shard.
#[derive(Debug)]
pub struct Switch {
    now: Instant,
}

#[allow(
    unused_variables,
    clippy::unused_self,
    missing_docs,
    clippy::needless_pass_by_value,
    reason = "signatures first: bodies land within the hour"
)]
impl Switch {
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { now }
    }

    pub fn add_room(&mut self) -> RoomKey {
        RoomKey(0)
    }

    /// Forgets a room. Its peers must have been removed before.
    pub fn remove_room(&mut self, room: RoomKey) {}

    /// A transport's media side, without keys yet.
    ///
    /// # Errors
    /// [`Refusal::UnknownRoom`].
    pub fn add_peer(&mut self, room: RoomKey, now: Instant) -> Result<PeerKey, Refusal> {
        Ok(PeerKey(0))
    }

    /// The SRTP contexts after DTLS.
    pub fn set_keys(&mut self, peer: PeerKey, sealer: Sealer, opener: Opener) {}

    /// Where to send to from now on; `None` stops sending.
    pub fn set_destination(&mut self, peer: PeerKey, destination: Option<Destination>) {}

    /// Removes a peer with its tracks (and every subscription to them) and its own subscriptions.
    pub fn remove_peer(&mut self, peer: PeerKey) {}

    /// # Errors
    /// [`Refusal::UnknownPeer`], [`Refusal::Invalid`], [`Refusal::Limit`].
    pub fn add_track(&mut self, peer: PeerKey, config: &TrackConfig, now: Instant) -> Result<TrackKey, Refusal> {
        Ok(TrackKey(0))
    }

    /// Ends a track and every subscription to it.
    pub fn remove_track(&mut self, track: TrackKey) {}

    pub fn mute_track(&mut self, track: TrackKey, muted: bool, now: Instant) {}

    pub fn request_key_frame(&mut self, track: TrackKey, now: Instant) {}

    /// # Errors
    /// [`Refusal::UnknownPeer`], [`Refusal::UnknownTrack`], [`Refusal::Invalid`], [`Refusal::Limit`].
    pub fn subscribe(
        &mut self,
        peer: PeerKey,
        track: TrackKey,
        config: &SubscriptionConfig,
        now: Instant,
    ) -> Result<SubscriptionKey, Refusal> {
        Ok(SubscriptionKey(0))
    }

    pub fn unsubscribe(&mut self, subscription: SubscriptionKey) {}

    /// Pauses or resumes, and caps the layer.
    pub fn set_subscription(
        &mut self,
        subscription: SubscriptionKey,
        paused: bool,
        max_layer: Option<u8>,
        now: Instant,
    ) {
    }

    /// One RTP or RTCP datagram from a peer, decrypted in place and forwarded at once.
    pub fn receive<O: Outbox>(&mut self, peer: PeerKey, datagram: &mut [u8], now: Instant, out: &mut O) {}

    /// Feedback, reports, liveness: whatever is due.
    pub fn poll<O: Outbox>(&mut self, now: Instant, out: &mut O) {}

    /// When `poll` wants to be called.
    #[must_use]
    pub fn next_timeout(&self) -> Instant {
        self.now + std::time::Duration::from_secs(1)
    }

    pub fn poll_event(&mut self) -> Option<SwitchEvent> {
        None
    }

    #[must_use]
    pub fn peer_stats(&self, peer: PeerKey) -> Option<PeerStats> {
        None
    }

    /// One entry per encoding.
    #[must_use]
    pub fn layer_stats(&self, track: TrackKey, now: Instant) -> Option<Vec<LayerStats>> {
        None
    }

    #[must_use]
    pub fn subscription_stats(&self, subscription: SubscriptionKey) -> Option<ForwardStats> {
        None
    }
}
