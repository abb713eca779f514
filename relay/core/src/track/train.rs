//! Trains of packets that are drawn out: what a subscriber's pace does not let go at once stays in the ring, and its forward
//! remembers where it goes on.

use super::feedback::stream_of;
use super::{Subscriber, Track, TrackEvent};
use crate::egress::{Egress, Moment};
use crate::layer::Layer;
use crate::outbox::Outbox;

impl Track {
    /// Whether packets wait for [`Track::draw_out`].
    #[inline]
    pub(crate) fn lags(&self) -> bool {
        !self.lagging.is_empty()
    }

    /// Sends what the paces of subscribers let go now. True while packets wait.
    pub(crate) fn draw_out<O: Outbox>(&mut self, moment: &Moment, egresses: &mut [Egress], out: &mut O) -> bool {
        let mut lagging = std::mem::take(&mut self.lagging);
        let mut moved = false;
        lagging.retain(|place| {
            let Some(Subscriber { key, forward, .. }) = self.subscribers.get_mut(*place) else { return false };
            let before = forward.layer();
            let held = before.and_then(|layer| Some((stream_of(layer, self.scalable), forward.held?)));
            let source = held.and_then(|(stream, held)| Some((self.layers.get_mut(stream)?, held)));
            let source = source.and_then(|(source, held)| Some((source.newest()?, source, held)));
            let (Some((newest, source, held)), Some(egress)) = (source, egresses.get_mut(forward.peer)) else {
                forward.held = None;
                return false;
            };
            let ring = source.ring();
            let mut next = held.max((newest + 1).saturating_sub(ring.packets()));
            egress.fill(forward.waiting(next..=newest, ring), moment);
            while next <= newest && egress.admits() {
                if let Some((packet, payload)) = ring.view(next) {
                    moved |= forward.pass(packet, payload, egress, moment, out);
                }
                next += 1;
            }
            forward.held = (next <= newest).then_some(next);
            let layer = forward.layer();
            if layer != before {
                self.events.push(TrackEvent::LayerChanged { subscription: *key, layer });
            }
            forward.held.is_some()
        });
        self.lagging = lagging;
        if moved {
            self.update_waiting();
        }
        self.lags()
    }

    /// Sends packets of a layer to a subscriber as far as its pace lets them go; the others wait. True when another
    /// operating point of a stream with several layers is forwarded from one of them on.
    #[inline]
    pub(super) fn send_paced<O: Outbox>(
        (key, Subscriber { forward, .. }): (usize, &mut Subscriber),
        (source, indices): (&mut Layer, impl Iterator<Item = u64>),
        egress: &mut Egress,
        moment: &Moment,
        lagging: &mut Vec<usize>,
        out: &mut O,
    ) -> bool {
        let ring = source.ring();
        let mut moved = false;
        if forward.held.is_none() {
            egress.fill(0, moment);
        }
        for index in indices {
            // What was repaired late belongs before what waits.
            if forward.held.is_some_and(|held| index >= held) {
                continue;
            }
            if forward.held.is_none() && !egress.admits() {
                forward.held = Some(index);
                if !lagging.contains(&key) {
                    lagging.push(key);
                }
                continue;
            }
            if let Some((packet, payload)) = ring.view(index) {
                moved |= forward.pass(packet, payload, egress, moment, out);
            }
        }
        moved
    }
}
