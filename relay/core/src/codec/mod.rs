//! What the relay reads of a packet: where a key frame begins, which layers it belongs to, and the fields it must keep
//! continuous.

pub mod av1;
mod bits;
pub mod dependency;
pub mod h264;
mod picture;
pub mod red;
pub mod scalable;
pub mod vp8;
pub mod vp9;

pub use picture::{Picture, Shift};

use crate::message::{Codec, Kind};

/// A payload format, as far as the relay cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Sound: every packet stands alone, nothing is read.
    Audio,
    /// VP8 (RFC 7741).
    Vp8,
    /// VP9 (RFC 9628).
    Vp9,
    /// H.264 (RFC 6184).
    H264,
    /// AV1 (RTP Payload Format For AV1).
    Av1,
    /// A video format the relay cannot read: every packet may be the first.
    Opaque,
}

impl Format {
    /// The format of a negotiated codec.
    #[must_use]
    pub fn new(kind: Kind, codec: &Codec) -> Self {
        let formats =
            [("video/vp8", Self::Vp8), ("video/vp9", Self::Vp9), ("video/h264", Self::H264), ("video/av1", Self::Av1)];
        if kind == Kind::Audio {
            return Self::Audio;
        }
        let known = formats.iter().find(|(mime, _)| codec.mime.eq_ignore_ascii_case(mime));
        known.map_or(Self::Opaque, |(_, format)| *format)
    }

    /// Reads a packet: its payload, and its dependency descriptor where it has one (else empty).
    ///
    /// A descriptor is outside the payload, so it is believed first: the payload may be encrypted end to end. An unreadable
    /// payload is no key frame and has no picture ids.
    #[must_use]
    pub fn describe(self, payload: &[u8], descriptor: &[u8]) -> Description {
        let mut seen = match self {
            Self::Audio | Self::Opaque => Description { key_frame: true, picture: Picture::default() },
            Self::Vp8 => vp8::describe(payload),
            Self::Vp9 => vp9::describe(payload),
            Self::H264 => Description { key_frame: h264::is_key_frame(payload), picture: Picture::default() },
            Self::Av1 => Description { key_frame: av1::is_key_frame(payload), picture: Picture::default() },
        };
        if let Some(outline) = dependency::Outline::read(descriptor) {
            seen.picture.frame = Some(outline.number);
            if self != Self::Opaque {
                seen.key_frame = outline.has_structure && outline.begins;
            }
        }
        seen
    }
}

/// What was read of one payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Decoding can begin with this packet.
    pub key_frame: bool,
    /// Picture numbers, absent for formats without.
    pub picture: Picture,
}
