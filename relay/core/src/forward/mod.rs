//! One subscription: a published track as one subscriber sees it.
//!
//! The stream a subscriber receives has one SSRC, one gapless sequence, one timeline and one picture count, whatever
//! layer it is fed from. See [`Run`] for how, and [`Layered`] for a stream that holds several layers.
//!
//! **Nonces.** The SRTP index of an outgoing packet is its extended sequence number, so a packet sent again under the same
//! number must be the same bytes. Retransmissions therefore use RTX where it was negotiated; where it was not, the headers of
//! that subscription carry nothing that changes from sending to sending.

mod layered;
mod probe;
mod runs;
mod timeline;

pub use layered::Layered;
pub use runs::{Run, Runs};
pub use timeline::Timeline;

use layered::Fate;
use std::time::Instant;

use crate::allocate::Grant;
use crate::codec::{Shift, red};
use crate::egress::{Egress, Moment};
use crate::message::{Extensions, Kind};
use crate::outbox::Outbox;
use crate::ring::{MAX_PAYLOAD, Stored};
use crate::rtcp::{ReportBlock, SenderInfo};
use crate::rtp::{Label, Stamp, Template, TemplateConfig};
use crate::switch::{ForwardStats, SubscriptionConfig};

/// Retransmissions per second a subscriber may cause, and at once.
const RETRANSMISSIONS: f64 = 512.0;

/// A retransmission stream (RFC 4588).
#[derive(Debug)]
struct Rtx {
    ssrc: u32,
    template: Template,
    next: u64,
}

/// One subscription.
#[derive(Debug)]
pub struct Forward {
    /// Index of the subscriber's egress.
    pub peer: usize,
    ssrc: u32,
    template: Template,
    /// Headers of redundant audio, and the payload type of what it holds.
    red: Option<Template>,
    payload_type: u8,
    rtx: Option<Rtx>,
    kind: Kind,
    runs: Runs,
    timeline: Timeline,
    /// Index of the next packet.
    next: u64,
    layer: Option<u8>,
    /// What is forwarded of a stream that holds several layers.
    pub layered: Option<Layered>,
    /// The layer to be shown, `None` when none may or can be.
    pub target: Option<u8>,
    /// Highest layer the subscriber wants.
    pub max_layer: u8,
    /// Forward nothing.
    pub paused: bool,
    /// What its subscriber's bandwidth and its room allow.
    pub grant: Grant,
    /// Whether its subscriber can receive: keys and an address are known.
    pub open: bool,
    /// When the next sender report is due.
    pub report_due: Option<Instant>,
    report: Option<(u32, Instant)>,
    /// Highest number the subscriber has reported.
    reported: Option<u32>,
    budget: f64,
    budget_at: Instant,
    stats: ForwardStats,
    rtt_ms: Option<f64>,
}

impl Forward {
    /// A subscription that has not begun. `egress` tells where earlier streams of these SSRCs ended.
    #[must_use]
    pub fn new(
        peer: usize,
        config: &SubscriptionConfig,
        kind: Kind,
        clock_rate: u32,
        egress: &Egress,
        now: Instant,
    ) -> Self {
        let mid = config.mid.as_ref().and_then(|mid| Label::new(mid.as_bytes()));
        let layout = |ssrc, payload_type, extensions| {
            Template::new(&TemplateConfig { ssrc, payload_type, extensions, mid, audio: kind == Kind::Audio })
        };
        let rtx = config.rtx_ssrc.zip(config.rtx_payload_type).filter(|_| kind == Kind::Video);
        let resent_as_it_was = kind == Kind::Video && rtx.is_none();
        let extensions = if resent_as_it_was {
            Extensions { transport_cc: None, abs_send_time: None, ..config.extensions }
        } else {
            config.extensions
        };
        Self {
            peer,
            ssrc: config.ssrc,
            template: layout(config.ssrc, config.payload_type, extensions),
            red: config.red_payload_type.map(|payload_type| layout(config.ssrc, payload_type, extensions)),
            payload_type: config.payload_type,
            rtx: rtx.map(|(ssrc, payload_type)| Rtx {
                ssrc,
                template: layout(ssrc, payload_type, extensions),
                next: egress.first_index(ssrc),
            }),
            kind,
            runs: Runs::default(),
            timeline: Timeline::new(clock_rate),
            next: egress.first_index(config.ssrc),
            layer: None,
            layered: None,
            target: None,
            max_layer: u8::MAX,
            paused: false,
            grant: Grant::ALL,
            open: egress.is_open(),
            report_due: None,
            report: None,
            reported: None,
            budget: RETRANSMISSIONS,
            budget_at: now,
            stats: ForwardStats::default(),
            rtt_ms: None,
        }
    }

    /// Its SSRC.
    #[must_use]
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// SSRC of its retransmissions.
    #[must_use]
    pub fn rtx_ssrc(&self) -> Option<u32> {
        self.rtx.as_ref().map(|rtx| rtx.ssrc)
    }

    /// Forwards of a stream that holds several layers what the subscriber may have.
    pub fn be_layered(&mut self) {
        self.layered = Some(Layered::new());
    }

    /// The layer being forwarded; the spatial layer of a stream that holds several.
    #[must_use]
    pub fn layer(&self) -> Option<u8> {
        match &self.layered {
            None => self.layer,
            Some(layered) => layered.point.map(|point| point.spatial),
        }
    }

    /// Round trip as its receiver reports tell, ms.
    #[must_use]
    pub fn rtt_ms(&self) -> Option<f64> {
        self.rtt_ms
    }

    /// The highest layer that may be shown, if any may.
    #[must_use]
    pub fn ceiling(&self) -> Option<u8> {
        self.grant.highest().map(|granted| granted.min(self.max_layer)).filter(|_| !self.paused && self.open)
    }

    /// Whether it never forwarded anything.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.runs.current().is_none()
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> ForwardStats {
        ForwardStats { layer: self.layer(), ..self.stats }
    }

    /// Tells the egress where its streams ended, so that their indices are never used again.
    pub fn end(&self, egress: &mut Egress) {
        egress.end_stream(self.ssrc, self.next);
        if let Some(rtx) = &self.rtx {
            egress.end_stream(rtx.ssrc, rtx.next);
        }
    }

    /// Forwards nothing until the next key frame.
    pub fn stop(&mut self) {
        self.layer = None;
        if let Some(layered) = &mut self.layered {
            layered.point = None;
        }
    }

    /// Begins a run with `packet` of `layer`, which decoding can begin with. `reports` are the last sender reports of the
    /// layer shown before and of this one.
    pub fn switch(
        &mut self,
        layer: u8,
        packet: &Stored,
        reports: impl Fn(u8) -> Option<(SenderInfo, Instant)>,
        now: Instant,
    ) {
        let before = self.runs.current().copied();
        let (timestamp, picture) = match before {
            None => (0, Shift::default()),
            Some(run) => {
                let source = |layer| reports(layer).map(|(info, _)| info);
                let timestamp = self.timeline.shift(&run, layer, packet.timestamp, source, now);
                (timestamp, self.timeline.picture_shift(&packet.picture, run.picture))
            }
        };
        self.runs.push(Run { layer, first_in: packet.index, first_out: self.next, timestamp, picture });
        self.layer = Some(layer);
        if let Some(layered) = &mut self.layered {
            layered.begin(packet.index, self.next);
        }
        self.report_due = Some(now);
    }

    /// Sends one packet of the current layer. False when it is from before the run, or could not be sent.
    #[inline]
    pub fn send<O: Outbox>(
        &mut self,
        packet: &Stored,
        bytes: &mut [u8],
        egress: &mut Egress,
        moment: &Moment,
        out: &mut O,
    ) -> bool {
        let Some(run) = self.runs.current() else { return false };
        let Some(index) = run.outgoing(packet.index) else { return false };
        let timestamp = packet.timestamp.wrapping_add(run.timestamp);
        let begins = index == run.first_out && self.kind == Kind::Audio;
        if packet.red.is_some() {
            // Always: another subscriber's may stand there.
            red::name_blocks(bytes, self.payload_type);
        }
        let (descriptor, payload) = renumber(packet, bytes, run);
        let stamp = Stamp { descriptor, ..stamp(packet, index, timestamp, packet.marker || begins, moment) };
        if index >= self.next {
            self.timeline.advance(timestamp, &packet.picture, run.picture, moment.now);
            self.next = index + 1;
        }
        let (template, payload) = match (packet.red, &self.red) {
            (None, _) => (&self.template, payload),
            (Some(_), Some(red)) => (red, payload),
            (Some(primary), None) => (&self.template, payload.get(usize::from(primary)..).unwrap_or_default()),
        };
        if !egress.send_rtp(template, stamp, payload, index, moment, out) {
            return false;
        }
        self.stats.packets += 1;
        self.stats.bytes += payload.len() as u64;
        true
    }

    /// Sends one packet of a stream that holds several layers, if it is for the subscriber. True when another operating
    /// point is forwarded from this packet on.
    #[inline]
    pub fn offer<O: Outbox>(
        &mut self,
        packet: &Stored,
        bytes: &mut [u8],
        egress: &mut Egress,
        moment: &Moment,
        out: &mut O,
    ) -> bool {
        let (Some(run), Some(layered)) = (self.runs.current(), &mut self.layered) else { return false };
        let before = self.next;
        let (fate, switched) = layered.decide(packet.index, packet.frame.as_ref(), packet.marker, &mut self.next);
        let (number, marker) = match fate {
            Fate::Dropped => return switched,
            Fate::Sent(number, marker) => (number, marker),
            Fate::Blank(number) => (number, false),
        };
        let timestamp = packet.timestamp.wrapping_add(run.timestamp);
        let (mut descriptor, mut payload) = renumber(packet, bytes, run);
        if matches!(fate, Fate::Blank(_)) {
            (descriptor, payload) = (&[], &[]);
        } else if number >= before {
            self.timeline.advance(timestamp, &packet.picture, run.picture, moment.now);
        }
        let stamp = Stamp { descriptor, ..stamp(packet, number, timestamp, marker, moment) };
        if egress.send_rtp(&self.template, stamp, payload, number, moment, out) {
            self.stats.packets += 1;
            self.stats.bytes += payload.len() as u64;
        }
        switched
    }

    /// Where a packet sent under a number came from: its run, its published index, its marker bit where that may differ
    /// from the published one.
    fn source(&self, number: u64) -> Option<(&Run, u64, Option<bool>)> {
        let Some(layered) = &self.layered else {
            return self.runs.published(number).map(|(run, index)| (run, index, None));
        };
        let (index, marker) = layered.source(number, self.next)?;
        self.runs.current().map(|run| (run, index, Some(marker)))
    }

    /// Counts a NACK and says which published packet a sequence number is: its layer and index. `None` when it was never
    /// sent, is forgotten, or the subscriber asked too much.
    pub fn locate(&mut self, sequence: u16, now: Instant) -> Option<(u8, u64)> {
        self.stats.nacks_received += 1;
        let outgoing = self.extend(sequence)?;
        let elapsed = now.saturating_duration_since(self.budget_at).as_secs_f64();
        self.budget = (self.budget + elapsed * RETRANSMISSIONS).min(RETRANSMISSIONS);
        self.budget_at = now;
        if self.budget < 1.0 {
            return None;
        }
        let (layer, index) = self.source(outgoing).map(|(run, index, _)| (run.layer, index))?;
        self.budget -= 1.0;
        Some((layer, index))
    }

    /// Sends a packet again, by RTX if negotiated.
    pub fn resend<O: Outbox>(
        &mut self,
        sequence: u16,
        packet: &Stored,
        bytes: &mut [u8],
        egress: &mut Egress,
        moment: &Moment,
        out: &mut O,
    ) -> bool {
        let Some(outgoing) = self.extend(sequence) else { return false };
        let Some((run, _, marker)) = self.source(outgoing) else { return false };
        let timestamp = packet.timestamp.wrapping_add(run.timestamp);
        let begins = outgoing == run.first_out && self.kind == Kind::Audio;
        let marker = marker.unwrap_or(packet.marker || begins);
        let (descriptor, payload) = renumber(packet, bytes, run);
        let sent = if let Some(rtx) = &mut self.rtx {
            // RFC 4588 section 4: the original sequence number goes before the payload.
            let mut wrapped = [0; MAX_PAYLOAD + 2];
            let Some(wrapped) = wrapped.get_mut(..payload.len() + 2) else { return false };
            crate::bytes::put(wrapped, 0, &sequence.to_be_bytes());
            crate::bytes::put(wrapped, 2, payload);
            let index = rtx.next;
            rtx.next += 1;
            let stamp = Stamp { descriptor, ..stamp(packet, index, timestamp, marker, moment) };
            egress.send_rtp(&rtx.template, stamp, wrapped, index, moment, out)
        } else {
            let stamp = Stamp { descriptor, ..stamp(packet, outgoing, timestamp, marker, moment) };
            egress.send_rtp(&self.template, stamp, payload, outgoing, moment, out)
        };
        self.stats.retransmitted += u64::from(sent);
        sent
    }

    /// Counts a key frame request.
    pub fn count_key_frame_request(&mut self) {
        self.stats.plis_received += 1;
    }

    /// Takes in what the subscriber reports of the stream. Returns how many packets its loss is told of.
    pub fn report_block(&mut self, block: &ReportBlock, now: Instant) -> u64 {
        if block.ssrc != self.ssrc {
            return 0;
        }
        let before = self.reported.replace(block.highest);
        let expected = before.map_or(0, |before| block.highest.wrapping_sub(before));
        self.stats.lost = f64::from(block.fraction_lost) / 256.0;
        if let Some((sent, at)) = self.report
            && sent == block.last_report
        {
            let elapsed = now.saturating_duration_since(at).as_secs_f64();
            self.rtt_ms = Some(((elapsed - f64::from(block.delay) / 65_536.0) * 1000.0).max(0.0));
        }
        // More than a stream can have sent between two reports is a lie or a restart.
        if expected < 0x8000 { expected.into() } else { 0 }
    }

    /// The sender report of now, translated from the publisher's last one of the current layer.
    #[allow(clippy::cast_possible_truncation, reason = "fields are defined modulo their width")]
    pub fn sender_report(&mut self, source: (SenderInfo, Instant), now: Instant) -> Option<SenderInfo> {
        let run = self.runs.current()?;
        let info = self.timeline.translate(source, run.timestamp, now);
        self.report = Some(((info.ntp >> 16) as u32, now));
        Some(SenderInfo { packets: self.stats.packets as u32, octets: self.stats.bytes as u32, ..info })
    }

    /// The extended number of a sequence number at most half a circle behind the next packet.
    fn extend(&self, sequence: u16) -> Option<u64> {
        let newest = self.next.checked_sub(1)?;
        #[allow(clippy::cast_possible_truncation, reason = "the low 16 bits are meant")]
        let behind = (newest as u16).wrapping_sub(sequence);
        newest.checked_sub(u64::from(behind)).filter(|_| behind < 0x8000)
    }
}

/// Writes a run's picture numbers into dependency descriptor and payload.
#[inline]
fn renumber<'a>(packet: &Stored, bytes: &'a mut [u8], run: &Run) -> (&'a [u8], &'a [u8]) {
    let (descriptor, payload) = packet.split(bytes);
    packet.picture.write_descriptor(descriptor, run.picture);
    packet.picture.write(payload, run.picture);
    (descriptor, payload)
}

fn stamp(packet: &Stored, index: u64, timestamp: u32, marker: bool, moment: &Moment) -> Stamp<'static> {
    Stamp {
        marker,
        #[allow(clippy::cast_possible_truncation, reason = "the low 16 bits are the sequence number")]
        sequence: index as u16,
        timestamp,
        transport_cc: 0,
        abs_send_time: moment.abs_send_time,
        audio_level: packet.audio_level,
        descriptor: &[],
    }
}
