//! Bytes over the last second.

use std::time::{Duration, Instant};

const BUCKETS: usize = 10;
const BUCKET: Duration = Duration::from_millis(100);

/// A rate measured over the last second in steps of 100 ms.
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

    /// Counts bytes.
    pub fn add(&mut self, bytes: usize, now: Instant) {
        self.advance(now);
        self.buckets[self.current] += bytes as u64;
    }

    /// bit/s over the last second.
    #[must_use]
    pub fn bits_per_second(&self, now: Instant) -> u64 {
        let mut moved = self.clone();
        moved.advance(now);
        moved.buckets.iter().sum::<u64>() * 8
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
            rate.add(125, start + Duration::from_millis(step * 20));
        }
        let end = start + Duration::from_millis(990);
        assert_eq!(rate.bits_per_second(end), 50_000);
        assert_eq!(rate.bits_per_second(end + Duration::from_millis(500)), 25_000);
        assert_eq!(rate.bits_per_second(end + Duration::from_secs(100)), 0);
    }
}
