//! One published track: its layers, and its subscribers as dense arrays by the layer they are shown.
//!
//! A packet's way: [`Track::receive`] hands it to its [`Layer`] (order, losses, ring), then to each forward listed under
//! that layer. A forward is moved between the lists only by a key frame of the layer it should be shown.

mod burst;
mod feedback;
mod scalable;
mod target;
mod train;

use std::time::{Duration, Instant};

use slab::Slab;

use self::burst::Burst;
use self::target::wants;
use crate::allocate::{Demand, Rates};
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
    /// Other layers are wanted by somebody.
    Wanted {
        /// How many, counted from the lowest.
        layers: u8,
        /// How many there are.
        of: u8,
    },
}

/// One forwarding entry with the key its events are told under.
#[derive(Debug)]
struct Subscriber {
    key: SubscriptionKey,
    forward: Forward,
    /// The layer last told of.
    told: Option<u8>,
}

/// One published track.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent of each other")]
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
    /// Whether its sound is among the loudest, where only those are forwarded.
    heard: bool,
    rates: Rates,
    demand: Demand,
    flow_changed: bool,
    /// Packets to be sent together.
    burst: Burst,
    /// Keys of the subscribers for whom packets wait.
    lagging: Vec<usize>,
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
        let layers = if config.kind == Kind::Audio { 0 } else { scalable.map_or(config.encodings.len(), usize::from) };
        let layer = |encoding| match scalable {
            None => Layer::new(encoding, format, codec.clock_rate, now).with_red(codec.red_payload_type),
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
            heard: true,
            rates: Rates::new(config.kind),
            demand: Demand::new(layers, now),
            flow_changed: false,
            burst: Burst::default(),
            lagging: Vec::new(),
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

    /// Takes a decrypted packet in, with its dependency descriptor (empty without one), and forwards it: at once, or with
    /// those that come together with it, see [`Track::release`].
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
        if !self.continues(route.layer, Some(header.ssrc).filter(|_| !route.repair)) {
            self.release(moment, egresses, out);
        }
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
                self.subscribers.iter_mut().for_each(|(_, subscriber)| subscriber.forward.forget());
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
            self.release(moment, egresses, out);
            self.retarget(moment.now);
        }
        if self.muted {
            return Err(Reason::Muted);
        }
        // A sound without content is padding, by which its sender probes the link.
        if payload.is_empty() && self.kind == Kind::Audio {
            self.skip(route.layer, received.index);
        } else if self.heard {
            self.fan_out(route.layer, received, moment, egresses, out);
        }
        Ok(())
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
            if subscriber.told.replace(layer) != Some(layer) {
                self.events.push(TrackEvent::LayerChanged { subscription: subscriber.key, layer: Some(layer) });
            }
            let Some(egress) = egresses.get_mut(forward.peer) else { continue };
            if egress.is_paced() && first != current && self.kind == Kind::Video {
                forward.held = Some(first);
                if !self.lagging.contains(&key) {
                    self.lagging.push(key);
                }
                continue;
            }
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
        let place = self.subscribers.insert(Subscriber { key, forward, told: None });
        self.retarget_one(place, now);
        self.update_demand(now);
        place
    }

    /// The audio and video clock, Hz.
    #[must_use]
    pub fn clock_rate(&self) -> u32 {
        self.clock_rate
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, place: usize, egresses: &mut [Egress], now: Instant) {
        let Some(subscriber) = self.subscribers.try_remove(place) else { return };
        for list in &mut self.shown {
            list.retain(|shown| *shown != place);
        }
        if let Some(egress) = egresses.get_mut(subscriber.forward.peer) {
            subscriber.forward.end(egress);
        }
        self.update_waiting();
        self.update_demand(now);
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
}
