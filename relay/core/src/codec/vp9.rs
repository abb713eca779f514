//! VP9 payload descriptor (RFC 9628 section 4.2): layers, key frames and picture numbers. Outside VP9's own bits, so it can
//! be read of payloads that are encrypted end to end.

use super::scalable::Point;
use super::{Description, Picture};
use crate::bytes::{u8_at, u16_at};

/// References of one frame in flexible mode (`P_DIFF`).
const MAX_REFERENCES: usize = 3;

/// A payload descriptor. Layer indices are absent from streams of a single layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "they are the bits of the format")]
pub struct Descriptor {
    /// `PictureID` and `TL0PICIDX`.
    pub picture: Picture,
    /// SID and TID.
    pub layer: Point,
    /// B: first packet of a layer frame.
    pub begins: bool,
    /// E: last packet of a layer frame.
    pub ends: bool,
    /// P: refers to earlier pictures.
    pub inter_picture: bool,
    /// D: refers to the layer below of the same picture.
    pub inter_layer: bool,
    /// Z: the layer above of the same picture does not refer to it.
    pub unused_above: bool,
    /// U: later pictures of higher temporal layers do not refer to such from before.
    pub switching_up: bool,
    /// `N_S` + 1: spatial layers, where a scalability structure comes along.
    pub spatial_layers: Option<u8>,
}

impl Descriptor {
    /// Reads a descriptor; `None` when it is cut short or contradicts itself.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Self> {
        let first = u8_at(payload, 0)?;
        let [has_id, has_layer, flexible, has_structure] = [0x80, 0x20, 0x10, 0x02].map(|bit| first & bit != 0);
        let mut seen = Self {
            inter_picture: first & 0x40 != 0,
            begins: first & 0x08 != 0,
            ends: first & 0x04 != 0,
            unused_above: first & 0x01 != 0,
            ..Self::default()
        };
        let mut at = 1;
        if has_id {
            let byte = u8_at(payload, at)?;
            seen.picture.wide = byte & 0x80 != 0;
            seen.picture.id = if seen.picture.wide { u16_at(payload, at)? & 0x7fff } else { u16::from(byte) };
            seen.picture.id_at = at.to_le_bytes()[0];
            at += if seen.picture.wide { 2 } else { 1 };
        }
        if has_layer {
            let byte = u8_at(payload, at)?;
            seen.layer = Point { spatial: byte >> 1 & 0x07, temporal: byte >> 5 };
            seen.switching_up = byte & 0x10 != 0;
            seen.inter_layer = byte & 0x01 != 0;
            at += 1;
            if !flexible {
                seen.picture.tl0 = u8_at(payload, at)?;
                seen.picture.tl0_at = at.to_le_bytes()[0];
                at += 1;
            }
        }
        if flexible && seen.inter_picture {
            at = skip_references(payload, at)?;
        }
        if has_structure {
            seen.spatial_layers = Some((u8_at(payload, at)? >> 5) + 1);
        }
        Some(seen)
    }

    /// Whether decoding of everything can begin here.
    #[must_use]
    pub fn is_key(&self) -> bool {
        !self.inter_picture && self.layer.spatial == 0 && self.begins
    }
}

/// `P_DIFF` up to three times; N says that one more follows.
fn skip_references(payload: &[u8], from: usize) -> Option<usize> {
    for at in from..from + MAX_REFERENCES {
        if u8_at(payload, at)? & 1 == 0 {
            return Some(at + 1);
        }
    }
    None
}

pub(super) fn describe(payload: &[u8]) -> Description {
    let seen = Descriptor::read(payload).filter(|_| payload.len() > 1);
    seen.map_or_else(Description::default, |seen| Description { key_frame: seen.is_key(), picture: seen.picture })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Shift;

    #[test]
    fn flexible_mode() {
        // I P L F B V | 15-bit id | TID 2 U SID 1 D | P_DIFF 3 N | P_DIFF 5 | SS: N_S 2
        let payload = [0xfa, 0x92, 0x34, 0x53, 0x07, 0x0a, 0x40, 0xaa];
        let seen = Descriptor::read(&payload).unwrap();
        assert_eq!((seen.picture.id, seen.picture.tl0_at), (0x1234, 0));
        assert_eq!(seen.layer, Point { spatial: 1, temporal: 2 });
        assert!(seen.begins && !seen.ends && seen.switching_up && seen.inter_layer && seen.inter_picture);
        assert_eq!(seen.spatial_layers, Some(3));
        assert!(!describe(&payload).key_frame);
    }

    #[test]
    fn other_mode() {
        // I L B E Z | 7-bit id | TID 0 U SID 0 | TL0PICIDX 200
        let mut payload = [0xad, 0x7f, 0x10, 200, 0x82];
        let seen = Descriptor::read(&payload).unwrap();
        assert!(seen.is_key() && seen.ends && seen.unused_above && seen.switching_up);
        assert!(describe(&payload).key_frame);
        seen.picture.write(&mut payload, Shift { id: 2, tl0: 100, frame: 0 });
        assert_eq!(payload, [0xad, 0x01, 0x10, 44, 0x82]);
    }

    #[test]
    fn key_frames_begin_the_lowest_layer() {
        assert!(describe(&[0x8c, 1, 0]).key_frame, "no layers at all");
        assert!(!describe(&[0x84, 1, 0]).key_frame, "not its first packet");
        assert!(!describe(&[0xcc, 1, 0]).key_frame, "inter-picture predicted");
        assert!(!describe(&[0xac, 1, 0x03, 0, 0]).key_frame, "a higher spatial layer of a key picture");
    }

    #[test]
    fn truncated_descriptors_and_noise() {
        for payload in
            [&[][..], &[0x80], &[0x80, 0x80], &[0xa0, 1], &[0xa0, 1, 2], &[0x50, 1], &[0x50, 1, 1, 1], &[0x02]]
        {
            assert_eq!(Descriptor::read(payload), None, "{payload:?}");
        }
        let mut noise = crate::noise::Noise::new(9);
        let mut read = 0;
        for _ in 0..20_000 {
            let mut payload = noise.bytes(12);
            if let Some(seen) = Descriptor::read(&payload) {
                seen.picture.write(&mut payload, Shift { id: 77, tl0: 3, frame: 1 });
                read += 1;
            }
        }
        assert!(read > 1_000);
    }
}
