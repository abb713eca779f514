//! What each layer of a track costs to forward, steadily enough to decide by.
//!
//! A key frame doubles the rate of its second. To decide by that would be to leave a layer because one had just been
//! switched to, so rates are averaged over a few seconds.
//!
//! Sound has two: with the redundancy it comes with (RFC 2198), and without.

use std::time::{Duration, Instant};

use super::LAYERS;
use crate::message::Kind;

/// Between two measurements.
const STEP: Duration = Duration::from_millis(100);
/// Time constant of the average, ms.
const AVERAGED: u64 = 2_000;
/// What a second carried counts as half as much again as before at most, and this, bit/s: a key frame is no new rate.
const RISE: u64 = 100_000;
/// A layer younger than this has not been measured yet.
const YOUNG: Duration = Duration::from_secs(1);
/// What a layer costs at least before it has been measured, bit/s, lowest first: cameras of 180, 360, 720 and 1,080 lines.
const EXPECTED: [u64; LAYERS] = [150_000, 450_000, 1_200_000, 2_500_000];
/// The same of sound.
const SOUND: u64 = 40_000;

#[derive(Clone, Copy, Debug)]
struct Layer {
    since: Instant,
    rate: u64,
    flows: bool,
}

/// The layers of one track.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    kind: Kind,
    measured: Option<Instant>,
    layers: [Option<Layer>; LAYERS],
}

impl Rates {
    /// Nothing measured yet.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self { kind, measured: None, layers: [None; LAYERS] }
    }

    /// Whether a measurement is due.
    #[must_use]
    pub fn due(&self, now: Instant) -> bool {
        self.measured.is_none_or(|measured| now.saturating_duration_since(measured) >= STEP)
    }

    /// Takes in what each layer carried in the last second, bit/s, `None` where it does not flow.
    pub fn measure(&mut self, carried: [Option<u64>; LAYERS], now: Instant) {
        let elapsed = self.measured.map_or(Duration::ZERO, |measured| now.saturating_duration_since(measured));
        let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(AVERAGED).min(AVERAGED);
        self.measured = Some(now);
        for ((layer, carried), expected) in self.layers.iter_mut().zip(carried).zip(EXPECTED) {
            let Some(carried) = carried else {
                // Known still: a screen that stood still moves again.
                if let Some(known) = layer {
                    known.flows = false;
                }
                continue;
            };
            let expected = if self.kind == Kind::Audio { SOUND } else { expected };
            let known = layer.get_or_insert(Layer { since: now, rate: carried.max(expected), flows: true });
            known.flows = true;
            known.rate = if now.saturating_duration_since(known.since) < YOUNG {
                known.rate.max(carried)
            } else {
                let most = known.rate * 3 / 2 + RISE;
                (known.rate * (AVERAGED - elapsed) + carried.min(most) * elapsed) / AVERAGED
            };
        }
    }

    /// bit/s by layer, `None` where it does not flow.
    #[must_use]
    pub fn layers(&self) -> [Option<u64>; LAYERS] {
        self.layers.map(|layer| layer.filter(|layer| layer.flows).map(|layer| layer.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_frame_is_no_new_rate() {
        let start = Instant::now();
        let mut rates = Rates::new(Kind::Video);
        let mut seen = Vec::new();
        for step in 0..200u64 {
            let now = start + STEP * step as u32;
            // Every fifth second's key frame triples what its second carries.
            let carried = if step % 50 < 10 { 480_000 } else { 160_000 };
            rates.measure([Some(carried), None, Some(carried), None], now);
            let [lowest, absent, ..] = rates.layers();
            assert_eq!(absent, None);
            seen.push(lowest.unwrap());
        }
        assert!(seen[100..].iter().all(|rate| (151_000..311_000).contains(rate)), "{seen:?}");
    }

    #[test]
    fn expected_until_measured() {
        let start = Instant::now();
        let mut rates = Rates::new(Kind::Video);
        rates.measure([Some(1_000), Some(1_000), None, None], start);
        assert_eq!(rates.layers(), [Some(EXPECTED[0]), Some(EXPECTED[1]), None, None]);
        assert!(!rates.due(start + STEP / 2) && rates.due(start + STEP));
        for step in 1..200 {
            rates.measure([Some(16_000), None, None, None], start + STEP * step);
        }
        let [lowest, second, ..] = rates.layers();
        assert!(lowest.unwrap().abs_diff(16_000) < 200, "a still picture costs little: {lowest:?}");
        assert_eq!(second, None);
        rates.measure([None; LAYERS], start + STEP * 200);
        assert_eq!(rates.layers(), [None; LAYERS]);
        rates.measure([Some(0), None, None, None], start + STEP * 201);
        assert!(rates.layers()[0].unwrap() < 20_000, "it is known");
    }
}
