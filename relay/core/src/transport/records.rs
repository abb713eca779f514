//! Whether a datagram is what `dimpl` can take: one record behind the other.

use crate::bytes::u24_at;

/// Header of a record: type, version, epoch, sequence number, length (RFC 6347 section 4.1).
const RECORD_HEADER: usize = 13;
/// Header of a handshake message: type, length, number, fragment's offset, fragment's length (RFC 6347 section 4.2.2).
const MESSAGE_HEADER: usize = 12;
const HANDSHAKE: u8 = 22;
/// Content type of what the handshake is for.
pub const APPLICATION_DATA: u8 = 23;

/// Whether a record begins with the unified header of DTLS 1.3 (RFC 9147 section 4).
#[must_use]
pub const fn is_unified(first: u8) -> bool {
    first >> 5 == 1
}

/// Whether a datagram is one record behind the other, of DTLS 1.0 (as first hellos may say) or 1.2; from the first
/// `unified` header on, `dimpl` judges.
#[must_use]
pub fn is_records(datagram: &[u8], unified: bool) -> bool {
    let mut rest = datagram;
    while let Some(first) = rest.first() {
        if is_unified(*first) {
            return unified;
        }
        let Some(header) = rest.first_chunk::<RECORD_HEADER>() else { return false };
        let length = RECORD_HEADER + usize::from(u16::from_be_bytes([header[11], header[12]]));
        let known = header[1] == 0xfe && matches!(header[2], 0xfd | 0xff);
        let Some((record, after)) = rest.split_at_checked(length).filter(|_| known) else { return false };
        if is_plain_handshake(record) && !is_messages(&record[RECORD_HEADER..]) {
            return false;
        }
        rest = after;
    }
    true
}

/// Whether a record holds one fragment of a handshake message behind the other, each within its message (RFC 6347
/// §4.2.2). `dimpl` would keep another for good, and never get to what comes behind it.
fn is_messages(mut record: &[u8]) -> bool {
    while !record.is_empty() {
        let number = |at| u24_at(record, at).unwrap_or(u32::MAX) as usize;
        let (length, offset, fragment) = (number(1), number(6), number(9));
        match record.get(MESSAGE_HEADER + fragment..).filter(|_| offset + fragment <= length) {
            Some(after) => record = after,
            None => return false,
        }
    }
    true
}

/// Whether a datagram begins with a handshake record that is not encrypted.
#[must_use]
pub fn is_plain_handshake(datagram: &[u8]) -> bool {
    datagram.starts_with(&[HANDSHAKE]) && datagram.get(3..5) == Some(&[0, 0])
}
