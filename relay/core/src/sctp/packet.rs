//! The shape of an SCTP packet (RFC 9260 section 3), read before anything else sees it: whether its chunks fit, and which
//! streams its data are of.

/// Common header: ports, verification tag, checksum.
const HEADER: usize = 12;
/// Type, flags and length of a chunk.
const CHUNK: usize = 4;
/// A DATA chunk up to its payload.
const DATA_FIXED: usize = 16;
const DATA: u8 = 0;
const INIT_ACK: u8 = 2;
/// Chunks of one packet: a datagram of DATA chunks that carry one byte each has some sixty.
const MAX_CHUNKS: usize = 128;

/// The streams that the DATA chunks of a packet are of; `None` where the packet contradicts itself.
#[must_use]
pub fn streams(packet: &[u8]) -> Option<Vec<u16>> {
    let mut rest = packet.get(HEADER..).filter(|chunks| !chunks.is_empty())?;
    let mut streams = Vec::new();
    for _ in 0..MAX_CHUNKS {
        let head = rest.first_chunk::<CHUNK>()?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let chunk = rest.get(..length).filter(|chunk| chunk.len() >= CHUNK)?;
        if head[0] == DATA {
            let fixed = chunk.first_chunk::<DATA_FIXED>()?;
            streams.push(u16::from_be_bytes([fixed[8], fixed[9]]));
        }
        // Chunks are padded to four bytes; the last one's padding may be left out.
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        if rest.is_empty() {
            return Some(streams);
        }
    }
    None
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

    #[test]
    fn streams_of_data() {
        let mut packet = vec![0; HEADER];
        assert_eq!(streams(&packet), None, "no chunk");
        packet.extend(data(7, b"abc"));
        packet.extend([3, 0, 0, 5, 9, 0, 0, 0]);
        packet.extend(data(65_535, b"x"));
        assert_eq!(streams(&packet), Some(vec![7, 65_535]));
        packet.truncate(packet.len() - 3);
        assert_eq!(streams(&packet), Some(vec![7, 65_535]), "without the last padding");
        packet.truncate(packet.len() - 1);
        assert_eq!(streams(&packet), None, "a chunk that is cut");
        let mut short = vec![0; HEADER];
        short.extend([DATA, 0, 0, 8, 0, 0, 0, 0]);
        assert_eq!(streams(&short), None, "data without their fixed part");
        let mut stuck = vec![0; HEADER];
        stuck.extend([5, 0, 0, 0]);
        assert_eq!(streams(&stuck), None, "a chunk shorter than its own head");
        let many = [vec![0; HEADER], [5, 0, 0, 4].repeat(MAX_CHUNKS + 1)].concat();
        assert_eq!(streams(&many), None);
    }

    #[test]
    fn noise_never_panics() {
        let mut noise = Noise::new(31);
        for _ in 0..20_000 {
            let mut packet = noise.bytes(200);
            for place in (HEADER..packet.len().saturating_sub(3)).step_by(8) {
                packet[place + 2] = 0; // lengths that may fit
            }
            if let Some(streams) = streams(&packet) {
                assert!(streams.len() <= packet.len() / DATA_FIXED);
            }
        }
    }
}
