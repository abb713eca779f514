//! The shape of an SCTP packet (RFC 9260 section 3), read before anything else sees it: whether its chunks fit, and what
//! those say that decides whether there is room for them.

use std::ops::Range;

use bytes::Bytes;
use crc::{CRC_32_ISCSI, Crc};

/// Common header: ports, verification tag, checksum.
const HEADER: usize = 12;
/// The part of it that an association's packets have in common.
const PORTS_AND_TAG: usize = 8;
/// Type, flags and length of a chunk.
const CHUNK: usize = 4;
/// A DATA chunk up to its payload.
const DATA_FIXED: usize = 16;
/// A SACK up to its gap blocks.
const SACK_FIXED: usize = 16;
/// The room that a SACK which begins a packet tells of.
const CREDIT: Range<usize> = HEADER + 8..HEADER + 12;
/// Chunks of one packet: a datagram of DATA chunks that carry one byte each has some sixty.
const MAX_CHUNKS: usize = 128;
/// Chunks of one packet that are no DATA: each may be answered, or looked at by all that waits to be acknowledged.
const MAX_CONTROL: usize = 8;

const DATA: u8 = 0;
const INIT_ACK: u8 = 2;
const SACK: u8 = 3;
const ABORT: u8 = 6;
const SHUTDOWN: u8 = 7;
const SHUTDOWN_ACK: u8 = 8;
const SHUTDOWN_COMPLETE: u8 = 14;
const RE_CONFIG: u8 = 130;
/// The parameter of RE-CONFIG by which a peer resets its streams (RFC 6525 section 4.1), up to those.
const RESET: u16 = 13;
const RESET_FIXED: usize = 16;

/// The `CRC32c` of RFC 9260 appendix A.
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// What one chunk says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message, or a fragment of one.
    Data(Data),
    /// The peer resets streams it sends on.
    Reset(Reset),
    /// The peer ends the association.
    End,
    /// Any other.
    Control,
}

/// A DATA chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    /// Its transmission sequence number.
    pub tsn: u32,
    /// The stream it is of.
    pub stream: u16,
    /// Both the first and the last fragment of its message.
    pub whole: bool,
    /// Bytes of payload.
    pub bytes: usize,
}

/// A request to reset streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    /// Its number; one more than that of the request before.
    pub request: u32,
    /// The last TSN that was sent before it.
    pub last: u32,
    /// The streams; all, where there are none.
    pub streams: Vec<u16>,
}

/// One chunk, and where it is in its packet, padding and all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// What it says.
    pub kind: Kind,
    /// Its bytes.
    pub place: Range<usize>,
}

/// An acknowledgment (RFC 9260 section 3.3.4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sack {
    /// All TSNs up to this one came.
    pub cumulative: u32,
    /// Bytes there is room for.
    pub credit: u32,
    /// What came beyond, as distances from `cumulative`, first and last; ascending.
    pub gaps: Vec<(u16, u16)>,
}

impl Sack {
    /// The acknowledgment of a packet that begins with one.
    #[must_use]
    pub fn of(packet: &[u8]) -> Option<Self> {
        Self::parse(packet.get(HEADER..)?).filter(|_| packet[HEADER] == SACK)
    }

    /// All acknowledgments among the chunks of a packet.
    pub fn all<'a>(packet: &'a [u8], chunks: &'a [Chunk]) -> impl Iterator<Item = Self> + 'a {
        let bytes = chunks.iter().filter_map(|chunk| packet.get(chunk.place.clone()));
        bytes.filter(|bytes| bytes.first() == Some(&SACK)).filter_map(Self::parse)
    }

    fn parse(chunk: &[u8]) -> Option<Self> {
        let fixed = chunk.first_chunk::<SACK_FIXED>()?;
        let word = |at: usize| u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        let count = usize::from(u16::from_be_bytes([fixed[12], fixed[13]]));
        let blocks = chunk.get(SACK_FIXED..)?.get(..4 * count)?;
        let (pairs, _) = blocks.as_chunks::<4>();
        let gaps: Vec<(u16, u16)> = pairs
            .iter()
            .map(|pair| (u16::from_be_bytes([pair[0], pair[1]]), u16::from_be_bytes([pair[2], pair[3]])))
            .collect();
        let ascending =
            gaps.iter().all(|(first, last)| first <= last) && gaps.windows(2).all(|two| two[0].1 < two[1].0);
        ascending.then(|| Self { cumulative: word(4), credit: word(8), gaps })
    }
}

/// The chunks of a packet; `None` where it contradicts itself.
#[must_use]
pub fn chunks(packet: &[u8]) -> Option<Vec<Chunk>> {
    let (mut at, mut control, mut chunks) = (HEADER, 0, Vec::new());
    while chunks.len() < MAX_CHUNKS && control <= MAX_CONTROL {
        let head = packet.get(at..)?.first_chunk::<CHUNK>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let chunk = packet.get(at..at + length).filter(|chunk| chunk.len() >= CHUNK)?;
        let kind = kind(chunk)?;
        control += usize::from(!matches!(kind, Kind::Data(_)));
        // Chunks are padded to four bytes; the last one's padding may be left out.
        let end = (at + length.next_multiple_of(4)).min(packet.len());
        chunks.push(Chunk { kind, place: at..end });
        if end == packet.len() {
            return (control <= MAX_CONTROL).then_some(chunks);
        }
        at = end;
    }
    None
}

fn kind(chunk: &[u8]) -> Option<Kind> {
    Some(match chunk[0] {
        DATA => Kind::Data(data(chunk)?),
        // Blocks that are named again and again would each be gone through.
        SACK => Sack::parse(chunk).map(|_| Kind::Control)?,
        RE_CONFIG => resets(&chunk[CHUNK..]).map_or(Kind::Control, Kind::Reset),
        ABORT | SHUTDOWN | SHUTDOWN_ACK | SHUTDOWN_COMPLETE => Kind::End,
        _ => Kind::Control,
    })
}

fn data(chunk: &[u8]) -> Option<Data> {
    // Without a byte of payload it is a violation (section 3.3.1), and would be held for nothing.
    let fixed = chunk.first_chunk::<DATA_FIXED>().filter(|fixed| chunk.len() > fixed.len())?;
    Some(Data {
        tsn: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        stream: u16::from_be_bytes([fixed[8], fixed[9]]),
        whole: fixed[1] & 3 == 3,
        bytes: chunk.len() - fixed.len(),
    })
}

/// The request among the one or two parameters of a RE-CONFIG chunk (RFC 6525 section 3.1).
fn resets(parameters: &[u8]) -> Option<Reset> {
    let head = parameters.first_chunk::<CHUNK>()?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    if u16::from_be_bytes([head[0], head[1]]) != RESET {
        return resets(parameters.get(length.next_multiple_of(4).max(CHUNK)..)?);
    }
    let fixed = parameters.first_chunk::<RESET_FIXED>()?;
    let (streams, _) = parameters.get(RESET_FIXED..length)?.as_chunks::<2>();
    Some(Reset {
        request: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
        last: u32::from_be_bytes([fixed[12], fixed[13], fixed[14], fixed[15]]),
        streams: streams.iter().map(|stream| u16::from_be_bytes(*stream)).collect(),
    })
}

/// A packet with only those of its chunks; `None` where there are none.
#[must_use]
pub fn of_chunks<'a>(packet: &[u8], kept: impl Iterator<Item = &'a Chunk>) -> Option<Bytes> {
    let mut rest = packet[..HEADER].to_vec();
    for chunk in kept {
        rest.extend(&packet[chunk.place.clone()]);
        rest.resize(rest.len().next_multiple_of(4), 0);
    }
    (rest.len() > HEADER).then(|| sealed(rest))
}

/// The packet that ends an association (section 3.3.7), by the header of a packet sent on it.
#[must_use]
pub fn abort(sent: &[u8]) -> Option<Bytes> {
    // Without a tag it was an INIT that nobody answered to.
    let mut packet = sent.get(..PORTS_AND_TAG).filter(|head| head[4..] != [0; 4])?.to_vec();
    packet.extend([0, 0, 0, 0, ABORT, 0, 0, 4]);
    Some(sealed(packet))
}

/// A packet that begins with an acknowledgment, which says that there is room for so many bytes.
#[must_use]
pub fn with_credit(packet: &[u8], credit: u32) -> Bytes {
    let mut packet = packet.to_vec();
    if let Some(field) = packet.get_mut(CREDIT) {
        field.copy_from_slice(&credit.to_be_bytes());
    }
    sealed(packet)
}

fn sealed(mut packet: Vec<u8>) -> Bytes {
    packet[PORTS_AND_TAG..HEADER].fill(0);
    let sum = CHECKSUM.checksum(&packet).to_le_bytes();
    packet[PORTS_AND_TAG..HEADER].copy_from_slice(&sum);
    packet.into()
}

/// Whether a packet answers an INIT.
#[must_use]
pub fn is_init_ack(packet: &[u8]) -> bool {
    packet.get(HEADER) == Some(&INIT_ACK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    fn data(stream: u16, payload: &[u8]) -> Vec<u8> {
        let mut chunk = vec![DATA, 3];
        chunk.extend(u16::try_from(DATA_FIXED + payload.len()).unwrap().to_be_bytes());
        chunk.extend([0, 0, 0, 1]);
        chunk.extend(stream.to_be_bytes());
        chunk.extend([0, 0, 0, 0, 0, 53]);
        chunk.extend(payload);
        chunk.resize(chunk.len().next_multiple_of(4), 0);
        chunk
    }

    fn sack(gaps: &[(u16, u16)]) -> Vec<u8> {
        let mut packet = vec![0; HEADER];
        packet.extend([SACK, 0]);
        packet.extend(u16::try_from(SACK_FIXED + 4 * gaps.len()).unwrap().to_be_bytes());
        packet.extend([0, 0, 0, 9, 0, 0, 1, 0]);
        packet.extend(u16::try_from(gaps.len()).unwrap().to_be_bytes());
        packet.extend([0, 0]);
        packet.extend(gaps.iter().flat_map(|(first, last)| [first.to_be_bytes(), last.to_be_bytes()]).flatten());
        packet
    }

    fn streams(packet: &[u8]) -> Option<Vec<u16>> {
        let of = |chunk: &Chunk| if let Kind::Data(data) = chunk.kind { Some(data.stream) } else { None };
        chunks(packet).map(|chunks| chunks.iter().filter_map(of).collect())
    }

    #[test]
    fn streams_of_data() {
        let mut packet = vec![0; HEADER];
        assert_eq!(streams(&packet), None, "no chunk");
        packet.extend(data(7, b"abc"));
        packet.extend([4, 0, 0, 5, 9, 0, 0, 0]);
        packet.extend(data(65_535, b"x"));
        assert_eq!(streams(&packet), Some(vec![7, 65_535]));
        packet.truncate(packet.len() - 3);
        assert_eq!(streams(&packet), Some(vec![7, 65_535]), "without the last padding");
        packet.truncate(packet.len() - 1);
        assert_eq!(streams(&packet), None, "a chunk that is cut");
        let mut short = vec![0; HEADER];
        short.extend([DATA, 0, 0, 8, 0, 0, 0, 0]);
        assert_eq!(streams(&short), None, "data without their fixed part");
        let empty = [vec![0; HEADER], data(1, b"")].concat();
        assert_eq!(streams(&empty), None, "data without data");
        let mut stuck = vec![0; HEADER];
        stuck.extend([5, 0, 0, 0]);
        assert_eq!(streams(&stuck), None, "a chunk shorter than its own head");
        let many = [vec![0; HEADER], data(1, b"x").repeat(MAX_CHUNKS + 1)].concat();
        assert_eq!(streams(&many), None);
        let answered = [vec![0; HEADER], [4, 0, 0, 4].repeat(MAX_CONTROL)].concat();
        assert_eq!(streams(&answered), Some(vec![]));
        assert_eq!(streams(&[answered, vec![4, 0, 0, 4]].concat()), None, "each would be answered");
    }

    #[test]
    fn acknowledgments() {
        let read = Sack::of(&sack(&[(2, 2), (4, 9)])).unwrap();
        assert_eq!((read.cumulative, read.credit, read.gaps), (9, 256, vec![(2, 2), (4, 9)]));
        assert!(chunks(&sack(&[(2, 3), (4, 9)])).is_some());
        assert!(chunks(&sack(&[(2, 900); 2])).is_none(), "the same again");
        assert!(chunks(&sack(&[(9, 3)])).is_none(), "backwards");
        let mut cut = sack(&[(2, 2)]);
        cut[HEADER + 13] = 2;
        assert!(chunks(&cut).is_none(), "fewer than it says");
        assert_eq!(Sack::of(&[vec![0; HEADER], data(1, b"12345678")].concat()), None);
    }

    #[test]
    fn resets_of_streams() {
        let answer = [0, 16, 0, 12, 0, 0, 0, 1, 0, 0, 0, 1];
        let request = [0, 13, 0, 20, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 1, 0, 0, 3, 0, 5];
        let reset = Reset { request: 1, last: 256, streams: vec![3, 5] };
        assert_eq!(resets(&request), Some(reset.clone()));
        assert_eq!(resets(&[&answer[..], &request[..]].concat()), Some(reset.clone()));
        assert_eq!(resets(&answer), None);
        assert_eq!(resets(&request[..19]), None);
        let packet = [&[0; HEADER][..], &[RE_CONFIG, 0, 0, 24], &request].concat();
        assert_eq!(chunks(&packet).unwrap()[0].kind, Kind::Reset(reset));
    }

    #[test]
    fn what_is_left_of_a_packet() {
        let packet = [vec![7; HEADER], data(1, b"one"), data(2, b"two"), data(3, b"three")].concat();
        let all = chunks(&packet).unwrap();
        let kept = of_chunks(&packet, all.iter().filter(|chunk| chunk.place.start != all[1].place.start)).unwrap();
        assert_eq!(kept[HEADER..], [data(1, b"one"), data(3, b"three")].concat());
        assert_eq!(kept[..PORTS_AND_TAG], packet[..PORTS_AND_TAG]);
        assert_eq!(of_chunks(&packet, [].iter()), None);
        let end = abort(&packet).unwrap();
        assert_eq!(chunks(&end).unwrap(), [Chunk { kind: Kind::End, place: HEADER..HEADER + 4 }]);
    }

    #[test]
    fn noise_never_panics() {
        let mut noise = Noise::new(31);
        for _ in 0..20_000 {
            let mut packet = noise.bytes(200);
            for place in (HEADER..packet.len().saturating_sub(3)).step_by(8) {
                packet[place + 2] = 0; // lengths that may fit
            }
            if let Some(chunks) = chunks(&packet) {
                assert!(chunks.len() <= packet.len() / CHUNK);
                assert_eq!(chunks.last().map(|chunk| chunk.place.end), Some(packet.len()));
            }
            let _ = Sack::of(&packet);
        }
    }
}
