//! The rate of a link that is told of by receiver reports alone (RFC 3550 §6.4.2): the loss-based control of
//! draft-ietf-rmcat-gcc-02 §6, with what reports that come seldom and layers that come in steps need besides.
//!
//! Above [`HIGH`] loss the rate falls, not by the draft's half of the loss but at once to less than what arrived: a report
//! comes once in one to five seconds. Below [`LOW`] it grows, by time and not by report; faster the further it is beyond what
//! the link last carried. What is not sent proves nothing: beyond [`PROVEN`] times that the rate grows as a search, which waits
//! the longer the more often it failed. Loss that goes on while less is sent than passed before is the path's own.

use super::{MAX, MIN};

/// Bounds of the rate, bit/s.
#[allow(clippy::cast_precision_loss, reason = "a rate")]
const LEAST: f64 = MIN as f64;
#[allow(clippy::cast_precision_loss, reason = "a rate")]
const MOST: f64 = MAX as f64;

/// Loss above which the rate falls, and below which it grows.
const HIGH: f64 = 0.10;
const LOW: f64 = 0.02;
/// A judgement takes this long, µs, and so many packets, or so long with a few.
const WINDOW: u64 = 900_000;
const ENOUGH: u64 = 30;
const LONG_WINDOW: u64 = 4_500_000;
const FEW: u64 = 5;
/// The rate falls to this share of what arrived.
const PASSES: f64 = 0.9;
/// While less is lost than this, at least so much of what passed a moment ago still does.
const ERRS: f64 = 0.6;
const STILL: f64 = 0.85;
/// Growth per second near what the link last carried; for each such amount that it is beyond, more, up to the most.
const GROWTH: f64 = 1.05;
const MORE_GROWTH: f64 = 0.15;
const MOST_GROWTH: f64 = 1.25;
/// Growth per second of a search.
const SEARCH_GROWTH: f64 = 1.1;
/// Growth at one time: up to so many times what the link last carried, and beyond.
const NEAR: f64 = 1.1;
const STEP: f64 = 1.15;
const LONG_STEP: f64 = 2.5;
/// The rate is proven up to so many times what is sent.
const PROVEN: f64 = 1.5;
/// A search goes no further than so many times what is wanted.
const BEYOND_WANTED: f64 = 1.5;
/// How long a search waits after the rate fell, and at most if it fails again and again, µs.
const PATIENCE: u64 = 5_000_000;
const LONGEST_PATIENCE: u64 = 30_000_000;
/// Less than this share of what passed does not fill the link.
const SLOWER: f64 = 0.95;
/// Loss that stays above this share of what it was does not come of what is sent; more than that is never the path's own.
const SAME: f64 = 0.75;
const MOST_OWN: f64 = 0.25;
/// How fast the path's own loss is learned.
const LEARNED: f64 = 0.3;

/// When the rate last fell.
#[derive(Clone, Copy, Debug)]
struct Fall {
    at: u64,
    /// What arrived then, bit/s, and the share that was lost.
    carried: f64,
    loss: f64,
}

/// The rate, from reports.
#[derive(Debug)]
pub struct Reports {
    /// Packets told of since the last judgement, and 256 times how many of them were lost.
    total: u64,
    lost: u64,
    /// The last judgement, and bytes sent by then.
    judged: Option<(u64, u64)>,
    rate: Option<f64>,
    fall: Option<Fall>,
    /// Whether nothing was told since.
    fresh: bool,
    /// What was last sent without loss since, bit/s.
    passed: f64,
    /// The share that the path loses by itself.
    own: f64,
    /// Whether the rate is searched for, beyond what is proven.
    searching: bool,
    patience: u64,
}

impl Default for Reports {
    fn default() -> Self {
        Self {
            total: 0,
            lost: 0,
            judged: None,
            rate: None,
            fall: None,
            fresh: false,
            passed: 0.0,
            own: 0.0,
            searching: false,
            patience: PATIENCE,
        }
    }
}

impl Reports {
    /// What the link carries, bit/s; `None` while no loss was told that is a reason to send less.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// Counts one report block: of `total` packets `fraction`/256 were lost.
    pub fn add(&mut self, fraction: u8, total: u64) {
        self.total += total;
        self.lost += u64::from(fraction) * total;
    }

    /// Judges what was told, if that is enough; `bytes` were sent so far, and `wanted` bit/s would be if they passed.
    #[allow(clippy::cast_precision_loss, reason = "counts")]
    pub fn judge(&mut self, bytes: u64, wanted: Option<u64>, now: u64) {
        let Some((at, before)) = self.judged else { return self.begin(bytes, now) };
        let elapsed = now.saturating_sub(at);
        let enough = (elapsed >= WINDOW && self.total >= ENOUGH) || (elapsed >= LONG_WINDOW && self.total >= FEW);
        if !enough {
            return;
        }
        let loss = self.lost as f64 / 256.0 / self.total as f64;
        let sent = bytes.saturating_sub(before) as f64 * 8e6 / elapsed as f64;
        self.begin(bytes, now);
        // What is told first after a fall is partly about packets of before it.
        if sent > 0.0 && !(std::mem::take(&mut self.fresh) && loss - self.own > HIGH) {
            self.conclude(loss, sent, elapsed, wanted, now);
        }
    }

    /// Lets time pass where nothing is told, for nothing is sent: it would stay so.
    pub fn rest(&mut self, bytes: u64, wanted: Option<u64>, now: u64) {
        let Some((at, before)) = self.judged else { return };
        let elapsed = now.saturating_sub(at);
        if elapsed >= LONG_WINDOW && bytes == before {
            self.begin(bytes, now);
            self.grow(0.0, elapsed, wanted, now);
        }
    }

    fn begin(&mut self, bytes: u64, now: u64) {
        (self.judged, self.total, self.lost) = (Some((now, bytes)), 0, 0);
    }

    fn conclude(&mut self, loss: f64, sent: f64, elapsed: u64, wanted: Option<u64>, now: u64) {
        let slower = self.fall.filter(|fall| sent < SLOWER * fall.carried);
        if slower.is_some_and(|fall| loss > SAME * fall.loss) {
            self.own = loss.min(MOST_OWN);
        } else if slower.is_some() || loss < self.own {
            self.own += LEARNED * (loss.min(MOST_OWN) - self.own);
        }
        let excess = loss - self.own;
        if excess > HIGH {
            self.fall(loss, sent, now);
        } else if excess < LOW {
            self.grow(sent, elapsed, wanted, now);
        }
    }

    fn fall(&mut self, loss: f64, sent: f64, now: u64) {
        let carried = sent * (1.0 - loss);
        // Of large packets and small ones the small are lost more often: one report may err.
        let carried = if loss < ERRS { carried.max(STILL * self.passed) } else { carried };
        (self.fresh, self.passed) = (true, 0.0);
        let rate = (PASSES * carried).max(LEAST);
        self.rate = Some(self.rate.map_or(rate, |before| before.min(rate)));
        self.fall = Some(Fall { at: now, carried, loss });
        if std::mem::take(&mut self.searching) {
            self.patience = (self.patience * 2).min(LONGEST_PATIENCE);
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "rates")]
    fn grow(&mut self, sent: f64, elapsed: u64, wanted: Option<u64>, now: u64) {
        let (Some(rate), Some(fall)) = (self.rate, self.fall) else { return };
        let proven = rate <= PROVEN * sent;
        if sent > PROVEN * fall.carried {
            // What failed passes now.
            (self.searching, self.patience) = (false, PATIENCE);
        }
        let beyond = rate / fall.carried.max(LEAST) - 1.0;
        let growth = (GROWTH + MORE_GROWTH * beyond).clamp(GROWTH, if proven { MOST_GROWTH } else { SEARCH_GROWTH });
        let step = if beyond <= NEAR - 1.0 { STEP } else { LONG_STEP };
        let grown = rate * growth.powf(elapsed as f64 / 1e6).min(step);
        let most = if proven {
            MOST
        } else if now.saturating_sub(fall.at) < self.patience {
            PROVEN * sent
        } else {
            wanted.map_or(MOST, |wanted| (BEYOND_WANTED * wanted as f64).max(PROVEN * sent))
        };
        self.passed = sent;
        let grown = rate.max(grown.min(most).min(MOST));
        self.searching |= grown > PROVEN * sent && grown > rate && !proven;
        self.rate = Some(grown);
    }
}
