//! Writing the feedback control information (draft section 3.1).

use crate::bytes::put;

/// A tick of receive deltas, in µs.
pub(super) const TICK: u64 = 250;
/// A step of the reference time, in µs.
pub(super) const REFERENCE: u64 = 64_000;
/// Longest run of one symbol.
const MAX_RUN: usize = 0x1fff;

/// Status symbols (section 3.1.1).
const LOST: u16 = 0;
const SMALL: u16 = 1;
const LARGE: u16 = 2;

/// Writes feedback for as many of `arrivals` (µs, from extended number `base`) as fit `out` and one reference time.
/// Returns how many packets it covers and its length, a multiple of four; `None` when nothing fits or nothing arrived.
pub(super) fn encode(base: u64, arrivals: &[Option<u64>], count: u8, out: &mut [u8]) -> Option<(usize, usize)> {
    let first = *arrivals.iter().flatten().next()?;
    let reference = first / REFERENCE;
    let mut deltas = Deltas { at: reference * REFERENCE / TICK };
    // The worst case of a packet is two bytes of delta and two of chunk per seven packets.
    let fits = out.len().checked_sub(8 + 4)? * 7 / 16;
    let mut statuses = [LOST; super::MAX_PACKETS];
    let mut steps = [0i16; super::MAX_PACKETS];
    let mut packets = 0;
    for (arrival, (status, step)) in arrivals.iter().take(fits).zip(statuses.iter_mut().zip(&mut steps)) {
        if let Some(at) = arrival {
            // A jump that a delta cannot express begins the next feedback packet.
            let Some(delta) = deltas.next(*at) else { break };
            *step = delta;
            *status = if (0..=0xff).contains(&delta) { SMALL } else { LARGE };
        }
        packets += 1;
    }
    // Trailing losses may still arrive: leave them for the next feedback.
    while packets > 0 && statuses.get(packets - 1) == Some(&LOST) {
        packets -= 1;
    }
    let statuses = statuses.get(..packets).filter(|statuses| !statuses.is_empty())?;
    let len = write(base, reference, count, statuses, steps.get(..packets)?, out)?;
    Some((packets, len))
}

/// Receive deltas in ticks, each from the last as it was written, so that rounding does not add up.
struct Deltas {
    at: u64,
}

impl Deltas {
    fn next(&mut self, arrival: u64) -> Option<i16> {
        let ticks = arrival / TICK;
        let delta = i16::try_from(ticks.cast_signed() - self.at.cast_signed()).ok()?;
        self.at = ticks;
        Some(delta)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "numbers are defined modulo their width; counts are bounded")]
fn write(base: u64, reference: u64, count: u8, statuses: &[u16], steps: &[i16], out: &mut [u8]) -> Option<usize> {
    let [_, a, b, c] = (reference as u32).to_be_bytes();
    let mut writer = Cursor { out, len: 0 };
    writer.put(&(base as u16).to_be_bytes())?;
    writer.put(&(statuses.len() as u16).to_be_bytes())?;
    writer.put(&[a, b, c, count])?;
    let mut rest = statuses;
    while let Some((chunk, used)) = chunk(rest) {
        writer.put(&chunk.to_be_bytes())?;
        rest = rest.get(used..).unwrap_or_default();
    }
    for (status, step) in statuses.iter().zip(steps) {
        match *status {
            SMALL => writer.put(&[step.to_be_bytes()[1]])?,
            LARGE => writer.put(&step.to_be_bytes())?,
            _ => {}
        }
    }
    let missing = writer.len.next_multiple_of(4) - writer.len;
    writer.put([0; 3].get(..missing)?)?;
    Some(writer.len)
}

/// The next packet status chunk and how many packets it covers: a run of one symbol, or a vector of 14 one-bit or 7
/// two-bit symbols, whichever covers more.
#[allow(clippy::cast_possible_truncation, reason = "at most MAX_RUN")]
fn chunk(statuses: &[u16]) -> Option<(u16, usize)> {
    let first = *statuses.first()?;
    let run = statuses.iter().take(MAX_RUN).take_while(|status| **status == first).count();
    let narrow = statuses.iter().take(14).take_while(|status| **status != LARGE).count();
    let one_bit = if narrow == statuses.len().min(14) { narrow } else { 0 };
    let two_bit = statuses.len().min(7);
    Some(if run >= one_bit.max(two_bit) {
        (first << 13 | run as u16, run)
    } else if one_bit >= two_bit {
        (vector(0x8000, statuses, one_bit, 1), one_bit)
    } else {
        (vector(0xc000, statuses, two_bit, 2), two_bit)
    })
}

fn vector(head: u16, statuses: &[u16], count: usize, bits: usize) -> u16 {
    statuses.iter().take(count).enumerate().fold(head, |word, (at, status)| word | status << (14 - bits * (at + 1)))
}

struct Cursor<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl Cursor<'_> {
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let fits = put(self.out, self.len, bytes);
        self.len += bytes.len();
        fits.then_some(())
    }
}
