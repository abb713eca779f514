//! A bandwidth estimate for publishers without transport-wide feedback: what they may send, from what arrives and what
//! is lost (draft-alvestrand-rmcat-remb-03 says how to tell it, not how to know it).
//!
//! Without loss the allowance stays well above what arrives, so that a publisher can ramp up; with heavy loss it falls
//! below. Sender-side loss control (RR) works besides.

use std::time::{Duration, Instant};

/// Time between two estimates.
const INTERVAL: Duration = Duration::from_millis(500);
/// What a publisher may send before anything is known, bit/s.
const START: f64 = 1_500_000.0;
const MIN: f64 = 150_000.0;
const MAX: f64 = 20_000_000.0;
/// Loss below which the allowance grows, and above which it falls.
const LOW_LOSS: f64 = 0.02;
const HIGH_LOSS: f64 = 0.10;

/// The estimate for one transport.
#[derive(Debug)]
pub struct Estimator {
    allowance: f64,
    due: Option<Instant>,
    since: Instant,
    bytes: u64,
    /// Totals of the transport's video streams at the last estimate.
    expected: u64,
    received: u64,
}

impl Estimator {
    /// Nothing known yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { allowance: START, due: None, since: now, bytes: 0, expected: 0, received: 0 }
    }

    /// Counts a video packet.
    pub fn add(&mut self, bytes: usize, now: Instant) {
        self.bytes += bytes as u64;
        self.due.get_or_insert(now);
    }

    /// When an estimate is due, `None` before the first packet.
    #[must_use]
    pub fn next_feedback(&self) -> Option<Instant> {
        self.due
    }

    /// The estimate in bit/s if it is due. `expected` and `received` are packet totals of the transport's video streams
    /// since they began.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    pub fn estimate(&mut self, expected: u64, received: u64, now: Instant) -> Option<u64> {
        if self.due.is_none_or(|due| due > now) {
            return None;
        }
        self.due = Some(now + INTERVAL);
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed >= INTERVAL {
            let rate = self.bytes as f64 * 8.0 / elapsed.as_secs_f64();
            let sent = expected.saturating_sub(self.expected) as f64;
            let came = received.saturating_sub(self.received) as f64;
            let loss = if sent > 0.0 { (1.0 - came / sent).max(0.0) } else { 0.0 };
            self.adjust(rate, loss);
            (self.since, self.bytes, self.expected, self.received) = (now, 0, expected, received);
        }
        Some(self.allowance as u64)
    }

    fn adjust(&mut self, rate: f64, loss: f64) {
        if loss > HIGH_LOSS {
            self.allowance = self.allowance.min(rate) * (1.0 - 0.5 * loss);
        } else if loss < LOW_LOSS {
            // Grow by a tenth, never far beyond what was proven to arrive.
            let proven = (2.0 * rate).max(START);
            self.allowance = (self.allowance * 1.1).max(1.5 * rate).min(proven.max(self.allowance));
        }
        self.allowance = self.allowance.clamp(MIN, MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A publisher that always sends what it is allowed, over a link of `capacity` bit/s.
    fn run(capacity: u64, seconds: u64) -> u64 {
        let start = Instant::now();
        let mut estimator = Estimator::new(start);
        let (mut allowed, mut expected, mut received) = (300_000, 0, 0);
        for step in 0..seconds * 20 {
            let now = start + Duration::from_millis(step * 50);
            let packets = allowed / 20 / 8 / 1000;
            let passed = packets.min(capacity / 20 / 8 / 1000);
            expected += packets;
            received += passed;
            for _ in 0..passed {
                estimator.add(1000, now);
            }
            if let Some(estimate) = estimator.estimate(expected, received, now) {
                allowed = estimate.min(allowed * 3 / 2);
            }
        }
        allowed
    }

    #[test]
    fn ramps_up_without_loss() {
        assert!(run(100_000_000, 10) > 4_000_000);
    }

    #[test]
    fn settles_near_a_narrow_link() {
        let rate = run(800_000, 60);
        assert!((500_000..1_700_000).contains(&rate), "{rate}");
    }

    #[test]
    fn silent_before_the_first_packet() {
        let now = Instant::now();
        assert_eq!(Estimator::new(now).estimate(0, 0, now), None);
    }
}
