//! The repeated parts inside RTCP packets.

use crate::bytes::{u8_at, u16_at, u24_at, u32_at};

/// Bytes of one report block.
const BLOCK: usize = 24;

/// One report block (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream it is about.
    pub ssrc: u32,
    /// Packets lost since the last report, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost in all, at most 24 bits; negative with duplicates.
    pub cumulative_lost: i32,
    /// Highest sequence number with its cycles.
    pub highest: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// Middle 32 bits of the NTP time of the last sender report, zero when none came.
    pub last_report: u32,
    /// Since then, in 1/65536 s.
    pub delay: u32,
}

impl ReportBlock {
    fn parse(data: &[u8]) -> Option<Self> {
        let lost = u24_at(data, 5)?;
        Some(Self {
            ssrc: u32_at(data, 0)?,
            fraction_lost: u8_at(data, 4)?,
            cumulative_lost: (lost << 8).cast_signed() >> 8,
            highest: u32_at(data, 8)?,
            jitter: u32_at(data, 12)?,
            last_report: u32_at(data, 16)?,
            delay: u32_at(data, 20)?,
        })
    }

    pub(super) fn to_bytes(self) -> [u8; BLOCK] {
        let mut out = [0; BLOCK];
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff).cast_unsigned() & 0xff_ffff;
        out[0..4].copy_from_slice(&self.ssrc.to_be_bytes());
        out[4..8].copy_from_slice(&(u32::from(self.fraction_lost) << 24 | lost).to_be_bytes());
        out[8..12].copy_from_slice(&self.highest.to_be_bytes());
        out[12..16].copy_from_slice(&self.jitter.to_be_bytes());
        out[16..20].copy_from_slice(&self.last_report.to_be_bytes());
        out[20..24].copy_from_slice(&self.delay.to_be_bytes());
        out
    }
}

/// The report blocks of a sender or receiver report.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportBlocks<'a> {
    data: &'a [u8],
}

impl<'a> ReportBlocks<'a> {
    pub(super) fn new(data: &'a [u8], count: u8) -> Self {
        Self { data: data.get(..BLOCK * usize::from(count)).unwrap_or(data) }
    }
}

impl Iterator for ReportBlocks<'_> {
    type Item = ReportBlock;

    fn next(&mut self) -> Option<ReportBlock> {
        let block = ReportBlock::parse(self.data)?;
        self.data = self.data.get(BLOCK..)?;
        Some(block)
    }
}

/// The sequence numbers of a generic NACK (RFC 4585 section 6.2.1).
#[derive(Clone, Debug, PartialEq)]
pub struct NackEntries<'a> {
    data: &'a [u8],
    base: u16,
    mask: u16,
    pending: bool,
}

impl<'a> NackEntries<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, base: 0, mask: 0, pending: false }
    }
}

impl Iterator for NackEntries<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if !self.pending && self.mask == 0 {
            self.base = u16_at(self.data, 0)?;
            self.mask = u16_at(self.data, 2)?;
            self.data = self.data.get(4..)?;
            self.pending = true;
        }
        if self.pending {
            self.pending = false;
            return Some(self.base);
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most 15")]
        let bit = self.mask.trailing_zeros() as u16;
        self.mask &= self.mask - 1;
        Some(self.base.wrapping_add(bit + 1))
    }
}

/// Packs sorted sequence numbers into (first, bitmask of the 16 after it) pairs.
pub fn nack_pairs(sequences: &[u16]) -> impl Iterator<Item = (u16, u16)> + '_ {
    let mut rest = sequences;
    std::iter::from_fn(move || {
        let (&first, tail) = rest.split_first()?;
        rest = tail;
        let mut mask = 0u16;
        while let Some((&next, tail)) = rest.split_first() {
            let distance = next.wrapping_sub(first);
            if !(1..=16).contains(&distance) {
                break;
            }
            mask |= 1 << (distance - 1);
            rest = tail;
        }
        Some((first, mask))
    })
}

/// The streams of a full intra request (RFC 5104 section 4.3.1) with the request's number.
#[derive(Clone, Debug, PartialEq)]
pub struct FirEntries<'a> {
    data: &'a [u8],
}

impl<'a> FirEntries<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data }
    }
}

impl Iterator for FirEntries<'_> {
    type Item = (u32, u8);

    fn next(&mut self) -> Option<(u32, u8)> {
        let entry = (u32_at(self.data, 0)?, u8_at(self.data, 4)?);
        self.data = self.data.get(8..)?;
        Some(entry)
    }
}
