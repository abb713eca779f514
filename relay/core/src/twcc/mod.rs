//! Transport-wide congestion control: what a publisher's bandwidth estimate feeds on
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! [`Recorder`] notes when each packet of a transport arrived and turns that into feedback packets.

mod encode;
mod feedback;

pub use feedback::Feedback;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::rtcp::{FMT_TRANSPORT_CC, Writer};
use crate::rtp::Unwrapper;
use encode::encode;

/// Time between two feedback packets.
const INTERVAL: Duration = Duration::from_millis(60);
/// Packets of one feedback packet.
const MAX_PACKETS: usize = 300;
/// Packets waiting to be reported; older ones are forgotten unreported.
const MAX_WAITING: usize = 2_048;
/// Packets reported lost before one that arrived; of a longer outage the older are forgotten unreported, so that what
/// came after it always fits.
const MAX_LOST: usize = MAX_PACKETS / 2;
/// Longest control information, the largest deltas counted: fits a datagram.
const MAX_CONTENT: usize = 8 + 2 * MAX_PACKETS + 2 * MAX_PACKETS / 7 + 6;

/// Records arrivals of one transport.
#[derive(Debug)]
pub struct Recorder {
    epoch: Instant,
    unwrapper: Unwrapper,
    /// Extended number of the first entry of `arrivals`.
    base: u64,
    /// In microseconds since the epoch, `None` for those not (yet) arrived.
    arrivals: VecDeque<Option<u64>>,
    due: Option<Instant>,
    count: u8,
    ssrc: u32,
}

impl Recorder {
    /// Nothing recorded. The epoch of reference times is `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            epoch: now,
            unwrapper: Unwrapper::default(),
            base: 0,
            arrivals: VecDeque::new(),
            due: None,
            count: 0,
            ssrc: 0,
        }
    }

    /// Notes that the packet with this transport-wide number, of the stream `ssrc`, arrived.
    pub fn record(&mut self, sequence: u16, ssrc: u32, now: Instant) {
        let index = self.unwrapper.next(sequence);
        if self.arrivals.is_empty() && self.base == 0 {
            self.base = index;
        }
        // One that was reported lost stays lost.
        let Some(offset) = index.checked_sub(self.base) else { return };
        let Ok(offset) = usize::try_from(offset) else { return };
        if offset >= MAX_WAITING {
            let before = self.base;
            self.forget_outage();
            if self.base == before {
                self.arrivals.clear();
                self.base = index;
            }
            return self.record(sequence, ssrc, now);
        }
        while self.arrivals.len() <= offset {
            self.arrivals.push_back(None);
        }
        let at = u64::try_from(now.saturating_duration_since(self.epoch).as_micros()).unwrap_or(u64::MAX);
        if let Some(arrival) = self.arrivals.get_mut(offset) {
            arrival.get_or_insert(at);
        }
        self.ssrc = ssrc;
        self.due.get_or_insert(now + INTERVAL);
    }

    /// When feedback is due, `None` while there is nothing to report.
    #[must_use]
    pub fn next_feedback(&self) -> Option<Instant> {
        self.due
    }

    /// Writes the feedback that is due, as much as fits; the rest is due at once.
    pub fn write_feedback(&mut self, now: Instant, out: &mut Writer<'_>) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        self.due = None;
        while !self.arrivals.is_empty() {
            self.forget_outage();
            // Leave room for the packet's own 12 bytes of header.
            let room = out.room().saturating_sub(12).min(MAX_CONTENT);
            let mut content = [0; MAX_CONTENT];
            let Some(place) = content.get_mut(..room & !3) else { return };
            let arrivals = self.arrivals.make_contiguous();
            let arrivals = arrivals.get(..arrivals.len().min(MAX_PACKETS)).unwrap_or_default();
            let Some((packets, len)) = encode(self.base, arrivals, self.count, place) else {
                self.due = Some(now);
                return;
            };
            if !place.get(..len).is_some_and(|content| out.transport_feedback(FMT_TRANSPORT_CC, self.ssrc, content)) {
                self.due = Some(now);
                return;
            }
            self.count = self.count.wrapping_add(1);
            self.forget(packets);
        }
    }

    /// Forgets what an outage lost, but for as much as a feedback packet tells of it.
    fn forget_outage(&mut self) {
        let lost = self.arrivals.iter().take_while(|arrival| arrival.is_none()).count();
        self.forget(lost.saturating_sub(MAX_LOST));
    }

    fn forget(&mut self, packets: usize) {
        self.arrivals.drain(..packets);
        self.base += packets as u64;
    }
}

#[cfg(test)]
mod tests;
