//! The flight recorder: the heads of the last seconds' packets of a transport, to be looked at when something went wrong.
//!
//! Only what says how the connection did is kept: RTP headers, RTCP in the clear, the first bytes of STUN and DTLS. No
//! payload is ever recorded, nor padding of RTP: a capture says of padded packets that they were, in a comment. Memory is
//! fixed: a [`Tape`] is a ring that is allocated with its first record.

mod pcapng;
mod tape;

pub use pcapng::{Ends, pcapng};
pub use tape::{Direction, Record, SPAN, Tape};

#[cfg(test)]
mod tests;
