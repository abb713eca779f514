//! Keys, configurations, events and counters of the media plane.

use crate::allocate::Withheld;
use crate::arena::Key;
use crate::drop::Drops;
use crate::message::{Codec, Encoding, Extensions, Kind};

/// A room: its members hear about each other's speakers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomKey(pub(crate) Key);

/// A transport's media side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerKey(pub(crate) Key);

/// A published track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackKey(pub(crate) Key);

/// One track forwarded to one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionKey(pub(crate) Key);

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
    /// W3C webrtc-svc mode, where the one encoding holds several layers.
    pub scalability: Option<String>,
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
    /// Payload type of redundant audio towards the subscriber.
    pub red_payload_type: Option<u8>,
    /// Media identification of the subscriber's m-line.
    pub mid: Option<String>,
}

/// How a subscriber shows a track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// It is a shared screen, which has to be readable.
    pub screen: bool,
    /// Pixels it is shown at.
    pub visible: Option<u32>,
    /// Larger is more important; above 0 it is pinned.
    pub priority: i32,
    /// Its lowest layer is sent whatever the link carries.
    pub keep: bool,
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
    /// A subscription was withheld from its subscriber, or is no longer.
    Withheld {
        /// The subscription.
        subscription: SubscriptionKey,
        /// Why; `None`: it is not.
        reason: Option<Withheld>,
    },
    /// Other layers of a track are wanted by somebody.
    LayersWanted {
        /// The track.
        track: TrackKey,
        /// How many, counted from the lowest.
        layers: u8,
        /// How many there are.
        of: u8,
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
    /// What its link carries, bit/s; `None` while nothing is known.
    pub estimate: Option<u64>,
    /// What it last asked for by REMB, bit/s.
    pub remb: Option<u64>,
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
    /// The same without what was lost before it came here.
    pub link_lost: f64,
}
