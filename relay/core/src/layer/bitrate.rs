//! What passed in the last second.

use std::time::{Duration, Instant};

const BUCKETS: usize = 10;
const BUCKET: Duration = Duration::from_millis(100);
/// All buckets but the newest.
const CLOSED: Duration = Duration::from_millis(900);
/// What a packet has beside its payload, bytes: fixed header, extensions, authentication tag.
const AROUND: usize = 12 + 20 + 16;

/// A rate measured over the last second in steps of 100 ms, headers and tags of SRTP included.
#[derive(Clone, Debug)]
pub struct Bitrate {
    buckets: [u64; BUCKETS],
    /// The bucket that `start` begins.
    current: usize,
    start: Instant,
}

impl Bitrate {
    /// Nothing measured yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { buckets: [0; BUCKETS], current: 0, start: now }
    }

    /// Counts a packet by the bytes of its payload.
    pub fn add(&mut self, payload: usize, now: Instant) {
        self.advance(now);
        self.buckets[self.current] += (payload + AROUND) as u64;
    }

    /// bit/s over the last second.
    #[must_use]
    pub fn bits_per_second(&self, now: Instant) -> u64 {
        let mut moved = self.clone();
        moved.advance(now);
        // The newest bucket is not over yet.
        let open = now.saturating_duration_since(moved.start);
        let covered = (CLOSED + open).as_secs_f64();
        let bits = moved.buckets.iter().sum::<u64>() * 8;
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate"
        )]
        let rate = (bits as f64 / covered) as u64;
        rate
    }

    fn advance(&mut self, now: Instant) {
        let mut steps = 0;
        while now.saturating_duration_since(self.start) >= BUCKET {
            self.current = (self.current + 1) % BUCKETS;
            self.buckets[self.current] = 0;
            self.start += BUCKET;
            steps += 1;
            if steps == BUCKETS {
                self.start = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_second_window() {
        let start = Instant::now();
        let mut rate = Bitrate::new(start);
        for step in 0..50 {
            rate.add(125 - AROUND, start + Duration::from_millis(step * 20));
        }
        let end = start + Duration::from_millis(999);
        assert_eq!(rate.bits_per_second(end), 50_050);
        for step in 50..80 {
            let now = start + Duration::from_millis(step * 20);
            rate.add(125 - AROUND, now);
            assert!(
                (49_000..55_000).contains(&rate.bits_per_second(now)),
                "whatever the moment: {}",
                rate.bits_per_second(now)
            );
        }
        let end = start + Duration::from_millis(1_599);
        assert_eq!(rate.bits_per_second(end + Duration::from_millis(500)), 25_025);
        assert_eq!(rate.bits_per_second(end + Duration::from_secs(100)), 0);
    }
}
