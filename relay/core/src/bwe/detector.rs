//! Is a queue building up? The slope of the one-way delay against a threshold that adapts (Carlucci et al. §3.2 and
//! §3.3; draft-ietf-rmcat-gcc-02 §5.4), with a least-squares line in place of the Kalman filter.

use super::groups::Variation;

/// Groups the line is fitted through, at most and at least.
const POINTS: usize = 20;
const FEWEST: usize = 8;
/// Weight of the past in the smoothed delay.
const SMOOTHING: f64 = 0.9;
/// Gain of the slope, times the number of groups up to [`MOST_GROUPS`].
const GAIN: f64 = 4.0;
const MOST_GROUPS: f64 = 60.0;
/// The threshold, ms: at first, and its bounds.
const FIRST_THRESHOLD: f64 = 12.5;
const THRESHOLDS: std::ops::RangeInclusive<f64> = 6.0..=600.0;
/// How fast the threshold rises and falls, per ms.
const RISE: f64 = 0.0087;
const FALL: f64 = 0.039;
/// What lies this far above the threshold does not move it, ms.
const OUTLIER: f64 = 15.0;
/// How long the slope is above the threshold before that counts, µs.
const SUSTAINED: i64 = 10_000;
/// The delay of now is the least of the groups within this of the newest, µs, and of so many at least: single late ones are
/// jitter, or a receiver that had no processor for a moment.
const RECENT: i64 = 150_000;
const FEWEST_RECENT: usize = 3;
const MOST_RECENT: usize = 16;
/// A slope is no over-use while the queue is shorter, µs: frames that grow take longer to pass, and leave nothing behind.
const NO_QUEUE: i64 = 10_000;
/// What was forgiven is held against the path again within about this, µs.
const FORGIVEN: f64 = 20_000_000.0;
/// A delay that changes by more is a clock that jumped, µs.
const JUMP: i64 = 3_000_000;
/// The least delay is that of the last two of these, µs.
const EPOCH: i64 = 10_000_000;

/// What the path's queue does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Usage {
    /// It is as it was.
    #[default]
    Normal,
    /// It grows: more is sent than passes.
    Over,
    /// It shrinks.
    Under,
}

/// Judges the path by the delay of one group after the other.
#[derive(Debug)]
pub struct Detector {
    points: [(f64, f64); POINTS],
    count: usize,
    origin: i64,
    accumulated: f64,
    smoothed: f64,
    previous: f64,
    threshold: f64,
    above: i64,
    usage: Usage,
    /// When the threshold was last adapted.
    adapted: Option<i64>,
    last: Option<i64>,
    /// When the last groups came, and their delay.
    recent: [(i64, i64); MOST_RECENT],
    /// Delay that does not depend on what is sent, beside the least.
    forgiven: i64,
    least: [i64; 2],
    epoch: i64,
}

impl Default for Detector {
    fn default() -> Self {
        Self {
            points: [(0.0, 0.0); POINTS],
            count: 0,
            origin: 0,
            accumulated: 0.0,
            smoothed: 0.0,
            previous: 0.0,
            threshold: FIRST_THRESHOLD,
            above: 0,
            usage: Usage::Normal,
            adapted: None,
            last: None,
            recent: [(0, i64::MAX); MOST_RECENT],
            forgiven: 0,
            least: [i64::MAX; 2],
            epoch: 0,
        }
    }
}

impl Detector {
    /// What the queue does.
    #[must_use]
    pub fn usage(&self) -> Usage {
        if self.usage == Usage::Over && self.queue() < NO_QUEUE { Usage::Normal } else { self.usage }
    }

    /// How long a packet waits now beyond the least delay of the last 10 to 20 s, µs. One late packet does not count.
    #[must_use]
    pub fn queue(&self) -> i64 {
        let count = self.count.min(MOST_RECENT);
        let newest = self.last.unwrap_or_default();
        let groups = (1..=count).map(|back| self.recent[(self.count - back) % MOST_RECENT]);
        let late = groups.enumerate().take_while(|(place, (at, _))| *place < FEWEST_RECENT || newest - at < RECENT);
        let now = late.map(|(_, (_, delay))| delay).min().unwrap_or(i64::MAX);
        let least = self.least[0].min(self.least[1]);
        if count < FEWEST_RECENT || least == i64::MAX { 0 } else { (now - least - self.forgiven).max(0) }
    }

    /// The queue did not shrink when less was sent: what waits is not ours, or nothing waits and the receiver is slow.
    pub fn forgive(&mut self) {
        self.forgiven += self.queue();
    }

    /// Nothing was sent for a while: there is no queue, and what comes next has nothing to do with what was before.
    pub fn rest(&mut self) {
        let (threshold, forgiven, least, epoch) = (self.threshold, self.forgiven, self.least, self.epoch);
        *self = Self { threshold, forgiven, least, epoch, ..Self::default() };
    }

    /// Takes in one group.
    #[allow(clippy::cast_precision_loss, reason = "differences of µs")]
    pub fn add(&mut self, variation: &Variation) {
        if self.count > 0 && (variation.delay - self.recent[(self.count - 1) % MOST_RECENT].1).abs() > JUMP {
            *self = Self { threshold: self.threshold, ..Self::default() };
        }
        self.measure_delay(variation);
        if self.count == 0 {
            self.origin = variation.arrival;
        }
        self.accumulated += variation.change as f64 / 1e3;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.accumulated;
        let at = (variation.arrival - self.origin) as f64 / 1e3;
        self.points[self.count % POINTS] = (at, self.smoothed);
        self.count += 1;
        let points = self.points.get(..self.count.min(POINTS)).unwrap_or_default();
        if points.len() < FEWEST {
            return;
        }
        let slope = slope(points).unwrap_or(self.previous);
        let groups = (self.count as f64).min(MOST_GROUPS);
        self.judge(slope, slope * groups * GAIN, variation);
        self.previous = slope;
    }

    fn judge(&mut self, slope: f64, trend: f64, variation: &Variation) {
        if trend > self.threshold {
            self.above += variation.sent_apart;
            if self.above > SUSTAINED && slope >= self.previous {
                self.usage = Usage::Over;
            }
        } else {
            self.above = 0;
            self.usage = if trend < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.adapt(trend, variation.arrival);
    }

    #[allow(clippy::cast_precision_loss, reason = "differences of µs")]
    fn adapt(&mut self, trend: f64, arrival: i64) {
        let elapsed = self.adapted.map_or(0.0, |last| ((arrival - last) as f64 / 1e3).clamp(0.0, 100.0));
        self.adapted = Some(arrival);
        if trend.abs() > self.threshold + OUTLIER {
            return;
        }
        let rate = if trend.abs() < self.threshold { FALL } else { RISE };
        self.threshold += rate * (trend.abs() - self.threshold) * elapsed;
        self.threshold = self.threshold.clamp(*THRESHOLDS.start(), *THRESHOLDS.end());
    }

    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "µs")]
    fn measure_delay(&mut self, variation: &Variation) {
        if variation.arrival - self.epoch > EPOCH || variation.arrival < self.epoch - EPOCH {
            self.epoch = variation.arrival;
            self.least = [self.least[1], i64::MAX];
        }
        let elapsed = self.last.map_or(0, |last| variation.arrival.saturating_sub(last).clamp(0, EPOCH));
        self.last = Some(variation.arrival);
        self.forgiven -= (self.forgiven as f64 * elapsed as f64 / FORGIVEN) as i64;
        self.recent[self.count % MOST_RECENT] = (variation.arrival, variation.delay);
        self.least[1] = self.least[1].min(variation.delay);
    }
}

/// The slope of the least-squares line.
#[allow(clippy::cast_precision_loss, reason = "a small count")]
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    let (x, y) = (x / count, y / count);
    let (above, below) = points.iter().fold((0.0, 0.0), |sum, point| {
        let across = point.0 - x;
        (sum.0 + across * (point.1 - y), sum.1 + across * across)
    });
    (below > 0.0).then(|| above / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds groups 20 ms apart, each `change` µs later than the last.
    fn feed(detector: &mut Detector, from: i64, count: i64, mut change: impl FnMut() -> i64) -> bool {
        let mut seen = false;
        let mut delay = 0;
        for step in from..from + count {
            let change = change();
            delay += change;
            detector.add(&Variation { arrival: step * 20_000 + delay, sent_apart: 20_000, change, delay });
            seen |= detector.usage() == Usage::Over;
        }
        seen
    }

    #[test]
    fn a_growing_queue_is_seen_and_a_steady_one_is_not() {
        let mut detector = Detector::default();
        assert!(!feed(&mut detector, 0, 100, || 0));
        assert!(feed(&mut detector, 100, 15, || 4_000), "60 ms of queue in 300 ms");
        assert!(detector.queue() > 20_000, "{}", detector.queue());
        assert!(!feed(&mut detector, 200, 60, || 0) || detector.usage() != Usage::Over);
    }

    #[test]
    fn jitter_is_no_queue() {
        for seed in 1..6 {
            let mut noise = crate::noise::Noise::new(seed);
            let mut before = 0;
            let mut detector = Detector::default();
            let jitter = || {
                let now = noise.below(20_000).cast_signed();
                now - std::mem::replace(&mut before, now)
            };
            assert!(!feed(&mut detector, 0, 2_000, jitter), "seed {seed}");
            assert!(detector.queue() < 15_000, "{}", detector.queue());
        }
    }

    #[test]
    fn a_draining_queue_is_under_use() {
        let mut detector = Detector::default();
        feed(&mut detector, 0, 60, || 0);
        feed(&mut detector, 60, 20, || -4_000);
        assert_eq!(detector.usage(), Usage::Under);
    }
}
