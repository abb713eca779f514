//! What a peer may still send: what `sctp-proto` has room for, less what waits to be told to the caller.

use bytes::Bytes;

use super::packet::{Sack, with_credit};
use super::{MAX_MESSAGE, RECEIVE_BUFFER};

/// Bytes that are taken beyond a window that is closed: a peer tries whether it is (RFC 9260 section 6.1), and would have to
/// take what is refused for lost.
pub const BEYOND: usize = 32 * 1024;

/// The receive window of one association, as its peer knows it.
pub struct Window {
    /// The last acknowledgment.
    sack: Bytes,
    /// Bytes that it said there is room for.
    told: u32,
}

impl Default for Window {
    fn default() -> Self {
        Self { sack: Bytes::new(), told: RECEIVE_BUFFER }
    }
}

impl Window {
    /// An acknowledgment on its way; `waiting` bytes are to be told to the caller.
    pub fn tell(&mut self, packet: &mut Bytes, sack: &Sack, waiting: usize) {
        self.told = less(sack.credit, waiting);
        if waiting > 0 {
            *packet = with_credit(packet, self.told);
        }
        self.sack = packet.clone();
    }

    /// Tells a peer that knows of little room that there is more (section 6.2), where `held` bytes take of it.
    pub fn update(&mut self, held: usize) -> Option<Bytes> {
        let left = less(RECEIVE_BUFFER, held);
        let more = left.saturating_sub(self.told) as usize;
        if self.told >= RECEIVE_BUFFER / 2 || more == 0 || (more < MAX_MESSAGE && held > 0) {
            return None;
        }
        self.told = left;
        Some(with_credit(&self.sack, left))
    }
}

fn less(room: u32, bytes: usize) -> u32 {
    room.saturating_sub(u32::try_from(bytes).unwrap_or(u32::MAX))
}
