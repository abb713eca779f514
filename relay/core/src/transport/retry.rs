//! When the flights of a handshake are sent again (RFC 6347 §4.2.4, RFC 9147 §5.8).
//!
//! `dimpl` doubles each wait without end, and for as long as it waits it answers no repeated flight of the peer (1.2)
//! either: after a few losses the next try comes after the handshake's time. So it gets a clock of its own, [`Pace`],
//! that is put forward where a wait is longer than ours may be. The last flight of 1.2 it sends again only when asked to,
//! by a client whose own waits double: [`LastFlight`] repeats it until the client's first data.

use std::time::{Duration, Instant};

/// Times a flight is sent again. `dimpl` keeps the numbers of 32 transmissions of a record, and fails at one more.
pub const RETRIES: usize = 31;

/// For the handshake by `dimpl`'s clock, which is put forward: as long as it lets one say (ten years); ours ends it.
pub const UNBOUNDED: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Retransmission of lost handshake flights.
#[derive(Debug, Clone, Copy)]
pub struct DtlsTimers {
    /// First wait; doubled at each retry.
    pub first_retry: Duration,
    /// The longest wait. A flight is sent again [`RETRIES`] times at most: with less than a twentieth of `handshake`, the
    /// handshake may end before its time.
    pub longest_retry: Duration,
    /// For the handshake as a whole.
    pub handshake: Duration,
}

impl Default for DtlsTimers {
    fn default() -> Self {
        let milliseconds = Duration::from_millis;
        Self { first_retry: milliseconds(100), longest_retry: milliseconds(1600), handshake: milliseconds(30_000) }
    }
}

/// The clock of one handshake.
#[derive(Debug)]
pub struct Pace {
    longest: Duration,
    /// When the handshake has failed.
    deadline: Instant,
    /// The same by `dimpl`'s clock, where nothing is due any more.
    end: Instant,
    /// How far `dimpl`'s clock is put forward.
    ahead: Duration,
    /// What `dimpl` waits for, by its clock.
    due: Instant,
    /// When a datagram was sent last.
    sent: Instant,
}

impl Pace {
    /// A handshake that begins now and is to end by `deadline`.
    #[must_use]
    pub fn new(longest: Duration, deadline: Instant, now: Instant) -> Self {
        let end = now + UNBOUNDED;
        Self { longest, deadline, end, ahead: Duration::ZERO, due: end, sent: now }
    }

    /// `dimpl`'s clock.
    #[must_use]
    pub fn clock(&self, now: Instant) -> Instant {
        now + self.ahead
    }

    /// Whether the handshake's time is over.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        self.deadline <= now
    }

    /// A datagram was sent.
    pub const fn note_sent(&mut self, now: Instant) {
        self.sent = now;
    }

    /// `dimpl` waits until then, by its clock.
    pub const fn note_due(&mut self, due: Instant) {
        self.due = due;
    }

    /// Put the clock forward to what is due, where that would be later than the longest wait.
    pub fn hurry(&mut self, now: Instant) {
        if !self.is_idle() && self.sent + self.longest <= now {
            self.ahead += self.due.saturating_duration_since(self.clock(now));
            self.sent = now;
        }
    }

    /// Whether nothing is due any more: the peer has acknowledged what was sent.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.due >= self.end
    }

    /// When there is something to do before the handshake is done.
    #[must_use]
    pub fn wake(&self) -> Instant {
        if self.is_idle() {
            return self.deadline; // a flight that the peer has acknowledged, whose answer is missing
        }
        self.wake_connected().min(self.sent + self.longest).min(self.deadline)
    }

    /// When there is something to do after it.
    #[must_use]
    pub fn wake_connected(&self) -> Instant {
        self.due.checked_sub(self.ahead).unwrap_or(self.due)
    }
}

/// The last flight of DTLS 1.2, of which nothing says that it has come: exactly what was sent, so that who has it takes it
/// for a datagram that came twice (RFC 6347 §4.1.2.6).
#[derive(Debug)]
pub struct LastFlight {
    datagrams: Vec<Vec<u8>>,
    first: Duration,
    longest: Duration,
    wait: Duration,
    sent: Instant,
    until: Instant,
}

impl LastFlight {
    /// What was just sent, to be repeated until the handshake's time is over.
    #[must_use]
    pub const fn new(datagrams: Vec<Vec<u8>>, timers: DtlsTimers, until: Instant, now: Instant) -> Self {
        let (first, longest) = (timers.first_retry, timers.longest_retry);
        Self { datagrams, first, longest, wait: first, sent: now, until }
    }

    /// When it is due again.
    #[must_use]
    pub fn wake(&self) -> Option<Instant> {
        Some(self.sent + self.wait).filter(|at| *at < self.until)
    }

    /// What is due.
    pub fn repeat(&mut self, now: Instant) -> &[Vec<u8>] {
        if self.wake().is_none_or(|at| now < at) {
            return &[];
        }
        self.wait = (self.wait * 2).min(self.longest);
        self.sent = now;
        &self.datagrams
    }

    /// The peer's own last flight has come again: ours is sent at once, but not oftener than at its first repetition.
    pub fn answer(&mut self, now: Instant) -> &[Vec<u8>] {
        if now < self.sent + self.first {
            return &[];
        }
        self.sent = now;
        &self.datagrams
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn no_wait_is_longer_than_the_longest() {
        let began = Instant::now();
        let mut pace = Pace::new(1600 * MS, began + 30_000 * MS, began);
        let (mut now, mut wait, mut sent) = (began, 100 * MS, 0);
        pace.note_due(began + wait);
        while pace.wake() < began + 30_000 * MS {
            assert!(pace.wake() - now <= 1600 * MS);
            now = pace.wake();
            pace.hurry(now);
            assert!(pace.clock(now) >= pace.due, "what was due is done");
            wait *= 2;
            sent += 1;
            pace.note_sent(now);
            pace.note_due(pace.clock(now) + wait);
        }
        assert!((20..RETRIES).contains(&sent), "{sent}");
        assert!(!pace.is_over(now) && pace.is_over(began + 30_000 * MS));
        assert!(pace.clock(now) < pace.end);
    }

    #[test]
    fn where_nothing_is_due_the_clock_is_not_put_forward() {
        let began = Instant::now();
        let mut pace = Pace::new(1600 * MS, began + 30_000 * MS, began);
        pace.note_due(began + UNBOUNDED);
        assert_eq!(pace.wake(), began + 30_000 * MS);
        pace.hurry(began + 20_000 * MS);
        assert_eq!(pace.clock(began), began);
    }

    #[test]
    fn the_last_flight_is_repeated_until_the_end_and_when_asked() {
        let began = Instant::now();
        let timers = DtlsTimers::default();
        let mut last = LastFlight::new(vec![vec![20]], timers, began + 30_000 * MS, began);
        assert!(last.repeat(began + 99 * MS).is_empty());
        let mut sent = Vec::new();
        while let Some(at) = last.wake() {
            assert_eq!(last.repeat(at), [vec![20]]);
            sent.push((at - began).as_millis());
        }
        assert_eq!(sent[..7], [100, 300, 700, 1500, 3100, 4700, 6300]);
        assert_eq!(sent.len(), 21);
        let late = began + 40_000 * MS;
        assert_eq!(last.answer(late), [vec![20]], "who asks late is answered");
        assert!(last.answer(late + 99 * MS).is_empty(), "who asks often is not");
        assert_eq!(last.answer(late + 100 * MS), [vec![20]]);
    }
}
