//! What the caller asks of the relay.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{Codec, DtlsRole, Encoding, Extensions, Kind};

/// What the caller asks of the relay. Ids are strings minted by the caller, unique within the relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// Create an ICE-lite transport in `room`.
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
        /// Ours, for the life of the transport.
        #[serde(default)]
        role: DtlsRole,
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
        /// W3C webrtc-svc mode such as `L3T3_KEY`, for one encoding that holds several layers: then "layer" means the
        /// spatial layer in every message.
        scalability: Option<String>,
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
        /// Payload type of redundant audio (RFC 2198) towards the subscriber; without, it gets the packets proper.
        red_payload_type: Option<u8>,
        /// Media identification of the subscriber's m-line.
        mid: Option<String>,
    },
    /// Stop a subscription.
    Unsubscribe {
        /// Subscription id.
        subscription: String,
    },
    /// Pause or resume, cap the layer, and say how important it is. Replaces all of an earlier one.
    SetSubscription {
        /// Subscription id.
        subscription: String,
        /// Forward nothing while true.
        #[serde(default)]
        paused: bool,
        /// Highest layer to forward, an index into the track's `encodings`.
        max_layer: Option<u8>,
        /// Highest temporal layer to forward of a scalable track.
        max_temporal: Option<u8>,
        /// A shared screen: readable before any camera is large.
        #[serde(default)]
        screen: bool,
        /// Pixels (width × height) the subscriber shows it at.
        visible: Option<u32>,
        /// Larger is more important; above 0 it comes before everything and is not hidden by `last_video`.
        #[serde(default)]
        priority: i32,
        /// Send at least its lowest layer, whatever the link carries.
        #[serde(default)]
        keep: bool,
    },
    /// Limit what a large room forwards. Forgotten with the room's last transport.
    SetRoom {
        /// A room with transports.
        room: String,
        /// Forward only so many of the loudest audio tracks; `None` is all.
        loudest_audio: Option<u16>,
        /// Forward only cameras of so many transports that spoke last; `None` is all.
        last_video: Option<u16>,
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
        /// The transport whose reliable message this passes on, and which is answered by it: it is held back while one of
        /// `transports` that takes what it is sent has much of it waiting.
        #[serde(default)]
        source: Option<String>,
    },
    /// A reliable message of this transport goes nowhere: it is answered by this.
    DropData {
        /// Transport id.
        transport: String,
    },
    /// Answered by `DataTaken` once this transport has taken all reliable data that it was sent so far.
    AwaitData {
        /// Repeated in the answer.
        request: String,
        /// Transport id.
        transport: String,
    },
    /// Answered by one `Flight` event.
    DumpFlight {
        /// Repeated in the answer.
        request: u64,
        /// Transport id.
        transport: String,
        /// Wall clock now, µs since 1970.
        unix: u64,
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
            Self::SetRoom { .. } => "set_room",
            Self::RequestKeyFrame { .. } => "request_key_frame",
            Self::OpenDataChannel { .. } => "open_data_channel",
            Self::SendData { .. } => "send_data",
            Self::DropData { .. } => "drop_data",
            Self::AwaitData { .. } => "await_data",
            Self::DumpFlight { .. } => "dump_flight",
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
            | Self::DropData { transport }
            | Self::AwaitData { transport, .. }
            | Self::DumpFlight { transport, .. }
            | Self::OpenDataChannel { transport, .. } => transport.clone(),
            Self::AddTrack { track, .. }
            | Self::RemoveTrack { track }
            | Self::MuteTrack { track, .. }
            | Self::RequestKeyFrame { track } => track.clone(),
            Self::Subscribe { subscription, .. }
            | Self::Unsubscribe { subscription }
            | Self::SetSubscription { subscription, .. } => subscription.clone(),
            Self::SetRoom { room, .. } => room.clone(),
            Self::SendData { label, .. } => label.clone(),
            Self::GetStats { request, .. } => request.to_string(),
        }
    }
}
