//! The sound a subscriber is sent, and whether its redundancy is worth what it costs.
//!
//! Redundant sound (RFC 2198) costs up to twice as much. It hides loss, and is worth that while the link has room or loses
//! much; on a narrow one it takes the place of pictures, and makes the queue in which packets are lost.

/// Redundancy may take this share of the link.
const SHARE: u64 = 8;
/// The same where much is lost.
const LOSSY_SHARE: u64 = 4;
/// It comes back where it takes no more than so many tenths of its share.
const BACK: u64 = 7;
/// Much is this fraction of the packets.
const MUCH: f64 = 0.05;

/// What all that a subscriber hears costs, bit/s.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sound {
    /// As it comes.
    pub whole: u64,
    /// Without redundancy.
    pub plain: u64,
    /// The greatest loss of a voice as the subscriber last reported, fraction 0..=1.
    lost: f64,
}

impl Sound {
    /// Adds a voice.
    pub fn add(&mut self, whole: u64, plain: u64, lost: f64) {
        self.whole += whole;
        self.plain += plain;
        self.lost = self.lost.max(lost);
    }

    /// Whether a link of so many bit/s is better off without the redundancy; `before` tells whether it is without.
    #[must_use]
    pub fn burdens(&self, estimate: u64, before: bool) -> bool {
        self.redundancy() > if before { self.share(estimate) * BACK / 10 } else { self.share(estimate) }
    }

    /// The least link that gets the redundancy back, bit/s.
    #[must_use]
    pub fn comfortable(&self) -> u64 {
        (self.redundancy() + 1) * self.divisor() * 10 / BACK
    }

    const fn redundancy(&self) -> u64 {
        self.whole.saturating_sub(self.plain)
    }

    fn share(&self, estimate: u64) -> u64 {
        estimate / self.divisor()
    }

    fn divisor(&self) -> u64 {
        if self.lost >= MUCH { LOSSY_SHARE } else { SHARE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eighth_of_the_link_or_a_quarter_where_much_is_lost() {
        let mut sound = Sound::default();
        assert!(!sound.burdens(0, false), "silence burdens nobody");
        for _ in 0..5 {
            sound.add(90_000, 54_000, 0.01);
        }
        assert_eq!((sound.whole, sound.plain), (450_000, 270_000));
        assert!(sound.burdens(1_000_000, false) && !sound.burdens(1_500_000, false));
        assert!(sound.burdens(1_500_000, true), "it does not come back at once");
        assert!(sound.burdens(sound.comfortable() - 20, true) && !sound.burdens(sound.comfortable(), true));
        sound.add(90_000, 54_000, 0.1);
        assert!(!sound.burdens(1_000_000, false) && sound.burdens(800_000, false));
    }
}
