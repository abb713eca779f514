//! Counters that only grow: of everything there is, and of everything there was.

use std::time::Instant;

use super::{ForwardStats, PeerStats, Switch};
use crate::drop::Drops;
use crate::message::LayerStats;

/// What passed since the switch was made, or through those that have gone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Peers that there are or were.
    pub peers: u64,
    /// Tracks likewise.
    pub tracks: u64,
    /// Subscriptions likewise.
    pub subscriptions: u64,
    /// RTP and RTCP packets received, refused ones included, and their bytes.
    pub received: (u64, u64),
    /// RTP and RTCP packets sent, and their bytes.
    pub sent: (u64, u64),
    /// RTP packets taken into tracks.
    pub media_received: u64,
    /// RTP packets forwarded, retransmissions not counted.
    pub media_sent: u64,
    /// Packets sent again.
    pub retransmitted: u64,
    /// Sequence numbers asked for by subscribers, and of publishers.
    pub nacks: (u64, u64),
    /// Key frame requests of subscribers, and to publishers.
    pub key_frame_requests: (u64, u64),
    /// Key frames received.
    pub key_frames: u64,
    /// Times a subscription was withheld from its subscriber.
    pub pauses: u64,
    /// Packets refused, by reason.
    pub dropped: Drops,
}

impl Totals {
    /// Adds a peer's counters.
    pub fn add_peer(&mut self, stats: &PeerStats) {
        self.peers += 1;
        self.received.0 += stats.packets_received;
        self.received.1 += stats.bytes_received;
        self.sent.0 += stats.packets_sent;
        self.sent.1 += stats.bytes_sent;
        self.dropped.add(&stats.dropped);
    }

    /// Adds a track's counters.
    pub fn add_track(&mut self, layers: &[LayerStats]) {
        self.tracks += 1;
        for layer in layers {
            self.media_received += layer.packets;
            self.nacks.1 += layer.nacks_sent;
            self.key_frame_requests.1 += layer.plis_sent;
            self.key_frames += layer.key_frames;
        }
    }

    /// Adds a subscription's counters.
    pub fn add_subscription(&mut self, stats: &ForwardStats) {
        self.subscriptions += 1;
        self.media_sent += stats.packets;
        self.retransmitted += stats.retransmitted;
        self.nacks.0 += stats.nacks_received;
        self.key_frame_requests.0 += stats.plis_received;
    }
}

impl Switch {
    /// Everything counted since the beginning, with what has gone.
    #[must_use]
    pub fn totals(&self, now: Instant) -> Totals {
        let mut totals = self.retired;
        for key in self.peers.keys() {
            totals.add_peer(&self.peer_stats(super::PeerKey(key)).unwrap_or_default());
        }
        for key in self.tracks.keys() {
            totals.add_track(&self.layer_stats(super::TrackKey(key), now).unwrap_or_default());
        }
        for key in self.subscriptions.keys() {
            totals.add_subscription(&self.subscription_stats(super::SubscriptionKey(key)).unwrap_or_default());
        }
        totals
    }

    /// Keeps the counters of a peer that goes.
    pub(super) fn retire_peer(&mut self, peer: super::PeerKey) {
        if let Some(stats) = self.peer_stats(peer) {
            self.retired.add_peer(&stats);
        }
    }

    /// Keeps the counters of a track that goes.
    pub(super) fn retire_track(&mut self, track: super::TrackKey) {
        if let Some(layers) = self.layer_stats(track, self.latest) {
            self.retired.add_track(&layers);
        }
    }

    /// Keeps the counters of a subscription that goes.
    pub(super) fn retire_subscription(&mut self, subscription: super::SubscriptionKey) {
        if let Some(stats) = self.subscription_stats(subscription) {
            self.retired.add_subscription(&stats);
        }
    }
}
