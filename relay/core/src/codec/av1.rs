//! AV1 payloads (RTP Payload Format For AV1, section 4.4): where a coded video sequence begins.

use crate::bytes::u8_at;

/// Whether the aggregation header's N bit says that a coded video sequence begins with this packet. With N, Z must be 0.
#[must_use]
pub fn is_key_frame(payload: &[u8]) -> bool {
    payload.len() > 1 && u8_at(payload, 0).is_some_and(|header| header & 0x88 == 0x08)
}

#[cfg(test)]
mod tests {
    use super::is_key_frame;

    #[test]
    fn aggregation_header() {
        assert!(is_key_frame(&[0x18, 0x0a]), "W = 1, N");
        assert!(is_key_frame(&[0x68, 0x0a]), "the last element goes on in the next packet");
        assert!(!is_key_frame(&[0x98, 0x0a]), "a continued element begins nothing");
        assert!(!is_key_frame(&[0x10, 0x32]), "delta frame");
        assert!(!is_key_frame(&[0x08]) && !is_key_frame(&[]), "no payload");
    }
}
