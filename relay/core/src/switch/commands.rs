//! What the dispatcher commands, and what it may ask.

use std::time::Instant;

use super::{
    Allocation, ForwardStats, MAX_SUBSCRIPTIONS, MAX_TRACKS, Peer, PeerKey, PeerStats, Place, Published, Refusal, Room,
    RoomKey, Subscription, SubscriptionConfig, SubscriptionKey, Switch, TrackConfig, TrackKey, Wishes,
};
use crate::allocate::{Grant, Hold};
use crate::arena::Key;
use crate::egress::Egress;
use crate::flight::Tape;
use crate::forward::Forward;
use crate::ingress::Ingress;
use crate::message::{Kind, LayerStats};
use crate::outbox::Destination;
use crate::srtp::{Opener, Sealer};
use crate::track::Track;

impl Switch {
    /// A room without peers.
    pub fn add_room(&mut self) -> RoomKey {
        RoomKey(self.rooms.insert(Room::default()).unwrap_or(Key::NONE))
    }

    /// Forgets a room. Its peers should have been removed before.
    pub fn remove_room(&mut self, room: RoomKey) {
        self.rooms.remove(room.0);
    }

    /// A transport's media side, without keys yet.
    ///
    /// # Errors
    /// [`Refusal::UnknownRoom`].
    pub fn add_peer(&mut self, room: RoomKey, now: Instant) -> Result<PeerKey, Refusal> {
        self.rooms.get(room.0).ok_or(Refusal::UnknownRoom)?;
        let peer = Peer {
            room: room.0,
            ingress: Ingress::new(now),
            tracks: Vec::new(),
            subscriptions: Vec::new(),
            due: now + super::IDLE,
            rtt_ms: None,
            allocation: Allocation::default(),
            spoke: 0,
        };
        let key = self.peers.insert(peer).ok_or(Refusal::Limit)?;
        if self.egresses.len() <= key.place() {
            self.egresses.resize_with(key.place() + 1, Egress::default);
        }
        Ok(PeerKey(key))
    }

    /// The SRTP contexts after DTLS.
    pub fn set_keys(&mut self, peer: PeerKey, sealer: Sealer, opener: Opener) {
        if let Some(state) = self.peers.get_mut(peer.0) {
            state.ingress.set_opener(opener);
            if let Some(egress) = self.egresses.get_mut(peer.0.place()) {
                egress.set_sealer(sealer);
            }
        }
        self.tell_open(peer);
    }

    /// Where to send to from now on; `None` stops sending.
    pub fn set_destination(&mut self, peer: PeerKey, destination: Option<Destination>) {
        if self.peers.get(peer.0).is_some()
            && let Some(egress) = self.egresses.get_mut(peer.0.place())
        {
            egress.set_destination(destination);
        }
        self.tell_open(peer);
    }

    /// Lets a peer's subscriptions begin once it can receive.
    fn tell_open(&mut self, peer: PeerKey) {
        let Some(state) = self.peers.get(peer.0) else { return };
        let open = self.egresses.get(peer.0.place()).is_some_and(Egress::is_open);
        let places: Vec<_> =
            state.subscriptions.iter().filter_map(|(_, key)| Some(self.subscriptions.get(*key)?.place)).collect();
        for place in places {
            if let Some(published) = self.tracks.get_mut(place.track) {
                published.track.set_open(place.forward, open, self.latest);
                self.settle(place.track);
            }
        }
    }

    /// Removes a peer with its tracks (and every subscription to them) and its own subscriptions.
    pub fn remove_peer(&mut self, peer: PeerKey) {
        self.retire_peer(peer);
        let Some(state) = self.peers.get_mut(peer.0) else { return };
        let tracks = std::mem::take(&mut state.tracks);
        let subscriptions = std::mem::take(&mut state.subscriptions);
        for track in tracks {
            self.remove_track(TrackKey(track));
        }
        for (_, subscription) in subscriptions {
            self.unsubscribe(SubscriptionKey(subscription));
        }
        if let Some(state) = self.peers.remove(peer.0)
            && let Some(room) = self.rooms.get_mut(state.room)
        {
            room.leave(peer.0);
        }
        if let Some(egress) = self.egresses.get_mut(peer.0.place()) {
            *egress = Egress::default();
        }
    }

    /// Publishes a track.
    ///
    /// # Errors
    /// [`Refusal::UnknownPeer`], [`Refusal::Invalid`], [`Refusal::Limit`].
    pub fn add_track(&mut self, peer: PeerKey, config: &TrackConfig, now: Instant) -> Result<TrackKey, Refusal> {
        let state = self.peers.get_mut(peer.0).ok_or(Refusal::UnknownPeer)?;
        if state.tracks.len() >= MAX_TRACKS {
            return Err(Refusal::Limit);
        }
        let track = Track::new(config, format!("peer-{}", peer.0.place()), now)?;
        let key = self.tracks.insert(Published { peer: peer.0, track }).ok_or(Refusal::Limit)?;
        state.tracks.push(key);
        state.ingress.announce(key, config);
        self.settle(key);
        Ok(TrackKey(key))
    }

    /// Ends a track and every subscription to it.
    pub fn remove_track(&mut self, track: TrackKey) {
        let Some(published) = self.tracks.get(track.0) else { return };
        let owner = published.peer;
        let subscriptions: Vec<_> = published.track.subscriptions().collect();
        for subscription in subscriptions {
            self.unsubscribe(subscription);
        }
        self.retire_track(track);
        self.tracks.remove(track.0);
        if let Some(peer) = self.peers.get_mut(owner) {
            peer.tracks.retain(|key| *key != track.0);
            peer.ingress.retract(track.0);
            if let Some(room) = self.rooms.get_mut(peer.room) {
                room.end(track, self.latest);
                self.due = room.next_change().map_or(self.due, |due| self.due.min(due));
            }
        }
    }

    /// Stops or resumes forwarding a track.
    pub fn mute_track(&mut self, track: TrackKey, muted: bool, now: Instant) {
        if let Some(published) = self.tracks.get_mut(track.0) {
            published.track.set_muted(muted, now);
            self.settle(track.0);
            self.touch_audience(track.0);
        }
    }

    /// Asks a track's publisher for a key frame, throttled.
    pub fn request_key_frame(&mut self, track: TrackKey, now: Instant) {
        if let Some(published) = self.tracks.get_mut(track.0) {
            published.track.request_key_frame(now);
            self.settle(track.0);
        }
    }

    /// Forwards a track to a peer.
    ///
    /// # Errors
    /// [`Refusal::UnknownPeer`], [`Refusal::UnknownTrack`], [`Refusal::Invalid`] (an SSRC twice, a payload type above
    /// 127), [`Refusal::Limit`].
    pub fn subscribe(
        &mut self,
        peer: PeerKey,
        track: TrackKey,
        config: &SubscriptionConfig,
        now: Instant,
    ) -> Result<SubscriptionKey, Refusal> {
        let state = self.peers.get_mut(peer.0).ok_or(Refusal::UnknownPeer)?;
        let egress = self.egresses.get(peer.0.place()).ok_or(Refusal::UnknownPeer)?;
        let published = self.tracks.get_mut(track.0).ok_or(Refusal::UnknownTrack)?;
        if state.subscriptions.len() >= MAX_SUBSCRIPTIONS || !egress.may_begin() {
            return Err(Refusal::Limit);
        }
        let taken = |ssrc: u32| state.subscriptions.iter().any(|(used, _)| *used == ssrc);
        let twice = config.rtx_ssrc == Some(config.ssrc) || config.rtx_ssrc.is_some_and(taken) || taken(config.ssrc);
        let types = [Some(config.payload_type), config.rtx_payload_type, config.red_payload_type];
        if twice || types.iter().flatten().any(|number| *number > 127) {
            return Err(Refusal::Invalid);
        }
        let kind = published.track.kind();
        let mut forward = Forward::new(peer.0.place(), config, kind, published.track.clock_rate(), egress, now);
        if published.track.is_scalable() {
            forward.be_layered();
        }
        if egress.estimate().is_some() && kind == Kind::Video {
            // It begins small, and grows when it is known to fit.
            forward.grant = Grant::Upto(0);
        }
        let key = self.subscriptions.next_key().ok_or(Refusal::Limit)?;
        let place = published.track.subscribe(SubscriptionKey(key), forward, now);
        let place = Place { track: track.0, peer: peer.0, forward: place };
        let (wishes, hold) = (Wishes::default(), Hold::default());
        self.subscriptions.insert(Subscription { place, wishes, hold, withheld: None });
        state.subscriptions.push((config.ssrc, key));
        // Its retransmissions share its fate: reports and requests about them are looked up alike.
        state.subscriptions.extend(config.rtx_ssrc.map(|ssrc| (ssrc, key)));
        self.settle(track.0);
        self.touch(peer.0);
        Ok(SubscriptionKey(key))
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, subscription: SubscriptionKey) {
        self.retire_subscription(subscription);
        let Some(Subscription { place, .. }) = self.subscriptions.remove(subscription.0) else { return };
        if let Some(published) = self.tracks.get_mut(place.track) {
            published.track.unsubscribe(place.forward, &mut self.egresses, self.latest);
            self.settle(place.track);
        }
        if let Some(peer) = self.peers.get_mut(place.peer) {
            peer.subscriptions.retain(|(_, key)| *key != subscription.0);
            self.touch(place.peer);
        }
    }

    /// Pauses or resumes, and caps the layer: the spatial one of a scalable track, and its temporal one.
    pub fn set_subscription(
        &mut self,
        subscription: SubscriptionKey,
        paused: bool,
        max_layer: Option<u8>,
        max_temporal: Option<u8>,
        now: Instant,
    ) {
        let Some(Subscription { place, .. }) = self.subscriptions.get(subscription.0).copied() else { return };
        if let Some(published) = self.tracks.get_mut(place.track) {
            published.track.set_subscription(place.forward, paused, (max_layer, max_temporal), now);
            self.settle(place.track);
        }
        self.touch(place.peer);
    }

    /// Counters of a peer.
    #[must_use]
    pub fn peer_stats(&self, peer: PeerKey) -> Option<PeerStats> {
        let state = self.peers.get(peer.0)?;
        let egress = self.egresses.get(peer.0.place())?;
        let (packets_sent, bytes_sent) = egress.sent();
        Some(PeerStats {
            packets_received: state.ingress.packets,
            bytes_received: state.ingress.bytes,
            packets_sent,
            bytes_sent,
            rtt_ms: state.rtt_ms,
            estimate: egress.estimate(),
            remb: egress.remb(),
            dropped: state.ingress.drops,
        })
    }

    /// When a peer's last authentic packet came.
    #[must_use]
    pub fn heard(&self, peer: PeerKey) -> Option<Instant> {
        self.peers.get(peer.0)?.ingress.heard
    }

    /// The heads of a peer's last RTP and RTCP packets, received and sent.
    #[must_use]
    pub fn tapes(&self, peer: PeerKey) -> Option<[&Tape; 2]> {
        let state = self.peers.get(peer.0)?;
        Some([&state.ingress.tape, self.egresses.get(peer.0.place())?.tape()])
    }

    /// Counters of a track, one entry per encoding.
    #[must_use]
    pub fn layer_stats(&self, track: TrackKey, now: Instant) -> Option<Vec<LayerStats>> {
        self.tracks.get(track.0).map(|published| published.track.layer_stats(now))
    }

    /// Why a subscription is withheld from its subscriber, while it is.
    #[must_use]
    pub fn withheld(&self, subscription: SubscriptionKey) -> Option<crate::allocate::Withheld> {
        self.subscriptions.get(subscription.0)?.withheld
    }

    /// Counters of a subscription.
    #[must_use]
    pub fn subscription_stats(&self, subscription: SubscriptionKey) -> Option<ForwardStats> {
        let place = self.subscriptions.get(subscription.0)?.place;
        self.tracks.get(place.track)?.track.forward(place.forward).map(Forward::stats)
    }

    /// Where the dispatcher's own RTCP lookups end: the subscription that sends `ssrc` to a peer.
    pub(super) fn subscription_of(&self, peer: Key, ssrc: u32) -> Option<Place> {
        let subscriptions = &self.peers.get(peer)?.subscriptions;
        let (_, key) = subscriptions.iter().find(|(own, _)| *own == ssrc)?;
        Some(self.subscriptions.get(*key)?.place)
    }
}
