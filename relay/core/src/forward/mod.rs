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
mod repair;
mod report;
mod runs;
mod timeline;

pub use layered::Layered;
pub use runs::{Run, Runs};
pub use timeline::Timeline;

use layered::Fate;
use repair::{KeyFrames, RETRANSMISSIONS, Repeated, Rtx};
use std::ops::RangeInclusive;
use std::time::Instant;

use crate::allocate::Grant;
use crate::codec::{Shift, red};
use crate::egress::{Egress, Moment};
use crate::message::{Extensions, Kind};
use crate::outbox::Outbox;
use crate::ring::{Ring, Stored};
use crate::rtcp::SenderInfo;
use crate::rtp::{Label, Stamp, Template, TemplateConfig};
use crate::switch::{ForwardStats, SubscriptionConfig};

/// One subscription.
#[derive(Debug)]
pub struct Forward {
    /// Index of the subscriber's egress.
    pub peer: usize,
    ssrc: u32,
    template: Template,
    /// Headers of redundant audio, and the payload type of what it holds.
    red: Option<Box<Template>>,
    /// Redundancy is left out all the same.
    pub plain: bool,
    payload_type: u8,
    rtx: Option<Box<Rtx>>,
    kind: Kind,
    runs: Runs,
    timeline: Timeline,
    /// Index of the next packet.
    next: u64,
    /// Packets before this number were of a stream that has since begun anew: they cannot be sent again.
    forgotten: u64,
    /// The published packet that waits to be sent first, where a train is drawn out.
    pub held: Option<u64>,
    layer: Option<u8>,
    /// What is forwarded of a stream that holds several layers.
    pub layered: Option<Box<Layered>>,
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
    /// Highest number the subscriber has reported, and packets sent until then.
    reported: Option<(u32, u64)>,
    budget: f64,
    budget_at: Instant,
    repeated: Repeated,
    key_frames: KeyFrames,
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
            red: config.red_payload_type.map(|payload_type| Box::new(layout(config.ssrc, payload_type, extensions))),
            plain: false,
            payload_type: config.payload_type,
            rtx: rtx.map(|(ssrc, payload_type)| {
                let template = layout(ssrc, payload_type, extensions);
                Box::new(Rtx { ssrc, template, next: egress.first_index(ssrc) })
            }),
            kind,
            runs: Runs::default(),
            timeline: Timeline::new(clock_rate),
            next: egress.first_index(config.ssrc),
            forgotten: 0,
            held: None,
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
            repeated: Repeated::default(),
            key_frames: KeyFrames::default(),
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

    /// Whether its subscriber takes redundant sound.
    #[must_use]
    pub fn takes_redundancy(&self) -> bool {
        self.red.is_some()
    }

    /// Forwards of a stream that holds several layers what the subscriber may have.
    pub fn be_layered(&mut self) {
        self.layered = Some(Box::new(Layered::new()));
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
        self.held = None;
        if let Some(layered) = &mut self.layered {
            layered.point = None;
        }
    }

    /// Forgets what was sent: the publisher numbers its packets anew, so an old number would mean other bytes.
    pub fn forget(&mut self) {
        self.forgotten = self.next;
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
        self.runs.push(Run {
            layer,
            first_in: packet.index,
            first_out: self.next,
            timestamp,
            picture,
            begins: self.kind == Kind::Audio,
            follows: false,
        });
        self.layer = Some(layer);
        // What waited is of before a key frame.
        self.held = None;
        if let Some(layered) = &mut self.layered {
            layered.begin(packet.index, self.next);
        }
        self.report_due = Some(now);
    }

    /// Leaves out a packet that holds nothing: those after it close up. One that comes late has left a gap, which stays.
    pub fn skip(&mut self, index: u64) {
        let Some(run) = self.runs.current().copied() else { return };
        if let Some(number) = run.outgoing(index).filter(|number| *number >= self.next) {
            let whole = number == run.first_out; // nothing was sent of it: it gives way
            let (begins, follows) = (run.begins && whole, run.follows || !whole);
            self.runs.push(Run { first_in: index + 1, first_out: number, begins, follows, ..run });
        }
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
        let place = run.outgoing(packet.index).map(|index| (run, index));
        let Some((run, index)) = place.or_else(|| self.runs.late(packet.index)) else { return false };
        let timestamp = packet.timestamp.wrapping_add(run.timestamp);
        let begins = run.begins && index == run.first_out;
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
            (Some(_), Some(red)) if !self.plain => (&**red, payload),
            (Some(primary), _) => (&self.template, payload.get(usize::from(primary)..).unwrap_or_default()),
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

    /// Sends one packet of its layer, or what of it is for the subscriber where the stream holds several. True as
    /// [`Forward::offer`] says.
    #[inline]
    pub fn pass<O: Outbox>(
        &mut self,
        packet: &Stored,
        bytes: &mut [u8],
        egress: &mut Egress,
        moment: &Moment,
        out: &mut O,
    ) -> bool {
        if self.layered.is_some() {
            return self.offer(packet, bytes, egress, moment, out);
        }
        self.send(packet, bytes, egress, moment, out);
        false
    }

    /// How many of the packets that wait will be sent: of a stream that holds several layers not all are.
    pub fn waiting(&self, indices: RangeInclusive<u64>, ring: &mut Ring) -> u64 {
        let Some(layered) = &self.layered else { return (indices.end() + 1).saturating_sub(*indices.start()) };
        let Some(point) = layered.goal.or(layered.point) else { return 0 };
        let is_for = |packet: &Stored| packet.frame.is_some_and(|frame| frame.is_for(point));
        indices.filter(|index| ring.view(*index).is_some_and(|(packet, _)| is_for(packet))).count() as u64
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
