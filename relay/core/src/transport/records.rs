//! Whether a datagram is what `dimpl` can take: one record behind the other.

use crate::bytes::u24_at;

/// Header of a record: type, version, epoch, sequence number, length (RFC 6347 section 4.1).
const RECORD_HEADER: usize = 13;
/// Header of a handshake message: type, length, number, fragment's offset, fragment's length (RFC 6347 section 4.2.2).
const MESSAGE_HEADER: usize = 12;
const HANDSHAKE: u8 = 22;
/// The first messages of a server.
const SERVER_HELLO: u8 = 2;
const HELLO_VERIFY_REQUEST: u8 = 3;
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

/// What of a datagram is plain, and what comes from the first `unified` header on: `dimpl` drops a datagram as a whole whose
/// first message is an old one, as the `ServerHello` of 1.3 is before what a server has to repeat.
#[must_use]
pub fn split_unified(datagram: &[u8]) -> (&[u8], &[u8]) {
    let mut rest = datagram;
    while let Some(header) = rest.first_chunk::<RECORD_HEADER>().filter(|header| !is_unified(header[0])) {
        let length = RECORD_HEADER + usize::from(u16::from_be_bytes([header[11], header[12]]));
        rest = rest.get(length..).unwrap_or_default();
    }
    datagram.split_at(datagram.len() - rest.len())
}

/// Whether a datagram begins with the first message of a server, whole: by it `dimpl` knows the version (RFC 6347 §4.2.1,
/// RFC 9147 §5.1). For a datagram of [`is_records`].
#[must_use]
pub fn is_server_hello(datagram: &[u8]) -> bool {
    let message = datagram.get(RECORD_HEADER..).unwrap_or_default();
    let kind = message.first().is_some_and(|kind| [SERVER_HELLO, HELLO_VERIFY_REQUEST].contains(kind));
    is_plain_handshake(datagram) && kind && u24_at(message, 1) == u24_at(message, 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record with one fragment of a handshake message.
    fn record(kind: u8, length: u8, offset: u8, fragment: u8) -> Vec<u8> {
        let mut record = vec![HANDSHAKE, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12 + fragment];
        record.extend([kind, 0, 0, length, 0, 0, 0, 0, offset, 0, 0, fragment]);
        record.resize(record.len() + usize::from(fragment), 7);
        record
    }

    #[test]
    fn what_is_encrypted_stands_by_itself() {
        let (plain, unified) = ([record(2, 60, 0, 60), record(11, 9, 0, 9)].concat(), vec![0x2e; 30]);
        let both = [plain.clone(), unified.clone()].concat();
        assert_eq!(split_unified(&both), (plain.as_slice(), unified.as_slice()));
        assert_eq!(split_unified(&plain), (plain.as_slice(), &[][..]));
        assert_eq!(split_unified(&unified), (&[][..], unified.as_slice()));
        assert_eq!(split_unified(&[]), (&[][..], &[][..]));
    }

    #[test]
    fn a_servers_first_message_is_known_where_it_is_whole() {
        for kind in [SERVER_HELLO, HELLO_VERIFY_REQUEST] {
            assert!(is_server_hello(&record(kind, 60, 0, 60)));
            assert!(is_server_hello(&[record(kind, 60, 0, 60), record(11, 90, 0, 40)].concat()));
            assert!(!is_server_hello(&record(kind, 60, 0, 59)));
            assert!(!is_server_hello(&record(kind, 60, 20, 40)));
        }
        let mut encrypted = record(SERVER_HELLO, 60, 0, 60);
        encrypted[4] = 1;
        for other in [encrypted, record(1, 60, 0, 60), record(11, 60, 0, 60), vec![21, 0xfe, 0xfd], Vec::new()] {
            assert!(!is_server_hello(&other), "{other:?}");
        }
    }
}
