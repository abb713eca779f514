//! What a subscriber asks for again.

use std::time::{Duration, Instant};

use super::{Forward, Run, renumber, stamp};
use crate::drop::Reason;
use crate::egress::{Egress, Moment, Turnaround};
use crate::outbox::Outbox;
use crate::ring::{MAX_PAYLOAD, Stored};
use crate::rtp::{Stamp, Template};

/// Retransmissions per second a subscriber may cause, and at once.
pub(super) const RETRANSMISSIONS: f64 = 512.0;

/// A retransmission stream (RFC 4588).
#[derive(Debug)]
pub(super) struct Rtx {
    pub ssrc: u32,
    pub template: Template,
    /// Index of its next packet.
    pub next: u64,
}

/// Packets whose last repetition is remembered, a power of two.
const REMEMBERED: usize = 128;

/// Key frames a subscriber may have made for it at once.
const KEY_FRAMES: u32 = 5;
/// Time after which it may have another: each costs all who watch.
const KEY_FRAME_EVERY: Duration = Duration::from_secs(1);

/// When the key frames made for a subscriber will be worked off, none without any.
#[derive(Debug, Default)]
pub(super) struct KeyFrames(Option<Instant>);

impl KeyFrames {
    /// Takes one, if there is one left.
    fn take(&mut self, now: Instant) -> bool {
        let from = self.0.map_or(now, |worked_off| worked_off.max(now));
        let left = from.saturating_duration_since(now) <= KEY_FRAME_EVERY * (KEY_FRAMES - 1);
        if left {
            self.0 = Some(from + KEY_FRAME_EVERY);
        }
        left
    }
}

/// What was sent again, and when: a number asked for anew before that can have arrived is not sent a third time. Where a
/// link is full this would fill it with what was lost on it.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    /// By the low bits of the sequence number. Its memory is taken with the first one.
    slots: Vec<Option<(u16, Instant)>>,
}

impl Repeated {
    /// Whether a number was sent again less than `turnaround` ago.
    fn holds(&self, sequence: u16, turnaround: Duration, now: Instant) -> bool {
        let slot = self.slots.get(usize::from(sequence) % REMEMBERED).copied().flatten();
        slot.is_some_and(|(number, at)| number == sequence && now.saturating_duration_since(at) < turnaround)
    }

    fn note(&mut self, sequence: u16, now: Instant) {
        if self.slots.is_empty() {
            self.slots.resize(REMEMBERED, None);
        }
        if let Some(slot) = self.slots.get_mut(usize::from(sequence) % REMEMBERED) {
            *slot = Some((sequence, now));
        }
    }
}

impl Forward {
    /// Where a packet sent under a number came from: its run, its published index, its marker bit where that may differ
    /// from the published one.
    pub(super) fn source(&self, number: u64) -> Option<(&Run, u64, Option<bool>)> {
        if number < self.forgotten {
            return None;
        }
        let Some(layered) = &self.layered else {
            return self.runs.published(number).map(|(run, index)| (run, index, None));
        };
        let (index, marker) = layered.source(number, self.next)?;
        self.runs.current().map(|run| (run, index, Some(marker)))
    }

    /// Counts a key frame request. `made` when one is on its way anyhow.
    ///
    /// # Errors
    /// `KeyFrameFlood` when more would be made for this subscriber than it may cause.
    pub fn key_frame_requested(&mut self, made: bool, now: Instant) -> Result<(), Reason> {
        self.stats.plis_received += 1;
        if made || self.key_frames.take(now) { Ok(()) } else { Err(Reason::KeyFrameFlood) }
    }

    /// Counts a NACK and says which published packet a sequence number is: its layer and index.
    ///
    /// # Errors
    /// `TooOld` when it was never sent, is forgotten, or is from before a key frame while the link is `full`; `Duplicate`
    /// when it was sent again less than a turnaround of the link ago; `NackFlood` when the subscriber asked too much.
    pub fn locate(&mut self, sequence: u16, link: &Turnaround, now: Instant) -> Result<(u8, u64), Reason> {
        self.stats.nacks_received += 1;
        let outgoing = self.extend(sequence).ok_or(Reason::TooOld)?;
        if link.full && self.runs.current().is_some_and(|run| outgoing < run.first_out) {
            return Err(Reason::TooOld);
        }
        if self.repeated.holds(sequence, link.time, now) {
            return Err(Reason::Duplicate);
        }
        let elapsed = now.saturating_duration_since(self.budget_at).as_secs_f64();
        self.budget = (self.budget + elapsed * RETRANSMISSIONS).min(RETRANSMISSIONS);
        self.budget_at = now;
        if self.budget < 1.0 {
            return Err(Reason::NackFlood);
        }
        let (layer, index) = self.source(outgoing).map(|(run, index, _)| (run.layer, index)).ok_or(Reason::TooOld)?;
        self.budget -= 1.0;
        Ok((layer, index))
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
        let begins = run.begins && outgoing == run.first_out;
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
        self.repeated.note(sequence, moment.now);
        sent
    }

    /// The extended number of a sequence number at most half a circle behind the next packet.
    fn extend(&self, sequence: u16) -> Option<u64> {
        let newest = self.next.checked_sub(1)?;
        #[allow(clippy::cast_possible_truncation, reason = "the low 16 bits are meant")]
        let behind = (newest as u16).wrapping_sub(sequence);
        newest.checked_sub(u64::from(behind)).filter(|_| behind < 0x8000)
    }
}
