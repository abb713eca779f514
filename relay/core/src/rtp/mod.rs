//! RTP headers (RFC 3550 section 5.1): parsed once per received packet, with the header extensions.

mod extension;
mod sequence;
mod template;

pub use extension::{AudioLevel, ExtensionMap, Extensions, Label, Span};
pub use sequence::{Unwrapper, newer};
pub use template::{Stamp, Template, TemplateConfig};

use crate::bytes::{u8_at, u16_at, u32_at};
use crate::drop::Reason;

/// Bytes of the header without CSRCs and extensions.
pub const FIXED_LEN: usize = 12;

/// True when a datagram that demultiplexing (RFC 7983) gave to RTP/RTCP is RTCP (RFC 5761 section 4).
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(u8_at(datagram, 1), Some(192..=223))
}

/// A parsed RTP header.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Header {
    /// The marker bit: last packet of a video frame, first of an audio talk spurt.
    pub marker: bool,
    /// The P bit. The padding itself is inside the encryption, see [`Header::unpadded`].
    pub padding: bool,
    /// Payload type, 0..=127.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Media timestamp in units of the codec's clock.
    pub timestamp: u32,
    /// Synchronization source.
    pub ssrc: u32,
    /// Bytes before the payload: fixed part, CSRCs, extensions.
    pub len: usize,
    /// Values of the negotiated header extensions.
    pub extensions: Extensions,
}

impl Header {
    /// Parses the header of `packet`, encrypted payload or not.
    ///
    /// # Errors
    /// [`Reason::Truncated`], [`Reason::Version`] or [`Reason::Malformed`].
    pub fn parse(packet: &[u8], map: &ExtensionMap) -> Result<Self, Reason> {
        let first = u8_at(packet, 0).ok_or(Reason::Truncated)?;
        if first >> 6 != 2 {
            return Err(Reason::Version);
        }
        let second = u8_at(packet, 1).ok_or(Reason::Truncated)?;
        let mut header = Self {
            marker: second & 0x80 != 0,
            padding: first & 0x20 != 0,
            payload_type: second & 0x7f,
            sequence: u16_at(packet, 2).ok_or(Reason::Truncated)?,
            timestamp: u32_at(packet, 4).ok_or(Reason::Truncated)?,
            ssrc: u32_at(packet, 8).ok_or(Reason::Truncated)?,
            len: FIXED_LEN + 4 * usize::from(first & 0x0f),
            extensions: Extensions::default(),
        };
        if first & 0x10 != 0 {
            let profile = u16_at(packet, header.len).ok_or(Reason::Truncated)?;
            let words = u16_at(packet, header.len + 2).ok_or(Reason::Truncated)?;
            let start = header.len + 4;
            header.len = start + 4 * usize::from(words);
            let block = packet.get(start..header.len).ok_or(Reason::Truncated)?;
            header.extensions = map.parse(profile, block)?;
            if let Some(span) = &mut header.extensions.dependency_descriptor {
                span.at += start;
            }
        }
        if packet.len() < header.len {
            return Err(Reason::Truncated);
        }
        Ok(header)
    }

    /// The dependency descriptor in the packet this is the header of, empty without one.
    #[must_use]
    pub fn descriptor<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        let span = self.extensions.dependency_descriptor.unwrap_or_default();
        packet.get(span.at..span.at + span.len).unwrap_or_default()
    }

    /// The decrypted payload without its padding (RFC 3550 section 5.1).
    ///
    /// # Errors
    /// [`Reason::Malformed`] when the padding count is zero or larger than the payload.
    pub fn unpadded<'a>(&self, payload: &'a [u8]) -> Result<&'a [u8], Reason> {
        if !self.padding {
            return Ok(payload);
        }
        let count = usize::from(*payload.last().ok_or(Reason::Malformed)?);
        if count == 0 {
            return Err(Reason::Malformed);
        }
        let len = payload.len().checked_sub(count).ok_or(Reason::Malformed)?;
        payload.get(..len).ok_or(Reason::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Extensions as ExtensionIds;

    fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first, 0xe0, 0x12, 0x34, 0, 0, 0, 9, 0xde, 0xad, 0xbe, 0xef];
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn plain_header() {
        let header = Header::parse(&packet(0x80, b"payload"), &ExtensionMap::default()).unwrap();
        assert!(header.marker && !header.padding);
        assert_eq!((header.payload_type, header.sequence, header.timestamp), (96, 0x1234, 9));
        assert_eq!((header.ssrc, header.len), (0xdead_beef, 12));
    }

    #[test]
    fn csrcs_and_extension_are_skipped() {
        let mut rest = vec![1, 2, 3, 4];
        rest.extend_from_slice(&[0xbe, 0xde, 0, 1, 0x10, 0x85, 0, 0, 7]);
        let map = ExtensionMap::new(&ExtensionIds { audio_level: Some(1), ..ExtensionIds::default() });
        let header = Header::parse(&packet(0x91, &rest), &map).unwrap();
        assert_eq!(header.len, 24);
        assert_eq!(header.extensions.audio_level, Some(AudioLevel { level: 5, voice: true }));
    }

    #[test]
    fn refusals() {
        let map = ExtensionMap::default();
        assert_eq!(Header::parse(&[], &map), Err(Reason::Truncated));
        assert_eq!(Header::parse(&packet(0x40, &[]), &map), Err(Reason::Version));
        assert_eq!(Header::parse(&packet(0x8f, &[]), &map), Err(Reason::Truncated));
        assert_eq!(Header::parse(&packet(0x90, &[0xbe, 0xde, 0xff, 0xff]), &map), Err(Reason::Truncated));
    }

    #[test]
    fn padding() {
        let header = Header { padding: true, ..Header::default() };
        assert_eq!(header.unpadded(&[1, 2, 3, 0, 2]), Ok(&[1, 2, 3][..]));
        assert_eq!(header.unpadded(&[0, 0, 3]), Ok(&[][..]));
        for bad in [&[][..], &[1, 0], &[1, 3]] {
            assert_eq!(header.unpadded(bad), Err(Reason::Malformed));
        }
    }

    #[test]
    fn rtcp_is_told_apart() {
        assert!(is_rtcp(&[0x80, 200]));
        assert!(!is_rtcp(&[0x80, 96]));
        assert!(!is_rtcp(&[0x80]));
    }
}
