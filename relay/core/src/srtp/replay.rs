//! Index estimation and replay protection of one incoming SSRC (RFC 3711 sections 3.3.1 and 3.3.2).

use crate::drop::Reason;

/// Packets behind the highest that are still accepted.
const WINDOW: u64 = 1024;
const WORDS: usize = 16;

/// The highest index seen of an SSRC and which of the [`WINDOW`] before it were seen.
///
/// Works on full indices: 48-bit for SRTP (estimated from the sequence number), 31-bit for SRTCP (carried).
#[derive(Clone, Debug, Default)]
pub struct ReplayWindow {
    highest: Option<u64>,
    seen: [u64; WORDS],
}

impl ReplayWindow {
    /// Estimates the SRTP index of `sequence`: the candidate nearest to the highest index seen.
    #[must_use]
    pub fn estimate(&self, sequence: u16) -> u64 {
        let Some(highest) = self.highest else {
            return u64::from(sequence);
        };
        let rollover = highest >> 16;
        let last = highest & 0xffff;
        let sequence = u64::from(sequence);
        let rollover = if last < 0x8000 && sequence > last + 0x8000 {
            rollover.saturating_sub(1)
        } else if last >= 0x8000 && sequence < last - 0x8000 {
            rollover + 1
        } else {
            rollover
        };
        rollover << 16 | sequence
    }

    /// Whether a packet of `index` may be opened.
    ///
    /// # Errors
    /// [`Reason::Replayed`] when it was seen or is older than the window.
    pub fn check(&self, index: u64) -> Result<(), Reason> {
        match self.highest {
            Some(highest) if index <= highest && (highest - index >= WINDOW || self.is_seen(index)) => {
                Err(Reason::Replayed)
            }
            _ => Ok(()),
        }
    }

    /// Remembers an index, after its packet was authenticated.
    pub fn accept(&mut self, index: u64) {
        let previous = self.highest.unwrap_or(index);
        if index > previous {
            if index - previous >= WINDOW {
                self.seen = [0; WORDS];
            } else {
                for between in previous + 1..=index {
                    let (word, bit) = Self::place(between);
                    self.seen[word] &= !bit;
                }
            }
        }
        self.highest = Some(previous.max(index));
        let (word, bit) = Self::place(index);
        self.seen[word] |= bit;
    }

    fn is_seen(&self, index: u64) -> bool {
        let (word, bit) = Self::place(index);
        self.seen[word] & bit != 0
    }

    #[allow(clippy::cast_possible_truncation, reason = "reduced modulo the window")]
    fn place(index: u64) -> (usize, u64) {
        let bit = (index % WINDOW) as usize;
        (bit / 64, 1 << (bit % 64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_across_the_wrap() {
        let mut window = ReplayWindow::default();
        assert_eq!(window.estimate(0xffff), 0xffff);
        window.accept(0xffff);
        assert_eq!(window.estimate(0), 0x1_0000);
        window.accept(0x1_0000);
        assert_eq!(window.estimate(0xfffe), 0xfffe);
        assert_eq!(window.estimate(0x7fff), 0x1_7fff);
    }

    #[test]
    fn each_index_once() {
        let mut window = ReplayWindow::default();
        for index in [10, 12, 11, 2000, 1999, 977] {
            assert_eq!(window.check(index), Ok(()), "{index}");
            window.accept(index);
            assert_eq!(window.check(index), Err(Reason::Replayed), "{index}");
        }
        assert_eq!(window.check(976), Err(Reason::Replayed), "older than the window");
        assert_eq!(window.check(978), Ok(()));
    }

    #[test]
    fn a_slid_window_forgets() {
        let mut window = ReplayWindow::default();
        window.accept(5);
        window.accept(5 + WINDOW - 1);
        assert_eq!(window.check(5), Err(Reason::Replayed));
        window.accept(5 + WINDOW);
        assert_eq!(window.check(6), Ok(()), "6 was never seen and is the oldest still accepted");
    }
}
