//! What a track tells its publisher and its subscribers, and what they tell it.

use std::time::Instant;

use super::{MAX_LAYERS, REPORT_INTERVAL, SENDER_REPORT_INTERVAL, Subscriber, Track, TrackEvent};
use crate::drop::Reason;
use crate::egress::{Egress, MAX_PADDING, Moment};
use crate::layer::Layer;
use crate::message::Kind;
use crate::outbox::Outbox;
use crate::rtcp::{ReportBlock, SenderInfo, Writer};

/// Which of a track's streams a layer is in: all spatial layers are in one, each layer of simulcast has its own.
pub(super) fn stream_of(layer: u8, scalable: bool) -> usize {
    if scalable { 0 } else { usize::from(layer) }
}

impl Track {
    /// Asks for a key frame of every layer that is live.
    pub fn request_key_frame(&mut self, now: Instant) {
        if self.kind == Kind::Video {
            self.layers.iter_mut().filter(|layer| layer.is_live()).for_each(|layer| layer.want_key_frame(now));
        }
    }

    /// A subscriber asks for a key frame of what it is shown, or will be.
    ///
    /// # Errors
    /// `KeyFrameFlood` when it asked too much: then none is made.
    pub fn key_frame_requested(&mut self, place: usize, now: Instant) -> Result<(), Reason> {
        let Some(Subscriber { forward, .. }) = self.subscribers.get_mut(place) else { return Ok(()) };
        let layer = forward.layer().or(forward.target);
        let stream = layer.map(|layer| stream_of(layer, self.scalable)).filter(|_| self.kind == Kind::Video);
        let layer = stream.and_then(|stream| self.layers.get_mut(stream));
        forward.key_frame_requested(layer.as_ref().is_none_or(|layer| layer.wants_key_frame()), now)?;
        if let Some(layer) = layer {
            layer.want_key_frame(now);
        }
        Ok(())
    }

    /// A subscriber asks for packets again. Returns how many it will not get because it asked too much.
    pub fn nack<O: Outbox>(
        &mut self,
        place: usize,
        sequences: impl Iterator<Item = u16>,
        moment: &Moment,
        egresses: &mut [Egress],
        out: &mut O,
    ) -> u64 {
        let Some(Subscriber { forward, .. }) = self.subscribers.get_mut(place) else { return 0 };
        let Some(egress) = egresses.get_mut(forward.peer).filter(|_| self.kind == Kind::Video) else { return 0 };
        let mut refused = 0;
        let link = egress.turnaround();
        for sequence in sequences {
            let located = forward.locate(sequence, &link, moment.now);
            refused += u64::from(located == Err(Reason::NackFlood));
            let Ok((layer, index)) = located else { continue };
            let Some(layer) = self.layers.get_mut(usize::from(layer)) else { continue };
            let Some((packet, payload)) = layer.ring().get(index) else { continue };
            if egress.may_repeat(payload.len(), moment.now) {
                forward.resend(sequence, &packet, payload, egress, moment, out);
            } else {
                refused += 1;
            }
        }
        refused
    }

    /// Sends one packet a subscriber has no need of, to fill up a probe: a recent one again, or padding. False when there
    /// is none that could be sent without harm to the stream's own numbers.
    pub fn probe<O: Outbox>(
        &mut self,
        place: usize,
        back: u64,
        moment: &Moment,
        egresses: &mut [Egress],
        out: &mut O,
    ) -> bool {
        let Some(Subscriber { forward, .. }) = self.subscribers.get_mut(place) else { return false };
        let Some(egress) = egresses.get_mut(forward.peer) else { return false };
        if let Some((sequence, layer, index)) = forward.recent(back)
            && let Some(layer) = self.layers.get_mut(usize::from(layer))
            && let Some((packet, payload)) = layer.ring().get(index).filter(|(_, payload)| payload.len() > MAX_PADDING)
        {
            return forward.repeat(sequence, &packet, payload, egress, moment, out);
        }
        forward.send_padding(egress, moment, out)
    }

    /// A subscriber reports how it receives. Returns the round trip in ms where it tells one, which fraction its link lost, of
    /// 256, and of how many packets that is told.
    pub fn report_block(&mut self, place: usize, block: &ReportBlock, now: Instant) -> Option<(Option<f64>, u8, u64)> {
        let subscriber = self.subscribers.get_mut(place)?;
        let (lost, of) = subscriber.forward.report_block(block, now);
        Some((subscriber.forward.rtt_ms(), lost, of))
    }

    /// The publisher's sender report of a layer.
    pub fn sender_report(&mut self, layer: u8, info: SenderInfo, now: Instant) {
        if let Some(layer) = self.layers.get_mut(usize::from(layer)) {
            layer.sender_report(info, now);
            self.next_sender_report.get_or_insert(now);
        }
    }

    /// The publisher said goodbye for a layer.
    pub fn goodbye(&mut self, layer: u8) {
        if let Some(layer) = self.layers.get_mut(usize::from(layer)) {
            layer.goodbye();
        }
    }

    /// When [`Track::write_feedback`] has something to say.
    #[must_use]
    pub fn next_feedback(&self) -> Instant {
        let layers = self.layers.iter().filter_map(Layer::next_feedback);
        layers.chain(self.demand.due()).fold(self.next_report, Instant::min)
    }

    /// Notices silent layers and writes NACK, key frame requests and reports to the publisher.
    pub fn write_feedback(&mut self, now: Instant, out: &mut Writer<'_>) {
        let (mut changed, mut silent) = (false, false);
        for (number, layer) in (0..).zip(&mut self.layers) {
            changed |= layer.fell_behind(now);
            if layer.fell_silent(now) {
                layer.forget_key_frame();
                if !self.scalable {
                    self.events.push(TrackEvent::Live { layer: number, live: false });
                }
                silent = true;
                changed = true;
            }
        }
        if silent && self.scalable {
            self.fell_silent();
        }
        if changed {
            self.retarget(now);
        }
        if self.kind == Kind::Video && self.demand.fell(now) {
            self.tell_demand();
        }
        if self.next_report <= now {
            self.next_report = now + REPORT_INTERVAL;
            let mut blocks = [ReportBlock::default(); MAX_LAYERS];
            let made = self.layers.iter_mut().filter_map(|layer| layer.report_block(now));
            let count = blocks.iter_mut().zip(made).map(|(place, block)| *place = block).count();
            if let Some(blocks) = blocks.get(..count).filter(|blocks| !blocks.is_empty()) {
                out.receiver_report(blocks);
            }
        }
        for layer in &mut self.layers {
            layer.write_feedback(now, out);
        }
    }

    /// When [`Track::send_reports`] has something to send.
    #[must_use]
    pub fn next_sender_report(&self) -> Option<Instant> {
        self.next_sender_report
    }

    /// Sends the sender reports that are due to subscribers.
    pub fn send_reports<O: Outbox>(&mut self, now: Instant, egresses: &mut [Egress], out: &mut O) {
        if self.next_sender_report.is_none_or(|due| due > now) {
            return;
        }
        self.next_sender_report = (!self.subscribers.is_empty()).then(|| now + REPORT_INTERVAL / 4);
        for (_, Subscriber { forward, .. }) in &mut self.subscribers {
            if forward.report_due.is_none_or(|due| due > now) {
                continue;
            }
            let stream = forward.layer().map(|layer| stream_of(layer, self.scalable));
            let layer = stream.and_then(|stream| self.layers.get(stream));
            let Some(source) = layer.filter(|layer| layer.is_live()).and_then(Layer::last_report) else { continue };
            let Some(egress) = egresses.get_mut(forward.peer) else { continue };
            let Some(info) = forward.sender_report(source, now) else { continue };
            forward.report_due = Some(now + SENDER_REPORT_INTERVAL);
            let ssrc = forward.ssrc();
            egress.send_rtcp(now, out, |writer| {
                writer.sender_report(ssrc, &info);
                writer.canonical_name(ssrc, self.name.as_bytes());
            });
        }
    }
}
