//! What one subscriber's link carries: the send-side bandwidth estimate of a transport.
//!
//! Written from draft-ietf-rmcat-gcc-02 (delay-based and loss-based control), draft-holmer-rmcat-transport-wide-cc-
//! extensions-01 (the feedback), Carlucci et al., "Analysis and Design of the Google Congestion Control for WebRTC"
//! (ACM `MMSys` 2016), and draft-alvestrand-rmcat-remb-03.
//!
//! Times are µs since the media plane began (`u64`), arrival times µs of the receiver's clock (`i64`), rates bit/s.
//! Nothing here allocates per packet, and nothing a subscriber tells costs more than a bounded amount of work.

mod history;

pub use history::{Fate, History, Lookup, Sent};

use crate::drop::Reason;
use crate::twcc::Feedback;

/// Never estimated lower: audio goes through.
pub const MIN: u64 = 30_000;
/// Never estimated higher.
pub const MAX: u64 = 30_000_000;

/// The estimate of one transport.
#[derive(Debug, Default)]
pub struct Estimator {
    history: History,
    /// Bytes sent without a transport-wide number since the last one with.
    untold: usize,
    remb: Option<u64>,
    /// What would be sent if the link carried it, bit/s.
    wanted: u64,
}

impl Estimator {
    /// The transport-wide number of the next packet that carries one.
    #[inline]
    #[must_use]
    pub fn next_number(&self) -> u16 {
        self.history.next()
    }

    /// A packet of `bytes` was sent at `now`; `numbered` if it carried [`Estimator::next_number`].
    #[inline]
    pub fn sent(&mut self, bytes: usize, numbered: bool, now: u64) {
        if numbered {
            self.history.push(now, bytes + std::mem::take(&mut self.untold), 0);
        } else {
            self.untold += bytes;
        }
    }

    /// What the link carries, bit/s; `None` while nothing is known.
    #[must_use]
    pub fn estimate(&self) -> Option<u64> {
        self.remb.map(|rate| rate.clamp(MIN, MAX))
    }

    /// Tells what would be sent if the link carried it, bit/s. The link is probed only while its estimate is below.
    pub fn set_wanted(&mut self, bitrate: u64) {
        self.wanted = bitrate.min(MAX);
    }

    /// What the receiver last asked for by REMB, bit/s.
    #[must_use]
    pub fn remb(&self) -> Option<u64> {
        self.remb
    }

    /// Takes in a receiver estimated maximum bitrate.
    pub fn on_remb(&mut self, bitrate: u64, _now: u64) {
        self.remb = Some(bitrate);
    }

    /// Takes in one report block: of `expected` packets since the last one, `fraction_lost`/256 were lost.
    pub fn on_report(&mut self, _fraction_lost: u8, _expected: u64, _now: u64) {}

    /// Takes in transport-wide feedback.
    ///
    /// # Errors
    /// [`Reason::Malformed`], [`Reason::FeedbackUnsent`].
    pub fn on_feedback(&mut self, content: &[u8], _now: u64) -> Result<(), Reason> {
        let feedback = Feedback::parse(content).ok_or(Reason::Malformed)?;
        for (number, arrival) in feedback {
            match self.history.look_up(number) {
                Lookup::Known(extended) => {
                    self.history.settle(extended, if arrival.is_some() { Fate::Arrived } else { Fate::Missing });
                }
                Lookup::Forgotten => {}
                Lookup::Unsent => return Err(Reason::FeedbackUnsent),
            }
        }
        Ok(())
    }
}
