//! The life of a transport: one table of allowed transitions.

use crate::message::TransportPhase;

/// Whether `from` may become `to`.
#[must_use]
pub const fn allowed(from: TransportPhase, to: TransportPhase) -> bool {
    use TransportPhase::{Closed, Connected, Connecting, Failed, New};
    matches!(
        (from, to),
        (New, Connecting | Failed | Closed)
            | (Connecting, Connected | Failed | Closed)
            | (Connected, Failed | Closed)
            | (Failed, Closed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_closed_and_failed_only_closes() {
        use TransportPhase::{Closed, Connected, Connecting, Failed, New};
        for to in [New, Connecting, Connected, Failed, Closed] {
            assert!(!allowed(Closed, to));
            assert_eq!(allowed(Failed, to), to == Closed);
        }
        assert!(!allowed(New, Connected), "keys never come before a valid STUN check");
    }
}
