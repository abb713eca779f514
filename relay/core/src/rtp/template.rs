//! A precomputed outgoing RTP header: everything constant is laid out once, a packet patches the rest.

use super::FIXED_LEN;
use super::extension::{AudioLevel, Label, ONE_BYTE, TWO_BYTE};
use crate::message::Extensions as ExtensionIds;

/// Longest header a template makes.
const MAX_LEN: usize = 64;

/// What an outgoing stream's headers have in common.
#[derive(Clone, Copy, Debug, Default)]
pub struct TemplateConfig {
    /// SSRC of the outgoing stream.
    pub ssrc: u32,
    /// Payload type of the outgoing stream, 0..=127.
    pub payload_type: u8,
    /// The subscriber's extension ids. RIDs are never sent on.
    pub extensions: ExtensionIds,
    /// MID of the outgoing media section.
    pub mid: Option<Label>,
    /// Whether the audio level extension is carried (audio tracks).
    pub audio: bool,
}

/// What differs from packet to packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stamp {
    /// Marker bit.
    pub marker: bool,
    /// Sequence number.
    pub sequence: u16,
    /// Media timestamp.
    pub timestamp: u32,
    /// Transport-wide sequence number, written where the extension is negotiated.
    pub transport_cc: u16,
    /// Absolute send time (24 bits), written where the extension is negotiated.
    pub abs_send_time: u32,
    /// Audio level; absent is written as silence.
    pub audio_level: Option<AudioLevel>,
}

/// A header laid out once for an outgoing stream.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: [u8; MAX_LEN],
    len: usize,
    payload_type: u8,
    /// Offsets of extension values, zero where not carried.
    transport_cc: usize,
    abs_send_time: usize,
    audio_level: usize,
}

impl Template {
    /// Lays out the header.
    #[must_use]
    pub fn new(config: &TemplateConfig) -> Self {
        let ids = &config.extensions;
        let mut template = Self {
            bytes: [0; MAX_LEN],
            len: FIXED_LEN,
            payload_type: config.payload_type & 0x7f,
            transport_cc: 0,
            abs_send_time: 0,
            audio_level: 0,
        };
        template.bytes[0] = 0x80;
        template.bytes[8..12].copy_from_slice(&config.ssrc.to_be_bytes());
        let audio_level = ids.audio_level.filter(|_| config.audio);
        let mid = config.mid.filter(|_| ids.mid.is_some());
        let used = [ids.mid.filter(|_| mid.is_some()), ids.transport_cc, ids.abs_send_time, audio_level];
        if used.iter().all(Option::is_none) {
            return template;
        }
        let two_byte = used.iter().flatten().any(|id| *id > 14);
        template.open(two_byte);
        if let (Some(id), Some(mid)) = (ids.mid, &mid) {
            let at = template.element(two_byte, id, mid.as_bytes().len());
            template.bytes[at..at + mid.as_bytes().len()].copy_from_slice(mid.as_bytes());
        }
        if let Some(id) = ids.transport_cc {
            template.transport_cc = template.element(two_byte, id, 2);
        }
        if let Some(id) = ids.abs_send_time {
            template.abs_send_time = template.element(two_byte, id, 3);
        }
        if let Some(id) = audio_level {
            template.audio_level = template.element(two_byte, id, 1);
        }
        template.close();
        template
    }

    /// Bytes of the header.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a header is never empty")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether packets carry a transport-wide sequence number.
    #[must_use]
    pub fn has_transport_cc(&self) -> bool {
        self.transport_cc != 0
    }

    /// Writes the header at the start of `out`; `None` when it does not fit. Returns its length.
    #[inline]
    pub fn write(&self, out: &mut [u8], stamp: &Stamp) -> Option<usize> {
        let out = out.get_mut(..self.len)?;
        out.copy_from_slice(&self.bytes[..self.len]);
        out[1] = self.payload_type | if stamp.marker { 0x80 } else { 0 };
        out[2..4].copy_from_slice(&stamp.sequence.to_be_bytes());
        out[4..8].copy_from_slice(&stamp.timestamp.to_be_bytes());
        if self.transport_cc != 0 {
            out[self.transport_cc..self.transport_cc + 2].copy_from_slice(&stamp.transport_cc.to_be_bytes());
        }
        if self.abs_send_time != 0 {
            let [_, a, b, c] = stamp.abs_send_time.to_be_bytes();
            out[self.abs_send_time..self.abs_send_time + 3].copy_from_slice(&[a, b, c]);
        }
        if self.audio_level != 0 {
            let level = stamp.audio_level.unwrap_or(AudioLevel { level: 127, voice: false });
            out[self.audio_level] = (level.level & 0x7f) | if level.voice { 0x80 } else { 0 };
        }
        Some(self.len)
    }

    fn open(&mut self, two_byte: bool) {
        self.bytes[0] |= 0x10;
        let profile = if two_byte { TWO_BYTE } else { ONE_BYTE };
        self.bytes[FIXED_LEN..FIXED_LEN + 2].copy_from_slice(&profile.to_be_bytes());
        self.len = FIXED_LEN + 4;
    }

    /// Lays out one element of `len` (1..=16) bytes and returns where its value goes.
    fn element(&mut self, two_byte: bool, id: u8, len: usize) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "at most Label::MAX")]
        let short = len as u8;
        if two_byte {
            self.bytes[self.len] = id;
            self.bytes[self.len + 1] = short;
            self.len += 2;
        } else {
            self.bytes[self.len] = id << 4 | (short - 1);
            self.len += 1;
        }
        let at = self.len;
        self.len += len;
        at
    }

    fn close(&mut self) {
        self.len = self.len.next_multiple_of(4);
        #[allow(clippy::cast_possible_truncation, reason = "at most MAX_LEN / 4")]
        let words = ((self.len - FIXED_LEN - 4) / 4) as u16;
        self.bytes[FIXED_LEN + 2..FIXED_LEN + 4].copy_from_slice(&words.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ExtensionMap, Header};
    use super::*;

    fn round_trip(ids: ExtensionIds, audio: bool) -> (Header, usize) {
        let config =
            TemplateConfig { ssrc: 7, payload_type: 111, extensions: ids, mid: Label::new(b"0123456789abcdef"), audio };
        let template = Template::new(&config);
        let stamp = Stamp {
            marker: true,
            sequence: 0xffff,
            timestamp: 0x8000_0001,
            transport_cc: 0x1234,
            abs_send_time: 0x00ab_cdef,
            audio_level: Some(AudioLevel { level: 30, voice: true }),
        };
        let mut out = [0xff; 100];
        let len = template.write(&mut out, &stamp).unwrap();
        assert_eq!(len, template.len());
        assert_eq!(template.write(&mut out[..len - 1], &stamp), None);
        (Header::parse(&out[..len], &ExtensionMap::new(&ids)).unwrap(), len)
    }

    #[test]
    fn without_extensions_is_twelve_bytes() {
        let (header, len) = round_trip(ExtensionIds::default(), true);
        assert_eq!((len, header.len), (12, 12));
        assert_eq!((header.ssrc, header.payload_type, header.sequence), (7, 111, 0xffff));
        assert!(header.marker);
    }

    #[test]
    fn both_forms_round_trip() {
        for base in [1, 20] {
            let ids = ExtensionIds {
                mid: Some(base),
                transport_cc: Some(base + 1),
                abs_send_time: Some(base + 2),
                audio_level: Some(base + 3),
                ..ExtensionIds::default()
            };
            let (header, len) = round_trip(ids, true);
            assert_eq!(len, header.len);
            assert_eq!(header.extensions.mid, Label::new(b"0123456789abcdef"));
            assert_eq!(header.extensions.transport_cc, Some(0x1234));
            assert_eq!(header.extensions.abs_send_time, Some(0x00ab_cdef));
            assert_eq!(header.extensions.audio_level, Some(AudioLevel { level: 30, voice: true }));
            let (video, _) = round_trip(ids, false);
            assert_eq!(video.extensions.audio_level, None);
        }
    }
}
