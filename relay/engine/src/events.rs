//! The queue of events towards the loop: one wake-up per batch, bounded.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use relay_core::message::Event;
use rustix::event::{EventfdFlags, eventfd};

/// Events that wait before the droppable ones are refused: a loop blocked for seconds still gets all of these.
const MAX_EVENTS: usize = 65_536;
/// Bytes of data messages that wait before more are refused.
const MAX_PAYLOAD: usize = 64 * 1024 * 1024;

/// A counter the kernel lets threads wait on.
pub struct Bell(OwnedFd);

impl Bell {
    /// A silent bell.
    ///
    /// # Errors
    /// As `eventfd(2)`.
    pub fn new() -> io::Result<Self> {
        Ok(Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Wake whoever waits.
    pub fn ring(&self) {
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes()); // full counts as rung
    }

    /// Make it silent again.
    pub fn hush(&self) {
        let _ = rustix::io::read(&self.0, &mut [0u8; 8]); // would block: was silent
    }

    /// The raw descriptor.
    pub fn raw(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[derive(Default)]
struct Waiting {
    events: Vec<Event>,
    payload: usize,
    refused: u64,
}

/// Events from all shards.
pub struct EventQueue {
    bell: Bell,
    waiting: Mutex<Waiting>,
}

impl EventQueue {
    /// An empty queue.
    ///
    /// # Errors
    /// As `eventfd(2)`.
    pub fn new() -> io::Result<Self> {
        Ok(Self { bell: Bell::new()?, waiting: Mutex::default() })
    }

    /// The bell that rings when events wait.
    pub const fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Add what a shard has to say; rings only when nothing waited.
    pub fn push(&self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let mut waiting = self.lock();
        let was_empty = waiting.events.is_empty();
        for event in events {
            waiting.add(event);
        }
        let ring = was_empty && !waiting.events.is_empty();
        drop(waiting);
        if ring {
            self.bell.ring();
        }
    }

    /// Take all that waits.
    pub fn drain(&self) -> Vec<Event> {
        self.bell.hush();
        let mut waiting = self.lock();
        waiting.payload = 0;
        std::mem::take(&mut waiting.events)
    }

    /// Events refused because the loop did not come for them.
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    /// A shard that panicked between two pushes leaves whole events only, so the queue stays good.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// What is a state stays, as its number is bounded by the commands; what is a moment may be lost.
    fn add(&mut self, event: Event) {
        let payload = if let Event::DataReceived { payload, .. } = &event { payload.len() } else { 0 };
        let moment = matches!(event, Event::DataReceived { .. } | Event::Speakers { .. });
        let full = self.events.len() >= MAX_EVENTS || self.payload + payload > MAX_PAYLOAD;
        if moment && full {
            self.refused += 1;
        } else {
            self.payload += payload;
            self.events.push(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(len: usize) -> Event {
        Event::DataReceived { transport: "t".into(), label: "l".into(), payload: vec![0; len].into(), reliable: true }
    }

    #[test]
    fn a_loop_that_never_comes_loses_data_but_no_state() {
        let queue = EventQueue::new().unwrap();
        queue.push((0..MAX_EVENTS + 10).map(|_| data(1)).collect());
        queue.push(vec![Event::DataChannelOpened { transport: "t".into(), label: "l".into() }]);
        assert_eq!(queue.refused(), 10);
        assert_eq!(queue.drain().len(), MAX_EVENTS + 1);
        assert!(queue.drain().is_empty());
    }

    #[test]
    fn large_messages_are_bounded_by_bytes() {
        let queue = EventQueue::new().unwrap();
        queue.push((0..2000).map(|_| data(64 * 1024)).collect());
        assert_eq!(queue.drain().len(), MAX_PAYLOAD / (64 * 1024));
    }
}
