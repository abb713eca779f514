//! The delay-based rate: grows while the queue is steady, falls to what passes when it grows (draft-ietf-rmcat-gcc-02
//! §5.5; Carlucci et al. §3.4).

use super::detector::Usage;

/// What remains of the acknowledged rate on over-use.
const BACK_OFF: f64 = 0.85;
/// The same while the queue does not stand: as much as a layer more or less.
const LITTLE_BACK_OFF: f64 = 0.92;
/// Least that remains while a long queue drains.
const DRAIN: f64 = 0.5;
/// A queue of this much takes the rate to nothing; a shorter one in proportion, µs.
const LONG_QUEUE: f64 = 300_000.0;
/// Growth per second far from the link's capacity.
const GROWTH: f64 = 1.08;
/// Growth goes no further beyond what is acknowledged: factor, and bit/s.
const BEYOND: f64 = 1.2;
const BEYOND_BITS: f64 = 10_000.0;
/// By packets it grows no further beyond the known capacity; what is more a probe finds.
const ABOVE_CAPACITY: f64 = 1.05;
/// Packets assumed when the rate grows by one a response time, bits.
const PACKET: f64 = 9_600.0;
/// Frames per second assumed.
const FRAMES: f64 = 30.0;
/// Time a sender needs to follow, besides the round trip, s.
const RESPONSE: f64 = 0.1;
/// A queue shorter than this, while little is sent, is no sign of a full link; with a longer one the rate does not grow, µs.
const SHORT_QUEUE: i64 = 15_000;

/// A queue longer than this is over-use even when it no longer grows, µs.
pub const STANDING_QUEUE: i64 = 30_000;

/// A queue that grew by so much after a decrease asks for another one at once, µs.
const DEEPER: i64 = 40_000;

/// What the rate does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It grows.
    #[default]
    Increase,
    /// It stays, while a queue drains.
    Hold,
    /// It has just fallen.
    Decrease,
}

impl State {
    /// The transitions (draft-ietf-rmcat-gcc-02 §5.5, the table).
    #[must_use]
    pub const fn next(self, usage: Usage) -> Self {
        match (self, usage) {
            (_, Usage::Over) => Self::Decrease,
            (_, Usage::Under) | (Self::Decrease, Usage::Normal) => Self::Hold,
            (Self::Hold | Self::Increase, Usage::Normal) => Self::Increase,
        }
    }
}

/// What one feedback says to the rate.
#[derive(Clone, Copy, Debug)]
pub struct Signal {
    /// What the queue does.
    pub usage: Usage,
    /// How long packets wait in it, µs.
    pub queue: i64,
    /// What arrived over the last half second, bit/s.
    pub acknowledged: Option<f64>,
    /// What arrived over the last 150 ms, bit/s.
    pub latest: Option<f64>,
    /// Round trip, s.
    pub rtt: f64,
}

/// The delay-based rate.
#[derive(Debug)]
pub struct Control {
    rate: f64,
    state: State,
    /// What was acknowledged when the link was full: mean, and relative variance.
    capacity: Option<(f64, f64)>,
    at: Option<u64>,
    decreased: Option<u64>,
    /// Whether it fell further than it should, for a queue to drain.
    draining: bool,
    /// The queue when it last fell, µs.
    queue: i64,
}

impl Control {
    /// At `rate` bit/s.
    #[must_use]
    pub fn new(rate: f64) -> Self {
        Self { rate, state: State::default(), capacity: None, at: None, decreased: None, draining: false, queue: 0 }
    }

    /// bit/s.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// What was acknowledged when the link was full, bit/s.
    #[must_use]
    pub fn capacity(&self) -> Option<f64> {
        self.capacity.map(|(mean, _)| mean)
    }

    /// Whether the rate is less than passes, until a queue has drained.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// Takes what a probe, or traffic, has shown to pass.
    pub fn raise(&mut self, rate: f64) {
        if rate > self.rate {
            self.rate = rate;
            self.capacity = self.capacity.filter(|(mean, _)| rate < mean * 1.3);
        }
    }

    /// Begins with what a first probe has shown to pass, through a queue of so many µs.
    #[must_use]
    pub fn found(rate: f64, queue: i64) -> Self {
        let mut control = Self::new(rate);
        if queue > STANDING_QUEUE {
            control.learn(rate);
            control.draining = true;
            control.queue = queue;
            control.rate *= drain(queue);
        }
        control
    }

    /// Takes less, whatever the queue does.
    pub fn lower(&mut self, rate: f64) {
        self.rate = self.rate.min(rate);
    }

    /// Takes in what one feedback says. True when the rate fell.
    #[allow(clippy::cast_precision_loss, reason = "µs")]
    pub fn update(&mut self, signal: &Signal, now: u64) -> bool {
        let elapsed = self.at.map_or(0.0, |at| now.saturating_sub(at) as f64 / 1e6).min(1.0);
        self.at = Some(now);
        let stands = signal.queue > STANDING_QUEUE && signal.usage == Usage::Normal;
        self.state = self.state.next(if stands { Usage::Over } else { signal.usage });
        match self.state {
            State::Increase => self.increase(signal, elapsed),
            State::Hold => {}
            State::Decrease => return self.decrease(signal, now),
        }
        false
    }

    fn increase(&mut self, signal: &Signal, elapsed: f64) {
        if signal.queue > SHORT_QUEUE {
            return;
        }
        let Some(acknowledged) = signal.acknowledged else { return };
        if let Some((mean, _)) = self.capacity
            && self.draining
        {
            // The queue is gone: back to what a decrease without a queue would have left.
            self.draining = false;
            self.rate = self.rate.max(BACK_OFF * mean);
        }
        let near = self.capacity.filter(|(mean, variance)| {
            let deviation = 3.0 * (variance * mean).sqrt();
            acknowledged < mean + deviation
        });
        if near.is_none() {
            self.capacity = None;
        }
        let grown = if let Some((mean, _)) = near {
            (self.rate + self.additive(signal.rtt) * elapsed).min(ABOVE_CAPACITY * mean)
        } else {
            self.rate * GROWTH.powf(elapsed)
        };
        // Little sent proves little: the rate then waits for a probe.
        self.rate = self.rate.max(grown.min(BEYOND * acknowledged + BEYOND_BITS));
    }

    /// bit/s per second: one packet per response time.
    fn additive(&self, rtt: f64) -> f64 {
        let frame = self.rate / FRAMES;
        let packet = frame / (frame / PACKET).ceil();
        (packet / (rtt + RESPONSE)).max(4_000.0)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "µs")]
    fn decrease(&mut self, signal: &Signal, now: u64) -> bool {
        let Some(latest) = signal.latest.or(signal.acknowledged) else { return false };
        // While little waits the link is not busy all the time: the last moments tell no more than the longer time, and
        // neither more than what is known to pass.
        let short = signal.queue < STANDING_QUEUE;
        let acknowledged = if short { signal.acknowledged.map_or(latest, |long| long.max(latest)) } else { latest };
        let little = acknowledged < 0.6 * self.rate;
        let known = self.capacity().filter(|_| short && !little);
        let acknowledged = acknowledged.max(known.unwrap_or_default());
        if little && signal.queue < SHORT_QUEUE {
            return false;
        }
        // The last decrease shows after a response time.
        let wait = ((signal.rtt + RESPONSE) * 1e6) as u64;
        let waited = self.decreased.is_none_or(|at| now.saturating_sub(at) > wait);
        let deeper = signal.queue > self.queue + DEEPER;
        if !waited && !little && !deeper {
            return false;
        }
        self.queue = signal.queue;
        self.learn(acknowledged);
        self.draining = signal.queue > STANDING_QUEUE;
        let factor = drain(signal.queue);
        self.decreased = Some(now);
        let rate = factor * acknowledged;
        let fell = rate < self.rate;
        self.rate = self.rate.min(rate);
        fell
    }

    fn learn(&mut self, acknowledged: f64) {
        let (mean, variance) = self.capacity.unwrap_or((acknowledged, 0.0));
        let deviation = 3.0 * (variance * mean).sqrt();
        if acknowledged < mean - deviation && variance > 0.0 {
            self.capacity = Some((acknowledged, 4_000.0));
            return;
        }
        let error = mean - acknowledged;
        let mean = 0.95 * mean + 0.05 * acknowledged;
        let variance = (0.95 * variance + 0.05 * error * error / mean.max(1.0)).clamp(400.0, 2_500.0);
        self.capacity = Some((mean, variance));
    }
}

/// The share of what passes that lets a queue drain.
#[allow(clippy::cast_precision_loss, reason = "µs")]
fn drain(queue: i64) -> f64 {
    let most = if queue < STANDING_QUEUE { LITTLE_BACK_OFF } else { BACK_OFF };
    (1.0 - queue as f64 / LONG_QUEUE).clamp(DRAIN, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(usage: Usage, queue: i64, acknowledged: f64) -> Signal {
        Signal { usage, queue, acknowledged: Some(acknowledged), latest: Some(acknowledged), rtt: 0.05 }
    }

    #[test]
    fn a_moment_without_a_queue_says_little_of_what_passes() {
        let mut control = Control::new(2.2e6);
        assert!(control.update(&signal(Usage::Over, 40_000, 2e6), 1_000_000));
        for step in 0..40 {
            control.update(&signal(Usage::Normal, 0, 1.7e6), 1_500_000 + step * 100_000);
        }
        assert!(control.rate() > 1.8e6, "{}", control.rate());
        control.update(&signal(Usage::Over, 20_000, 1.6e6), 6_000_000);
        assert!((control.rate() / 2e6 - 0.92).abs() < 0.01, "{}", control.rate());
        control.update(&signal(Usage::Over, 60_000, 1.6e6), 7_000_000);
        assert!((control.rate() / 1.6e6 - 0.8).abs() < 0.01, "a queue that stands tells: {}", control.rate());
    }

    #[test]
    fn transitions() {
        use State::{Decrease, Hold, Increase};
        let next = |state: State| [Usage::Normal, Usage::Over, Usage::Under].map(|usage| state.next(usage));
        assert_eq!(next(Increase), [Increase, Decrease, Hold]);
        assert_eq!(next(Hold), [Increase, Decrease, Hold]);
        assert_eq!(next(Decrease), [Hold, Decrease, Hold]);
    }

    #[test]
    fn grows_by_eight_percent_a_second_and_falls_to_what_passes() {
        let mut control = Control::new(1e6);
        for step in 0..=100 {
            control.update(&signal(Usage::Normal, 0, 2e6), step * 100_000);
        }
        assert!((2.1e6..2.2e6).contains(&control.rate()), "{}", control.rate());
        assert!(control.update(&signal(Usage::Over, 30_000, 2e6), 10_100_000));
        assert!((control.rate() - 1.7e6).abs() < 1.0);
        assert!(!control.update(&signal(Usage::Over, 30_000, 1.5e6), 10_150_000), "a moment ago");
        let before = control.rate();
        for step in 0..=10 {
            control.update(&signal(Usage::Normal, 0, 1.7e6), 11_000_000 + step * 100_000);
        }
        let grown = control.rate() - before;
        assert!((20_000.0..100_000.0).contains(&grown), "by packets near the capacity: {grown}");
    }

    #[test]
    fn little_sent_neither_raises_nor_lowers_it() {
        let mut control = Control::new(3e6);
        for step in 0..=100 {
            control.update(&signal(Usage::Normal, 0, 3e5), step * 100_000);
        }
        assert!((control.rate() - 3e6).abs() < 1.0);
        assert!(!control.update(&signal(Usage::Over, 5_000, 3e5), 10_100_000), "jitter is no full link");
        assert!(control.update(&signal(Usage::Over, 80_000, 3e5), 10_200_000), "a queue is");
        assert!(control.rate() < 3e5);
    }
}
