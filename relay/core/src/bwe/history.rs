//! What was sent under each transport-wide number: fixed memory, looked up when feedback comes.

/// Packets remembered, a power of two: two seconds of 12 Mbit/s. Feedback about older ones is too late.
pub const PACKETS: usize = 2_048;
/// Half the circle of 16-bit numbers: what seems further behind lies ahead.
const HALF: u16 = 0x8000;

/// What became of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// Nothing is known.
    #[default]
    Unknown,
    /// Reported as not arrived. It may yet be reported as arrived.
    Missing,
    /// Reported as arrived, once and for all.
    Arrived,
}

/// A sent packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// When, the low 32 bits of µs.
    at: u32,
    /// Bytes of it, and of what was sent before it without a number.
    size: u16,
    /// Probe cluster, 0 for none.
    cluster: u8,
    fate: Fate,
}

impl Sent {
    /// When it was sent, in µs, as seen from `now` (less than an hour later).
    #[must_use]
    pub fn at(&self, now: u64) -> u64 {
        #[allow(clippy::cast_possible_truncation, reason = "the low 32 bits are kept")]
        let ago = (now as u32).wrapping_sub(self.at);
        now.saturating_sub(u64::from(ago))
    }

    /// UDP payload bytes, with those sent before it without a number.
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::from(self.size)
    }

    /// Its probe cluster, 0 for none.
    #[must_use]
    pub fn cluster(&self) -> u8 {
        self.cluster
    }
}

/// What a number in feedback is.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The extended number of a packet in the history.
    Known(u64),
    /// Sent too long ago.
    Forgotten,
    /// Never sent.
    Unsent,
}

/// A ring of the last [`PACKETS`] sent. Its memory is taken with the first packet.
#[derive(Debug, Default)]
pub struct History {
    ring: Vec<Sent>,
    /// The next transport-wide number, extended.
    next: u64,
}

impl History {
    /// The number the next packet carries.
    #[inline]
    #[must_use]
    pub fn next(&self) -> u16 {
        #[allow(clippy::cast_possible_truncation, reason = "the low 16 bits are on the wire")]
        let number = self.next as u16;
        number
    }

    /// Notes the packet with number [`History::next`].
    #[inline]
    pub fn push(&mut self, now: u64, size: usize, cluster: u8) {
        if self.ring.is_empty() {
            self.ring.resize(PACKETS, Sent::default());
        }
        #[allow(clippy::cast_possible_truncation, reason = "the low 32 bits are kept")]
        let at = now as u32;
        let size = u16::try_from(size).unwrap_or(u16::MAX);
        let place = place(self.next);
        if let Some(slot) = self.ring.get_mut(place) {
            *slot = Sent { at, size, cluster, fate: Fate::Unknown };
        }
        self.next += 1;
    }

    /// What a number from the wire is.
    #[must_use]
    pub fn look_up(&self, number: u16) -> Lookup {
        let behind = self.next().wrapping_sub(number).wrapping_sub(1);
        match self.next.checked_sub(1 + u64::from(behind)) {
            Some(extended) if usize::from(behind) < PACKETS => Lookup::Known(extended),
            Some(_) if behind < HALF => Lookup::Forgotten,
            _ => Lookup::Unsent,
        }
    }

    /// Packets sent so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.next
    }

    /// Notes what became of a packet. Returns it with what was known before; `None` when it is not in the history.
    pub fn settle(&mut self, extended: u64, fate: Fate) -> Option<(Sent, Fate)> {
        if extended >= self.next || extended + (PACKETS as u64) < self.next {
            return None;
        }
        let sent = self.ring.get_mut(place(extended))?;
        let before = sent.fate;
        if before != Fate::Arrived {
            sent.fate = fate;
        }
        Some((*sent, before))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "reduced modulo a usize")]
fn place(extended: u64) -> usize {
    (extended % PACKETS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_sent_and_nothing_else() {
        let mut history = History::default();
        assert_eq!(history.look_up(0), Lookup::Unsent);
        for number in 0..70_000u64 {
            assert_eq!(history.next(), number as u16);
            history.push(number * 10, number as usize % 1_500, 0);
        }
        let newest = 69_999u64;
        assert_eq!(history.look_up(newest as u16), Lookup::Known(newest));
        assert_eq!(history.look_up((newest + 1) as u16), Lookup::Unsent);
        let oldest = newest - 2_047;
        assert_eq!(history.look_up(oldest as u16), Lookup::Known(oldest));
        assert_eq!(history.look_up((oldest - 1) as u16), Lookup::Forgotten);
        let (sent, before) = history.settle(oldest, Fate::Missing).unwrap();
        assert_eq!((sent.at(700_000), sent.size(), before), (oldest * 10, oldest % 1_500, Fate::Unknown));
        assert_eq!(history.settle(oldest, Fate::Arrived).unwrap().1, Fate::Missing);
        assert_eq!(history.settle(oldest, Fate::Missing).unwrap().1, Fate::Arrived);
        assert_eq!(history.settle(oldest, Fate::Missing).unwrap().1, Fate::Arrived, "arrived is for ever");
        assert!(history.settle(newest + 1, Fate::Arrived).is_none());
        assert!(history.settle(oldest - 1, Fate::Arrived).is_none());
    }

    #[test]
    fn send_times_survive_the_wrap_of_32_bits() {
        let mut history = History::default();
        let at = u64::from(u32::MAX) - 5;
        history.push(at, 1, 0);
        assert_eq!(history.settle(0, Fate::Arrived).unwrap().0.at(at + 1_000), at);
    }
}
