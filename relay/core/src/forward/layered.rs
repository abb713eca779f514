//! A subscription to a stream that holds several layers: what of it is forwarded, and under which numbers.
//!
//! Packets that are not for the subscriber take no number, so that its sequence has no gaps. A packet that is missing may
//! have been for it, so one is held for it: when it comes late it is sent under that number, or, not being for the
//! subscriber, an empty one in its place.

use crate::codec::scalable::{Frame, Point};

/// Numbers remembered, as many as a ring holds packets.
const NUMBERS: usize = 512;
/// Missing packets in a row that numbers are held for.
const MAX_HELD: u64 = 64;

/// What a number was used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Use {
    /// For a missing packet.
    #[default]
    Held,
    /// For an empty packet.
    Blank,
    /// For a packet, with this marker bit.
    Sent(bool),
}

#[derive(Clone, Copy, Debug, Default)]
struct Number {
    /// Extended sequence number as published.
    published: u64,
    used: Use,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Not forwarded.
    Dropped,
    /// Sent under a number with a marker bit.
    Sent(u64, bool),
    /// Replaced by an empty packet of this number.
    Blank(u64),
}

/// What is forwarded of a layered stream.
#[derive(Debug)]
pub struct Layered {
    /// The operating point forwarded, `None` while nothing is.
    pub point: Option<Point>,
    /// The operating point to be forwarded, `None` when none may or can be.
    pub goal: Option<Point>,
    /// Highest temporal layer the subscriber wants.
    pub max_temporal: u8,
    numbers: Box<[Number]>,
    /// First number of the run, and the published index expected next.
    first: u64,
    expected: u64,
}

impl Layered {
    /// Nothing forwarded yet.
    pub(super) fn new() -> Self {
        let numbers = vec![Number::default(); NUMBERS].into_boxed_slice();
        Self { point: None, goal: None, max_temporal: u8::MAX, numbers, first: 0, expected: 0 }
    }

    /// Begins with the published packet `index` under the number `first`.
    pub(super) fn begin(&mut self, index: u64, first: u64) {
        (self.point, self.first, self.expected) = (self.goal, first, index);
    }

    /// Decides on a packet. `next` is the next free number, counted on for those used. The flag is true when another
    /// operating point is forwarded from this packet on.
    #[inline]
    pub(super) fn decide(&mut self, index: u64, frame: Option<&Frame>, marker: bool, next: &mut u64) -> (Fate, bool) {
        if index < self.expected {
            return (self.decide_late(index, frame, marker, *next), false);
        }
        let missing = index - self.expected;
        if missing <= MAX_HELD {
            for lost in self.expected..index {
                self.put(next, Number { published: lost, used: Use::Held });
            }
        }
        self.expected = index + 1;
        let Some(frame) = frame else { return (Fate::Dropped, false) };
        let switched = self.goal.is_some_and(|goal| self.point != Some(goal) && frame.admits(self.point, goal));
        if switched {
            self.point = self.goal;
        }
        let Some(point) = self.point.filter(|point| frame.is_for(*point)) else { return (Fate::Dropped, switched) };
        let (number, marker) = (*next, frame.marks(point, marker));
        self.put(next, Number { published: index, used: Use::Sent(marker) });
        (Fate::Sent(number, marker), switched)
    }

    fn decide_late(&mut self, index: u64, frame: Option<&Frame>, marker: bool, next: u64) -> Fate {
        let Some(number) = self.held_for(index, next) else { return Fate::Dropped };
        let point = self.point.filter(|point| frame.is_some_and(|frame| frame.is_for(*point)));
        let marker = point.zip(frame).map(|(point, frame)| frame.marks(point, marker));
        if let Some(place) = self.place(number) {
            place.used = marker.map_or(Use::Blank, Use::Sent);
        }
        marker.map_or(Fate::Blank(number), |marker| Fate::Sent(number, marker))
    }

    /// The published index and marker bit of a number that was used for a packet.
    pub(super) fn source(&self, number: u64, next: u64) -> Option<(u64, bool)> {
        if number < self.oldest(next) || number >= next {
            return None;
        }
        let entry = self.numbers.get(slot(number))?;
        match entry.used {
            Use::Sent(marker) => Some((entry.published, marker)),
            Use::Held | Use::Blank => None,
        }
    }

    /// The number held for a published packet. Numbers rise with published indices.
    fn held_for(&self, index: u64, next: u64) -> Option<u64> {
        let (mut low, mut high) = (self.oldest(next), next);
        while low < high {
            let middle = u64::midpoint(low, high);
            let entry = self.numbers.get(slot(middle))?;
            match entry.published.cmp(&index) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle).filter(|_| entry.used == Use::Held),
            }
        }
        None
    }

    fn oldest(&self, next: u64) -> u64 {
        self.first.max(next.saturating_sub(NUMBERS as u64))
    }

    fn put(&mut self, next: &mut u64, number: Number) {
        if let Some(place) = self.place(*next) {
            *place = number;
        }
        *next += 1;
    }

    fn place(&mut self, number: u64) -> Option<&mut Number> {
        self.numbers.get_mut(slot(number))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "reduced modulo a usize")]
fn slot(number: u64) -> usize {
    (number % NUMBERS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::scalable::Points;

    fn frame(for_us: bool, key: bool) -> Frame {
        let present = if for_us { Points::ALL } else { Points::default() };
        Frame { begins: true, key, present, enter: Points::ALL, from: Points::ALL, ..Frame::default() }
    }

    fn begun() -> (Layered, u64) {
        let mut layered = Layered::new();
        layered.goal = Some(Point::default());
        layered.begin(100, 10);
        (layered, 10)
    }

    #[test]
    fn what_is_not_for_us_takes_no_number() {
        let (mut layered, mut next) = begun();
        let mut fates = Vec::new();
        for (index, for_us) in (100..).zip([true, false, false, true, true]) {
            fates.push(layered.decide(index, Some(&frame(for_us, false)), false, &mut next).0);
        }
        let sent = |number| Fate::Sent(number, false);
        assert_eq!(fates, [sent(10), Fate::Dropped, Fate::Dropped, sent(11), sent(12)]);
        assert_eq!((next, layered.source(11, next), layered.source(13, next)), (13, Some((103, false)), None));
    }

    #[test]
    fn late_packets_fill_what_was_held_for_them() {
        let (mut layered, mut next) = begun();
        assert_eq!(layered.decide(102, Some(&frame(true, false)), true, &mut next).0, Fate::Sent(12, true));
        assert_eq!(layered.source(11, next), None, "not sent yet");
        assert_eq!(layered.decide(101, Some(&frame(true, false)), false, &mut next).0, Fate::Sent(11, false));
        assert_eq!(layered.decide(101, Some(&frame(true, false)), false, &mut next).0, Fate::Dropped, "only once");
        assert_eq!(layered.decide(100, Some(&frame(false, false)), false, &mut next).0, Fate::Blank(10));
        assert_eq!((layered.source(11, next), layered.source(10, next)), (Some((101, false)), None));
        assert_eq!(layered.decide(50, Some(&frame(true, false)), false, &mut next).0, Fate::Dropped, "before the run");
    }

    #[test]
    fn wide_gaps_are_not_held() {
        let (mut layered, mut next) = begun();
        assert_eq!(layered.decide(165, Some(&frame(true, false)), false, &mut next).0, Fate::Sent(10, false));
        assert_eq!(layered.decide(164, Some(&frame(true, false)), false, &mut next).0, Fate::Dropped);
        assert_eq!(
            layered.decide(166 + MAX_HELD, Some(&frame(true, false)), false, &mut next).0,
            Fate::Sent(75, false)
        );
    }

    #[test]
    fn any_order_of_anything_is_one_rising_sequence() {
        let mut noise = crate::noise::Noise::new(21);
        for _ in 0..200 {
            let (mut layered, mut next) = begun();
            let (mut index, mut used) = (100u64, std::collections::BTreeMap::new());
            for _ in 0..2_000 {
                index = if noise.chance(80) { index + 1 } else { (index + noise.below(90)).saturating_sub(20) };
                let seen = frame(noise.chance(60), noise.chance(5));
                let before = next;
                let fate = layered.decide(index, Some(&seen), noise.chance(30), &mut next).0;
                assert!(next - before <= MAX_HELD + 1);
                if let Fate::Sent(number, _) | Fate::Blank(number) = fate {
                    assert!(number < next && used.insert(number, index).is_none(), "a number is used once");
                }
            }
            let published: Vec<_> = used.values().collect();
            assert!(published.is_sorted(), "numbers rise with what was published");
        }
    }
}
