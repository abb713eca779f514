//! A link: a rate that changes, a queue with an end, delay, jitter, random loss.

use crate::noise::Noise;

/// What a link is like. Times in µs, rates in bit/s.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// Rate as a function of time.
    pub rate: fn(u64) -> u64,
    /// Longest wait in the queue; what would wait longer is dropped.
    pub queue: u64,
    /// One way.
    pub delay: u64,
    /// Up to so much is added, evenly spread.
    pub jitter: u64,
    /// Whether jitter keeps the order of packets, as a radio link does.
    pub ordered: bool,
    /// Percent of the packets lost at random.
    pub loss: u64,
}

impl Path {
    /// A good path of this rate.
    pub fn of(rate: fn(u64) -> u64) -> Self {
        Self { rate, queue: 300_000, delay: 20_000, jitter: 0, ordered: true, loss: 0 }
    }
}

/// A link in use.
pub struct Link {
    path: Path,
    noise: Noise,
    free: u64,
    latest: u64,
    /// The waits in the queue of what passed.
    pub waits: Vec<u64>,
}

impl Link {
    pub fn new(path: Path, seed: u64) -> Self {
        Self { path, noise: Noise::new(seed), free: 0, latest: 0, waits: Vec::new() }
    }

    /// Sends a packet; when it arrives, `None` when it is lost.
    pub fn send(&mut self, now: u64, bytes: u64) -> Option<u64> {
        let begins = self.free.max(now);
        if begins - now > self.path.queue || self.noise.chance(self.path.loss) {
            return None;
        }
        self.waits.push(begins - now);
        self.free = begins + bytes * 8_000_000 / (self.path.rate)(now);
        let jitter = if self.path.jitter == 0 { 0 } else { self.noise.below(self.path.jitter) };
        let mut arrives = self.free + self.path.delay + jitter;
        if self.path.ordered {
            arrives = arrives.max(self.latest);
            self.latest = arrives;
        }
        Some(arrives)
    }

    /// The wait a packet sent now would have.
    pub fn backlog(&self, now: u64) -> u64 {
        self.free.saturating_sub(now)
    }

    /// The wait that 95 % of the packets stayed below, ms.
    pub fn p95(&self) -> f64 {
        let mut waits = self.waits.clone();
        waits.sort_unstable();
        waits.get(waits.len() * 95 / 100).map_or(0.0, |wait| *wait as f64 / 1e3)
    }
}
