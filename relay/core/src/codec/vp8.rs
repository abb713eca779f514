//! VP8 payload descriptor (RFC 7741 section 4.2): key frames and picture numbers.

use super::{Description, Picture};
use crate::bytes::{u8_at, u16_at};

pub(super) fn describe(payload: &[u8]) -> Description {
    parse(payload).unwrap_or_default()
}

fn parse(payload: &[u8]) -> Option<Description> {
    let first = u8_at(payload, 0)?;
    let mut at = 1;
    let mut picture = Picture::default();
    if first & 0x80 != 0 {
        let flags = u8_at(payload, at)?;
        at += 1;
        if flags & 0x80 != 0 {
            picture.wide = u8_at(payload, at)? & 0x80 != 0;
            picture.id = if picture.wide { u16_at(payload, at)? & 0x7fff } else { u16::from(u8_at(payload, at)?) };
            picture.id_at = at.to_le_bytes()[0];
            at += if picture.wide { 2 } else { 1 };
        }
        if flags & 0x40 != 0 {
            picture.tl0 = u8_at(payload, at)?;
            picture.tl0_at = at.to_le_bytes()[0];
            at += 1;
        }
        if flags & 0x30 != 0 {
            at += 1;
        }
    }
    // S set and partition 0: the first octet after the descriptor is VP8's own header, whose lowest bit is 0 for a key
    // frame (section 4.3).
    let begins = first & 0x17 == 0x10;
    let header = u8_at(payload, at)?;
    Some(Description { key_frame: begins && header & 1 == 0, picture })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Shift;

    #[test]
    fn no_extension() {
        assert!(describe(&[0x10, 0x00]).key_frame);
        assert!(!describe(&[0x10, 0x01]).key_frame, "interframe");
        assert!(!describe(&[0x00, 0x00]).key_frame, "not the start of a partition");
        assert!(!describe(&[0x11, 0x00]).key_frame, "second partition");
        assert!(!describe(&[0x10]).key_frame && !describe(&[]).key_frame);
    }

    #[test]
    fn seven_bit_id() {
        let mut payload = [0x90, 0x80, 0x7e, 0x00];
        let seen = describe(&payload);
        assert!(seen.key_frame && seen.picture.has_id());
        assert_eq!(seen.picture.id, 0x7e);
        seen.picture.write(&mut payload, Shift { id: 3, tl0: 9, frame: 0 });
        assert_eq!(payload, [0x90, 0x80, 0x01, 0x00], "wraps in 7 bits and keeps M clear");
    }

    #[test]
    fn everything() {
        // X | I L T K | 15-bit id 0x1234 | TL0 200 | TID/KEYIDX | key frame
        let mut payload = [0x90, 0xf0, 0x92, 0x34, 200, 0x40, 0x50];
        let seen = describe(&payload);
        assert!(seen.key_frame);
        assert_eq!((seen.picture.id, seen.picture.tl0), (0x1234, 200));
        let shift = Shift { id: 0x7fff, tl0: 100, frame: 0 };
        seen.picture.write(&mut payload, shift);
        assert_eq!(payload, [0x90, 0xf0, 0x92, 0x33, 44, 0x40, 0x50]);
        let again = describe(&payload).picture;
        assert_eq!((again.id, again.tl0), (seen.picture.shifted_id(shift), seen.picture.shifted_tl0(shift)));
    }

    #[test]
    fn truncated_descriptors_and_noise() {
        for payload in [&[0x90][..], &[0x90, 0x80], &[0x90, 0x80, 0x80], &[0x90, 0xc0, 1], &[0x90, 0xe0, 1, 2, 3]] {
            assert_eq!(describe(payload), Description::default(), "{payload:?}");
        }
        let mut noise = crate::noise::Noise::new(3);
        for _ in 0..20_000 {
            let mut payload = noise.bytes(12);
            let picture = describe(&payload).picture;
            picture.write(&mut payload, Shift { id: 77, tl0: 3, frame: 0 });
        }
    }
}
