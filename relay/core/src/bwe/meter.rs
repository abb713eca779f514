//! How many bytes arrived over the last moments: the acknowledged bitrate.

/// Steps remembered.
const STEPS: usize = 20;

/// A rate over a sliding window of 20 steps, on whatever clock its times are of.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Length of a step, µs.
    step: i64,
    steps: [u64; STEPS],
    /// When the first byte was counted.
    first: Option<i64>,
    /// The latest time counted.
    latest: i64,
}

impl Meter {
    /// A meter with steps of `step` µs.
    #[must_use]
    pub fn new(step: i64) -> Self {
        Self { step, steps: [0; STEPS], first: None, latest: 0 }
    }

    /// Counts bytes at a time in µs. What is older than the window is not counted.
    pub fn add(&mut self, at: i64, bytes: u64) {
        if self.first.is_none() {
            (self.first, self.latest) = (Some(at), at);
        }
        let (number, newest) = (at.div_euclid(self.step), self.latest.div_euclid(self.step));
        let span = STEPS.cast_signed() as i64;
        if number - newest >= span {
            self.steps.fill(0);
        } else {
            for cleared in newest + 1..=number {
                *self.slot(cleared) = 0;
            }
        }
        if newest - number < span {
            *self.slot(number) += bytes;
        }
        self.latest = self.latest.max(at);
    }

    /// bit/s over the last `steps` (at most 19) whole steps and the one begun; `None` before they are over for the first time.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a rate")]
    pub fn rate(&self, steps: i64) -> Option<f64> {
        let newest = self.latest.div_euclid(self.step);
        let begin = (newest - steps) * self.step;
        self.first.filter(|first| *first <= begin + self.step)?;
        let bytes: u64 = (newest - steps..=newest).map(|number| self.steps[index(number)]).sum();
        Some(bytes as f64 * 8.0e6 / (self.latest - begin).max(self.step) as f64)
    }

    fn slot(&mut self, number: i64) -> &mut u64 {
        &mut self.steps[index(number)]
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "reduced modulo a small number"
)]
fn index(number: i64) -> usize {
    number.rem_euclid(STEPS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_read_back() {
        let mut meter = Meter::new(25_000);
        assert_eq!(meter.rate(8), None);
        for step in 0..1_000i64 {
            meter.add(5_000_000_000 + step * 5_000, 1_000);
        }
        for steps in [4, 8, 19] {
            let rate = meter.rate(steps).unwrap();
            assert!((1_550_000.0..1_750_000.0).contains(&rate), "{rate}");
        }
    }

    #[test]
    fn clocks_that_jump_neither_panic_nor_inflate() {
        let mut meter = Meter::new(25_000);
        for at in [0, i64::from(u32::MAX) * 1_000, 7, -9_000_000, 1_000_000] {
            meter.add(at, 1_000);
        }
        let rate = meter.rate(19);
        assert!(rate.is_none_or(|rate| rate < 20_000.0), "{rate:?}");
    }
}
