//! Reception statistics of one SSRC (RFC 3550 section 6.4.1 and appendix A).

use std::time::Instant;

use crate::rtcp::{ReportBlock, SenderInfo};

/// What a report block says, and what it is made from.
#[derive(Clone, Debug)]
pub struct Reception {
    clock_rate: u32,
    epoch: Instant,
    first: Option<u64>,
    highest: u64,
    received: u64,
    /// At the previous report.
    expected_before: u64,
    received_before: u64,
    transit: Option<f64>,
    /// In timestamp units.
    jitter: f64,
    report: Option<(SenderInfo, Instant)>,
}

impl Reception {
    /// Nothing received yet. `clock_rate` in Hz.
    #[must_use]
    pub fn new(clock_rate: u32, now: Instant) -> Self {
        Self {
            clock_rate,
            epoch: now,
            first: None,
            highest: 0,
            received: 0,
            expected_before: 0,
            received_before: 0,
            transit: None,
            jitter: 0.0,
            report: None,
        }
    }

    /// Counts a packet of the stream itself: not one repaired by RTX, which tells nothing of the path.
    pub fn add(&mut self, index: u64, timestamp: u32, now: Instant) {
        let first = *self.first.get_or_insert(index);
        self.first = Some(first.min(index));
        self.highest = self.highest.max(index);
        self.received += 1;
        let arrival = now.saturating_duration_since(self.epoch).as_secs_f64() * f64::from(self.clock_rate);
        let transit = arrival - f64::from(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            let difference = (transit - before).abs();
            // A wrapped or changed timestamp is no jitter.
            if difference < 10.0 * f64::from(self.clock_rate) {
                self.jitter += (difference - self.jitter) / 16.0;
            }
        }
    }

    /// Remembers the stream's last sender report.
    pub fn sender_report(&mut self, info: SenderInfo, now: Instant) {
        self.report = Some((info, now));
    }

    /// The last sender report and when it came.
    #[must_use]
    pub fn last_report(&self) -> Option<(SenderInfo, Instant)> {
        self.report
    }

    /// Packets expected and received.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        (self.first.map_or(0, |first| self.highest - first + 1), self.received)
    }

    /// Seconds of interarrival jitter.
    #[must_use]
    pub fn jitter(&self) -> f64 {
        self.jitter / f64::from(self.clock_rate.max(1))
    }

    /// The report block since the previous one; `None` before the first packet.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "fields are defined modulo their width")]
    pub fn report_block(&mut self, ssrc: u32, now: Instant) -> Option<ReportBlock> {
        let expected = self.highest - self.first? + 1;
        let expected_since = expected.saturating_sub(self.expected_before);
        let received_since = self.received.saturating_sub(self.received_before);
        self.expected_before = expected;
        self.received_before = self.received;
        let lost_since = expected_since.saturating_sub(received_since);
        let lost = expected.cast_signed() - self.received.cast_signed();
        let (last_report, delay) = self.report.map_or((0, 0), |(info, at)| {
            ((info.ntp >> 16) as u32, (now.saturating_duration_since(at).as_secs_f64() * 65_536.0) as u32)
        });
        Some(ReportBlock {
            ssrc,
            fraction_lost: ((lost_since << 8).checked_div(expected_since).unwrap_or(0)).min(255) as u8,
            cumulative_lost: lost.clamp(-0x80_0000, 0x7f_ffff) as i32,
            // Extended numbers begin at 2^16, see `rtp::Unwrapper`.
            highest: self.highest.saturating_sub(0x1_0000) as u32,
            jitter: self.jitter as u32,
            last_report,
            delay,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn losses_and_report_times() {
        let start = Instant::now();
        let mut reception = Reception::new(90_000, start);
        assert_eq!(reception.report_block(1, start), None);
        for index in (0x1_0000..0x1_0064).filter(|index| index % 4 != 1) {
            reception.add(index, 0, start);
        }
        let info = SenderInfo { ntp: 0x1122_3344_5566_7788, ..SenderInfo::default() };
        reception.sender_report(info, start);
        let block = reception.report_block(1, start + Duration::from_millis(500)).unwrap();
        assert_eq!((block.fraction_lost, block.cumulative_lost, block.highest), (64, 25, 99));
        assert_eq!((block.last_report, block.delay), (0x3344_5566, 32_768));
        reception.add(0x1_0064, 0, start);
        let block = reception.report_block(1, start).unwrap();
        assert_eq!((block.fraction_lost, block.cumulative_lost), (0, 25));
    }

    #[test]
    fn jitter_converges() {
        let start = Instant::now();
        let mut reception = Reception::new(90_000, start);
        for step in 0..500u32 {
            let late = if step % 2 == 0 { 0 } else { 4 };
            let now = start + Duration::from_millis(u64::from(step * 20 + late));
            reception.add(u64::from(step) + 0x1_0000, step * 1800, now);
        }
        assert!((reception.jitter() - 0.004).abs() < 0.0005, "{}", reception.jitter());
    }
}
