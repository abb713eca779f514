//! Reliable messages on their way to the caller: what it was told and has not answered, and what waits for that.
//!
//! Whatever waits here keeps the peer's window closed, so that the peer slows down by itself (RFC 9260 section 6.2).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// Bytes the caller may be told before it answers: what many send at once fits in the backlog of one who gets all of it.
pub const WINDOW: usize = 64 * 1024;
/// What a message counts besides its label and payload, so that empty ones are bounded, too.
const OVERHEAD: usize = 64;
/// A message that the caller says nothing of counts as answered after this.
pub const ANSWER: Duration = Duration::from_secs(1);
/// One message in this time, and so many at once: a little less than signaling takes of a participant.
const SPACING: Duration = Duration::from_micros(2_500);
const AT_ONCE: u32 = 800;

/// A message, and the label of its channel.
type Message = (String, Bytes);

/// What came of one peer on reliable channels.
#[derive(Default)]
pub struct Inbox {
    waiting: VecDeque<Message>,
    bytes: usize,
    /// When the caller was told of a message that it has not answered, and what that one counts.
    told: VecDeque<(Instant, usize)>,
    unanswered: usize,
    /// Somebody does not keep up with what this peer sends.
    held: bool,
    /// When the next message would be due if all were evenly spaced.
    due: Option<Instant>,
}

fn weight((label, payload): &Message) -> usize {
    label.len() + payload.len() + OVERHEAD
}

impl Inbox {
    /// A message came.
    pub fn push(&mut self, label: String, payload: Bytes) {
        let message = (label, payload);
        self.bytes += weight(&message);
        self.waiting.push_back(message);
    }

    /// What the messages that wait count, in bytes.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The next message that the caller may be told.
    pub fn pop(&mut self, now: Instant) -> Option<Message> {
        while self.told.front().is_some_and(|(at, _)| now >= *at + ANSWER) {
            self.answered();
        }
        if self.held || self.unanswered >= WINDOW || self.paced_until().is_some_and(|at| now < at) {
            return None;
        }
        let message = self.take()?;
        self.due = Some(self.due.map_or(now, |due| due.max(now)) + SPACING);
        self.told.push_back((now, weight(&message)));
        self.unanswered += weight(&message);
        Some(message)
    }

    /// The next message, whether or not the caller may be told.
    pub fn take(&mut self) -> Option<Message> {
        let message = self.waiting.pop_front()?;
        self.bytes -= weight(&message);
        Some(message)
    }

    /// The caller has dealt with the first message that it had not.
    pub fn answered(&mut self) {
        if let Some((_, weight)) = self.told.pop_front() {
            self.unanswered -= weight;
        }
    }

    /// Tell nothing for now, or go on.
    pub const fn hold(&mut self, held: bool) {
        self.held = held;
    }

    fn paced_until(&self) -> Option<Instant> {
        self.due.and_then(|due| due.checked_sub(SPACING * AT_ONCE))
    }

    /// When the next message may be told, whatever else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.waiting.is_empty() || self.held {
            return None;
        }
        let unanswered = self.told.front().filter(|_| self.unanswered >= WINDOW).map(|(at, _)| *at + ANSWER);
        unanswered.max(self.paced_until())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(messages: usize, size: usize) -> Inbox {
        let mut inbox = Inbox::default();
        for _ in 0..messages {
            inbox.push("l".into(), vec![0; size].into());
        }
        inbox
    }

    #[test]
    fn so_much_is_told_before_an_answer() {
        let (mut inbox, now) = (full(20, 16_000), Instant::now());
        let told = std::iter::from_fn(|| inbox.pop(now)).count();
        assert_eq!(told, 5);
        inbox.answered();
        assert_eq!(std::iter::from_fn(|| inbox.pop(now)).count(), 1);
        let later = inbox.poll_timeout().unwrap();
        assert_eq!(later, now + ANSWER, "no answer is one after a while");
        assert_eq!(std::iter::from_fn(|| inbox.pop(later)).count(), 5);
        assert_eq!(inbox.bytes(), 9 * (16_000 + "l".len() + OVERHEAD));
    }

    #[test]
    fn what_the_smallest_take_counts_too() {
        let mut inbox = Inbox::default();
        for _ in 0..100 {
            inbox.push("l".repeat(256), Bytes::new());
        }
        let taken = 100 * (size_of::<Message>() + 256);
        assert!(inbox.bytes() >= taken, "{} of {taken}", inbox.bytes());
    }

    #[test]
    fn messages_are_spaced() {
        let (mut inbox, mut now) = (full(3_000, 0), Instant::now());
        let began = now;
        let mut told = 0;
        while inbox.bytes() > 0 {
            while inbox.pop(now).is_some() {
                inbox.answered();
                told += 1;
            }
            assert!(told >= AT_ONCE);
            now = inbox.poll_timeout().unwrap_or(now);
        }
        assert_eq!(now - began, SPACING * (3_000 - AT_ONCE - 1));
    }

    #[test]
    fn who_is_held_waits_for_no_time() {
        let (mut inbox, now) = (full(2, 10), Instant::now());
        inbox.hold(true);
        assert_eq!((inbox.pop(now), inbox.poll_timeout()), (None, None));
        inbox.hold(false);
        assert!(inbox.pop(now).is_some());
        assert!(inbox.take().is_some(), "at the end of its peer");
        assert_eq!((inbox.bytes(), inbox.take()), (0, None));
    }
}
