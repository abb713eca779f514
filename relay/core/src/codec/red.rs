//! Redundant audio (RFC 2198): one packet that also holds earlier ones.
//!
//! Its block headers name payload types, which every subscriber has its own of; who does not take redundancy gets the last
//! block, the packet proper.

use crate::bytes::{u8_at, u16_at};

/// Blocks of one packet: the packet proper and at most nine before it, as many as Chromium may be told to send.
const MAX_BLOCKS: usize = 10;

/// Where the packet proper begins; `None` when the headers contradict the payload's length.
#[must_use]
pub fn primary(payload: &[u8]) -> Option<usize> {
    let (mut at, mut redundant) = (0, 0);
    for _ in 0..MAX_BLOCKS {
        if u8_at(payload, at)? & 0x80 == 0 {
            let start = at + 1 + redundant;
            return (start < payload.len()).then_some(start);
        }
        // F, block payload type; 14 bits of timestamp offset, 10 of length.
        redundant += usize::from(u16_at(payload, at + 2)? & 0x03ff);
        at += 4;
    }
    None
}

/// Writes a payload type into every block header of a payload that [`primary`] accepts.
pub fn name_blocks(payload: &mut [u8], payload_type: u8) {
    for block in 0..MAX_BLOCKS {
        let Some(header) = payload.get_mut(4 * block) else { return };
        *header = *header & 0x80 | payload_type & 0x7f;
        if *header & 0x80 == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_blocks() {
        // PT 111, 960 samples ago, 3 bytes; PT 111; the blocks.
        let mut payload = [0x80 | 0x6f, 0x0f, 0x00, 0x03, 0x6f, 1, 2, 3, 9, 8];
        assert_eq!(primary(&payload), Some(8));
        name_blocks(&mut payload, 96);
        assert_eq!(payload, [0xe0, 0x0f, 0x00, 0x03, 0x60, 1, 2, 3, 9, 8], "nothing else changes");
        assert_eq!(primary(&payload), Some(8));
    }

    #[test]
    fn one_block() {
        assert_eq!(primary(&[0x6f, 7, 7]), Some(1));
        assert_eq!(primary(&[0x6f]), None, "nothing in it");
    }

    #[test]
    fn contradictions() {
        assert_eq!(primary(&[]), None);
        assert_eq!(primary(&[0xef, 0, 0]), None, "cut short");
        assert_eq!(primary(&[0xef, 0, 0x03, 0xff, 0x6f, 1]), None, "longer than the packet");
        assert_eq!(primary(&[0xef, 0, 0, 0].repeat(20)), None, "blocks without end");
    }

    #[test]
    fn noise_never_panics() {
        let mut noise = crate::noise::Noise::new(12);
        let mut found = 0;
        for _ in 0..20_000 {
            let mut payload = noise.bytes(60);
            if primary(&payload).is_some() {
                found += 1;
                name_blocks(&mut payload, 96);
                assert!(primary(&payload).is_some());
            }
        }
        assert!(found > 1_000);
    }
}
