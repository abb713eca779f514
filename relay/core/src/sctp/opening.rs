//! How channels open (RFC 8832).

use sctp_proto::PayloadProtocolIdentifier as Protocol;

use super::channel::{Channel, ChannelState};
use super::dcep::{Dcep, MAX_LABEL, Open, Reliability};
use super::{ChannelEvent, MAX_CHANNELS, Sctp};
use crate::drop::Reason;

impl Sctp {
    /// Open a channel from our side; it waits for the association.
    ///
    /// # Errors
    /// `ChannelLimit` where there are too many.
    pub fn open(&mut self, label: &str, ordered: bool, reliability: Reliability) -> Result<(), Reason> {
        if self.channels.len() + self.waiting.len() >= MAX_CHANNELS || label.len() > MAX_LABEL {
            return Err(Reason::ChannelLimit);
        }
        self.waiting.push(Open { label: label.into(), ordered, reliability });
        self.pump();
        Ok(())
    }

    pub(super) fn on_dcep(&mut self, id: u16, message: &[u8]) {
        match Dcep::parse(message) {
            Some(Dcep::Open(open)) => self.accept(id, open),
            Some(Dcep::Ack) => self.acknowledged(id),
            None => self.refused.push(Reason::DcepMalformed),
        }
    }

    fn accept(&mut self, id: u16, open: Open) {
        if self.channels.contains_key(&id) || self.channels.len() >= MAX_CHANNELS {
            self.refused.push(Reason::ChannelLimit);
            return;
        }
        let Some((_, association)) = self.association.as_mut() else { return };
        let Ok(mut stream) = association.stream(id) else { return };
        let acknowledged = stream.write_with_ppi(&Dcep::Ack.to_bytes(), Protocol::Dcep);
        if acknowledged.is_err() {
            self.refused.push(Reason::ChannelLimit);
            return;
        }
        self.channels.insert(id, Channel { open, state: ChannelState::Opening });
        self.acknowledged(id);
    }

    /// The channel is open: its policy counts from here, what came before was ordered and reliable (RFC 8832 §6).
    fn acknowledged(&mut self, id: u16) {
        let Some(channel) = self.channels.get_mut(&id).filter(|channel| channel.state == ChannelState::Opening) else {
            return;
        };
        let (kind, amount) = channel.policy();
        channel.state = ChannelState::Open;
        if let Some((_, association)) = self.association.as_mut()
            && let Ok(mut stream) = association.stream(id)
        {
            let _ = stream.set_reliability_params(!channel.open.ordered, kind, amount);
        }
        let (label, reliability) = (channel.open.label.clone(), channel.open.reliability);
        for message in self.early.take(&label) {
            // Late is as good as lost on a channel that need not deliver.
            if reliability == Reliability::Reliable
                && let Err(reason) = self.write(id, &message, true, super::MAX_BACKLOG)
            {
                self.refused.push(reason);
            }
        }
        if self.early.is_empty() {
            self.receipts.opened(self.pace.written());
        }
        self.events.push_back(ChannelEvent::Opened(label));
    }

    pub(super) fn open_waiting(&mut self) {
        if !self.established {
            return;
        }
        for open in std::mem::take(&mut self.waiting) {
            if self.open_now(open).is_none() {
                self.refused.push(Reason::ChannelLimit);
            }
        }
    }

    fn open_now(&mut self, open: Open) -> Option<()> {
        let (_, association) = self.association.as_mut()?;
        let taken = |id: &u16| self.channels.contains_key(id);
        let id = (self.first..=u16::MAX - 2).step_by(2).find(|id| !taken(id))?;
        let mut stream = association.open_stream(id, Protocol::Binary).ok()?;
        stream.write_with_ppi(&Dcep::Open(open.clone()).to_bytes(), Protocol::Dcep).ok()?;
        self.channels.insert(id, Channel { open, state: ChannelState::Opening });
        Some(())
    }
}
