//! Giving each subscriber the layers its link carries: when to decide again, from what, and what comes of it.
//!
//! Nothing here runs per packet. A decision is asked for when a subscriber's estimate, subscriptions or wishes change, or
//! when layers begin or cease to flow, and is made at most every 100 ms per subscriber; with an estimate known, twice a
//! second at least, for rates change. Subscribers nothing is known of get everything and cost nothing.

use std::time::{Duration, Instant};

use super::{PeerKey, Subscription, SubscriptionKey, Switch, SwitchEvent, Wishes};
use crate::allocate::{Camera, Grant, LAYERS, Rank, Sound, Video, Withheld, enough, latest, reallocate};
use crate::arena::Key;
use crate::egress::Egress;
use crate::message::Kind;

/// Least time between two decisions.
const SHORTEST: Duration = Duration::from_millis(100);
/// Longest time between two decisions while an estimate limits.
const LONGEST: Duration = Duration::from_millis(500);
/// An estimate that changed by less than this share is the same.
const SAME: u64 = 32;

/// When a subscriber's layers are decided on, and what came of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allocation {
    due: Option<Instant>,
    decided: Option<Instant>,
    /// The estimate decided by.
    estimate: Option<u64>,
    /// Whether anything might be withheld.
    limited: bool,
    /// bit/s wanted and not sent.
    missing: u64,
    /// Redundancy is taken out of its sound.
    plain: bool,
}

/// What one decision is made with, kept for its memory.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    videos: Vec<Video<SubscriptionKey>>,
    /// The publisher of each video that last-N counts.
    cameras: Vec<Camera<Key>>,
    /// Which video is whose camera.
    owners: Vec<(SubscriptionKey, Key)>,
    shown: Vec<Key>,
    hidden: Vec<SubscriptionKey>,
}

impl Switch {
    /// How a subscriber shows a track.
    pub fn set_wishes(&mut self, subscription: SubscriptionKey, wishes: Wishes) {
        let Some(state) = self.subscriptions.get_mut(subscription.0) else { return };
        let peer = state.place.peer;
        if std::mem::replace(&mut state.wishes, wishes) != wishes {
            self.touch(peer);
        }
    }

    /// bit/s a subscriber wants and is not sent.
    #[must_use]
    pub fn wanted_bitrate(&self, peer: PeerKey) -> u64 {
        self.peers.get(peer.0).map_or(0, |state| state.allocation.missing)
    }

    /// Decides on a subscriber's layers as soon as may be.
    pub(super) fn touch(&mut self, peer: Key) {
        let Some(state) = self.peers.get_mut(peer) else { return };
        let last_n = self.rooms.get(state.room).is_some_and(|room| room.last_video.is_some());
        let estimated = self.egresses.get(peer.place()).is_some_and(|egress| egress.estimate().is_some());
        if last_n || estimated || state.allocation.limited {
            let earliest = state.allocation.decided.map_or(self.latest, |decided| decided + SHORTEST);
            let due = state.allocation.due.map_or(earliest, |due| due.min(earliest));
            state.allocation.due = Some(due);
            self.due = self.due.min(due);
        }
    }

    /// The same for everybody in a room.
    pub(super) fn touch_room(&mut self, room: Key) {
        let peers: Vec<_> = self.peers.keys().collect();
        for peer in peers {
            if self.peers.get(peer).is_some_and(|state| state.room == room) {
                self.touch(peer);
            }
        }
    }

    /// The same for all subscribers of a track.
    pub(super) fn touch_audience(&mut self, track: Key) {
        let Some(published) = self.tracks.get(track) else { return };
        let subscriptions: Vec<_> = published.track.subscriptions().collect();
        for subscription in subscriptions {
            if let Some(peer) = self.subscriptions.get(subscription.0).map(|state| state.place.peer) {
                self.touch(peer);
            }
        }
    }

    /// After news about a subscriber's link.
    pub(super) fn estimated(&mut self, peer: Key) {
        let estimate = self.egresses.get(peer.place()).and_then(Egress::estimate);
        let Some(state) = self.peers.get(peer) else { return };
        let same = match (state.allocation.estimate, estimate) {
            (Some(before), Some(now)) => before.abs_diff(now) <= before / SAME,
            (before, now) => before == now,
        };
        if !same {
            self.touch(peer);
        }
    }

    /// Decides on a subscriber's layers if that is due.
    pub(super) fn allocate_due(&mut self, peer: Key, now: Instant) {
        let Some(due) = self.peers.get(peer).and_then(|state| state.allocation.due) else { return };
        if due <= now {
            let mut scratch = std::mem::take(&mut self.scratch);
            self.decide(peer, &mut scratch, now);
            self.scratch = scratch;
        }
        if let Some(due) = self.peers.get(peer).and_then(|state| state.allocation.due) {
            self.due = self.due.min(due);
        }
    }

    fn decide(&mut self, peer: Key, scratch: &mut Scratch, now: Instant) {
        let estimate = self.egresses.get(peer.place()).and_then(Egress::estimate);
        let Some(state) = self.peers.get(peer) else { return };
        let last_video = self.rooms.get(state.room).and_then(|room| room.last_video);
        let before = state.allocation.plain;
        let sound = self.gather(peer, scratch, now);
        // Where nothing but sound is wanted it takes the place of nothing.
        let pictures = !scratch.videos.is_empty();
        let plain = pictures && estimate.is_some_and(|estimate| sound.burdens(estimate, before));
        if plain || before {
            self.set_plain(peer, plain);
        }
        let voices = if plain { sound.plain } else { sound.whole };
        scratch.hidden.clear();
        if let Some(limit) = last_video {
            latest(limit, &scratch.cameras, &mut scratch.shown);
            let hidden = scratch.owners.iter().filter(|(_, publisher)| !scratch.shown.contains(publisher));
            scratch.hidden.extend(hidden.map(|(key, _)| *key));
            scratch.videos.retain(|video| !scratch.hidden.contains(&video.key));
            for key in &scratch.hidden {
                if let Some(state) = self.subscriptions.get_mut(key.0) {
                    state.hold.lack(false, now);
                }
            }
        }
        reallocate(estimate.map(|estimate| estimate.saturating_sub(voices)), &mut scratch.videos);
        let missing = scratch.videos.iter().map(Video::missing).sum();
        let sent: u64 = scratch.videos.iter().map(Video::rate).sum();
        let limited = estimate.is_some() || last_video.is_some();
        let pause = self.lack(&scratch.videos, now);
        if let Some(state) = self.peers.get_mut(peer) {
            let due = estimate.map(|_| pause.map_or(now + LONGEST, |pause| pause.min(now + LONGEST)));
            state.allocation = Allocation { due, decided: Some(now), estimate, limited, missing, plain };
            if let Some(egress) = self.egresses.get_mut(peer.place()) {
                egress.set_firm(pause.is_some());
                // What goes up leaves something over: probing for less would never let it.
                let wanted = voices + if missing > 0 { enough(sent + missing) } else { sent };
                egress.set_wanted(if plain { wanted.max(sound.comfortable()) } else { wanted });
            }
        }
        for video in &scratch.videos {
            self.apply(video, estimate.is_some(), now);
        }
        for key in &scratch.hidden {
            self.grant(*key, Grant::Nothing(Withheld::LastN), now);
        }
    }

    /// Collects the videos a subscriber wants; returns what its sound costs.
    fn gather(&mut self, peer: Key, scratch: &mut Scratch, now: Instant) -> Sound {
        scratch.videos.clear();
        scratch.cameras.clear();
        scratch.owners.clear();
        let mut sound = Sound::default();
        let Some(state) = self.peers.get(peer) else { return sound };
        let floor = self.rooms.get(state.room).and_then(super::Room::floor);
        let draining = self.egresses.get(peer.place()).is_some_and(Egress::is_draining);
        let mut before = Key::NONE;
        for (_, key) in &state.subscriptions {
            // Retransmissions are listed after what they repair.
            if std::mem::replace(&mut before, *key) == *key {
                continue;
            }
            let Some(Subscription { place, wishes, hold, .. }) = self.subscriptions.get_mut(*key) else { continue };
            let Some(published) = self.tracks.get_mut(place.track) else { continue };
            let mut layers = published.track.rates(now);
            let Some(forward) = published.track.forward(place.forward) else { continue };
            if forward.paused || published.track.is_muted() {
                // What does not fit when it comes back begins to wait anew.
                hold.lack(false, now);
                continue;
            }
            if published.track.kind() == Kind::Audio {
                if let ([Some(whole), plain, ..], true) = (layers, published.track.is_heard()) {
                    let plain = plain.unwrap_or(whole);
                    sound.add(if forward.takes_redundancy() { whole } else { plain }, plain, forward.stats().lost);
                }
                continue;
            }
            let allowed = usize::from(forward.max_layer).saturating_add(1).min(LAYERS);
            layers.iter_mut().skip(allowed).for_each(|layer| *layer = None);
            let (owner, key) = (published.peer, SubscriptionKey(*key));
            let rank = Rank {
                priority: wishes.priority,
                screen: wishes.screen,
                speaker: floor == Some(owner),
                visible: wishes.visible.unwrap_or_default(),
            };
            let (shown, ceiling, patient) = (hold.granted(), hold.ceiling(now), hold.is_patient(draining, now));
            let (keep, granted, short) = (wishes.keep, None, false);
            scratch.videos.push(Video { key, rank, keep, patient, layers, shown, ceiling, granted, short });
            if !wishes.screen && wishes.priority <= 0 {
                let spoke = self.peers.get(owner).map_or(0, |owner| owner.spoke);
                scratch.cameras.push(Camera { publisher: owner, spoke });
                scratch.owners.push((key, owner));
            }
        }
        sound
    }

    /// Notes which videos do not fit. When the first of them is paused if that goes on.
    fn lack(&mut self, videos: &[Video<SubscriptionKey>], now: Instant) -> Option<Instant> {
        let (mut pause, mut vain) = (None, None);
        for video in videos {
            let Some(state) = self.subscriptions.get_mut(video.key.0) else { continue };
            let due = state.hold.lack(video.short, now);
            if video.granted.is_some() {
                pause = earlier(pause, due);
            } else {
                vain = earlier(vain, state.hold.short());
            }
        }
        if let Some(since) = vain {
            self.relieve(videos, since);
        }
        pause
    }

    /// Lets those go up at once who went down in vain, since something began not to fit that is now paused.
    fn relieve(&mut self, videos: &[Video<SubscriptionKey>], since: Instant) {
        for video in videos.iter().filter(|video| video.granted.is_some()) {
            if let Some(state) = self.subscriptions.get_mut(video.key.0) {
                state.hold.release(since);
            }
        }
    }

    /// Takes redundancy out of all the sound a subscriber is sent, or leaves it in.
    fn set_plain(&mut self, peer: Key, plain: bool) {
        let Some(state) = self.peers.get(peer) else { return };
        for (_, key) in &state.subscriptions {
            let Some(Subscription { place, .. }) = self.subscriptions.get(*key) else { continue };
            if let Some(published) = self.tracks.get_mut(place.track) {
                published.track.set_plain(place.forward, plain);
            }
        }
    }

    /// Takes a decision about one video.
    fn apply(&mut self, video: &Video<SubscriptionKey>, limited: bool, now: Instant) {
        let Some(state) = self.subscriptions.get_mut(video.key.0) else { return };
        let place = state.place;
        let before = self.tracks.get(place.track).and_then(|published| published.track.forward(place.forward));
        let before = before.map_or(Grant::ALL, |forward| forward.grant);
        let grant = match video.granted {
            _ if !limited => Grant::ALL,
            Some(layer) => Grant::Upto(layer),
            None if video.highest().is_some() => Grant::Nothing(Withheld::Bandwidth),
            // Nothing comes: it goes on as it ceased, or begins small.
            None if before.withheld().is_none() => before,
            None => Grant::Upto(0),
        };
        if video.highest().is_some() {
            let had = state.hold.granted().and_then(|layer| video.layers.get(usize::from(layer)));
            state.hold.decide(video.granted, had.is_some_and(Option::is_some), now);
        }
        self.grant(video.key, grant, now);
    }

    /// Lets a subscription have so much, and tells when it begins or ceases to be withheld.
    fn grant(&mut self, key: SubscriptionKey, grant: Grant, now: Instant) {
        let Some(state) = self.subscriptions.get_mut(key.0) else { return };
        let place = state.place;
        let reason = grant.withheld();
        let before = std::mem::replace(&mut state.withheld, reason);
        if before != reason {
            self.retired.pauses += u64::from(before.is_none());
            self.events.push_back(SwitchEvent::Withheld { subscription: key, reason });
        }
        if let Some(published) = self.tracks.get_mut(place.track) {
            published.track.set_grant(place.forward, grant, now);
            self.settle(place.track);
        }
    }
}

/// The earlier of two times that may not be known.
fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}
