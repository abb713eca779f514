//! A client's `Finished` of DTLS 1.2 that comes before the messages it is encrypted with (RFC 6347 §4.1: such records may
//! be kept or dropped).
//!
//! `dimpl` drops it. A client whose last flight takes several datagrams would then have to bring all of them through at
//! one go, in order, at waits that double each time.

/// Header of a record: type, version, epoch, sequence number, length.
const RECORD_HEADER: usize = 13;
const HANDSHAKE: u8 = 22;
/// The longest `Finished` of the cipher suites there are: explicit nonce, message header, verify data, tag.
const LONGEST: usize = RECORD_HEADER + 8 + 12 + 12 + 16;

/// The last one that came, at most [`LONGEST`] bytes.
#[derive(Debug, Default)]
pub struct EarlyFinished(Vec<u8>);

impl EarlyFinished {
    /// Keep what of a datagram is an encrypted handshake message of the first encrypted epoch.
    pub fn note(&mut self, mut datagram: &[u8]) {
        while let Some(header) = datagram.first_chunk::<RECORD_HEADER>() {
            let length = RECORD_HEADER + usize::from(u16::from_be_bytes([header[11], header[12]]));
            let Some((record, rest)) = datagram.split_at_checked(length) else { return };
            if header[0] == HANDSHAKE && header[3..5] == [0, 1] && length <= LONGEST {
                self.0.clear();
                self.0.extend_from_slice(record);
            }
            datagram = rest;
        }
    }

    /// It, to be tried after each datagram: as long as its keys are missing, it is dropped.
    #[must_use]
    pub fn record(&self) -> Option<&[u8]> {
        (!self.0.is_empty()).then_some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, epoch: u8, sequence: u8, len: usize) -> Vec<u8> {
        let mut record =
            vec![kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, sequence, 0, u8::try_from(len).expect("short")];
        record.resize(RECORD_HEADER + len, sequence);
        record
    }

    #[test]
    fn keeps_the_last_finished_and_nothing_else() {
        let mut early = EarlyFinished::default();
        early.note(&record(22, 0, 1, 48));
        early.note(&record(20, 0, 2, 1));
        early.note(&record(23, 1, 3, 48));
        early.note(&record(22, 1, 4, 49));
        early.note(&record(22, 1, 5, 48)[..60]);
        assert_eq!(early.record(), None);
        early.note(&[record(20, 0, 6, 1), record(22, 1, 7, 48)].concat());
        assert_eq!(early.record(), Some(record(22, 1, 7, 48).as_slice()));
        early.note(&record(22, 1, 8, 40));
        assert_eq!(early.record(), Some(record(22, 1, 8, 40).as_slice()));
    }
}
