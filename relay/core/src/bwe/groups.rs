//! Groups of packets sent together, and how the delay changes from one to the next (draft-ietf-rmcat-gcc-02 §5.2, §5.3).

/// Packets sent within this of the first belong together, µs.
const BURST: u64 = 5_000;
/// Packets that were held up on the way and came together belong together if they came within this, µs.
const HELD_UP: i64 = 1_000;
/// Longest such group, µs.
const LONGEST: i64 = 100_000;
/// A change of delay beyond this is a clock that jumped, µs.
const JUMP: i64 = 3_000_000;

#[derive(Clone, Copy, Debug)]
struct Group {
    first_sent: u64,
    last_sent: u64,
    first_arrival: i64,
    last_arrival: i64,
    /// Least of arrival minus sending, on two clocks.
    delay: i64,
}

impl Group {
    fn new(sent: u64, arrival: i64) -> Self {
        let delay = arrival - sent.cast_signed();
        Self { first_sent: sent, last_sent: sent, first_arrival: arrival, last_arrival: arrival, delay }
    }

    fn takes(&self, sent: u64, arrival: i64) -> bool {
        if sent - self.first_sent <= BURST {
            return true;
        }
        let (apart, sent_apart) = (arrival - self.last_arrival, (sent - self.last_sent).cast_signed());
        apart <= HELD_UP && apart < sent_apart && arrival - self.first_arrival < LONGEST
    }
}

/// One group against the one before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variation {
    /// When the group had arrived, µs of the receiver's clock.
    pub arrival: i64,
    /// Time between the two sendings, µs.
    pub sent_apart: i64,
    /// By how much longer the group took, µs.
    pub change: i64,
    /// Arrival minus sending of its quickest packet, µs on two clocks.
    pub delay: i64,
}

/// Builds groups from packets in the order of their sending.
#[derive(Debug, Default)]
pub struct Groups {
    current: Option<Group>,
    previous: Option<Group>,
}

impl Groups {
    /// Takes in one packet; `Some` when it ends a group that has one before it. One that later ones overtook tells nothing of
    /// a queue.
    pub fn add(&mut self, sent: u64, arrival: i64) -> Option<Variation> {
        let Some(current) = &mut self.current else {
            self.current = Some(Group::new(sent, arrival));
            return None;
        };
        if sent < current.last_sent {
            return None;
        }
        if current.takes(sent, arrival) {
            current.last_sent = current.last_sent.max(sent);
            current.last_arrival = current.last_arrival.max(arrival);
            current.delay = current.delay.min(arrival - sent.cast_signed());
            return None;
        }
        let ended = *current;
        self.current = Some(Group::new(sent, arrival));
        let before = self.previous.replace(ended)?;
        let sent_apart = (ended.last_sent - before.last_sent.min(ended.last_sent)).cast_signed();
        let change = ended.last_arrival - before.last_arrival - sent_apart;
        if change.abs() > JUMP {
            *self = Self::default();
            return None;
        }
        Some(Variation { arrival: ended.last_arrival, sent_apart, change, delay: ended.delay })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_one_group() {
        let mut groups = Groups::default();
        for (sent, arrival) in [(0, 100_000), (1_000, 101_000), (5_000, 103_000), (20_000, 121_000)] {
            assert_eq!(groups.add(sent, arrival), None);
        }
        let variation = groups.add(40_000, 150_000).unwrap();
        let expected = Variation { arrival: 121_000, sent_apart: 15_000, change: 3_000, delay: 101_000 };
        assert_eq!(variation, expected);
    }

    #[test]
    fn what_was_held_up_together_is_one_group() {
        let mut groups = Groups::default();
        groups.add(0, 0);
        groups.add(20_000, 50_000);
        assert_eq!(groups.add(30_000, 50_100), None);
        assert_eq!(groups.add(40_000, 50_200), None);
        assert_eq!(groups.add(60_000, 70_000).unwrap().change, 10_200);
    }

    #[test]
    fn what_was_overtaken_tells_nothing() {
        let mut groups = Groups::default();
        groups.add(0, 0);
        groups.add(20_000, 50_000);
        assert_eq!(groups.add(30_000, 50_100), None);
        assert_eq!(groups.add(28_000, 90_000), None, "held up together, but not with this one");
        assert_eq!(groups.add(60_000, 70_000).unwrap().change, 100 + 20_000);
    }

    #[test]
    fn a_clock_that_jumps_begins_anew() {
        let mut groups = Groups::default();
        for step in 0..10u64 {
            groups.add(step * 10_000, step.cast_signed() * 10_000);
        }
        assert_eq!(groups.add(100_000, 900_000_000_000).unwrap().change, 0, "the group before");
        assert_eq!(groups.add(110_000, 900_000_010_000), None);
        assert_eq!(groups.add(120_000, 900_000_020_000), None);
        assert_eq!(groups.add(130_000, 900_000_030_000), None);
        assert_eq!(groups.add(140_000, 900_000_040_000).unwrap().change, 0);
    }
}
