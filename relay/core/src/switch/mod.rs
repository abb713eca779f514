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

mod allocation;
mod commands;
mod packets;
mod probes;
mod room;
mod totals;
mod trains;
mod types;

pub use totals::Totals;
pub use types::{
    ForwardStats, PeerKey, PeerStats, Refusal, RoomKey, SubscriptionConfig, SubscriptionKey, SwitchEvent, TrackConfig,
    TrackKey, Wishes,
};

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use self::allocation::{Allocation, Scratch};
use self::room::Room;
use crate::allocate::{Hold, Withheld};
use crate::arena::{Arena, Key};
use crate::egress::{Egress, Moment};
use crate::ingress::Ingress;
use crate::track::{Track, TrackEvent};

/// Shortest time between two polls that time alone asks for.
const SHORTEST: Duration = Duration::from_millis(2);
/// Longest time between two polls.
const IDLE: Duration = Duration::from_millis(500);
/// Tracks one peer may publish.
const MAX_TRACKS: usize = 16;
/// Subscriptions one peer may have.
const MAX_SUBSCRIPTIONS: usize = 1_024;

/// A transport's media side, except what it sends with: see [`Switch::egresses`].
#[derive(Debug)]
struct Peer {
    room: Key,
    ingress: Ingress,
    tracks: Vec<Key>,
    /// Its subscriptions by SSRC.
    subscriptions: Vec<(u32, Key)>,
    /// When its feedback is due.
    due: Instant,
    rtt_ms: Option<f64>,
    allocation: Allocation,
    /// When it began to speak last, as the room counts; 0 is never.
    spoke: u64,
}

/// A track and who publishes it.
#[derive(Debug)]
struct Published {
    peer: Key,
    track: Track,
}

/// Where a subscription is found.
#[derive(Clone, Copy, Debug)]
struct Place {
    track: Key,
    peer: Key,
    forward: usize,
}

/// A subscription, as its subscriber sees it.
#[derive(Clone, Copy, Debug)]
struct Subscription {
    place: Place,
    wishes: Wishes,
    hold: Hold,
    withheld: Option<Withheld>,
}

/// The media plane of one shard.
#[derive(Debug)]
pub struct Switch {
    epoch: Instant,
    rooms: Arena<Room>,
    peers: Arena<Peer>,
    /// By the place of a peer's key: reached from every forwarded packet, so without a check of generations.
    egresses: Vec<Egress>,
    tracks: Arena<Published>,
    subscriptions: Arena<Subscription>,
    scratch: Scratch,
    events: VecDeque<SwitchEvent>,
    /// Counters of what has gone.
    retired: Totals,
    due: Instant,
    /// Peers with a probe being sent, and when its next packets are due.
    probing: Vec<Key>,
    probe_due: Option<Instant>,
    /// Tracks with trains being drawn out, and when their next packets are due.
    trains: Vec<Key>,
    train_due: Option<Instant>,
    /// The latest instant heard of.
    latest: Instant,
    /// The track with packets to be sent together, and when they came.
    held: Option<(Key, Moment)>,
}

impl Switch {
    /// An empty media plane. Absolute send times count from `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            epoch: now,
            rooms: Arena::default(),
            peers: Arena::default(),
            egresses: Vec::new(),
            tracks: Arena::default(),
            subscriptions: Arena::default(),
            scratch: Scratch::default(),
            events: VecDeque::new(),
            retired: Totals::default(),
            due: now + IDLE,
            probing: Vec::new(),
            probe_due: None,
            trains: Vec::new(),
            train_due: None,
            latest: now,
            held: None,
        }
    }

    /// When [`Switch::poll`] wants to be called.
    #[must_use]
    pub fn next_timeout(&self) -> Instant {
        let urgent = self.probe_due.into_iter().chain(self.train_due);
        urgent.fold(self.due, Instant::min)
    }

    /// What happened, oldest first.
    pub fn poll_event(&mut self) -> Option<SwitchEvent> {
        self.events.pop_front()
    }

    /// Collects a track's events and brings its publisher's feedback forward.
    fn settle(&mut self, key: Key) {
        let Some(published) = self.tracks.get_mut(key) else { return };
        if published.track.has_events() {
            self.events.extend(published.track.drain_events().map(|event| match event {
                TrackEvent::Live { layer, live } => SwitchEvent::Live { track: TrackKey(key), layer, live },
                TrackEvent::LayerChanged { subscription, layer } => SwitchEvent::LayerChanged { subscription, layer },
                TrackEvent::Wanted { layers, of } => SwitchEvent::LayersWanted { track: TrackKey(key), layers, of },
            }));
        }
        let mut due = published.track.next_feedback();
        if let Some(peer) = self.peers.get_mut(published.peer) {
            peer.due = peer.due.min(due);
        }
        if let Some(report) = published.track.next_sender_report() {
            due = due.min(report);
        }
        self.due = self.due.min(due);
        if published.track.take_flow_changed() {
            self.touch_audience(key);
        }
    }
}

#[cfg(test)]
mod tests;
