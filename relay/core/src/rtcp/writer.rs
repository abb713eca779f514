//! Building a compound packet in a given slot.

use super::blocks::{ReportBlock, nack_pairs};
use super::{
    FMT_APPLICATION, FMT_FIR, FMT_NACK, FMT_PLI, GOODBYE, PAYLOAD_FEEDBACK, RECEIVER_REPORT, SENDER_REPORT,
    SOURCE_DESCRIPTION, SenderInfo, TRANSPORT_FEEDBACK,
};

/// Report blocks that fit the five-bit count.
const MAX_BLOCKS: usize = 31;

/// Writes parts one after the other. A part that does not fit is left out whole and its method answers false.
///
/// The first part of a compound must be a report (RFC 3550 section 6.1): feedback on an empty writer is preceded by an
/// empty receiver report.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
    /// Our SSRC as the sender of feedback.
    ssrc: u32,
}

impl<'a> Writer<'a> {
    /// A writer into `out`, all of which may be used. `ssrc` is the sender's.
    pub fn new(out: &'a mut [u8], ssrc: u32) -> Self {
        Self { out, len: 0, ssrc }
    }

    /// Bytes written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes left, the receiver report that may have to come first taken off.
    #[must_use]
    pub fn room(&self) -> usize {
        self.out.len().saturating_sub(self.len + if self.is_empty() { 8 } else { 0 })
    }

    /// A receiver report of at most 31 blocks.
    pub fn receiver_report(&mut self, blocks: &[ReportBlock]) -> bool {
        let blocks = blocks.get(..blocks.len().min(MAX_BLOCKS)).unwrap_or_default();
        let ssrc = self.ssrc;
        self.part(RECEIVER_REPORT, blocks.len(), |part| {
            part.put(&ssrc.to_be_bytes()) && blocks.iter().all(|block| part.put(&block.to_bytes()))
        })
    }

    /// A sender report of the stream `ssrc` without blocks.
    pub fn sender_report(&mut self, ssrc: u32, info: &SenderInfo) -> bool {
        self.part(SENDER_REPORT, 0, |part| {
            part.put(&ssrc.to_be_bytes())
                && part.put(&info.ntp.to_be_bytes())
                && part.put(&info.timestamp.to_be_bytes())
                && part.put(&info.packets.to_be_bytes())
                && part.put(&info.octets.to_be_bytes())
        })
    }

    /// The canonical name of `ssrc`, at most 255 bytes: streams of one name are played in sync.
    pub fn canonical_name(&mut self, ssrc: u32, name: &[u8]) -> bool {
        let Ok(len) = u8::try_from(name.len()) else {
            return false;
        };
        self.part(SOURCE_DESCRIPTION, 1, |part| {
            part.put(&ssrc.to_be_bytes()) && part.put(&[1, len]) && part.put(name) && part.put(&[0]) && part.align()
        })
    }

    /// Goodbye of one source.
    pub fn goodbye(&mut self, ssrc: u32) -> bool {
        self.part(GOODBYE, 1, |part| part.put(&ssrc.to_be_bytes()))
    }

    /// A generic NACK for sorted sequence numbers of the stream `ssrc`.
    pub fn nack(&mut self, ssrc: u32, sequences: &[u16]) -> bool {
        self.feedback(TRANSPORT_FEEDBACK, FMT_NACK, ssrc, |part| {
            nack_pairs(sequences).all(|(first, mask)| part.put(&first.to_be_bytes()) && part.put(&mask.to_be_bytes()))
        })
    }

    /// A picture loss indication for the stream `ssrc`.
    pub fn pli(&mut self, ssrc: u32) -> bool {
        self.feedback(PAYLOAD_FEEDBACK, FMT_PLI, ssrc, |_| true)
    }

    /// A full intra request for the stream `ssrc`; `number` grows by one with each new request.
    pub fn fir(&mut self, ssrc: u32, number: u8) -> bool {
        self.feedback(PAYLOAD_FEEDBACK, FMT_FIR, 0, |part| {
            part.put(&ssrc.to_be_bytes()) && part.put(&[number, 0, 0, 0])
        })
    }

    /// The bit/s that a sender of these streams may send.
    pub fn remb(&mut self, bitrate: u64, ssrcs: &[u32]) -> bool {
        let ssrcs = ssrcs.get(..ssrcs.len().min(MAX_BLOCKS)).unwrap_or_default();
        let exponent = (64 - bitrate.leading_zeros()).saturating_sub(18);
        #[allow(clippy::cast_possible_truncation, reason = "at most 31 streams and an 18-bit mantissa")]
        let word = (ssrcs.len() as u32) << 24 | exponent << 18 | (bitrate >> exponent) as u32;
        self.feedback(PAYLOAD_FEEDBACK, FMT_APPLICATION, 0, |part| {
            part.put(b"REMB") && part.put(&word.to_be_bytes()) && ssrcs.iter().all(|ssrc| part.put(&ssrc.to_be_bytes()))
        })
    }

    /// A feedback packet with ready-made control information, a multiple of four bytes, for any stream.
    pub(crate) fn transport_feedback(&mut self, format: u8, ssrc: u32, content: &[u8]) -> bool {
        self.feedback(TRANSPORT_FEEDBACK, format, ssrc, |part| part.put(content))
    }

    fn feedback(&mut self, kind: u8, format: u8, ssrc: u32, body: impl FnOnce(&mut Part<'_>) -> bool) -> bool {
        let before = self.len;
        if self.is_empty() && !self.receiver_report(&[]) {
            return false;
        }
        let sender = self.ssrc;
        let fits = self.part(kind, usize::from(format), |part| {
            part.put(&sender.to_be_bytes()) && part.put(&ssrc.to_be_bytes()) && body(part)
        });
        if !fits {
            self.len = before;
        }
        fits
    }

    fn part(&mut self, kind: u8, count: usize, body: impl FnOnce(&mut Part<'_>) -> bool) -> bool {
        let Some(out) = self.out.get_mut(self.len..) else {
            return false;
        };
        let mut part = Part { out, len: 0 };
        if !(part.put(&[0; 4]) && body(&mut part)) {
            return false;
        }
        let len = part.len;
        #[allow(clippy::cast_possible_truncation, reason = "a datagram is shorter than 2^18 bytes; count is five bits")]
        let (words, count) = ((len / 4 - 1) as u16, count as u8 & 0x1f);
        let [high, low] = words.to_be_bytes();
        crate::bytes::put(self.out, self.len, &[0x80 | count, kind, high, low]);
        self.len += len;
        true
    }
}

/// The part being written.
struct Part<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl Part<'_> {
    fn put(&mut self, bytes: &[u8]) -> bool {
        let fits = crate::bytes::put(self.out, self.len, bytes);
        self.len += bytes.len();
        fits
    }

    fn align(&mut self) -> bool {
        let missing = self.len.next_multiple_of(4) - self.len;
        self.put([0; 3].get(..missing).unwrap_or_default())
    }
}
