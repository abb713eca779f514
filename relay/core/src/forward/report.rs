//! What a subscriber reports of its stream, and what it is told of the publisher's clock.

use std::time::Instant;

use super::Forward;
use crate::rtcp::{ReportBlock, SenderInfo};

impl Forward {
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
}
