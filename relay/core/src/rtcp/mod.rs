//! RTCP: compound packets in (RFC 3550 section 6, RFC 4585, RFC 5104) and out.
//!
//! Parsing is lazy and borrows: [`packets`] walks a decrypted compound and yields what the relay understands. A malformed
//! part ends the walk; what came before it is kept.

mod blocks;
mod writer;

pub use blocks::{FirEntries, NackEntries, ReportBlock, ReportBlocks, nack_pairs};
pub use writer::Writer;

use crate::bytes::{u8_at, u16_at, u32_at};

pub(crate) const SENDER_REPORT: u8 = 200;
pub(crate) const RECEIVER_REPORT: u8 = 201;
pub(crate) const SOURCE_DESCRIPTION: u8 = 202;
pub(crate) const GOODBYE: u8 = 203;
pub(crate) const TRANSPORT_FEEDBACK: u8 = 205;
pub(crate) const PAYLOAD_FEEDBACK: u8 = 206;

/// Feedback message types (RFC 4585 section 6, RFC 5104 section 4, transport-wide-cc).
pub(crate) const FMT_NACK: u8 = 1;
pub(crate) const FMT_TRANSPORT_CC: u8 = 15;
pub(crate) const FMT_PLI: u8 = 1;
pub(crate) const FMT_FIR: u8 = 4;
pub(crate) const FMT_APPLICATION: u8 = 15;

/// Most parts of one compound that are looked at.
const MAX_PARTS: usize = 64;

/// The sender information of a sender report (RFC 3550 section 6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderInfo {
    /// NTP time: seconds since 1900 in 32.32 fixed point.
    pub ntp: u64,
    /// The same instant in the stream's RTP timestamps.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload octets sent.
    pub octets: u32,
}

/// One part of a compound.
#[derive(Clone, Debug, PartialEq)]
pub enum Packet<'a> {
    /// Sender report.
    SenderReport {
        /// Who sends the media.
        ssrc: u32,
        /// Times and counts.
        info: SenderInfo,
        /// What it says about streams it receives.
        blocks: ReportBlocks<'a>,
    },
    /// Receiver report.
    ReceiverReport {
        /// What it says about streams it receives.
        blocks: ReportBlocks<'a>,
    },
    /// Goodbye of one source.
    Goodbye {
        /// The source that ended.
        ssrc: u32,
    },
    /// Generic NACK.
    Nack {
        /// The stream with losses.
        ssrc: u32,
        /// The sequence numbers asked for.
        entries: NackEntries<'a>,
    },
    /// Transport-wide congestion control feedback.
    TransportCc {
        /// The feedback control information.
        content: &'a [u8],
    },
    /// Picture loss indication.
    Pli {
        /// The stream to refresh.
        ssrc: u32,
    },
    /// Full intra requests.
    Fir {
        /// The streams to refresh.
        entries: FirEntries<'a>,
    },
    /// Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03).
    Remb {
        /// bit/s.
        bitrate: u64,
        /// How many streams it is about.
        streams: u8,
    },
}

/// Walks the parts of a compound that the relay understands.
#[must_use]
pub fn packets(compound: &[u8]) -> Packets<'_> {
    Packets { rest: compound, parts: 0, malformed: false }
}

/// Iterator of [`packets`].
#[derive(Clone, Debug)]
pub struct Packets<'a> {
    rest: &'a [u8],
    parts: usize,
    malformed: bool,
}

impl Packets<'_> {
    /// Whether something seen so far was malformed, or there were more parts than are looked at.
    #[must_use]
    pub fn malformed(&self) -> bool {
        self.malformed || (self.parts == MAX_PARTS && !self.rest.is_empty())
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        while self.parts < MAX_PARTS {
            if self.rest.is_empty() {
                return None;
            }
            self.parts += 1;
            let Some((part, rest)) = split(self.rest) else {
                self.malformed = true;
                self.rest = &[];
                return None;
            };
            self.rest = rest;
            match parse(part) {
                Some(packet) => return Some(packet),
                None => self.malformed |= is_understood(part),
            }
        }
        None
    }
}

/// Splits one part, header included and padding removed, off the front.
fn split(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = u8_at(data, 0)?;
    if first >> 6 != 2 {
        return None;
    }
    let len = 4 * (usize::from(u16_at(data, 2)?) + 1);
    let (mut part, rest) = data.split_at_checked(len)?;
    if first & 0x20 != 0 {
        let padding = usize::from(*part.last()?);
        part = part.get(..len.checked_sub(padding)?)?;
    }
    Some((part, rest))
}

/// Whether a part is of a kind that [`parse`] reads, so that failing to read it is its sender's fault.
fn is_understood(part: &[u8]) -> bool {
    let (Some(first), Some(kind)) = (u8_at(part, 0), u8_at(part, 1)) else { return true };
    match (kind, first & 0x1f) {
        (SENDER_REPORT | RECEIVER_REPORT, _)
        | (GOODBYE, 1..)
        | (TRANSPORT_FEEDBACK, FMT_NACK | FMT_TRANSPORT_CC)
        | (PAYLOAD_FEEDBACK, FMT_PLI | FMT_FIR) => true,
        (PAYLOAD_FEEDBACK, FMT_APPLICATION) => part.get(12..16) == Some(b"REMB"),
        _ => false,
    }
}

fn parse(part: &[u8]) -> Option<Packet<'_>> {
    let count = u8_at(part, 0)? & 0x1f;
    let ssrc = u32_at(part, 4)?;
    match (u8_at(part, 1)?, count) {
        (SENDER_REPORT, _) => Some(Packet::SenderReport {
            ssrc,
            info: SenderInfo {
                ntp: u64::from(u32_at(part, 8)?) << 32 | u64::from(u32_at(part, 12)?),
                timestamp: u32_at(part, 16)?,
                packets: u32_at(part, 20)?,
                octets: u32_at(part, 24)?,
            },
            blocks: ReportBlocks::new(part.get(28..)?, count),
        }),
        (RECEIVER_REPORT, _) => Some(Packet::ReceiverReport { blocks: ReportBlocks::new(part.get(8..)?, count) }),
        (GOODBYE, 1..) => Some(Packet::Goodbye { ssrc }),
        (TRANSPORT_FEEDBACK, FMT_NACK) => {
            Some(Packet::Nack { ssrc: u32_at(part, 8)?, entries: NackEntries::new(part.get(12..)?) })
        }
        (TRANSPORT_FEEDBACK, FMT_TRANSPORT_CC) => Some(Packet::TransportCc { content: part.get(12..)? }),
        (PAYLOAD_FEEDBACK, FMT_PLI) => Some(Packet::Pli { ssrc: u32_at(part, 8)? }),
        (PAYLOAD_FEEDBACK, FMT_FIR) => Some(Packet::Fir { entries: FirEntries::new(part.get(12..)?) }),
        (PAYLOAD_FEEDBACK, FMT_APPLICATION) => remb(part.get(12..)?),
        _ => None,
    }
}

fn remb(content: &[u8]) -> Option<Packet<'_>> {
    if content.get(..4)? != b"REMB" {
        return None;
    }
    let word = u32_at(content, 4)?;
    let exponent = word >> 18 & 0x3f;
    let mantissa = u64::from(word & 0x3_ffff);
    let bitrate = mantissa.checked_shl(exponent).filter(|rate| rate >> exponent == mantissa)?;
    Some(Packet::Remb { bitrate, streams: u8_at(content, 4)? })
}

#[cfg(test)]
mod tests;
