//! The loss-based bound (draft-ietf-rmcat-gcc-02 §6), with one thing more: loss that is the same at a lower rate is the
//! path's own (radio), and no reason to send less.

/// Excess loss above which the bound falls, and below which it grows.
const HIGH: f64 = 0.10;
const LOW: f64 = 0.02;
/// It does not fall below this share of what arrives.
const PASSES: f64 = 0.85;
/// Growth per window.
const GROWTH: f64 = 1.05;
/// A window ends after so many µs and packets, or so many µs with a few packets.
const WINDOW: u64 = 500_000;
const ENOUGH: u64 = 30;
const LONG_WINDOW: u64 = 2_000_000;
const FEW: u64 = 5;
/// Windows remembered.
const WINDOWS: usize = 16;
/// Windows sent at less than this share of the highest rate tell what the path loses by itself.
const SLOWER: f64 = 0.85;
/// More than this is never taken for the path's own.
const MOST_OWN: f64 = 0.25;

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    lost: u64,
    total: u64,
    bytes: u64,
    rate: f64,
}

/// The loss-based bound of the rate.
#[derive(Debug, Default)]
pub struct Loss {
    current: Window,
    began: Option<u64>,
    windows: [Window; WINDOWS],
    count: usize,
    bound: Option<f64>,
    /// What was lost before the answer to this, µs, had another reason.
    excused: u64,
}

impl Loss {
    /// What may be sent at most, bit/s; `None` while loss is no reason to send less.
    #[must_use]
    pub fn bound(&self) -> Option<f64> {
        self.bound
    }

    /// Counts packets told of: how many, how many of them lost, and their bytes.
    pub fn add(&mut self, total: u64, lost: u64, bytes: u64) {
        self.current.total += total;
        self.current.lost += lost;
        self.current.bytes += bytes;
    }

    /// The rate has just fallen because of a queue: until `until`, losses are of before.
    pub fn excuse(&mut self, until: u64) {
        self.excused = until;
    }

    /// Takes back a loss: the packet arrived after all.
    pub fn take_back(&mut self) {
        self.current.lost = self.current.lost.saturating_sub(1);
    }

    /// A probe has shown that so much passes.
    pub fn raise(&mut self, rate: f64) {
        self.bound = self.bound.map(|bound| bound.max(rate));
    }

    /// Ends the window if it is full, against the rate of now and what of it arrived, both bit/s. True when the bound fell.
    #[allow(clippy::cast_precision_loss, reason = "counts")]
    pub fn update(&mut self, rate: f64, acknowledged: f64, now: u64) -> bool {
        if now < self.excused {
            (self.began, self.current) = (Some(now), Window::default());
            return false;
        }
        let began = *self.began.get_or_insert(now);
        let elapsed = now.saturating_sub(began);
        let full = (elapsed >= WINDOW && self.current.total >= ENOUGH)
            || (elapsed >= LONG_WINDOW && self.current.total >= FEW);
        if !full {
            if elapsed >= LONG_WINDOW {
                (self.began, self.current) = (Some(now), Window::default());
            }
            return false;
        }
        let window = Window { rate: self.current.bytes as f64 * 8e6 / elapsed as f64, ..self.current };
        (self.began, self.current) = (Some(now), Window::default());
        self.windows[self.count % WINDOWS] = window;
        self.count += 1;
        let ratio = window.lost as f64 / window.total as f64;
        let excess = (ratio - self.own()).max(0.0);
        let bound = self.bound.unwrap_or(rate).min(rate);
        if excess > HIGH {
            self.bound = Some((bound * (1.0 - 0.5 * excess)).max(PASSES * acknowledged.min(bound)));
            return true;
        }
        if excess < LOW {
            self.bound = self.bound.map(|bound| bound * GROWTH).filter(|bound| *bound < 2.0 * rate);
        }
        false
    }

    /// What the path loses by itself: the loss at rates clearly below the highest of the last windows.
    #[allow(clippy::cast_precision_loss, reason = "counts")]
    fn own(&self) -> f64 {
        let kept = self.windows.get(..self.count.min(WINDOWS)).unwrap_or_default();
        let highest = kept.iter().map(|window| window.rate).fold(0.0, f64::max);
        let slower = kept.iter().filter(|window| window.rate < SLOWER * highest);
        let (lost, total) = slower.fold((0, 0), |sum, window| (sum.0 + window.lost, sum.1 + window.total));
        if total < ENOUGH { 0.0 } else { (lost as f64 / total as f64).min(MOST_OWN) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    /// Sends at the bound, at most `most` bit/s, for so many windows; what is lost of 100 packets at a rate is `drops`.
    #[allow(clippy::cast_precision_loss, reason = "small counts")]
    fn run(windows: u64, most: f64, mut drops: impl FnMut(f64) -> u64) -> f64 {
        let mut bound = Loss::default();
        let mut rate: f64 = most;
        for step in 0..=windows {
            let lost = drops(rate);
            bound.add(100, lost, (rate / 16.0) as u64);
            bound.update(rate, rate * (100 - lost) as f64 / 100.0, step * WINDOW);
            rate = bound.bound().map_or(most, |bound| bound.min(most));
        }
        rate
    }

    #[test]
    fn a_link_that_drops_what_is_too_much_is_found() {
        let rate = run(60, 4e6, |rate| (100.0 * (1.0 - 1e6 / rate)).max(0.0) as u64);
        assert!((0.9e6..1.25e6).contains(&rate), "{rate}");
    }

    #[test]
    fn random_loss_is_no_reason_to_collapse() {
        for (seed, percent) in [(1, 10), (2, 10), (3, 10), (4, 15)] {
            let mut noise = Noise::new(seed);
            let rate = run(120, 2e6, |_| (0..100).filter(|_| noise.chance(percent)).count() as u64);
            assert!(rate > 1.2e6, "{percent} %: {rate}");
        }
    }

    #[test]
    fn a_little_loss_does_nothing() {
        assert!((run(60, 2e6, |_| 5) - 2e6).abs() < 1.0);
    }
}
