//! A precomputed outgoing RTP header: everything constant is laid out once, a packet patches the rest.

use super::FIXED_LEN;
use super::extension::{AudioLevel, Label, ONE_BYTE, TWO_BYTE};
use crate::message::Extensions as ExtensionIds;

/// Longest header a template makes.
const MAX_LEN: usize = 64;
/// Most headers are no longer.
const SHORT: usize = 32;

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
pub struct Stamp<'a> {
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
    /// Dependency descriptor, empty for none, written where the extension is negotiated.
    pub descriptor: &'a [u8],
}

/// A header laid out once for an outgoing stream.
///
/// The dependency descriptor differs in length from packet to packet, and so is written behind everything else: in the
/// two-byte form where it is longer than the one-byte form can say (RFC 8285 section 4.2).
#[derive(Clone, Debug)]
pub struct Template {
    layout: Layout,
    /// With a dependency descriptor: its id, and the layout for long ones.
    described: Option<(u8, Box<Layout>)>,
    payload_type: u8,
}

/// Everything that is the same for all packets.
#[derive(Clone, Debug)]
struct Layout {
    bytes: [u8; MAX_LEN],
    /// With the padding behind the last element, and without.
    len: usize,
    unpadded: usize,
    two_byte: bool,
    /// Offsets of extension values, zero where not carried.
    transport_cc: usize,
    abs_send_time: usize,
    audio_level: usize,
}

impl Template {
    /// Lays out the header.
    #[must_use]
    pub fn new(config: &TemplateConfig) -> Self {
        let layout = Layout::new(config, false);
        let described = config.extensions.dependency_descriptor.filter(|_| !config.audio);
        let long = || if layout.two_byte { layout.clone() } else { Layout::new(config, true) };
        Self { described: described.map(|id| (id, Box::new(long()))), payload_type: config.payload_type & 0x7f, layout }
    }

    /// Room enough for any header with this stamp.
    #[inline]
    #[must_use]
    pub fn room(stamp: &Stamp<'_>) -> usize {
        // A descriptor comes with two bytes of its own, and up to three that fill the last word.
        MAX_LEN + stamp.descriptor.len() + 5
    }

    /// Bytes of the header with this stamp.
    #[inline]
    #[must_use]
    pub fn len(&self, stamp: &Stamp<'_>) -> usize {
        self.descriptor(stamp).map_or(self.layout.len, |(_, layout)| layout.len_with(stamp.descriptor))
    }

    /// Whether packets carry a transport-wide sequence number.
    #[must_use]
    pub fn has_transport_cc(&self) -> bool {
        self.layout.transport_cc != 0
    }

    /// Writes the header at the start of `out`; `None` when it does not fit. Returns its length.
    #[inline]
    pub fn write(&self, out: &mut [u8], stamp: &Stamp<'_>) -> Option<usize> {
        let described = self.descriptor(stamp);
        let layout = described.map_or(&self.layout, |(_, layout)| layout);
        layout.write(out, self.payload_type, stamp)?;
        match described {
            None => Some(self.layout.len),
            Some((id, layout)) => layout.append(out, id, stamp.descriptor),
        }
    }

    /// The id and the layout, where a descriptor is to be written.
    #[inline]
    fn descriptor(&self, stamp: &Stamp<'_>) -> Option<(u8, &Layout)> {
        let (id, long) = self.described.as_ref().filter(|_| !stamp.descriptor.is_empty())?;
        let short = *id <= 14 && stamp.descriptor.len() <= 16;
        Some((*id, if short { &self.layout } else { long }))
    }
}

impl Layout {
    fn new(config: &TemplateConfig, two_byte: bool) -> Self {
        let ids = &config.extensions;
        let mut layout = Self {
            bytes: [0; MAX_LEN],
            len: FIXED_LEN,
            unpadded: FIXED_LEN,
            two_byte,
            transport_cc: 0,
            abs_send_time: 0,
            audio_level: 0,
        };
        layout.bytes[0] = 0x80;
        layout.bytes[8..12].copy_from_slice(&config.ssrc.to_be_bytes());
        let audio_level = ids.audio_level.filter(|_| config.audio);
        let mid = config.mid.filter(|_| ids.mid.is_some());
        let used = [ids.mid.filter(|_| mid.is_some()), ids.transport_cc, ids.abs_send_time, audio_level];
        if used.iter().all(Option::is_none) {
            return layout;
        }
        layout.two_byte |= used.iter().flatten().any(|id| *id > 14);
        layout.open();
        if let (Some(id), Some(mid)) = (ids.mid, &mid) {
            let at = layout.element(id, mid.as_bytes().len());
            layout.bytes[at..at + mid.as_bytes().len()].copy_from_slice(mid.as_bytes());
        }
        if let Some(id) = ids.transport_cc {
            layout.transport_cc = layout.element(id, 2);
        }
        if let Some(id) = ids.abs_send_time {
            layout.abs_send_time = layout.element(id, 3);
        }
        if let Some(id) = audio_level {
            layout.audio_level = layout.element(id, 1);
        }
        layout.close();
        layout
    }

    #[inline]
    fn write(&self, out: &mut [u8], payload_type: u8, stamp: &Stamp<'_>) -> Option<()> {
        // What is beyond the header is written over: a copy of fixed length is cheaper.
        if let (true, Some(place), Some(bytes)) =
            (self.len <= SHORT, out.first_chunk_mut::<SHORT>(), self.bytes.first_chunk())
        {
            *place = *bytes;
        } else {
            out.get_mut(..self.len)?.copy_from_slice(&self.bytes[..self.len]);
        }
        let out = out.get_mut(..self.len)?;
        out[1] = payload_type | if stamp.marker { 0x80 } else { 0 };
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
        Some(())
    }

    fn len_with(&self, descriptor: &[u8]) -> usize {
        let begun = if self.unpadded == FIXED_LEN { FIXED_LEN + 4 } else { self.unpadded };
        (begun + if self.two_byte { 2 } else { 1 } + descriptor.len()).next_multiple_of(4)
    }

    /// Writes one more element behind the others of a written header.
    fn append(&self, out: &mut [u8], id: u8, descriptor: &[u8]) -> Option<usize> {
        let len = self.len_with(descriptor);
        let out = out.get_mut(..len)?;
        let mut at = self.unpadded;
        if at == FIXED_LEN {
            out[0] |= 0x10;
            out[at..at + 2].copy_from_slice(&self.profile().to_be_bytes());
            at += 4;
        }
        out[at..].fill(0);
        let size = u8::try_from(descriptor.len()).ok()?;
        if self.two_byte {
            out[at..at + 2].copy_from_slice(&[id, size]);
            at += 2;
        } else {
            out[at] = id << 4 | (size.checked_sub(1)? & 0x0f);
            at += 1;
        }
        out[at..at + descriptor.len()].copy_from_slice(descriptor);
        let words = u16::try_from((len - FIXED_LEN - 4) / 4).ok()?;
        out[FIXED_LEN + 2..FIXED_LEN + 4].copy_from_slice(&words.to_be_bytes());
        Some(len)
    }

    fn profile(&self) -> u16 {
        if self.two_byte { TWO_BYTE } else { ONE_BYTE }
    }

    fn open(&mut self) {
        self.bytes[0] |= 0x10;
        let profile = self.profile().to_be_bytes();
        self.bytes[FIXED_LEN..FIXED_LEN + 2].copy_from_slice(&profile);
        self.len = FIXED_LEN + 4;
    }

    /// Lays out one element of `len` (1..=16) bytes and returns where its value goes.
    fn element(&mut self, id: u8, len: usize) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "at most Label::MAX")]
        let short = len as u8;
        if self.two_byte {
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
        self.unpadded = self.len;
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
            descriptor: &[],
        };
        let mut out = [0xff; 100];
        let len = template.write(&mut out, &stamp).unwrap();
        assert_eq!(len, template.len(&stamp));
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

    #[test]
    fn descriptors_of_any_length_go_last() {
        let ids = |base: u8, others: bool| ExtensionIds {
            transport_cc: Some(base).filter(|_| others),
            dependency_descriptor: Some(base + 1),
            ..ExtensionIds::default()
        };
        for (base, others) in [(1, true), (1, false), (20, true), (20, false)] {
            let ids = ids(base, others);
            let template = Template::new(&TemplateConfig { extensions: ids, ..TemplateConfig::default() });
            for size in [0, 1, 3, 16, 17, 255] {
                let descriptor: Vec<u8> = (0..size).map(|byte| byte as u8 ^ 0x5a).collect();
                let stamp = Stamp { transport_cc: 0x1234, descriptor: &descriptor, ..Stamp::default() };
                let mut out = [0xff; 400];
                let len = template.write(&mut out, &stamp).unwrap();
                assert_eq!(len, template.len(&stamp));
                assert_eq!(template.write(&mut out[..len - 1], &stamp), None, "does not fit");
                template.write(&mut out, &stamp).unwrap();
                let header = Header::parse(&out[..len], &ExtensionMap::new(&ids)).unwrap();
                assert_eq!((header.len, header.descriptor(&out)), (len, &descriptor[..]), "{base} {others} {size}");
                assert_eq!(header.extensions.transport_cc, Some(0x1234).filter(|_| others));
                assert_eq!(out[12..14] == [0xbe, 0xde], base == 1 && size <= 16 && (size > 0 || others));
            }
        }
    }
}
