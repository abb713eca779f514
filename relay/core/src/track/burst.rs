//! Packets that came together leave together: subscriber by subscriber, not packet by packet.
//!
//! What a subscriber's packets touch (its keys, its header, its counters) is then fetched into the cache once for all of
//! them, and they lie side by side in the send arena. Nothing waits for it: the engine sends what one call received when
//! all of it was taken in, either way.

use super::Track;
use crate::egress::{Egress, Moment};
use crate::layer::{Layer, Received};
use crate::message::Kind;
use crate::outbox::Outbox;

/// Packets taken together at most: what they hold stays in a core's first cache. Far fewer than a ring keeps.
const MAX: usize = 32;

/// Packets of one layer, all in its ring, that nobody was sent yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Burst {
    layer: u8,
    count: usize,
    indices: [u64; MAX],
}

impl Burst {
    /// The layer they are of, `None` when there are none.
    fn layer(&self) -> Option<u8> {
        (self.count > 0).then_some(self.layer)
    }

    /// The packets, as they came.
    fn indices(&self) -> &[u64] {
        self.indices.get(..self.count).unwrap_or_default()
    }

    /// Adds one of a layer, which all of them are of. False when it was the last that fits.
    fn push(&mut self, layer: u8, index: u64) -> bool {
        self.layer = layer;
        if let Some(place) = self.indices.get_mut(self.count) {
            *place = index;
            self.count += 1;
        }
        self.count < MAX
    }
}

impl Track {
    /// Whether [`Track::release`] has anything to send.
    pub(crate) fn is_held(&self) -> bool {
        self.burst.count > 0
    }

    /// Whether a packet of `layer` under `ssrc` goes on with the packets held.
    pub(super) fn continues(&self, layer: u8, ssrc: Option<u32>) -> bool {
        let known = self.layers.get(usize::from(layer)).and_then(Layer::ssrc);
        self.burst.layer().is_none_or(|held| held == layer && ssrc.is_none_or(|ssrc| known == Some(ssrc)))
    }

    /// Sends a stored packet to everyone shown its layer, and to those it is the beginning for. Video may be held, until
    /// [`Track::release`].
    pub(super) fn fan_out<O: Outbox>(
        &mut self,
        layer: u8,
        received: Received,
        moment: &Moment,
        egresses: &mut [Egress],
        out: &mut O,
    ) {
        if self.waiting {
            self.release(moment, egresses, out);
            self.begin_waiting(layer, received, moment, egresses, out);
        }
        if !self.burst.push(layer, received.index) || self.kind == Kind::Audio {
            self.release(moment, egresses, out);
        }
    }

    /// Forwards a packet that holds nothing to nobody: what comes after it closes up.
    pub(super) fn skip(&mut self, layer: u8, index: u64) {
        for key in self.shown.get(usize::from(layer)).into_iter().flatten() {
            if let Some(subscriber) = self.subscribers.get_mut(*key) {
                subscriber.forward.skip(index);
            }
        }
    }

    /// Sends the packets held to everyone shown their layer.
    #[inline]
    pub(crate) fn release<O: Outbox>(&mut self, moment: &Moment, egresses: &mut [Egress], out: &mut O) {
        let Some(layer) = self.burst.layer().map(usize::from) else { return };
        let burst = std::mem::take(&mut self.burst);
        let (Some(source), Some(shown)) = (self.layers.get_mut(layer), self.shown.get(layer)) else { return };
        for key in shown {
            let Some(subscriber) = self.subscribers.get_mut(*key) else { continue };
            let Some(egress) = egresses.get_mut(subscriber.forward.peer) else { continue };
            if egress.is_paced() && self.kind == Kind::Video {
                let packets = (&mut *source, burst.indices().iter().copied());
                Self::send_paced((*key, subscriber), packets, egress, moment, &mut self.lagging, out);
                continue;
            }
            let ring = source.ring();
            for index in burst.indices() {
                let Some((packet, payload)) = ring.view(*index) else { continue };
                subscriber.forward.send(packet, payload, egress, moment, out);
            }
        }
    }
}
