//! Arithmetic of wrapping sequence numbers.

/// True if `a` comes after `b` on the 16-bit circle (RFC 1982).
#[must_use]
pub fn newer(a: u16, b: u16) -> bool {
    a != b && a.wrapping_sub(b) < 0x8000
}

/// Extends 16-bit sequence numbers to 64 bits by the nearest candidate to the highest seen.
///
/// Starts at 2^16, so that a packet reordered before the first one still has a number.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwrapper {
    highest: Option<u64>,
}

impl Unwrapper {
    /// The extended number of `sequence`, without remembering it.
    #[must_use]
    pub fn peek(&self, sequence: u16) -> u64 {
        let Some(highest) = self.highest else {
            return 0x1_0000 | u64::from(sequence);
        };
        #[allow(clippy::cast_possible_truncation, reason = "the low 16 bits are meant")]
        let delta = sequence.wrapping_sub(highest as u16);
        if delta < 0x8000 {
            highest.saturating_add(u64::from(delta))
        } else {
            highest.saturating_sub(u64::from(delta.wrapping_neg()))
        }
    }

    /// The extended number of `sequence`, remembered when it is the highest.
    pub fn next(&mut self, sequence: u16) -> u64 {
        let extended = self.peek(sequence);
        self.advance(extended);
        extended
    }

    /// Remembers an extended number when it is the highest.
    pub fn advance(&mut self, extended: u64) {
        if self.highest.is_none_or(|highest| extended > highest) {
            self.highest = Some(extended);
        }
    }

    /// The highest extended number seen.
    #[must_use]
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_forth_and_back() {
        let mut unwrapper = Unwrapper::default();
        assert_eq!(unwrapper.next(0xfffe), 0x1_fffe);
        assert_eq!(unwrapper.next(1), 0x2_0001);
        assert_eq!(unwrapper.next(0xffff), 0x1_ffff);
        assert_eq!(unwrapper.highest(), Some(0x2_0001));
        assert_eq!(unwrapper.peek(2), 0x2_0002);
    }

    #[test]
    fn circle() {
        assert!(newer(1, 0) && newer(0, 0xffff) && !newer(0, 1) && !newer(5, 5));
    }
}
