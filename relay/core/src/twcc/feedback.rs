//! Reading the feedback control information.

use super::encode::{REFERENCE, TICK};
use crate::bytes::{u8_at, u16_at, u24_at};

/// A received feedback packet: iterates the packets it covers as (transport-wide number, arrival in µs of the receiver's
/// clock, `None` when lost).
#[derive(Clone, Debug)]
pub struct Feedback<'a> {
    /// Number of this feedback packet.
    pub count: u8,
    sequence: u16,
    left: u16,
    at: i64,
    chunks: &'a [u8],
    deltas: &'a [u8],
    chunk: u16,
    chunk_left: u16,
}

impl<'a> Feedback<'a> {
    /// Parses the control information of [`crate::rtcp::Packet::TransportCc`]; `None` when malformed.
    #[must_use]
    pub fn parse(content: &'a [u8]) -> Option<Self> {
        let left = u16_at(content, 2)?;
        let reference = i64::from((u24_at(content, 4)? << 8).cast_signed() >> 8);
        let chunks = content.get(8..)?;
        let mut covered = 0;
        let mut words = 0;
        while covered < u32::from(left) {
            covered += u32::from(size(u16_at(chunks, 2 * words)?));
            words += 1;
        }
        Some(Self {
            count: u8_at(content, 7)?,
            sequence: u16_at(content, 0)?,
            left,
            at: reference * REFERENCE.cast_signed(),
            deltas: chunks.get(2 * words..)?,
            chunks: chunks.get(..2 * words)?,
            chunk: 0,
            chunk_left: 0,
        })
    }

    /// The first number covered, and how many are.
    #[must_use]
    pub fn range(&self) -> (u16, u16) {
        (self.sequence, self.left)
    }

    fn symbol(&mut self) -> Option<u16> {
        while self.chunk_left == 0 {
            self.chunk = u16_at(self.chunks, 0)?;
            self.chunks = self.chunks.get(2..)?;
            self.chunk_left = size(self.chunk);
        }
        self.chunk_left -= 1;
        Some(match self.chunk >> 14 {
            0 | 1 => self.chunk >> 13 & 3,
            2 => self.chunk >> self.chunk_left & 1,
            _ => self.chunk >> (2 * self.chunk_left) & 3,
        })
    }

    fn delta(&mut self, symbol: u16) -> Option<i64> {
        let (delta, len) = match symbol {
            1 => (i64::from(u8_at(self.deltas, 0)?), 1),
            _ => (i64::from(u16_at(self.deltas, 0)?.cast_signed()), 2),
        };
        self.deltas = self.deltas.get(len..)?;
        Some(delta * TICK.cast_signed())
    }
}

/// Packets a chunk covers.
fn size(chunk: u16) -> u16 {
    match chunk >> 14 {
        0 | 1 => chunk & 0x1fff,
        2 => 14,
        _ => 7,
    }
}

impl Iterator for Feedback<'_> {
    type Item = (u16, Option<i64>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let symbol = self.symbol()?;
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        if symbol == 0 {
            return Some((sequence, None));
        }
        self.at += self.delta(symbol)?;
        Some((sequence, Some(self.at)))
    }
}
