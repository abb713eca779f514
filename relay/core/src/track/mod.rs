//! One published track: its layers, and its subscribers as dense arrays by the layer they are shown.
//!
//! A packet's way: [`Track::receive`] hands it to its [`Layer`] (order, losses, ring), then to each forward listed under
//! that layer. A forward is moved between the lists only by a key frame of the layer it should be shown.

mod feedback;
mod scalable;

use std::time::{Duration, Instant};

use slab::Slab;

use crate::codec::Format;
use crate::codec::scalable::Points;
use crate::drop::Reason;
use crate::egress::{Egress, Moment};
use crate::forward::Forward;
use crate::ingress::Route;
use crate::layer::{Layer, Received, unwrap_retransmission};
use crate::message::{Kind, LayerStats};
use crate::outbox::Outbox;
use crate::rtcp::SenderInfo;
use crate::rtp::Header;
use crate::switch::{Refusal, SubscriptionKey, TrackConfig};

/// Layers of one track.
pub const MAX_LAYERS: usize = 4;
/// Time between two receiver reports to a publisher, and of looking for due sender reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// Time between two sender reports of a subscription.
const SENDER_REPORT_INTERVAL: Duration = Duration::from_secs(2);

/// What happened to a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackEvent {
    /// A layer's packets began or ceased.
    Live {
        /// The layer.
        layer: u8,
        /// Whether packets are arriving.
        live: bool,
    },
    /// A subscription shows another layer.
    LayerChanged {
        /// The subscription.
        subscription: SubscriptionKey,
        /// `None`: nothing is being forwarded.
        layer: Option<u8>,
    },
}

/// One forwarding entry with the key its events are told under.
#[derive(Debug)]
struct Subscriber {
    key: SubscriptionKey,
    forward: Forward,
}

/// One published track.
#[derive(Debug)]
pub struct Track {
    kind: Kind,
    clock_rate: u32,
    layers: Vec<Layer>,
    subscribers: Slab<Subscriber>,
    /// Keys into `subscribers` by the layer shown.
    shown: [Vec<usize>; MAX_LAYERS],
    /// Whether some subscriber waits for a key frame, so that one is worth a look at all of them.
    waiting: bool,
    muted: bool,
    /// Whether its one stream holds several layers: then "layer" is the spatial layer.
    scalable: bool,
    /// Operating points as last looked at, of a scalable track.
    points: Points,
    /// Canonical name of the publisher.
    name: String,
    next_report: Instant,
    next_sender_report: Option<Instant>,
    events: Vec<TrackEvent>,
}

impl Track {
    /// A track as announced. `name` is the publisher's canonical name: its tracks are played in sync.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] without layers or clock, [`Refusal::Limit`] with more than [`MAX_LAYERS`].
    pub fn new(config: &TrackConfig, name: String, now: Instant) -> Result<Self, Refusal> {
        let codec = &config.codec;
        if config.encodings.is_empty() || codec.clock_rate == 0 || codec.payload_type > 127 {
            return Err(Refusal::Invalid);
        }
        if config.encodings.len() > MAX_LAYERS {
            return Err(Refusal::Limit);
        }
        let format = Format::new(config.kind, codec);
        let scalable = scalable::layers_of(config, format);
        let layer = |encoding| match scalable {
            None => Layer::new(encoding, format, codec.clock_rate, now),
            Some(layers) => Layer::scalable(encoding, format, layers, codec.clock_rate, now),
        };
        Ok(Self {
            kind: config.kind,
            clock_rate: codec.clock_rate,
            layers: config.encodings.iter().map(layer).collect(),
            subscribers: Slab::new(),
            shown: Default::default(),
            waiting: false,
            muted: false,
            scalable: scalable.is_some(),
            points: Points::default(),
            name,
            next_report: now + REPORT_INTERVAL,
            next_sender_report: None,
            events: Vec::new(),
        })
    }

    /// Sound or picture.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its layers, lowest first.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Takes out what happened since the last call.
    pub fn drain_events(&mut self) -> impl Iterator<Item = TrackEvent> + '_ {
        self.events.drain(..)
    }

    /// Whether [`Track::drain_events`] has anything.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Takes a decrypted packet in, with its dependency descriptor (empty without one), and forwards it.
    ///
    /// # Errors
    /// Why it was dropped.
    pub(crate) fn receive<O: Outbox>(
        &mut self,
        route: Route,
        header: &Header,
        (descriptor, payload): (&[u8], &[u8]),
        moment: &Moment,
        egresses: &mut [Egress],
        out: &mut O,
    ) -> Result<(), Reason> {
        let place = usize::from(route.layer);
        let layer = self.layers.get_mut(place).ok_or(Reason::UnknownStream)?;
        let received = if route.repair {
            layer.bind_repair(header.ssrc);
            let ssrc = layer.ssrc().ok_or(Reason::UnknownStream)?;
            let (original, skip) = unwrap_retransmission(header, payload, ssrc)?;
            layer.receive(&original, descriptor, payload.get(skip..).unwrap_or_default(), true, moment.now)?
        } else {
            if layer.bind(header.ssrc, moment.now) {
                self.restart(place);
            }
            let layer = self.layers.get_mut(place).ok_or(Reason::UnknownStream)?;
            layer.receive(header, descriptor, payload, false, moment.now)?
        };
        if self.scalable {
            return self.forward_layers(received, moment, egresses, out);
        }
        if received.woke {
            self.events.push(TrackEvent::Live { layer: route.layer, live: true });
        }
        if received.woke || received.resumed {
            self.retarget(moment.now);
        }
        if self.muted {
            return Err(Reason::Muted);
        }
        self.fan_out(route.layer, received, moment, egresses, out);
        Ok(())
    }

    /// Sends a stored packet to everyone shown its layer, and to those it is the beginning for.
    fn fan_out<O: Outbox>(
        &mut self,
        layer: u8,
        received: Received,
        moment: &Moment,
        egresses: &mut [Egress],
        out: &mut O,
    ) {
        if self.waiting {
            self.begin_waiting(layer, received, moment, egresses, out);
        }
        let Some(source) = self.layers.get_mut(usize::from(layer)) else { return };
        let Some((packet, payload)) = source.ring().get(received.index) else { return };
        let Some(shown) = self.shown.get(usize::from(layer)) else { return };
        for key in shown {
            let Some(subscriber) = self.subscribers.get_mut(*key) else { continue };
            let Some(egress) = egresses.get_mut(subscriber.forward.peer) else { continue };
            subscriber.forward.send(&packet, payload, egress, moment, out);
        }
    }

    /// Lets those begin who wait, with a key frame that begins now, or with a fresh one out of the ring.
    fn begin_waiting<O: Outbox>(
        &mut self,
        layer: u8,
        received: Received,
        moment: &Moment,
        egresses: &mut [Egress],
        out: &mut O,
    ) {
        let Some(source) = self.layers.get(usize::from(layer)) else { return };
        if received.key_frame {
            self.begin(layer, received.index, received.index, moment, egresses, out);
        } else if let Some(first) = source.fresh_key_frame(moment.now) {
            self.begin(layer, first, received.index, moment, egresses, out);
        }
        if self.kind == Kind::Video
            && !self.layers.iter().any(Layer::had_key_frame)
            && let Some(source) = self.layers.get_mut(usize::from(layer))
        {
            source.doubt(moment.now);
        }
        // A key frame may have come and gone unused.
        let waits = |(_, subscriber): (usize, &Subscriber)| {
            subscriber.forward.target == Some(layer) && subscriber.forward.layer() != Some(layer)
        };
        if self.kind == Kind::Video
            && self.waiting
            && self.subscribers.iter().any(waits)
            && let Some(source) = self.layers.get_mut(usize::from(layer))
        {
            source.ensure_key_frame(moment.now);
        }
    }

    /// Moves those to `layer` who wait for its key frame, which begins with the packet `first`, and sends them what came
    /// since, but for the packet `current`, which the caller sends to all. One from the past is for new subscriptions only:
    /// who has been shown something would be set back in time.
    fn begin<O: Outbox>(
        &mut self,
        layer: u8,
        first: u64,
        current: u64,
        moment: &Moment,
        egresses: &mut [Egress],
        out: &mut O,
    ) {
        let place = usize::from(layer);
        let reports: [Option<(SenderInfo, Instant)>; MAX_LAYERS] =
            std::array::from_fn(|layer| self.layers.get(layer).and_then(Layer::last_report));
        let Some(source) = self.layers.get_mut(place) else { return };
        let newest = source.newest().unwrap_or(current);
        let Some((packet, _)) = source.ring().get(first) else { return };
        let mut moved = false;
        for (key, subscriber) in &mut self.subscribers {
            let forward = &mut subscriber.forward;
            if !wants(forward, layer) || (first != current && !forward.is_new()) {
                continue;
            }
            moved = true;
            if let Some(list) = forward.layer().and_then(|before| self.shown.get_mut(usize::from(before))) {
                list.retain(|shown| *shown != key);
            }
            forward.switch(layer, &packet, |layer| reports.get(usize::from(layer)).copied().flatten(), moment.now);
            if let Some(list) = self.shown.get_mut(place) {
                list.push(key);
            }
            self.events.push(TrackEvent::LayerChanged { subscription: subscriber.key, layer: Some(layer) });
            let Some(egress) = egresses.get_mut(forward.peer) else { continue };
            for index in (first..=newest).filter(|index| *index != current) {
                if let Some((packet, payload)) = source.ring().get(index) {
                    forward.send(&packet, payload, egress, moment, out);
                }
            }
        }
        if moved {
            self.next_sender_report = Some(moment.now);
            self.update_waiting();
        }
    }

    /// Adds a subscription.
    pub fn subscribe(&mut self, key: SubscriptionKey, forward: Forward, now: Instant) -> usize {
        let place = self.subscribers.insert(Subscriber { key, forward });
        self.retarget(now);
        place
    }

    /// The audio and video clock, Hz.
    #[must_use]
    pub fn clock_rate(&self) -> u32 {
        self.clock_rate
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, place: usize, egresses: &mut [Egress]) {
        let Some(subscriber) = self.subscribers.try_remove(place) else { return };
        for list in &mut self.shown {
            list.retain(|shown| *shown != place);
        }
        if let Some(egress) = egresses.get_mut(subscriber.forward.peer) {
            subscriber.forward.end(egress);
        }
        self.update_waiting();
    }

    /// A subscription's forward.
    #[must_use]
    pub fn forward(&self, place: usize) -> Option<&Forward> {
        self.subscribers.get(place).map(|subscriber| &subscriber.forward)
    }

    /// The keys of all subscriptions.
    pub fn subscriptions(&self) -> impl Iterator<Item = SubscriptionKey> + '_ {
        self.subscribers.iter().map(|(_, subscriber)| subscriber.key)
    }

    /// Pauses or resumes a subscription, and caps its layer and (of a scalable track) its temporal layer.
    pub fn set_subscription(
        &mut self,
        place: usize,
        paused: bool,
        (max_layer, max_temporal): (Option<u8>, Option<u8>),
        now: Instant,
    ) {
        let Some(subscriber) = self.subscribers.get_mut(place) else { return };
        subscriber.forward.paused = paused;
        if let Some(layered) = &mut subscriber.forward.layered {
            layered.max_temporal = max_temporal.unwrap_or(u8::MAX);
        }
        subscriber.forward.max_layer = max_layer.unwrap_or(u8::MAX);
        self.retarget(now);
    }

    /// Notes whether a subscriber can receive. A key frame that comes before would be lost on it, and so is not asked for.
    pub fn set_open(&mut self, place: usize, open: bool, now: Instant) {
        if let Some(subscriber) = self.subscribers.get_mut(place)
            && std::mem::replace(&mut subscriber.forward.open, open) != open
        {
            self.retarget(now);
        }
    }

    /// Stops or resumes forwarding.
    pub fn set_muted(&mut self, muted: bool, now: Instant) {
        if std::mem::replace(&mut self.muted, muted) != muted {
            self.retarget(now);
        }
    }

    /// Whether it forwards nothing.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        self.muted
    }

    /// Counters by layer.
    #[must_use]
    pub fn layer_stats(&self, now: Instant) -> Vec<LayerStats> {
        match self.layers.first().and_then(|layer| layer.spatial().map(|spatial| (layer, spatial))) {
            None => self.layers.iter().map(|layer| layer.stats(now)).collect(),
            Some((layer, spatial)) => spatial.stats(&layer.stats(now), now),
        }
    }

    /// bit/s a subscriber of each layer gets over the last second, lowest first: of a simulcast layer its own, of a spatial
    /// layer also what it needs of those below. Zero for a layer that is not live.
    pub fn layer_bitrates(&self, now: Instant) -> impl Iterator<Item = u64> + '_ {
        let spatial = self.layers.first().and_then(Layer::spatial);
        let count = spatial.map_or(self.layers.len(), |spatial| usize::from(spatial.layers()));
        (0..MAX_LAYERS.to_le_bytes()[0]).take(count).map(move |number| match spatial {
            Some(spatial) => spatial.bits_per_second(number, now),
            None => self.layers.get(usize::from(number)).map_or(0, |layer| layer.bits_per_second(now)),
        })
    }

    /// Decides anew which layer each subscription should be shown: the highest live one it may have, and of those one that
    /// has not just stopped.
    fn retarget(&mut self, now: Instant) {
        if self.scalable {
            return self.retarget_layers(now);
        }
        for (key, subscriber) in &mut self.subscribers {
            let forward = &mut subscriber.forward;
            let silenced = self.muted || forward.paused || !forward.open;
            let allowed = || (0..).zip(&self.layers).filter(|(number, _)| *number <= forward.max_layer);
            let flowing = allowed().filter(|(_, layer)| layer.is_flowing()).last();
            let highest = flowing.or_else(|| allowed().filter(|(_, layer)| layer.is_live()).last());
            forward.target = highest.map(|(number, _)| number).filter(|_| !silenced);
            if silenced && let Some(before) = forward.layer() {
                if let Some(list) = self.shown.get_mut(usize::from(before)) {
                    list.retain(|shown| *shown != key);
                }
                forward.stop();
                self.events.push(TrackEvent::LayerChanged { subscription: subscriber.key, layer: None });
            }
            if let Some(target) = forward.target.filter(|target| Some(*target) != forward.layer())
                && self.kind == Kind::Video
                && let Some(layer) = self.layers.get_mut(usize::from(target))
                && !(forward.is_new() && layer.fresh_key_frame(now).is_some())
            {
                layer.want_key_frame(now);
            }
        }
        self.update_waiting();
    }

    /// Lets everyone shown a layer begin anew, after its SSRC changed.
    fn restart(&mut self, place: usize) {
        for key in self.shown.get_mut(place).map(std::mem::take).unwrap_or_default() {
            if let Some(subscriber) = self.subscribers.get_mut(key) {
                subscriber.forward.stop();
            }
        }
        self.update_waiting();
    }

    fn update_waiting(&mut self) {
        let waits = |forward: &Forward| match &forward.layered {
            None => forward.target.is_some() && forward.target != forward.layer(),
            Some(layered) => layered.goal.is_some() && layered.goal != layered.point,
        };
        self.waiting = self.subscribers.iter().any(|(_, subscriber)| waits(&subscriber.forward));
    }
}

/// Whether a key frame of `layer` brings a subscription nearer to its target: to it, or up on the way to it, or to any
/// picture at all.
fn wants(forward: &Forward, layer: u8) -> bool {
    let Some(target) = forward.target else { return false };
    match forward.layer() {
        None => layer <= forward.max_layer,
        Some(shown) => shown != layer && (layer == target || (shown < layer && layer < target)),
    }
}
