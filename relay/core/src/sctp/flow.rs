//! Messages to the peer and from it, and how each side is slowed down: the peer by its window, who sends to it by the relay.

use std::time::Instant;

use sctp_proto::PayloadProtocolIdentifier as Protocol;

use super::channel::{Channel, ChannelState};
use super::dcep::Reliability;
use super::intake::Room;
use super::pace::Standing;
use super::window::BEYOND;
use super::{
    CHUNK_PAYLOAD, ChannelEvent, MAX_BACKLOG, MAX_HELD_BACKLOG, MAX_LOSSY_BACKLOG, MAX_MESSAGE, RECEIVE_BUFFER, Sctp,
};
use crate::drop::Reason;

impl Sctp {
    /// Send one binary message on the channel `label`, or keep it until that opens. `patient`: its sender is held back where
    /// the peer takes less than it is sent, or has left.
    ///
    /// # Errors
    /// `DataTooLarge`, or `DataBacklog` where the peer does not keep up.
    pub fn send(&mut self, label: &str, payload: &[u8], patient: bool, now: Instant) -> Result<(), Reason> {
        if payload.len() > MAX_MESSAGE {
            return Err(Reason::DataTooLarge);
        }
        let open = |channel: &Channel| channel.state == ChannelState::Open && channel.open.label == label;
        let Some((id, channel)) = self.channels.iter().find(|(_, channel)| open(channel)) else {
            return self.early.keep(label, payload);
        };
        let (id, reliable) = (*id, channel.open.reliability == Reliability::Reliable);
        let limit = match (reliable, patient && self.standing() != Standing::Behind) {
            (true, true) => MAX_HELD_BACKLOG,
            (true, false) => MAX_BACKLOG,
            (false, _) => MAX_LOSSY_BACKLOG,
        };
        let written = self.write(id, payload, reliable, limit);
        if reliable {
            self.observe(now);
        }
        written
    }

    pub(super) fn write(&mut self, id: u16, payload: &[u8], reliable: bool, limit: usize) -> Result<(), Reason> {
        let Some((_, association)) = self.association.as_mut() else { return Ok(()) };
        let mut stream = association.stream(id).map_err(|_| Reason::DataBacklog)?;
        if stream.buffered_amount().is_ok_and(|waiting| waiting > 0 && waiting + payload.len() > limit) {
            return Err(Reason::DataBacklog);
        }
        let written = if payload.is_empty() {
            stream.write_with_ppi(&[0], Protocol::BinaryEmpty) // RFC 8831 §6.6: SCTP has no empty messages
        } else {
            stream.write_with_ppi(payload, Protocol::Binary)
        };
        let written = written.map_err(|_| Reason::DataBacklog)?;
        if reliable {
            self.pace.wrote(written);
        }
        Ok(())
    }

    /// Whether the peer keeps up with reliable messages.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.pace.standing()
    }

    /// See how much waits for the peer.
    pub(super) fn observe(&mut self, now: Instant) {
        let reliable = |channel: &Channel| channel.open.reliability == Reliability::Reliable;
        let ids = self.channels.iter().filter(|(_, channel)| reliable(channel)).map(|(id, _)| *id);
        let waiting = match self.association.as_mut() {
            Some((_, association)) => {
                ids.filter_map(|id| association.stream(id).ok().and_then(|stream| stream.buffered_amount().ok())).sum()
            }
            None => 0,
        };
        self.pace.observe(waiting, now);
        // What is acknowledged beyond a gap does not wait any more, but the peer does not tell it before the gap is filled.
        let beyond = u64::from(self.receipts.beyond_gaps()) * u64::from(CHUNK_PAYLOAD);
        self.acknowledge(self.pace.written().saturating_sub(waiting as u64 + beyond));
    }

    /// Tell by [`ChannelEvent::Taken`] when the peer has taken all that it was sent reliably so far.
    pub fn await_taken(&mut self, request: String, now: Instant) {
        let written = self.early.is_empty().then(|| self.pace.written());
        let first = self.receipts.add(written, request);
        self.events.extend(first.map(ChannelEvent::Taken));
        self.observe(now);
    }

    /// The peer has taken so many bytes.
    pub(super) fn acknowledge(&mut self, taken: u64) {
        while let Some(request) = self.receipts.pop(taken) {
            self.events.push_back(ChannelEvent::Taken(request));
        }
    }

    /// Tell nothing of what the peer sends reliably for now, or go on: somebody does not keep up with it.
    pub fn hold(&mut self, held: bool, now: Instant) {
        self.inbox.hold(held);
        self.tell(now);
    }

    /// The caller has dealt with the first reliable message that it had not.
    pub fn answered(&mut self, now: Instant) {
        self.inbox.answered();
        self.tell(now);
    }

    /// The peer is gone: tell all that it was told we have.
    pub fn flush(&mut self) {
        while let Some((label, payload)) = self.inbox.take() {
            self.events.push_back(ChannelEvent::Received { label, payload, reliable: true });
        }
    }

    pub(super) fn tell(&mut self, now: Instant) {
        while let Some((label, payload)) = self.inbox.pop(now) {
            self.events.push_back(ChannelEvent::Received { label, payload, reliable: true });
        }
        self.take_late(now);
    }

    /// There is room again: take the packet that its sender waits for. What was refused for long it tries seldom by now, and
    /// sends nothing else before that is acknowledged.
    fn take_late(&mut self, now: Instant) {
        if self.held() < RECEIVE_BUFFER as usize / 2
            && let Some(packet) = self.late.take()
        {
            self.handle(packet, now);
        }
    }

    /// Bytes of the receive buffer in use.
    pub(super) const fn held(&self) -> usize {
        self.intake.bytes() + self.inbox.bytes()
    }

    /// What is taken of new data: none beyond a window that is closed and was tried often enough. What waits to be complete
    /// may wait for a gap to be filled, what waits to be told does not.
    pub(super) const fn room(&self) -> Room {
        if self.held() < RECEIVE_BUFFER as usize + BEYOND {
            Room::All
        } else if self.inbox.bytes() < BEYOND {
            Room::Gaps
        } else {
            Room::None
        }
    }
}
