//! What a subscriber reports of its stream, and what it is told of the publisher's clock.

use std::time::Instant;

use super::Forward;
use crate::rtcp::{ReportBlock, SenderInfo};

impl Forward {
    /// Takes in what the subscriber reports of the stream. Returns which fraction its link lost, of 256, and of how many
    /// packets that is told: numbers of packets that had been lost before they came here are none of its own.
    pub fn report_block(&mut self, block: &ReportBlock, now: Instant) -> (u8, u64) {
        if block.ssrc != self.ssrc {
            return (0, 0);
        }
        let before = self.reported.replace((block.highest, self.stats.packets));
        let (expected, sent) = before.map_or((0, 0), |(highest, packets)| {
            (u64::from(block.highest.wrapping_sub(highest)), self.stats.packets - packets)
        });
        self.stats.lost = f64::from(block.fraction_lost) / 256.0;
        let told = of_the_link(block.fraction_lost, expected, sent);
        self.stats.link_lost = f64::from(told.0) / 256.0;
        if let Some((sent, at)) = self.report
            && sent == block.last_report
        {
            let elapsed = now.saturating_duration_since(at).as_secs_f64();
            self.rtt_ms = Some(((elapsed - f64::from(block.delay) / 65_536.0) * 1000.0).max(0.0));
        }
        // More than a stream can have sent between two reports is a lie or a restart.
        if expected < 0x8000 { told } else { (told.0, 0) }
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

/// What a link lost of `sent` packets, of 256, and of how many that is told, where `fraction` of 256 of `expected` numbers is
/// missing. Before the first report, when nothing is expected, all of it is the link's.
#[allow(clippy::cast_possible_truncation, reason = "no more than 255")]
fn of_the_link(fraction: u8, expected: u64, sent: u64) -> (u8, u64) {
    let never_sent = expected.saturating_sub(sent);
    let of = expected - never_sent;
    if of == 0 || expected >= 0x8000 {
        return (if never_sent > 0 { 0 } else { fraction }, of);
    }
    let lost = (u64::from(fraction) * expected).saturating_sub(never_sent * 256);
    ((lost / of).min(255) as u8, of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_came_is_not_lost_by_the_link() {
        assert_eq!(of_the_link(0, 100, 100), (0, 100));
        assert_eq!(of_the_link(51, 100, 100), (51, 100));
        assert_eq!(of_the_link(51, 100, 80), (0, 80), "a fifth was lost on the way here");
        assert_eq!(of_the_link(92, 100, 80), (51, 80), "and a fifth of the rest");
        assert_eq!(of_the_link(51, 100, 130), (51, 100), "more are on their way");
        assert_eq!(of_the_link(51, 0, 0), (51, 0), "the first report");
        assert_eq!(of_the_link(255, 100, 0), (0, 0));
    }
}
