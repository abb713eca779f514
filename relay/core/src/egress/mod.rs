//! The sending side of one transport: where to, under which keys, and what went out.

mod moment;
mod repeats;

pub use moment::Moment;

use std::time::{Duration, Instant};

use crate::bwe::Estimator;
use crate::drop::Reason;
use crate::flight::{Direction, Tape};
use crate::outbox::{Destination, Outbox};
use crate::pacer::Pacer;
use crate::rtcp::Writer;
use crate::rtp::{Stamp, Template};
use crate::srtp::{MAX_OVERHEAD, Sealer};
use repeats::Repeats;

/// Longest RTCP compound written, before sealing: fits a 1,200-byte datagram.
const MAX_RTCP: usize = 1_160;
/// Our SSRC as a receiver that gives feedback.
const FEEDBACK_SSRC: u32 = 1;
/// Longest padding of one packet, bytes (RFC 3550 section 5.1).
pub const MAX_PADDING: usize = 255;
/// The P bit of an RTP header.
const PADDED: u8 = 0x20;
/// Ended streams whose SRTP index is remembered.
const MAX_ENDED: usize = 8_192;

/// How soon an answer to what is sent now can come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turnaround {
    /// From sending a packet to hearing that it did not arrive.
    pub time: Duration,
    /// Whether packets wait for others before them, longer than the path alone explains.
    pub full: bool,
}

/// What sends packets to one peer. What every packet touches stands side by side, in this order.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Egress {
    destination: Option<Destination>,
    packets: u64,
    bytes: u64,
    pacer: Pacer,
    tape: Tape,
    sealer: Option<Sealer>,
    bandwidth: Estimator,
    repeats: Repeats,
    /// Next SRTP index of streams that ended. An index must never be used twice under one key (RFC 7714 section 8.1),
    /// so a stream that begins again with the same SSRC goes on from here.
    ended: Vec<(u32, u64)>,
}

impl Egress {
    /// Keys to seal with from now on.
    pub fn set_sealer(&mut self, sealer: Sealer) {
        self.sealer = Some(sealer);
    }

    /// Where to send to from now on.
    pub fn set_destination(&mut self, destination: Option<Destination>) {
        self.destination = destination;
    }

    /// Whether packets can go out.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.sealer.is_some() && self.destination.is_some()
    }

    /// What the peer's link carries, bit/s; `None` while nothing is known: do not limit.
    #[must_use]
    pub fn estimate(&self) -> Option<u64> {
        self.bandwidth.estimate()
    }

    /// Whether the estimate is less than the link carries, until a queue has drained.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.bandwidth.is_draining()
    }

    /// Tells what would be sent if the link carried it, bit/s. The link is probed only while its estimate is below.
    pub fn set_wanted(&mut self, bitrate: u64) {
        self.bandwidth.set_wanted(bitrate);
    }

    /// Begins a probe when one is due, and looks after an old one. True while a cluster is being sent.
    pub fn plan_probe(&mut self, moment: &Moment) -> bool {
        let probes = self.bandwidth.plan(moment.micros);
        self.keep_pace();
        probes
    }

    /// Sends pictures no faster than the link is thought to carry them, however many wait, or again as fast as they have to
    /// go to wait for no longer than about a second.
    pub fn set_firm(&mut self, firm: bool) {
        self.pacer.set_firm(firm);
        self.keep_pace();
    }

    fn keep_pace(&mut self) {
        let pace = if self.pacer.is_firm() { self.bandwidth.estimate() } else { self.bandwidth.pace() };
        self.pacer.set_pace(pace);
    }

    /// Whether trains of packets are drawn out.
    #[inline]
    #[must_use]
    pub fn is_paced(&self) -> bool {
        self.pacer.limits()
    }

    /// Whether one more picture's packet may go now.
    #[inline]
    #[must_use]
    pub fn admits(&self) -> bool {
        self.pacer.admits()
    }

    /// Lets the time since the last call count for what may go, while so many packets of a train wait.
    #[inline]
    pub fn fill(&mut self, waiting: u64, moment: &Moment) {
        self.pacer.fill(waiting, moment.micros);
    }

    /// Bytes that a probe wants sent now besides the media; 0 when there is none.
    #[must_use]
    pub fn padding_due(&self, moment: &Moment) -> u64 {
        self.bandwidth.padding_due(moment.micros)
    }

    /// Gives up a probe that nothing can be sent for.
    pub fn cancel_probe(&mut self, moment: &Moment) {
        self.bandwidth.cancel_probe(moment.micros);
    }

    /// Probes begun so far.
    #[must_use]
    pub fn probes(&self) -> u64 {
        self.bandwidth.probes()
    }

    /// What the peer last asked for by REMB, bit/s.
    #[must_use]
    pub fn remb(&self) -> Option<u64> {
        self.bandwidth.remb()
    }

    /// Takes in transport-wide feedback of the peer.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn on_feedback(&mut self, content: &[u8], moment: &Moment) -> Result<(), Reason> {
        let result = self.bandwidth.on_feedback(content, moment.micros);
        self.keep_pace();
        result
    }

    /// Takes in the peer's REMB, bit/s.
    pub fn on_remb(&mut self, bitrate: u64, moment: &Moment) {
        self.bandwidth.on_remb(bitrate, moment.micros);
        self.keep_pace();
    }

    /// Takes in the peer's report: of `expected` packets since the last one, `fraction_lost`/256 were lost.
    pub fn on_report(&mut self, fraction_lost: u8, expected: u64, moment: &Moment) {
        self.bandwidth.on_report(fraction_lost, expected, moment.micros);
    }

    /// Whether one more packet of so many bytes may be sent again; counts it.
    pub fn may_repeat(&mut self, bytes: usize, now: Instant) -> bool {
        self.repeats.allow(bytes, self.bandwidth.estimate(), now)
    }

    /// How soon the peer can ask again for what is sent now.
    #[must_use]
    pub fn turnaround(&self) -> Turnaround {
        let (time, full) = self.bandwidth.turnaround();
        Turnaround { time: Duration::from_micros(time), full }
    }

    /// The heads of the packets sent last.
    #[must_use]
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// Packets and bytes sent.
    #[must_use]
    pub fn sent(&self) -> (u64, u64) {
        (self.packets, self.bytes)
    }

    /// The first SRTP index of a stream: where it ended, or a small one (RFC 3711 section 3.3.1: a first sequence number
    /// below 2^15 keeps the rollover counter from being guessed wrong when first packets are lost).
    #[must_use]
    pub fn first_index(&self, ssrc: u32) -> u64 {
        let ended = self.ended.iter().find(|(ended, _)| *ended == ssrc);
        ended.map_or(u64::from(ssrc.wrapping_mul(0x9e37_79b9) >> 18), |(_, next)| *next)
    }

    /// Whether one more stream could end and be remembered.
    #[must_use]
    pub fn may_begin(&self) -> bool {
        self.ended.len() < MAX_ENDED
    }

    /// Remembers where a stream ended.
    pub fn end_stream(&mut self, ssrc: u32, next_index: u64) {
        match self.ended.iter_mut().find(|(ended, _)| *ended == ssrc) {
            Some(entry) => entry.1 = entry.1.max(next_index),
            None => self.ended.push((ssrc, next_index)),
        }
    }

    /// Writes the header, seals the payload behind it and queues the packet. False when nothing could be sent.
    #[inline]
    pub fn send_rtp<O: Outbox>(
        &mut self,
        template: &Template,
        mut stamp: Stamp<'_>,
        payload: &[u8],
        index: u64,
        moment: &Moment,
        out: &mut O,
    ) -> bool {
        let (Some(destination), Some(sealer)) = (self.destination, &self.sealer) else {
            return false;
        };
        stamp.transport_cc = self.bandwidth.next_number();
        let slot = out.packet(destination, Template::room(&stamp) + payload.len() + MAX_OVERHEAD);
        let Some(header) = template.write(slot, &stamp) else { return false };
        let Some(len) = sealer.seal_rtp(slot, header, payload, &[], index) else { return false };
        if let Some(head) = self.tape.begin(moment.now, len, header) {
            template.write(head, &stamp);
        } else {
            self.tape.record(Direction::Out, moment.now, len, slot.get(..header).unwrap_or_default());
        }
        self.commit(len, template, moment, out);
        true
    }

    /// Sends a packet of nothing but padding: an empty payload is harmless to every receiver.
    pub fn send_padding<O: Outbox>(
        &mut self,
        template: &Template,
        mut stamp: Stamp<'_>,
        index: u64,
        moment: &Moment,
        out: &mut O,
    ) -> bool {
        let (Some(destination), Some(sealer)) = (self.destination, &self.sealer) else {
            return false;
        };
        let mut padding = [0; MAX_PADDING];
        padding[MAX_PADDING - 1] = 255;
        stamp.transport_cc = self.bandwidth.next_number();
        let slot = out.packet(destination, Template::room(&stamp) + padding.len() + MAX_OVERHEAD);
        let Some(header) = template.write(slot, &stamp) else { return false };
        if let Some(first) = slot.first_mut() {
            *first |= PADDED;
        }
        let Some(len) = sealer.seal_rtp(slot, header, &[], &padding, index) else { return false };
        self.commit(len, template, moment, out);
        true
    }

    /// Queues what was sealed, and counts it.
    #[inline]
    fn commit<O: Outbox>(&mut self, len: usize, template: &Template, moment: &Moment, out: &mut O) {
        out.commit(len);
        self.bandwidth.sent(len, template.has_transport_cc(), moment.micros);
        self.pacer.spend(len);
        self.packets += 1;
        self.bytes += len as u64;
    }

    /// Lets `build` write a compound and sends it, unless it wrote nothing. False when nothing could be sent.
    pub fn send_rtcp<O: Outbox>(&mut self, now: Instant, out: &mut O, build: impl FnOnce(&mut Writer<'_>)) -> bool {
        let (Some(destination), Some(sealer)) = (self.destination, &mut self.sealer) else {
            return false;
        };
        let slot = out.packet(destination, MAX_RTCP + MAX_OVERHEAD);
        let Some(room) = slot.get_mut(..MAX_RTCP) else {
            return false;
        };
        let mut writer = Writer::new(room, FEEDBACK_SSRC);
        build(&mut writer);
        let len = writer.len();
        if len == 0 {
            return false;
        }
        let plain = slot.get(..len).unwrap_or_default();
        self.tape.record(Direction::Out, now, len, plain);
        let Some(len) = sealer.seal_rtcp(slot, len) else {
            return false;
        };
        out.commit(len);
        self.packets += 1;
        self.bytes += len as u64;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Extensions;
    use crate::outbox::VecOutbox;
    use crate::rtp::TemplateConfig;
    use crate::srtp::{Profile, from_dtls_server};

    #[test]
    fn nothing_goes_out_without_keys_or_address() {
        let mut egress = Egress::default();
        let mut out = VecOutbox::default();
        egress.set_destination(Some(Destination(1)));
        assert!(!egress.is_open());
        assert!(!egress.send_rtcp(Instant::now(), &mut out, |writer| assert!(writer.pli(1))));
        assert!(out.packets.is_empty());
    }

    #[test]
    fn the_tape_holds_the_headers_that_went_out() {
        let mut egress = Egress::default();
        let (sealer, _) = from_dtls_server(Profile::AeadAes128Gcm, &[7; 56]).unwrap();
        egress.set_sealer(sealer);
        egress.set_destination(Some(Destination(1)));
        let extensions = Extensions { transport_cc: Some(3), dependency_descriptor: Some(4), ..Extensions::default() };
        let template = Template::new(&TemplateConfig { ssrc: 9, extensions, ..TemplateConfig::default() });
        let (now, mut out) = (Instant::now(), VecOutbox::default());
        let moment = Moment::new(now, now);
        for (index, descriptor) in [&[][..], &[5; 3], &[6; 40]].repeat(3).into_iter().enumerate() {
            let stamp = Stamp { sequence: index as u16, descriptor, ..Stamp::default() };
            assert!(egress.send_rtp(&template, stamp, &[1; 100], index as u64, &moment, &mut out));
        }
        let records = egress.tape().records(now, crate::flight::SPAN);
        assert_eq!(records.len(), out.packets.len());
        for (record, (_, packet)) in records.iter().zip(&out.packets) {
            assert_eq!((record.len, record.head.len()), (packet.len(), packet.len() - 100 - 16));
            assert_eq!(record.head, packet[..record.head.len()]);
        }
    }

    #[test]
    fn an_ended_stream_goes_on_where_it_ended() {
        let mut egress = Egress::default();
        assert!(egress.first_index(77) < 0x8000);
        egress.end_stream(77, 123_456);
        egress.end_stream(77, 5);
        assert_eq!(egress.first_index(77), 123_456);
    }
}
