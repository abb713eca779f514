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
    /// It took too little: it holds nobody back until little waits for it again.
    Behind,
}

/// The standing of one peer.
#[derive(Default)]
pub struct Pace {
    standing: Standing,
    /// Bytes written in all.
    written: u64,
    /// Since it holds others back: when its last measure began, and what it had taken by then.
    since: Option<(Instant, u64)>,
}

impl Pace {
    /// So much more was written.
    pub const fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    /// How it stands.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// See how it does: so many bytes wait for it.
    pub fn observe(&mut self, waiting: usize, now: Instant) {
        let taken = self.written.saturating_sub(waiting as u64);
        let standing = self.next(waiting, taken, now);
        if standing != Standing::Holding {
            self.since = None;
        } else if self.since.is_none_or(|(began, _)| now >= began + PERIOD) {
            self.since = Some((now, taken));
        }
        self.standing = standing;
    }

    fn next(&self, waiting: usize, taken: u64, now: Instant) -> Standing {
        let over = self.since.filter(|(began, _)| now >= *began + PERIOD);
        match self.standing {
            _ if waiting <= LOW => Standing::Free,
            Standing::Behind => Standing::Behind,
            Standing::Holding if over.is_some_and(|(_, before)| taken.saturating_sub(before) < LEAST) => {
                Standing::Behind
            }
            Standing::Holding => Standing::Holding,
            Standing::Free | Standing::Filling if waiting > HIGH => Standing::Holding,
            Standing::Free | Standing::Filling => Standing::Filling,
        }
    }

    /// When to observe it next, whatever happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.since.map(|(began, _)| began + PERIOD)
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
        (0..20).map(step).collect()
    }

    #[test]
    fn who_takes_enough_holds_others_back_and_who_does_not_for_two_seconds() {
        assert_eq!(taking(32 * 1024), [Standing::Holding; 20]);
        for rate in [0, 32 * 1024 - 1] {
            assert_eq!(taking(rate)[0], Standing::Holding);
            assert_eq!(taking(rate)[1..], [Standing::Behind; 19]);
        }
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
