//! What a peer may still send: what `sctp-proto` has room for, less what waits to be told to the caller.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::packet::{Sack, with_credit};
use super::{MAX_MESSAGE, RECEIVE_BUFFER};

/// Bytes that are taken beyond a window that is closed: a peer tries whether it is (RFC 9260 section 6.1), and would have to
/// take what is refused for lost.
pub const BEYOND: usize = 64 * 1024;
/// A window of less is closed: it takes no two packets.
const CLOSED: u32 = 2_400;
/// How long what is taken beyond it stays unacknowledged, besides the 200 ms that `sctp-proto` waits for a second packet:
/// browsers try again as soon as it is, and take it for lost after 400 ms.
const DELAY: Duration = Duration::from_millis(100);

/// The receive window of one association, as its peer knows it.
pub struct Window {
    /// The last acknowledgment.
    sack: Bytes,
    /// Bytes that it said there is room for.
    told: u32,
    /// It is on its way only then.
    due: Option<Instant>,
}

impl Default for Window {
    fn default() -> Self {
        Self { sack: Bytes::new(), told: RECEIVE_BUFFER, due: None }
    }
}

impl Window {
    /// An acknowledgment that may go on its way now, if any; `waiting` bytes are to be told to the caller.
    pub fn tell(&mut self, packet: Bytes, sack: &Sack, waiting: usize, now: Instant) -> Option<Bytes> {
        self.told = less(sack.credit, waiting);
        self.sack = if waiting > 0 { with_credit(&packet, self.told) } else { packet };
        self.due = (self.told < CLOSED && sack.gaps.is_empty()).then(|| self.due.unwrap_or(now + DELAY));
        self.due.is_none().then(|| self.sack.clone())
    }

    /// What was not acknowledged for long enough; and tells a peer that knows of little room that there is more (section
    /// 6.2), where `held` bytes take of it.
    pub fn update(&mut self, held: usize, now: Instant) -> Option<Bytes> {
        let left = less(RECEIVE_BUFFER, held);
        let more = left.saturating_sub(self.told) as usize;
        let news = self.told < RECEIVE_BUFFER / 2 && more > 0 && (more >= MAX_MESSAGE || held == 0);
        if !news && self.due.is_none_or(|due| now < due) {
            return None;
        }
        self.due = None;
        self.told = left;
        Some(with_credit(&self.sack, left))
    }

    /// When an acknowledgment is due.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }
}

fn less(room: u32, bytes: usize) -> u32 {
    room.saturating_sub(u32::try_from(bytes).unwrap_or(u32::MAX))
}
