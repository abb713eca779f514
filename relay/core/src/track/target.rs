//! Which layer each subscription is to be shown, and which layers anybody could be.

use std::time::Instant;

use super::feedback::stream_of;
use super::{Subscriber, Track, TrackEvent};
use crate::allocate::{Grant, LAYERS, Withheld};
use crate::forward::Forward;
use crate::layer::Layer;
use crate::message::Kind;

impl Track {
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
        self.retarget_one(place, now);
        self.update_demand(now);
    }

    /// Notes whether a subscriber can receive. A key frame that comes before would be lost on it, and so is not asked for.
    pub fn set_open(&mut self, place: usize, open: bool, now: Instant) {
        if let Some(subscriber) = self.subscribers.get_mut(place)
            && std::mem::replace(&mut subscriber.forward.open, open) != open
        {
            self.retarget_one(place, now);
        }
    }

    /// Takes redundancy out of the sound that a subscription is sent, or leaves it in.
    pub fn set_plain(&mut self, place: usize, plain: bool) {
        if let Some(subscriber) = self.subscribers.get_mut(place) {
            subscriber.forward.plain = plain;
        }
    }

    /// Notes what a subscription may be sent.
    pub fn set_grant(&mut self, place: usize, grant: Grant, now: Instant) {
        let Some(subscriber) = self.subscribers.get_mut(place) else { return };
        let before = std::mem::replace(&mut subscriber.forward.grant, grant);
        if before != grant {
            self.retarget_one(place, now);
        }
        if before.withheld() != grant.withheld() {
            self.update_demand(now);
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

    /// Forwards sound, or leaves it out among louder voices. Subscribers are not told: they hear a pause.
    pub fn set_heard(&mut self, heard: bool) {
        if std::mem::replace(&mut self.heard, heard) && !heard {
            (0..self.layers.len()).for_each(|place| self.restart(place));
        }
    }

    /// Whether its sound is not left out.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.heard
    }

    /// bit/s that each layer costs a subscriber, `None` where nothing flows; of sound what it costs as it comes, and without
    /// redundancy. Measures at most ten times a second.
    pub fn rates(&mut self, now: Instant) -> [Option<u64>; LAYERS] {
        if self.rates.due(now) {
            let flowing = self.layers.iter().any(Layer::is_flowing);
            let mut carried = [None; LAYERS];
            for ((number, place), bitrate) in (0u8..).zip(&mut carried).zip(self.layer_bitrates(now)) {
                let layer = self.layers.get(stream_of(number, self.scalable));
                let shown = layer.is_some_and(|layer| if flowing { layer.is_flowing() } else { layer.is_live() });
                let active = layer.and_then(Layer::spatial).is_none_or(|spatial| spatial.is_active(number));
                *place = (shown && active).then_some(bitrate);
            }
            if self.kind == Kind::Audio
                && let ([Some(_), plain, ..], Some(sound)) = (&mut carried, self.layers.first())
            {
                *plain = Some(sound.plain_bits_per_second(now));
            }
            self.rates.measure(carried, now);
        }
        self.rates.layers()
    }

    /// True once after layers began or ceased to flow.
    pub fn take_flow_changed(&mut self) -> bool {
        std::mem::take(&mut self.flow_changed)
    }

    /// Decides anew which layer each subscription should be shown, after what flows has changed.
    pub(super) fn retarget(&mut self, now: Instant) {
        self.flow_changed = true;
        if self.scalable {
            return self.retarget_layers(now);
        }
        for place in 0..self.subscribers.capacity() {
            self.target(place, now);
        }
        self.update_waiting();
    }

    /// Decides anew which layer a subscription should be shown.
    pub(super) fn retarget_one(&mut self, place: usize, now: Instant) {
        if self.scalable {
            return self.retarget_layers(now);
        }
        self.target(place, now);
        self.update_waiting();
    }

    /// The highest live layer it may have, and of those one that has not just stopped.
    fn target(&mut self, place: usize, now: Instant) {
        let Some(Subscriber { key, forward, told, .. }) = self.subscribers.get_mut(place) else { return };
        let ceiling = forward.ceiling().filter(|_| !self.muted);
        let allowed = || (0..).zip(&self.layers).filter(|(number, _)| Some(*number) <= ceiling);
        let flowing = allowed().filter(|(_, layer)| layer.is_flowing()).last();
        let highest = flowing.or_else(|| allowed().filter(|(_, layer)| layer.is_live()).last());
        forward.target = highest.map(|(number, _)| number);
        if ceiling.is_none() {
            if let Some(list) = forward.layer().and_then(|before| self.shown.get_mut(usize::from(before))) {
                list.retain(|shown| *shown != place);
            }
            forward.stop();
            if told.take().is_some() {
                self.events.push(TrackEvent::LayerChanged { subscription: *key, layer: None });
            }
        }
        if let Some(target) = forward.target.filter(|target| Some(*target) != forward.layer())
            && self.kind == Kind::Video
            && let Some(layer) = self.layers.get_mut(usize::from(target))
            && !(forward.is_new() && layer.fresh_key_frame(now).is_some())
        {
            layer.want_key_frame(now);
        }
    }

    /// Lets everyone shown a layer begin anew, after its SSRC changed.
    pub(super) fn restart(&mut self, place: usize) {
        for key in self.shown.get_mut(place).map(std::mem::take).unwrap_or_default() {
            if let Some(subscriber) = self.subscribers.get_mut(key) {
                subscriber.forward.stop();
            }
        }
        self.update_waiting();
    }

    pub(super) fn update_waiting(&mut self) {
        let waits = |forward: &Forward| match &forward.layered {
            None => forward.target.is_some() && forward.target != forward.layer(),
            Some(layered) => layered.goal.is_some() && layered.goal != layered.point,
        };
        self.waiting = self.subscribers.iter().any(|(_, subscriber)| waits(&subscriber.forward));
    }

    /// Sees up to which layer anybody could be shown it. Bandwidth does not count: it may come back at any time.
    pub(super) fn update_demand(&mut self, now: Instant) {
        if self.kind == Kind::Audio {
            return;
        }
        let wants = |forward: &Forward| !forward.paused && forward.grant.withheld() != Some(Withheld::LastN);
        let wanted =
            self.subscribers.iter().map(|(_, subscriber)| &subscriber.forward).filter(|forward| wants(forward));
        let wanted = wanted.map(|forward| forward.max_layer.saturating_add(1)).max();
        if self.demand.want(wanted.unwrap_or_default(), now) {
            self.tell_demand();
        }
    }

    pub(super) fn tell_demand(&mut self) {
        self.events.push(TrackEvent::Wanted { layers: self.demand.layers(), of: self.demand.all() });
    }
}

/// Whether a key frame of `layer` brings a subscription nearer to its target: to it, or up on the way to it, or to any
/// picture at all.
pub(super) fn wants(forward: &Forward, layer: u8) -> bool {
    let Some(target) = forward.target else { return false };
    match forward.layer() {
        None => Some(layer) <= forward.ceiling(),
        Some(shown) => shown != layer && (layer == target || (shown < layer && layer < target)),
    }
}
