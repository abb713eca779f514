//! The data channels of a transport: SCTP packets within DTLS.

use std::time::Instant;

use super::dtls::DtlsAction;
use super::{Signal, Transport};
use crate::drop::Reason;
use crate::sctp::{Reliability, Standing};
use crate::wire::Wire;

impl Transport {
    /// Open a data channel from our side.
    ///
    /// # Errors
    /// `ChannelLimit`.
    pub fn open_channel(
        &mut self,
        label: &str,
        ordered: bool,
        reliability: Reliability,
        now: Instant,
        wire: &mut impl Wire,
    ) -> Result<(), Reason> {
        self.sctp.open(label, ordered, reliability)?;
        self.pump_sctp(now, wire);
        Ok(())
    }

    /// Send one message on the channel `label`, if it is open; a message that cannot go is counted. `patient`: its sender is
    /// held back where the peer takes less than it is sent, or has left.
    pub fn send_data(&mut self, label: &str, payload: &[u8], patient: bool, now: Instant, wire: &mut impl Wire) {
        if let Err(reason) = self.sctp.send(label, payload, patient, now) {
            self.drops.count(reason);
        }
        self.pump_sctp(now, wire);
    }

    /// The caller has dealt with a reliable message of the peer.
    pub fn answer_data(&mut self, now: Instant, wire: &mut impl Wire) {
        self.sctp.answered(now);
        self.pump_sctp(now, wire);
    }

    /// Hold back what the peer sends reliably, or let it go on.
    pub fn hold_data(&mut self, held: bool, now: Instant, wire: &mut impl Wire) {
        self.sctp.hold(held, now);
        self.pump_sctp(now, wire);
    }

    /// Tell by `ChannelEvent::Taken` when the peer has taken all that it was sent reliably so far.
    pub fn await_data(&mut self, request: String, now: Instant) {
        self.sctp.await_taken(request, now);
        self.take_channel_events();
    }

    /// Whether the peer keeps up with reliable messages; one that is gone holds nobody back.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        if self.ended() { Standing::Behind } else { self.sctp.standing() }
    }

    pub(super) fn pump_sctp(&mut self, now: Instant, wire: &mut impl Wire) {
        while let Some(packets) = self.sctp.poll_transmit(now) {
            for packet in packets {
                let Some(session) = self.dtls.as_mut() else { return };
                for action in session.send(&packet, now) {
                    if let DtlsAction::Send(datagram) = action {
                        self.send_selected(&datagram, now, wire);
                    }
                }
            }
        }
        for reason in self.sctp.take_refused() {
            self.drops.count(reason);
        }
        self.take_channel_events();
    }

    pub(super) fn take_channel_events(&mut self) {
        while let Some(event) = self.sctp.poll_event() {
            self.signals.push(Signal::Channel(event));
        }
    }
}
