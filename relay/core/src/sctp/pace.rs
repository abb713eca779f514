//! Whether a peer keeps up with the reliable messages that it is sent: who does holds those back who send too much.

use std::time::{Duration, Instant};

/// Bytes waiting for a peer from which on those who fill it are held back: a quarter of a second at 8 Mbit/s, a quarter of
/// what may wait at all.
pub const HIGH: usize = 256 * 1024;
/// Bytes waiting from which on they go on.
pub const LOW: usize = 192 * 1024;
/// A peer holds others back as long as it takes so many bytes in this time: 32 KiB/s, some 260 kbit/s.
pub const LEAST: u64 = 64 * 1024;
pub const PERIOD: Duration = Duration::from_secs(2);
/// And no longer than this: 1 MiB is down to [`LOW`] after 26 s at that rate, what many bring at once (4 MiB) at 1 Mbit/s.
pub const LONGEST: Duration = Duration::from_secs(30);
/// A peer that takes less than so many bytes in [`PERIOD`], some 1 Mbit/s, holds others back on a budget: for so long,
/// and then for one second in so many.
pub const BRISK: u64 = 256 * 1024;
pub const BUDGET: Duration = Duration::from_secs(120);
pub const SHARE: u32 = 4;

/// How a peer stands to what it is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    /// Little waits for it.
    #[default]
    Free,
    /// More waits.
    Filling,
    /// Much waits and it takes some: who fills it is held back.
    Holding,
    /// It took too little, was kept filled for too long, or was slow too often: it holds nobody back until little waits for it
    /// again.
    Behind,
}

/// The standing of one peer.
#[derive(Default)]
pub struct Pace {
    standing: Standing,
    /// Bytes written in all.
    written: u64,
    /// As long as it holds others back.
    claim: Option<Claim>,
    /// How long it was slow while it did, less what is forgotten since; and when that was.
    slow: Duration,
    at: Option<Instant>,
}

/// Since when a peer holds others back; when its last measure began, and what it had taken by then.
struct Claim {
    since: Instant,
    measured: Instant,
    taken: u64,
}

impl Claim {
    const fn new(now: Instant, taken: u64) -> Self {
        Self { since: now, measured: now, taken }
    }

    /// Whether a measure ends now.
    fn is_due(&self, now: Instant) -> bool {
        now >= self.measured + PERIOD
    }

    /// For how long it was slow by now, since the last measure.
    fn slow(&self, taken: u64, now: Instant) -> Duration {
        let since = now.saturating_duration_since(self.measured);
        let taken = u128::from(taken.saturating_sub(self.taken));
        if taken * PERIOD.as_millis() < u128::from(BRISK) * since.as_millis() { since } else { Duration::ZERO }
    }

    /// Whether it stands, for a peer that has taken so much by now.
    fn stands(&self, taken: u64, now: Instant) -> bool {
        now < self.since + LONGEST && (!self.is_due(now) || taken.saturating_sub(self.taken) >= LEAST)
    }
}

impl Pace {
    /// So much more was written.
    pub const fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    /// Bytes written in all.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// How it stands.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// See how it does: so many bytes wait for it.
    pub fn observe(&mut self, waiting: usize, now: Instant) {
        let taken = self.written.saturating_sub(waiting as u64);
        self.forget(now);
        self.standing = self.next(waiting, taken, now);
        let holding = self.standing == Standing::Holding;
        if let Some(claim) = self.claim.as_mut().filter(|claim| !holding || claim.is_due(now)) {
            self.slow = self.slow.saturating_add(claim.slow(taken, now));
            (claim.measured, claim.taken) = (now, taken);
        }
        if holding {
            self.claim.get_or_insert_with(|| Claim::new(now, taken));
        } else {
            self.claim = None;
        }
    }

    /// Forget by and by how long it was slow.
    fn forget(&mut self, now: Instant) {
        let since = self.at.replace(now).map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.slow = self.slow.saturating_sub(since / SHARE);
    }

    fn next(&self, waiting: usize, taken: u64, now: Instant) -> Standing {
        match self.standing {
            _ if waiting <= LOW => Standing::Free,
            Standing::Behind => Standing::Behind,
            Standing::Holding if self.claim.as_ref().is_some_and(|claim| !claim.stands(taken, now)) => Standing::Behind,
            Standing::Holding if self.slow >= BUDGET => Standing::Behind,
            Standing::Holding => Standing::Holding,
            Standing::Free | Standing::Filling if waiting > HIGH && self.slow + PERIOD > BUDGET => Standing::Behind,
            Standing::Free | Standing::Filling if waiting > HIGH => Standing::Holding,
            Standing::Free | Standing::Filling => Standing::Filling,
        }
    }

    /// When to observe it next, whatever happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.claim.as_ref().map(|claim| (claim.measured + PERIOD).min(claim.since + LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that is kept filled and takes so many bytes a second; its standing after each second.
    fn taking(rate: usize) -> Vec<Standing> {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        pace.wrote(HIGH + 1);
        pace.observe(HIGH + 1, now);
        let step = |_| {
            now += Duration::from_secs(1);
            pace.wrote(rate);
            pace.observe(HIGH + 1, now);
            pace.standing()
        };
        (0..40).map(step).collect()
    }

    #[test]
    fn who_takes_enough_holds_others_back_and_who_does_not_for_two_seconds() {
        assert_eq!(taking(32 * 1024)[..29], [Standing::Holding; 29]);
        for rate in [0, 32 * 1024 - 1] {
            assert_eq!(taking(rate)[0], Standing::Holding);
            assert_eq!(taking(rate)[1..], [Standing::Behind; 39]);
        }
    }

    #[test]
    fn who_is_kept_filled_for_thirty_seconds_holds_nobody_back_any_more() {
        for rate in [32 * 1024, 1024 * 1024] {
            assert_eq!(taking(rate)[28..], [[Standing::Holding].as_slice(), &[Standing::Behind; 11]].concat());
        }
    }

    /// A peer that is filled as soon as it has caught up and takes so many bytes in 20 ms: for how many seconds of each minute
    /// it held others back.
    fn filled_again_and_again(rate: usize) -> Vec<u64> {
        let (mut pace, mut now, mut waiting) = (Pace::default(), Instant::now(), 0);
        let mut minute = || {
            let held = (0..3_000).filter(|_| {
                if pace.standing() == Standing::Free {
                    pace.wrote(HIGH + 1 - waiting);
                    waiting = HIGH + 1;
                    pace.observe(waiting, now);
                }
                now += Duration::from_millis(20);
                waiting = waiting.saturating_sub(rate);
                pace.observe(waiting, now);
                pace.standing() == Standing::Holding
            });
            held.count() as u64 / 50
        };
        (0..20).map(|_| minute()).collect()
    }

    #[test]
    fn who_is_slow_again_and_again_holds_others_back_for_a_share_of_the_time() {
        for rate in [700, 2_000] {
            let minutes = filled_again_and_again(rate);
            assert!(minutes[..2].iter().sum::<u64>() > 110, "a document arrives whole: {rate} {minutes:?}");
            assert!(minutes[4..].iter().sum::<u64>() < 16 * 18, "{rate} {minutes:?}");
            assert!(minutes[4..].iter().sum::<u64>() > 16 * 5, "but not for ever: {rate} {minutes:?}");
        }
        assert!(
            filled_again_and_again(3_000).iter().all(|held| *held > 45),
            "who is not slow does as long as it takes"
        );
    }

    #[test]
    fn what_may_wait_at_all_drains_in_less() {
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let (mut waiting, step) = (1024 * 1024, Duration::from_millis(20));
        pace.wrote(waiting);
        pace.observe(waiting, now);
        while waiting > LOW {
            assert_eq!(pace.standing(), Standing::Holding, "{waiting}");
            (waiting, now) = (waiting - 656, now + step); // 32 KiB/s
            pace.observe(waiting, now);
        }
        assert_eq!(pace.standing(), Standing::Free);
    }

    #[test]
    fn who_has_caught_up_holds_others_back_again() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let mut standing = |waiting, seconds| {
            pace.observe(waiting, now + Duration::from_secs(seconds));
            (pace.standing(), pace.poll_timeout().is_some())
        };
        assert_eq!(standing(LOW + 1, 0), (Standing::Filling, false));
        assert_eq!(standing(HIGH + 1, 1), (Standing::Holding, true));
        assert_eq!(standing(LOW + 1, 2), (Standing::Holding, true));
        assert_eq!(standing(HIGH + 1, 3), (Standing::Behind, false));
        assert_eq!(standing(LOW + 1, 4), (Standing::Behind, false));
        assert_eq!(standing(LOW, 5), (Standing::Free, false));
        assert_eq!(standing(HIGH + 1, 6), (Standing::Holding, true));
        assert_eq!(standing(0, 7), (Standing::Free, false));
    }
}
