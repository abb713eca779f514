//! Datagrams on a TCP connection (RFC 4571 §2): each behind its length, two bytes, big-endian.

use std::ops::Range;

/// The longest datagram taken from a peer: what browsers send fits 1,300 bytes, a larger length is no media.
pub const MAX_FRAME: usize = 2048;
/// Bytes of a length.
pub const LENGTH: usize = 2;

/// What stands at the beginning of received bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole datagram, at this range; the next length follows.
    Whole(Range<usize>),
    /// The rest has not come yet.
    Partial,
    /// A length that is not accepted: the connection is of no more use.
    TooLong,
}

/// Look at the bytes from `at` on.
pub fn next(bytes: &[u8], at: usize) -> Frame {
    let Some(length) = bytes.get(at..at + LENGTH) else { return Frame::Partial };
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    if length > MAX_FRAME {
        return Frame::TooLong;
    }
    let begin = at + LENGTH;
    if begin + length <= bytes.len() { Frame::Whole(begin..begin + length) } else { Frame::Partial }
}

/// Append one datagram with its length.
pub fn put(datagram: &[u8], out: &mut Vec<u8>) {
    if let Ok(length) = u16::try_from(datagram.len()) {
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(datagram);
    }
}

/// Whether a datagram is STUN (RFC 8489 §5): its first two bits are zero and the magic cookie is in its place.
pub fn is_stun(datagram: &[u8]) -> bool {
    matches!(datagram, [0..=0x3f, _, _, _, 0x21, 0x12, 0xa4, 0x42, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_found_wherever_the_stream_is_cut() {
        let datagrams: [&[u8]; 4] = [b"one", b"", &[7; MAX_FRAME], b"four"];
        let mut bytes = Vec::new();
        for datagram in datagrams {
            put(datagram, &mut bytes);
        }
        for cut in 0..=bytes.len() {
            let (mut at, mut found) = (0, 0);
            while let Frame::Whole(range) = next(&bytes[..cut], at) {
                assert_eq!(&bytes[range.clone()], datagrams[found]);
                at = range.end;
                found += 1;
            }
            assert_eq!(next(&bytes[..cut], at), Frame::Partial);
            assert_eq!(found == 4, cut == bytes.len());
        }
    }

    #[test]
    fn a_length_beyond_the_bound_ends_it() {
        assert_eq!(next(&[0x08, 0x01], 0), Frame::TooLong);
        assert_eq!(next(b"GET / HTTP/1.1", 0), Frame::TooLong);
    }

    #[test]
    fn stun_is_known_by_its_cookie() {
        assert!(is_stun(&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]));
        assert!(!is_stun(&[0, 1, 0, 0, 0x21, 0x12, 0xa4]));
        assert!(!is_stun(&[22, 1, 0, 0, 0x21, 0x12, 0xa4, 0x43]));
        assert!(!is_stun(&[128, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]));
    }
}
