//! What the relay reads of a payload: where a key frame begins, and the fields it must keep continuous.

pub mod h264;
pub mod vp8;

use crate::message::{Codec, Kind};

/// A payload format, as far as the relay cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Sound: every packet stands alone, nothing is read.
    Audio,
    /// VP8 (RFC 7741).
    Vp8,
    /// H.264 (RFC 6184).
    H264,
    /// A video format the relay cannot read: every packet may be the first.
    Opaque,
}

impl Format {
    /// The format of a negotiated codec.
    #[must_use]
    pub fn new(kind: Kind, codec: &Codec) -> Self {
        if kind == Kind::Audio {
            Self::Audio
        } else if codec.mime.eq_ignore_ascii_case("video/vp8") {
            Self::Vp8
        } else if codec.mime.eq_ignore_ascii_case("video/h264") {
            Self::H264
        } else {
            Self::Opaque
        }
    }

    /// Reads a payload. An unreadable one (malformed, or encrypted end to end) is no key frame and has no picture ids.
    #[must_use]
    pub fn describe(self, payload: &[u8]) -> Description {
        match self {
            Self::Audio | Self::Opaque => Description { key_frame: true, picture: vp8::Picture::default() },
            Self::Vp8 => vp8::describe(payload),
            Self::H264 => Description { key_frame: h264::is_key_frame(payload), picture: vp8::Picture::default() },
        }
    }
}

/// What was read of one payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// Decoding can begin with this packet.
    pub key_frame: bool,
    /// VP8's picture numbers; absent for other formats.
    pub picture: vp8::Picture,
}
