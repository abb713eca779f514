//! The picture numbers that must not jump when a subscriber is moved to another layer: `PictureID` and `TL0PICIDX` in the
//! payload (VP8: RFC 7741 section 4.2, VP9: RFC 9628 section 4.2), and the dependency descriptor's `frame_number`.

use crate::bytes::put;

/// Where a packet's picture numbers stand, and their values as published. Offsets are into the payload, zero where absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    pub(super) id_at: u8,
    pub(super) wide: bool,
    /// `PictureID`, 7 or 15 bits.
    pub id: u16,
    pub(super) tl0_at: u8,
    /// `TL0PICIDX`.
    pub tl0: u8,
    /// `frame_number` of the dependency descriptor.
    pub frame: Option<u16>,
}

/// What is added to the picture numbers of a run of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shift {
    /// Added to `PictureID`, modulo its width.
    pub id: u16,
    /// Added to `TL0PICIDX`, modulo 256.
    pub tl0: u8,
    /// Added to `frame_number`, modulo 2^16.
    pub frame: u16,
}

impl Picture {
    /// Whether there is a picture id.
    #[must_use]
    pub fn has_id(&self) -> bool {
        self.id_at != 0
    }

    /// The picture id a subscriber sees, in 15 bits (7-bit ids are cut on writing).
    #[must_use]
    pub fn shifted_id(&self, shift: Shift) -> u16 {
        self.id.wrapping_add(shift.id) & 0x7fff
    }

    /// The `TL0PICIDX` a subscriber sees.
    #[must_use]
    pub fn shifted_tl0(&self, shift: Shift) -> u8 {
        self.tl0.wrapping_add(shift.tl0)
    }

    /// The `frame_number` a subscriber sees.
    #[must_use]
    pub fn shifted_frame(&self, shift: Shift) -> Option<u16> {
        self.frame.map(|frame| frame.wrapping_add(shift.frame))
    }

    /// Writes the shifted numbers into the payload they were read from. Always writes both: another subscriber's may
    /// stand there.
    #[inline]
    pub fn write(&self, payload: &mut [u8], shift: Shift) {
        if self.id_at != 0 {
            let id = self.shifted_id(shift);
            if self.wide {
                put(payload, usize::from(self.id_at), &(id | 0x8000).to_be_bytes());
            } else {
                put(payload, usize::from(self.id_at), &[(id & 0x7f).to_be_bytes()[1]]);
            }
        }
        if self.tl0_at != 0 {
            put(payload, usize::from(self.tl0_at), &[self.shifted_tl0(shift)]);
        }
    }

    /// Writes the shifted `frame_number` into the dependency descriptor it was read from, likewise.
    #[inline]
    pub fn write_descriptor(&self, descriptor: &mut [u8], shift: Shift) {
        if let Some(frame) = self.shifted_frame(shift) {
            put(descriptor, 1, &frame.to_be_bytes());
        }
    }
}
