//! A client's first flight: its `ClientHello`, put together from the fragments it comes in (RFC 6347 §4.2.3,
//! RFC 9147 §5.5).
//!
//! With a post-quantum key share it takes two datagrams, in any order, perhaps twice, perhaps cut elsewhere when sent
//! again. Memory: two bytes for each byte of one message of at most [`MAX_HELLO`] bytes, until the version is chosen.

use super::hello::{Offer, Version};
use crate::bytes::{u16_at, u24_at};
use crate::drop::Reason;

/// The longest `ClientHello`, bytes. Those of browsers have 250 (without) to 1,800 (with a post-quantum key share).
pub const MAX_HELLO: usize = 4096;

/// Content type `handshake`, of which the first message is `client_hello`.
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
/// Type, version, epoch, sequence number, length.
const RECORD_HEADER: usize = 13;
/// Type, length, message number, fragment offset, fragment length.
const MESSAGE_HEADER: usize = 12;

/// The `ClientHello` so far: each byte that has come.
#[derive(Debug, Default)]
pub struct FirstFlight(Vec<Option<u8>>);

/// The whole of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Hello {
    /// The version to answer with.
    pub version: Version,
    /// The message in one record.
    pub record: Vec<u8>,
}

impl FirstFlight {
    /// Take one datagram; the message, once it is whole.
    ///
    /// # Errors
    /// `DtlsHello` where the datagram is no part of a `ClientHello`, or the message is too long or contradicts itself.
    pub fn push(&mut self, mut datagram: &[u8]) -> Result<Option<Hello>, Reason> {
        let mut last = None;
        while !datagram.is_empty() {
            let (header, rest) = datagram.split_at_checked(RECORD_HEADER).ok_or(Reason::DtlsHello)?;
            let len = u16_at(header, RECORD_HEADER - 2).ok_or(Reason::DtlsHello)?;
            let (record, rest) = rest.split_at_checked(len.into()).ok_or(Reason::DtlsHello)?;
            if header.first() != Some(&HANDSHAKE) || u16_at(header, 3) != Some(0) {
                return Err(Reason::DtlsHello);
            }
            self.push_record(record).ok_or(Reason::DtlsHello)?;
            (last, datagram) = (Some(header), rest);
        }
        let Some((header, body)) = last.zip(self.0.iter().copied().collect::<Option<Vec<u8>>>()) else {
            return Ok(None);
        };
        self.0.clear(); // if it cannot be read, another one may come
        let offer = Offer::parse(&body).ok_or(Reason::DtlsHello)?;
        Ok(Some(Hello { version: offer.version(), record: record(header, &body) }))
    }

    fn push_record(&mut self, mut record: &[u8]) -> Option<()> {
        while !record.is_empty() {
            let (header, rest) = record.split_at_checked(MESSAGE_HEADER)?;
            let number = |at| u24_at(header, at).map(|number| number as usize);
            let (length, offset) = (number(1)?, number(6)?);
            let (fragment, rest) = rest.split_at_checked(number(9)?)?;
            let fits = length <= MAX_HELLO && offset + fragment.len() <= length;
            if header.first() != Some(&CLIENT_HELLO) || u16_at(header, 4) != Some(0) || !fits {
                return None;
            }
            self.fill(length, offset, fragment);
            record = rest;
        }
        Some(())
    }

    /// A fragment of another message than the one begun begins anew: the client did, or someone else's is in the way.
    fn fill(&mut self, length: usize, offset: usize, fragment: &[u8]) {
        let held = self.0.get(offset..).unwrap_or_default();
        let differs = |(held, byte): (&Option<u8>, &u8)| held.is_some_and(|held| held != *byte);
        if self.0.len() != length || held.iter().zip(fragment).any(differs) {
            self.0.clear();
            self.0.reserve_exact(length);
            self.0.resize(length, None);
        }
        for (place, byte) in self.0.iter_mut().skip(offset).zip(fragment) {
            *place = Some(*byte);
        }
    }
}

/// The message in one record with the version and the sequence number of `header`.
#[allow(clippy::cast_possible_truncation, reason = "at most MAX_HELLO")]
fn record(header: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    let length = &length[1..];
    let size = ((MESSAGE_HEADER + body.len()) as u16).to_be_bytes();
    let header = &header[..RECORD_HEADER - size.len()];
    [header, &size, &[CLIENT_HELLO], length, &[0, 0, 0, 0, 0], length, body].concat()
}

#[cfg(test)]
mod tests {
    use super::super::hello::tests::hello;
    use super::*;
    use crate::noise::Noise;

    /// One record with the fragment of `body` that begins at `offset`.
    fn datagram(body: &[u8], sequence: u8, offset: usize, len: usize) -> Vec<u8> {
        let whole = record(&[22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, sequence, 0, 0], body);
        let mut datagram = whole[..RECORD_HEADER + MESSAGE_HEADER].to_vec();
        datagram[11..13].copy_from_slice(&((MESSAGE_HEADER + len) as u16).to_be_bytes());
        datagram[19..22].copy_from_slice(&(offset as u32).to_be_bytes()[1..]);
        datagram[22..25].copy_from_slice(&(len as u32).to_be_bytes()[1..]);
        datagram.extend(&body[offset..offset + len]);
        datagram
    }

    /// As a browser's with a post-quantum key share.
    fn long() -> Vec<u8> {
        let mut body = hello(&[0xfefc, 0xfefd], &[7, 8, 1]);
        let len = body.len() + 1504 - 46;
        body[44..46].copy_from_slice(&(len as u16).to_be_bytes());
        body.extend([[0, 51, 5, 220].as_slice(), &[9; 1500]].concat());
        body
    }

    #[test]
    fn puts_the_message_together_in_any_order_cut_anywhere() {
        let body = long();
        let mut noise = Noise::new(0x1f1f);
        for _ in 0..500 {
            let mut flight = FirstFlight::default();
            let mut pieces = Vec::new();
            // Sent up to three times, with other cuts.
            for _ in 0..=noise.below(3) {
                let mut offset = 0;
                while offset < body.len() {
                    let len = (200 + noise.below(1300) as usize).min(body.len() - offset);
                    pieces.push(datagram(&body, pieces.len() as u8, offset, len));
                    offset += len;
                }
            }
            for at in (1..pieces.len()).rev() {
                pieces.swap(at, noise.below(at as u64 + 1) as usize);
            }
            let done = pieces.iter().find_map(|piece| flight.push(piece).expect("a fragment")).expect("the message");
            assert_eq!(done.version, Version::V1_3);
            assert_eq!(done.record[RECORD_HEADER + MESSAGE_HEADER..], body);
            assert!(flight.0.is_empty());
            assert_eq!(FirstFlight::default().push(&done.record), Ok(Some(done)), "it is a record like any other");
        }
    }

    #[test]
    fn two_fragments_may_share_a_datagram_or_a_record() {
        let body = long();
        let (first, second) = (datagram(&body, 4, 0, 700), datagram(&body, 5, 700, body.len() - 700));
        let shared = FirstFlight::default().push(&[first.clone(), second.clone()].concat()).expect("a datagram");
        assert_eq!(shared.expect("the message").record[10], 5, "the sequence number of the last record");
        let mut both = [first.as_slice(), &second[RECORD_HEADER..]].concat();
        let len = (both.len() - RECORD_HEADER) as u16;
        both[11..13].copy_from_slice(&len.to_be_bytes());
        assert!(FirstFlight::default().push(&both).expect("a datagram").is_some());
    }

    #[test]
    fn another_message_begins_anew() {
        let (body, mut other) = (long(), long());
        other[10] ^= 1;
        let mut flight = FirstFlight::default();
        assert_eq!(flight.push(&datagram(&other, 0, 0, 700)), Ok(None));
        assert_eq!(flight.push(&datagram(&body, 0, 0, 700)), Ok(None));
        let done = flight.push(&datagram(&body, 1, 700, body.len() - 700)).expect("a datagram").expect("a message");
        assert_eq!(done.record[RECORD_HEADER + MESSAGE_HEADER..], body);
    }

    #[test]
    fn refuses_what_is_no_hello_and_takes_the_one_after_it() {
        let body = long();
        let refused = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bent = datagram(&body, 0, 0, 700);
            change(&mut bent);
            let mut flight = FirstFlight::default();
            assert_eq!(flight.push(&bent), Err(Reason::DtlsHello));
            assert!(flight.push(&datagram(&body, 1, 0, body.len())).expect("a datagram").is_some());
        };
        refused(&|bent| bent[0] = 23);
        refused(&|bent| bent[4] = 1); // epoch
        refused(&|bent| bent[11] = 9); // record longer than the datagram
        refused(&|bent| bent[13] = 2); // a ServerHello
        refused(&|bent| bent[14..17].copy_from_slice(&4097_u32.to_be_bytes()[1..])); // too long
        refused(&|bent| bent[18] = 1); // the second message
        refused(&|bent| bent[19] = 1); // beyond the end
        refused(&|bent| bent[24] = 0xff); // fragment longer than the record
        refused(&|bent| bent.truncate(8));
        let mut unreadable = datagram(&body, 0, 0, body.len());
        unreadable[RECORD_HEADER + MESSAGE_HEADER + 34] = 255;
        let mut flight = FirstFlight::default();
        assert_eq!(flight.push(&unreadable), Err(Reason::DtlsHello));
        assert!(flight.push(&datagram(&body, 1, 0, body.len())).expect("a datagram").is_some());
    }

    #[test]
    fn any_bytes_neither_panic_nor_grow() {
        let body = long();
        let mut noise = Noise::new(0xbad);
        let mut flight = FirstFlight::default();
        for round in 0..50_000 {
            let mut bytes = datagram(&body, 0, noise.below(700) as usize, noise.below(800) as usize);
            for _ in 0..noise.below(4) {
                let at = noise.below(40.min(bytes.len() as u64)) as usize;
                bytes[at] = noise.next() as u8;
            }
            if round % 3 == 0 {
                let length = noise.below(MAX_HELLO as u64 + 1) as u32;
                bytes[14..17].copy_from_slice(&length.to_be_bytes()[1..]);
            }
            let _ = flight.push(&bytes);
            let _ = flight.push(&noise.bytes(100));
            assert!(flight.0.capacity() <= MAX_HELLO, "{}", flight.0.capacity());
        }
    }
}
