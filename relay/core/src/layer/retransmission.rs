//! Packets sent again by RTX.

use crate::drop::Reason;
use crate::rtp::Header;

/// The original packet inside a retransmission (RFC 4588 section 4): its header as it was sent first, and its payload.
///
/// # Errors
/// [`Reason::EmptyRetransmission`] for padding without a packet, which probes send.
pub fn unwrap_retransmission(header: &Header, payload: &[u8], ssrc: u32) -> Result<(Header, usize), Reason> {
    let sequence = crate::bytes::u16_at(payload, 0).ok_or(Reason::EmptyRetransmission)?;
    if payload.len() == 2 {
        return Err(Reason::EmptyRetransmission);
    }
    Ok((Header { sequence, ssrc, ..*header }, 2))
}
