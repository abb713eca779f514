//! One data channel, as it is opened and used.

use bytes::Bytes;
use sctp_proto::ReliabilityType;

use super::dcep::{Open, Reliability};

/// What happened on the association.
#[derive(Debug, PartialEq, Eq)]
pub enum ChannelEvent {
    /// A channel is ready to send, whoever opened it.
    Opened(String),
    /// One message.
    Received {
        /// The label of its channel.
        label: String,
        /// The message.
        payload: Bytes,
        /// On a reliable channel: the caller answers it.
        reliable: bool,
    },
    /// Of this request: the peer has taken all that it was sent reliably by then.
    Taken(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChannelState {
    /// We sent OPEN and wait for ACK.
    Opening,
    Open,
}

pub(super) struct Channel {
    pub open: Open,
    pub state: ChannelState,
}

impl Channel {
    /// How often, or for how many ms, `sctp-proto` tries.
    pub fn policy(&self) -> (ReliabilityType, u32) {
        match self.open.reliability {
            Reliability::Reliable => (ReliabilityType::Reliable, 0),
            // Without any, `sctp-proto` gives up messages of several packets on a wire that loses nothing.
            Reliability::Retransmits(count) => (ReliabilityType::Rexmit, count.max(1)),
            Reliability::Lifetime(ms) => (ReliabilityType::Timed, ms),
        }
    }
}
