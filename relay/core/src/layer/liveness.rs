//! Whether packets come.

use std::time::{Duration, Instant};

use super::Layer;

/// Without packets for this long a layer is no longer live.
pub const SILENCE: Duration = Duration::from_secs(2);
/// A steady layer without packets for this long is not shown while another can be.
pub(super) const STALL: Duration = Duration::from_millis(500);
/// A layer without pauses of [`STALL`] for this long is steady: others (a still screen) pause all the time.
const STEADY: Duration = Duration::from_secs(1);

impl Layer {
    /// Whether packets came within the last [`SILENCE`].
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// True once when the layer fell silent.
    pub fn fell_silent(&mut self, now: Instant) -> bool {
        let silent = self.last_packet.is_none_or(|last| now.saturating_duration_since(last) >= SILENCE);
        silent && std::mem::replace(&mut self.live, false)
    }

    /// True once when a steady layer stopped.
    pub fn fell_behind(&mut self, now: Instant) -> bool {
        let due = self.stall_at().is_some_and(|due| due <= now);
        due && !std::mem::replace(&mut self.stalled, true)
    }

    pub(super) fn stall_at(&self) -> Option<Instant> {
        let last = self.last_packet.filter(|_| self.live && !self.stalled)?;
        (last.saturating_duration_since(self.steady_since) >= STEADY).then(|| last + STALL)
    }

    /// Whether it is live and has not stopped: worth being shown.
    #[must_use]
    pub fn is_flowing(&self) -> bool {
        self.live && !self.stalled
    }

    /// Ends the layer at once, after its publisher said goodbye.
    pub fn goodbye(&mut self) {
        self.last_packet = None;
    }
}
