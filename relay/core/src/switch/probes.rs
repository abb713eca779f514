//! Probes: packets that nobody needs, sent to learn whether more would pass.

use std::time::{Duration, Instant};

use super::{Place, Switch};
use crate::arena::Key;
use crate::bwe::TICK;
use crate::egress::Moment;
use crate::outbox::Outbox;

/// Packets sent to one peer at once.
const MOST: u64 = 64;
/// A probe repeats so many of the latest packets in turn.
const ROUND: u64 = 16;

impl Switch {
    /// Lets a peer's estimate begin a probe, and sees that it is sent.
    pub(super) fn plan_probe(&mut self, peer: Key, now: Instant) {
        let moment = Moment::new(now, self.epoch);
        let Some(egress) = self.egresses.get_mut(peer.place()) else { return };
        if egress.is_open() && egress.plan_probe(&moment) && !self.probing.contains(&peer) {
            self.probing.push(peer);
            self.probe_due = Some(now);
        }
    }

    /// Sends what the probes under way are due.
    pub(super) fn send_probes<O: Outbox>(&mut self, now: Instant, out: &mut O) {
        let moment = Moment::new(now, self.epoch);
        let mut probing = std::mem::take(&mut self.probing);
        probing.retain(|peer| self.send_probe(*peer, &moment, out));
        self.probing = probing;
        self.probe_due = (!self.probing.is_empty()).then(|| now + Duration::from_micros(TICK));
    }

    /// Sends a peer what its probe is due. True while there is more to come.
    fn send_probe<O: Outbox>(&mut self, peer: Key, moment: &Moment, out: &mut O) -> bool {
        let carrier = self.carrier(peer);
        for sent in 0..MOST {
            let Some(egress) = self.egresses.get_mut(peer.place()) else { return false };
            if egress.padding_due(moment) == 0 {
                return egress.plan_probe(moment);
            }
            let published = carrier.and_then(|place| Some((place, self.tracks.get_mut(place.track)?)));
            let done = published.is_some_and(|(place, published)| {
                published.track.probe(place.forward, sent % ROUND, moment, &mut self.egresses, out)
            });
            if !done {
                if let Some(egress) = self.egresses.get_mut(peer.place()) {
                    egress.cancel_probe(moment);
                }
                return false;
            }
        }
        true
    }

    /// The subscription whose retransmissions carry a probe: one that shows something, or else any that has them.
    fn carrier(&self, peer: Key) -> Option<Place> {
        let subscriptions = &self.peers.get(peer)?.subscriptions;
        let places = || {
            subscriptions
                .iter()
                .filter_map(|(_, key)| self.subscriptions.get(*key).map(|subscription| subscription.place))
        };
        let forward = |place: &Place| self.tracks.get(place.track)?.track.forward(place.forward);
        let repairs = |place: &Place| forward(place).is_some_and(|forward| forward.rtx_ssrc().is_some());
        let shows = |place: &Place| forward(place).is_some_and(|forward| forward.layer().is_some());
        places().find(|place| repairs(place) && shows(place)).or_else(|| places().find(repairs))
    }
}
