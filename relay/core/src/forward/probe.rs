//! Packets a subscriber has no need of, to fill up a probe: in the numbers of its retransmissions, so that the stream's own
//! stay gapless.

use super::Forward;
use crate::egress::{Egress, Moment};
use crate::outbox::Outbox;
use crate::ring::Stored;
use crate::rtp::Stamp;

impl Forward {
    /// The packet sent `back` before the newest: its sequence number, layer and published index. `None` when nothing is
    /// shown, or retransmissions would not have numbers of their own.
    #[must_use]
    pub fn recent(&self, back: u64) -> Option<(u16, u8, u64)> {
        self.rtx.as_ref()?;
        self.layer?;
        let outgoing = self.next.checked_sub(1 + back)?;
        let (run, index, _) = self.source(outgoing)?;
        #[allow(clippy::cast_possible_truncation, reason = "the low 16 bits are the sequence number")]
        let sequence = outgoing as u16;
        Some((sequence, run.layer, index))
    }

    /// Sends a packet of [`Forward::recent`] again, which is no repair.
    pub fn repeat<O: Outbox>(
        &mut self,
        sequence: u16,
        packet: &Stored,
        bytes: &mut [u8],
        egress: &mut Egress,
        moment: &Moment,
        out: &mut O,
    ) -> bool {
        let repairs = self.stats.retransmitted;
        let sent = self.rtx.is_some() && self.resend(sequence, packet, bytes, egress, moment, out);
        self.stats.retransmitted = repairs;
        sent
    }

    /// Sends a packet of padding only. False when nothing could be sent.
    pub fn send_padding<O: Outbox>(&mut self, egress: &mut Egress, moment: &Moment, out: &mut O) -> bool {
        let Some(rtx) = &mut self.rtx else { return false };
        let index = rtx.next;
        rtx.next += 1;
        let stamp = Stamp {
            #[allow(clippy::cast_possible_truncation, reason = "the low 16 bits are the sequence number")]
            sequence: index as u16,
            timestamp: self.timeline.latest(),
            abs_send_time: moment.abs_send_time,
            ..Stamp::default()
        };
        egress.send_padding(&rtx.template, stamp, index, moment, out)
    }
}
