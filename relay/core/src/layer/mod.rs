//! One received layer of a track: its packets in order, its losses, its health.

mod bitrate;
mod key_frame;
mod liveness;
mod missing;
mod reception;
mod retransmission;
mod spatial;

pub use bitrate::Bitrate;
pub use liveness::SILENCE;
pub use missing::Missing;
pub use reception::Reception;
pub use retransmission::unwrap_retransmission;
pub use spatial::Spatial;

use std::time::Instant;

use key_frame::KEY_FRAME_RETRY;
use liveness::STALL;

use crate::codec::scalable::{Frame, Frames, Points};
use crate::codec::{Description, Format};
use crate::drop::Reason;
use crate::message::{Encoding, LayerStats};
use crate::ring::{Capacity, MAX_PAYLOAD, Ring, Stored};
use crate::rtcp::{ReportBlock, SenderInfo, Writer};
use crate::rtp::{Extensions, Header, Label, Unwrapper};

/// Sequence numbers asked for in one NACK.
const NACKS: usize = 64;

/// What a packet was to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Extended sequence number, by which [`Layer::ring`] knows it.
    pub index: u64,
    /// Decoding can begin here.
    pub key_frame: bool,
    /// The layer was not live before.
    pub woke: bool,
    /// The layer was stalled before.
    pub resumed: bool,
}

/// One layer.
#[derive(Debug)]
pub struct Layer {
    rid: Option<String>,
    ssrc: Option<u32>,
    rtx_ssrc: Option<u32>,
    format: Format,
    clock_rate: u32,
    red_payload_type: Option<u8>,
    unwrapper: Unwrapper,
    ring: Ring,
    missing: Missing,
    /// What it holds, where that is several layers.
    spatial: Option<Box<Spatial>>,
    first_packet: Option<Instant>,
    reception: Reception,
    bitrate: Bitrate,
    /// The same without redundancy, where there is any.
    plain: Option<Box<Bitrate>>,
    last_packet: Option<Instant>,
    live: bool,
    steady_since: Instant,
    stalled: bool,
    /// Timestamp of the newest key frame, so that its packets count once; its first packet, and when that came.
    key_frame: Option<(u32, u64, Instant)>,
    wanted: Option<Instant>,
    asked: Option<Instant>,
    packets: u64,
    bytes: u64,
    repaired: u64,
    key_frames: u64,
    nacks_sent: u64,
    plis_sent: u64,
}

impl Layer {
    /// A layer as announced; nothing received yet.
    #[must_use]
    pub fn new(encoding: &Encoding, format: Format, clock_rate: u32, now: Instant) -> Self {
        let capacity = if format == Format::Audio { Capacity::AUDIO } else { Capacity::VIDEO };
        Self {
            rid: encoding.rid.clone(),
            ssrc: encoding.ssrc,
            rtx_ssrc: encoding.rtx_ssrc,
            format,
            clock_rate,
            red_payload_type: None,
            unwrapper: Unwrapper::default(),
            ring: Ring::new(capacity),
            missing: Missing::default(),
            spatial: None,
            first_packet: None,
            reception: Reception::new(clock_rate, now),
            bitrate: Bitrate::new(now),
            plain: None,
            last_packet: None,
            live: false,
            steady_since: now,
            stalled: false,
            key_frame: None,
            wanted: None,
            asked: None,
            packets: 0,
            bytes: 0,
            repaired: 0,
            key_frames: 0,
            nacks_sent: 0,
            plis_sent: 0,
        }
    }

    /// A layer that is itself a stream of up to `layers` spatial layers.
    #[must_use]
    pub fn scalable(encoding: &Encoding, format: Format, layers: u8, clock_rate: u32, now: Instant) -> Self {
        let spatial = Some(Box::new(Spatial::new(Frames::new(format, layers), now)));
        Self { spatial, ..Self::new(encoding, format, clock_rate, now) }
    }

    /// Takes packets of this payload type for redundant audio (RFC 2198).
    #[must_use]
    pub fn with_red(self, payload_type: Option<u8>) -> Self {
        let plain = payload_type.map(|_| Box::new(self.bitrate.clone()));
        Self { red_payload_type: payload_type, plain, ..self }
    }

    /// What it holds, where that is several layers.
    #[must_use]
    pub fn spatial(&self) -> Option<&Spatial> {
        self.spatial.as_deref()
    }

    /// Operating points that packets come for now; all there are for a stream of one layer.
    #[must_use]
    pub fn points(&self) -> Points {
        self.spatial.as_ref().map_or(Points::ALL, |spatial| spatial.frames.active())
    }

    /// The SSRC of its media, once known.
    #[must_use]
    pub fn ssrc(&self) -> Option<u32> {
        self.ssrc
    }

    /// The SSRC of its retransmissions, once known.
    #[must_use]
    pub fn rtx_ssrc(&self) -> Option<u32> {
        self.rtx_ssrc
    }

    /// Binds the SSRC its media comes under. True when it had another: everything received before is then forgotten, for
    /// sequence numbers begin anew.
    pub fn bind(&mut self, ssrc: u32, now: Instant) -> bool {
        let before = self.ssrc.replace(ssrc);
        let changed = before.is_some_and(|before| before != ssrc);
        if changed {
            self.unwrapper = Unwrapper::default();
            self.ring.clear();
            self.missing = Missing::default();
            self.key_frame = None;
            if let Some(spatial) = &mut self.spatial {
                spatial.frames.restart();
            }
            self.reception = Reception::new(self.clock_rate, now);
            self.want_key_frame(now);
        }
        changed
    }

    /// Binds the SSRC its retransmissions come under.
    pub fn bind_repair(&mut self, ssrc: u32) {
        self.rtx_ssrc = Some(ssrc);
    }

    /// The highest index received.
    #[must_use]
    pub fn newest(&self) -> Option<u64> {
        self.unwrapper.highest()
    }

    /// Packets expected and received by the stream itself since it began.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        self.reception.totals()
    }

    /// The stored packets.
    pub fn ring(&mut self) -> &mut Ring {
        &mut self.ring
    }

    /// The last sender report and when it came.
    #[must_use]
    pub fn last_report(&self) -> Option<(SenderInfo, Instant)> {
        self.reception.last_report()
    }

    /// Remembers a sender report of the layer.
    pub fn sender_report(&mut self, info: SenderInfo, now: Instant) {
        self.reception.sender_report(info, now);
    }

    /// Takes a packet in. `descriptor` is its dependency descriptor, empty without one; `repaired` packets came by RTX.
    ///
    /// # Errors
    /// [`Reason::TooLarge`], [`Reason::Duplicate`] or [`Reason::TooOld`].
    pub fn receive(
        &mut self,
        header: &Header,
        descriptor: &[u8],
        payload: &[u8],
        repaired: bool,
        now: Instant,
    ) -> Result<Received, Reason> {
        if payload.len() > MAX_PAYLOAD {
            return Err(Reason::TooLarge);
        }
        let red = if self.red_payload_type == Some(header.payload_type) && !payload.is_empty() {
            let primary = crate::codec::red::primary(payload).and_then(|primary| u16::try_from(primary).ok());
            Some(primary.ok_or(Reason::Malformed)?)
        } else {
            None
        };
        let index = self.unwrapper.peek(header.sequence);
        self.note_order(index, now)?;
        let (description, frame) = self.describe(index, header.timestamp, descriptor, payload, now);
        let packet = Stored {
            index,
            timestamp: header.timestamp,
            arrival: now,
            marker: header.marker,
            key_frame: description.key_frame,
            picture: description.picture,
            frame,
            red,
            #[allow(clippy::cast_possible_truncation, reason = "an extension has at most 255 bytes")]
            descriptor: descriptor.len() as u8,
            audio_level: header.extensions.audio_level,
        };
        self.ring.store(packet, descriptor, payload);
        if repaired {
            self.repaired += 1;
        } else {
            self.reception.add(index, header.timestamp, now);
        }
        self.packets += 1;
        self.bytes += payload.len() as u64;
        self.bitrate.add(payload.len(), now);
        if let Some(plain) = &mut self.plain {
            plain.add(payload.len() - usize::from(red.unwrap_or_default()), now);
        }
        if self.last_packet.replace(now).is_none_or(|last| now.saturating_duration_since(last) >= STALL) {
            self.steady_since = now;
        }
        if description.key_frame && self.format != Format::Audio {
            self.note_key_frame(header.timestamp, index, now);
        }
        let woke = !std::mem::replace(&mut self.live, true);
        let resumed = std::mem::take(&mut self.stalled);
        Ok(Received { index, key_frame: description.key_frame, woke, resumed })
    }

    /// Reads a packet, and those after it that only its structure explains.
    fn describe(
        &mut self,
        index: u64,
        timestamp: u32,
        descriptor: &[u8],
        payload: &[u8],
        now: Instant,
    ) -> (Description, Option<Frame>) {
        let mut seen = self.format.describe(payload, descriptor);
        self.first_packet.get_or_insert(now);
        let Some(spatial) = &mut self.spatial else { return (seen, None) };
        let (frame, change) = spatial.frames.describe(index, timestamp, payload, descriptor);
        if let Some(frame) = &frame {
            spatial.count(frame, payload.len(), now);
        }
        seen.key_frame = frame.is_some_and(|frame| frame.key);
        if change.structure {
            let newest = self.unwrapper.highest().unwrap_or(index);
            for later in (index + 1..=newest).take(self.ring.capacity()) {
                // All in all no more is read again than came: structure upon structure explains nothing new.
                if spatial.read_again > self.packets {
                    break;
                }
                let Some((packet, bytes)) = self.ring.get(later).filter(|(packet, _)| packet.frame.is_none()) else {
                    continue;
                };
                let (descriptor, payload) = packet.split(bytes);
                spatial.read_again += 1;
                if let (Some(frame), _) = spatial.frames.describe(later, packet.timestamp, payload, descriptor) {
                    self.ring.explain(later, frame);
                }
            }
        }
        (seen, frame)
    }

    /// Sorts a packet into the sequence: new, filling a gap, or seen.
    fn note_order(&mut self, index: u64, now: Instant) -> Result<(), Reason> {
        match self.unwrapper.highest() {
            Some(highest) if index <= highest => {
                if highest - index >= self.ring.packets() {
                    return Err(Reason::TooOld);
                }
                if self.ring.knows(index) {
                    return Err(Reason::Duplicate);
                }
                self.missing.found(index, now);
            }
            Some(highest) => {
                if self.format != Format::Audio && index - highest > 1 {
                    self.missing.gap(highest + 1..index, now);
                }
                self.unwrapper.advance(index);
            }
            None => self.unwrapper.advance(index),
        }
        Ok(())
    }

    /// When [`Layer::write_feedback`] has something to say.
    #[must_use]
    pub fn next_feedback(&self) -> Option<Instant> {
        let silence = self.last_packet.filter(|_| self.live).map(|last| last + SILENCE);
        let wanted = self.wanted.filter(|_| self.ssrc.is_some());
        [self.missing.next(), wanted, silence, self.stall_at()].into_iter().flatten().min()
    }

    /// Writes the NACK and the key frame request that are due.
    pub fn write_feedback(&mut self, now: Instant, out: &mut Writer<'_>) {
        let Some(ssrc) = self.ssrc else { return };
        let mut sequences = [0; NACKS];
        let count = self.missing.due(now, &mut sequences);
        if let Some(lost) = sequences.get(..count).filter(|lost| !lost.is_empty())
            && out.nack(ssrc, lost)
        {
            self.nacks_sent += lost.len() as u64;
        }
        if self.missing.take_hopeless() {
            self.want_key_frame(now);
        }
        if self.wanted.is_some_and(|due| due <= now) && out.pli(ssrc) {
            self.plis_sent += 1;
            self.asked = Some(now);
            self.wanted = Some(now + KEY_FRAME_RETRY);
        }
    }

    /// The report block since the previous one.
    pub fn report_block(&mut self, now: Instant) -> Option<ReportBlock> {
        self.reception.report_block(self.ssrc?, now)
    }

    /// bit/s over the last second.
    #[must_use]
    pub fn bits_per_second(&self, now: Instant) -> u64 {
        self.bitrate.bits_per_second(now)
    }

    /// The same without redundancy.
    #[must_use]
    pub fn plain_bits_per_second(&self, now: Instant) -> u64 {
        self.plain.as_deref().unwrap_or(&self.bitrate).bits_per_second(now)
    }

    /// Counters since the layer began.
    #[must_use]
    pub fn stats(&self, now: Instant) -> LayerStats {
        let (expected, received) = self.totals();
        LayerStats {
            rid: self.rid.clone(),
            ssrc: self.ssrc,
            live: self.live,
            packets: self.packets,
            bytes: self.bytes,
            lost: expected.saturating_sub(received + self.repaired),
            bitrate: self.bits_per_second(now),
            jitter: self.reception.jitter(),
            key_frames: self.key_frames,
            nacks_sent: self.nacks_sent,
            plis_sent: self.plis_sent,
        }
    }
}

/// The layer's RID as packets carry it, for media and for retransmissions.
#[must_use]
pub fn rid_of(extensions: &Extensions) -> Option<(Label, bool)> {
    extensions.repaired_rid.map(|rid| (rid, true)).or(extensions.rid.map(|rid| (rid, false)))
}

#[cfg(test)]
mod tests;
