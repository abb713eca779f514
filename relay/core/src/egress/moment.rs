//! An instant as packets carry it.

use std::time::Instant;

/// One instant in the forms packets carry it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The instant.
    pub now: Instant,
    /// 24 bits of 6.18 fixed point seconds.
    pub abs_send_time: u32,
    /// µs since the epoch.
    pub micros: u64,
}

impl Moment {
    /// `now` against the instant absolute send times count from.
    #[must_use]
    pub fn new(now: Instant, epoch: Instant) -> Self {
        let elapsed = now.saturating_duration_since(epoch);
        let fixed = (elapsed.as_secs() << 18) | ((u64::from(elapsed.subsec_nanos()) << 18) / 1_000_000_000);
        #[allow(clippy::cast_possible_truncation, reason = "24 bits are kept")]
        let abs_send_time = (fixed & 0xff_ffff) as u32;
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        Self { now, abs_send_time, micros }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn absolute_send_time() {
        let epoch = Instant::now();
        assert_eq!(Moment::new(epoch + Duration::from_millis(1500), epoch).abs_send_time, 3 << 17);
        assert_eq!(Moment::new(epoch + Duration::from_secs(65), epoch).abs_send_time, 1 << 18);
    }
}
