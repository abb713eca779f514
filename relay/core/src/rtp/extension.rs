//! RTP header extensions (RFC 8285): which are negotiated, and their values in a packet.

use crate::bytes::{u8_at, u16_at, u24_at};
use crate::drop::Reason;
use crate::message::Extensions as ExtensionIds;

/// Profile of the one-byte form (RFC 8285 section 4.2).
pub(super) const ONE_BYTE: u16 = 0xbede;
/// Profile of the two-byte form, whose low four bits are application bits (section 4.3).
pub(super) const TWO_BYTE: u16 = 0x1000;

/// A short MID or RID, at most [`Label::MAX`] bytes, compared without allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Label {
    len: u8,
    bytes: [u8; Self::MAX],
}

impl Label {
    /// The longest label kept; browsers use at most 16 bytes.
    pub const MAX: usize = 16;

    /// A label of these bytes; `None` when empty or too long.
    #[must_use]
    pub fn new(value: &[u8]) -> Option<Self> {
        let mut label = Self { len: u8::try_from(value.len()).ok()?, bytes: [0; Self::MAX] };
        label.bytes.get_mut(..value.len())?.copy_from_slice(value);
        (label.len > 0).then_some(label)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// RFC 6464: `level` in -dBov (0 loudest, 127 silence), `voice` the voice activity flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioLevel {
    /// Level in -dBov, 0..=127.
    pub level: u8,
    /// Voice activity as the sender judged it.
    pub voice: bool,
}

/// Where a value stands in a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Bytes from the start of the packet.
    pub at: usize,
    /// Bytes of the value.
    pub len: usize,
}

/// Values of the negotiated extensions in one packet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extensions {
    /// Media section.
    pub mid: Option<Label>,
    /// Simulcast layer.
    pub rid: Option<Label>,
    /// Simulcast layer an RTX stream repairs.
    pub repaired_rid: Option<Label>,
    /// Audio level.
    pub audio_level: Option<AudioLevel>,
    /// Transport-wide sequence number.
    pub transport_cc: Option<u16>,
    /// Absolute send time, 24 bits of 6.18 fixed point seconds.
    pub abs_send_time: Option<u32>,
    /// Dependency descriptor (RTP Payload Format For AV1, appendix A).
    pub dependency_descriptor: Option<Span>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Unknown,
    Mid,
    Rid,
    RepairedRid,
    AudioLevel,
    TransportCc,
    AbsSendTime,
    DependencyDescriptor,
}

/// What each extension id of a transport means: a table, so that parsing a packet looks nothing up.
///
/// Within one BUNDLE group an id has one meaning (RFC 8843), so a transport has one map for all its tracks.
#[derive(Clone, Debug)]
pub struct ExtensionMap {
    kinds: [Kind; 256],
}

impl Default for ExtensionMap {
    fn default() -> Self {
        Self { kinds: [Kind::Unknown; 256] }
    }
}

impl ExtensionMap {
    /// A map of these ids.
    #[must_use]
    pub fn new(ids: &ExtensionIds) -> Self {
        let mut map = Self::default();
        map.add(ids);
        map
    }

    /// Adds the ids of one more track.
    pub fn add(&mut self, ids: &ExtensionIds) {
        for (id, kind) in [
            (ids.mid, Kind::Mid),
            (ids.rid, Kind::Rid),
            (ids.repaired_rid, Kind::RepairedRid),
            (ids.audio_level, Kind::AudioLevel),
            (ids.transport_cc, Kind::TransportCc),
            (ids.abs_send_time, Kind::AbsSendTime),
            (ids.dependency_descriptor, Kind::DependencyDescriptor),
        ] {
            if let Some(id) = id.filter(|id| *id != 0) {
                self.kinds[usize::from(id)] = kind;
            }
        }
    }

    /// Parses an extension block; spans count from its start. Unknown profiles and unknown ids are skipped.
    pub(super) fn parse(&self, profile: u16, block: &[u8]) -> Result<Extensions, Reason> {
        let mut values = Extensions::default();
        if profile == ONE_BYTE {
            self.parse_one_byte(block, &mut values)?;
        } else if profile & 0xfff0 == TWO_BYTE {
            self.parse_two_byte(block, &mut values)?;
        }
        Ok(values)
    }

    fn parse_one_byte(&self, block: &[u8], values: &mut Extensions) -> Result<(), Reason> {
        let mut at = 0;
        while let Some(byte) = u8_at(block, at) {
            at += 1;
            match byte >> 4 {
                0 => {}
                15 => break,
                id => {
                    let len = usize::from(byte & 0x0f) + 1;
                    let value = block.get(at..at + len).ok_or(Reason::Malformed)?;
                    self.assign(id, value, at, values);
                    at += len;
                }
            }
        }
        Ok(())
    }

    fn parse_two_byte(&self, block: &[u8], values: &mut Extensions) -> Result<(), Reason> {
        let mut at = 0;
        while let Some(id) = u8_at(block, at) {
            at += 1;
            if id == 0 {
                continue;
            }
            let len = usize::from(u8_at(block, at).ok_or(Reason::Malformed)?);
            at += 1;
            let value = block.get(at..at + len).ok_or(Reason::Malformed)?;
            self.assign(id, value, at, values);
            at += len;
        }
        Ok(())
    }

    fn assign(&self, id: u8, value: &[u8], at: usize, values: &mut Extensions) {
        match self.kinds[usize::from(id)] {
            Kind::Unknown => {}
            Kind::Mid => values.mid = Label::new(value),
            Kind::Rid => values.rid = Label::new(value),
            Kind::RepairedRid => values.repaired_rid = Label::new(value),
            Kind::AudioLevel => {
                values.audio_level =
                    u8_at(value, 0).map(|byte| AudioLevel { level: byte & 0x7f, voice: byte & 0x80 != 0 });
            }
            Kind::TransportCc => values.transport_cc = u16_at(value, 0),
            Kind::AbsSendTime => values.abs_send_time = u24_at(value, 0),
            Kind::DependencyDescriptor => values.dependency_descriptor = Some(Span { at, len: value.len() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: ExtensionIds = ExtensionIds {
        mid: Some(1),
        rid: Some(2),
        repaired_rid: Some(3),
        audio_level: Some(4),
        transport_cc: Some(5),
        abs_send_time: Some(6),
        dependency_descriptor: Some(7),
    };

    #[test]
    fn one_byte_form() {
        let block = [
            0x12, b'a', b'b', b'c', 0, 0x21, b'h', b'i', 0x51, 0x12, 0x34, 0x62, 1, 2, 3, 0x40, 0x0a, 0x72, 0x80, 0, 5,
            0xf0, 9,
        ];
        let values = ExtensionMap::new(&IDS).parse(ONE_BYTE, &block).unwrap();
        assert_eq!(values.mid, Label::new(b"abc"));
        assert_eq!(values.rid, Label::new(b"hi"));
        assert_eq!(values.repaired_rid, None);
        assert_eq!(values.transport_cc, Some(0x1234));
        assert_eq!(values.abs_send_time, Some(0x01_0203));
        assert_eq!(values.audio_level, Some(AudioLevel { level: 10, voice: false }));
        assert_eq!(values.dependency_descriptor, Some(Span { at: 18, len: 3 }));
    }

    #[test]
    fn two_byte_form() {
        let block = [3, 1, b'q', 0, 0, 200, 2, 9, 9, 5, 2, 0xab, 0xcd, 1, 0];
        let values = ExtensionMap::new(&IDS).parse(0x1003, &block).unwrap();
        assert_eq!(values.repaired_rid, Label::new(b"q"));
        assert_eq!(values.transport_cc, Some(0xabcd));
        assert_eq!(values.mid, None, "an empty MID is no MID");
    }

    #[test]
    fn overrun_is_malformed() {
        let map = ExtensionMap::new(&IDS);
        assert_eq!(map.parse(ONE_BYTE, &[0x1f, 1, 2]), Err(Reason::Malformed));
        assert_eq!(map.parse(TWO_BYTE, &[1]), Err(Reason::Malformed));
        assert_eq!(map.parse(TWO_BYTE, &[1, 9, 0]), Err(Reason::Malformed));
        assert_eq!(map.parse(0x4242, &[1, 9, 0]), Ok(Extensions::default()));
    }

    #[test]
    fn labels_are_bounded() {
        assert_eq!(Label::new(&[b'x'; 17]), None);
        assert_eq!(Label::new(&[b'x'; 16]).unwrap().as_bytes(), &[b'x'; 16]);
        assert_eq!(Label::new(b""), None);
    }
}
