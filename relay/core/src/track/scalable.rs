//! A track whose one stream holds several layers: every subscriber sees each packet, and takes what is for it.

use std::time::Instant;

use super::{MAX_LAYERS, Track, TrackEvent};
use crate::codec::Format;
use crate::codec::scalable::{MAX_SPATIAL, Point};
use crate::drop::Reason;
use crate::egress::{Egress, Moment};
use crate::layer::{Layer, Received, Spatial};
use crate::message::Kind;
use crate::outbox::Outbox;
use crate::switch::TrackConfig;

/// The spatial layers a track is announced with, where its one encoding is to be told apart into layers.
///
/// W3C webrtc-svc: `L`, spatial layers, `T`, temporal layers, and how they depend on one another, which the stream itself
/// tells. `S` modes are simulcast within one stream, and are told apart the same way.
pub(super) fn layers_of(config: &TrackConfig, format: Format) -> Option<u8> {
    let mode = config.scalability.as_ref()?.as_bytes();
    let readable = matches!(format, Format::Vp9 | Format::Av1) && config.kind == Kind::Video;
    let announced = mode.get(1).map_or(1, |digit| digit.saturating_sub(b'0'));
    (readable && config.encodings.len() == 1).then(|| announced.clamp(1, MAX_SPATIAL.to_le_bytes()[0]))
}

impl Track {
    /// Whether its one stream holds several layers.
    #[must_use]
    pub fn is_scalable(&self) -> bool {
        self.scalable
    }

    /// Forwards a stored packet to everyone it is for.
    pub(super) fn forward_layers<O: Outbox>(
        &mut self,
        received: Received,
        moment: &Moment,
        egresses: &mut [Egress],
        out: &mut O,
    ) -> Result<(), Reason> {
        let points = self.layers.first().map(Layer::points).unwrap_or_default();
        if received.woke || received.resumed || points != self.points {
            self.note_points(received.woke);
            self.retarget(moment.now);
        }
        if self.muted {
            return Err(Reason::Muted);
        }
        if self.waiting {
            self.begin_layers(received, moment, egresses, out);
        }
        let Some(source) = self.layers.first_mut() else { return Ok(()) };
        let mut moved = false;
        for key in &self.shown[0] {
            let Some(subscriber) = self.subscribers.get_mut(*key) else { continue };
            let Some(egress) = egresses.get_mut(subscriber.forward.peer) else { continue };
            let before = subscriber.forward.layer();
            let switched = if egress.is_paced() {
                let packets = (&mut *source, std::iter::once(received.index));
                Self::send_paced((*key, subscriber), packets, egress, moment, &mut self.lagging, out)
            } else {
                let Some((packet, bytes)) = source.ring().view(received.index) else { break };
                subscriber.forward.offer(packet, bytes, egress, moment, out)
            };
            if switched {
                moved = true;
                let layer = subscriber.forward.layer();
                if layer != before {
                    self.events.push(TrackEvent::LayerChanged { subscription: subscriber.key, layer });
                }
            }
        }
        if moved {
            self.update_waiting();
        }
        if self.waiting {
            self.ask_for_key_frame(moment.now);
        }
        Ok(())
    }

    /// Tells which spatial layers began or ceased.
    fn note_points(&mut self, woke: bool) {
        let Some(layer) = self.layers.first() else { return };
        let Some(spatial) = layer.spatial() else { return };
        let was = |number| !woke && self.points.best(number, 0).is_some_and(|point| point.spatial == number);
        for number in 0..MAX_LAYERS.to_le_bytes()[0] {
            let live = spatial.is_active(number);
            if live != was(number) {
                self.events.push(TrackEvent::Live { layer: number, live });
            }
        }
        self.points = layer.points();
    }

    /// Tells that all spatial layers ceased.
    pub(super) fn fell_silent(&mut self) {
        for layer in (0..MAX_LAYERS.to_le_bytes()[0]).filter(|number| {
            self.layers.first().and_then(Layer::spatial).is_some_and(|spatial| spatial.is_active(*number))
        }) {
            self.events.push(TrackEvent::Live { layer, live: false });
        }
    }

    /// Lets those begin who are shown nothing, with a key frame that begins now, or with a fresh one out of the ring.
    fn begin_layers<O: Outbox>(&mut self, received: Received, moment: &Moment, egresses: &mut [Egress], out: &mut O) {
        let report = self.layers.first().and_then(Layer::last_report);
        let Some(source) = self.layers.first_mut() else { return };
        let fresh = || source.fresh_key_frame(moment.now);
        let first = if received.key_frame { Some(received.index) } else { fresh() };
        let Some(first) = first else { return };
        let newest = source.newest().unwrap_or(received.index);
        let Some((packet, _)) = source.ring().get(first) else { return };
        let mut moved = false;
        for (key, subscriber) in &mut self.subscribers {
            let forward = &mut subscriber.forward;
            let Some(layered) = forward.layered.as_ref().filter(|layered| layered.point.is_none()) else { continue };
            let admitted = layered.goal.is_some_and(|goal| packet.frame.is_some_and(|frame| frame.admits(None, goal)));
            if !admitted || (first != received.index && !forward.is_new()) {
                continue;
            }
            moved = true;
            forward.switch(0, &packet, |_| report, moment.now);
            self.shown[0].push(key);
            self.events.push(TrackEvent::LayerChanged { subscription: subscriber.key, layer: forward.layer() });
            let Some(egress) = egresses.get_mut(forward.peer) else { continue };
            if egress.is_paced() {
                Self::send_paced((key, subscriber), (source, first..=newest), egress, moment, &mut self.lagging, out);
                continue;
            }
            for index in first..=newest {
                if let Some((packet, bytes)) = source.ring().get(index) {
                    forward.offer(&packet, bytes, egress, moment, out);
                }
            }
        }
        if moved {
            self.next_sender_report = Some(moment.now);
            self.update_waiting();
        }
    }

    /// Asks for a key frame if one is needed by who waits.
    fn ask_for_key_frame(&mut self, now: Instant) {
        let Some(layer) = self.layers.first_mut() else { return };
        let needs = |(point, goal): (Option<Point>, Point)| {
            point != Some(goal) && layer.spatial().is_some_and(|spatial| spatial.frames.needs_key(point, goal))
        };
        // What is needed may be among what waits.
        let forwards = self.subscribers.iter().map(|(_, subscriber)| &subscriber.forward);
        let moves = forwards.filter(|forward| forward.held.is_none()).filter_map(|forward| forward.layered.as_ref());
        if moves.filter_map(|layered| Some((layered.point, layered.goal?))).any(needs) {
            layer.ensure_key_frame(now);
        }
    }

    /// Decides anew which operating point each subscription should be shown: the best one it may have.
    pub(super) fn retarget_layers(&mut self, now: Instant) {
        let Some(layer) = self.layers.first_mut() else { return };
        let points = layer.points();
        let live = layer.is_live() && !self.muted;
        let mut wanted = false;
        for (key, subscriber) in &mut self.subscribers {
            let forward = &mut subscriber.forward;
            let ceiling = forward.ceiling().filter(|_| live);
            let Some(layered) = &mut forward.layered else { continue };
            layered.goal = ceiling.and_then(|ceiling| points.best(ceiling, layered.max_temporal));
            let (point, goal) = (layered.point, layered.goal);
            forward.target = goal.map(|goal| goal.spatial);
            if goal.is_none() && point.is_some() {
                self.shown[0].retain(|shown| *shown != key);
                forward.stop();
                self.events.push(TrackEvent::LayerChanged { subscription: subscriber.key, layer: None });
            }
            wanted |= goal.is_some_and(|goal| {
                let fresh = forward.is_new() && layer.fresh_key_frame(now).is_some();
                let needs = |spatial: &Spatial| spatial.frames.needs_key(point, goal);
                point != Some(goal) && !fresh && layer.spatial().is_some_and(needs)
            });
        }
        if wanted {
            layer.want_key_frame(now);
        }
        self.update_waiting();
    }
}
