//! Who has the floor: the one active speaker whose picture matters most.

use std::time::{Duration, Instant};

/// Someone has to be louder for this long to take the floor from one who still speaks.
const TAKES: Duration = Duration::from_secs(1);

/// The floor of a room. Keeps its last speaker in silence.
#[derive(Clone, Copy, Debug)]
pub struct Floor<K> {
    holder: Option<K>,
    challenger: Option<(K, Instant)>,
}

impl<K> Default for Floor<K> {
    fn default() -> Self {
        Self { holder: None, challenger: None }
    }
}

impl<K: Copy + Eq> Floor<K> {
    /// Who has it.
    #[must_use]
    pub const fn holder(&self) -> Option<K> {
        self.holder
    }

    /// Takes in who speaks, loudest first. True when the floor changed hands.
    pub fn observe(&mut self, mut active: impl Iterator<Item = K>, now: Instant) -> bool {
        let Some(loudest) = active.next() else {
            self.challenger = None;
            return false;
        };
        if self.holder == Some(loudest) {
            self.challenger = None;
            return false;
        }
        let speaks = self.holder.is_some_and(|holder| active.any(|speaker| speaker == holder));
        let since = self.challenger.filter(|(challenger, _)| *challenger == loudest).map_or(now, |(_, since)| since);
        self.challenger = Some((loudest, since));
        if speaks && now.saturating_duration_since(since) < TAKES {
            return false;
        }
        (self.holder, self.challenger) = (Some(loudest), None);
        true
    }

    /// Forgets one who left.
    pub fn remove(&mut self, key: K) {
        self.holder = self.holder.filter(|holder| *holder != key);
        self.challenger = self.challenger.filter(|(challenger, _)| *challenger != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_who_speak_at_once_do_not_swap_the_floor() {
        let start = Instant::now();
        let mut floor = Floor::default();
        assert!(floor.observe([1, 2].into_iter(), start));
        for step in 1..41u32 {
            let order = if step % 2 == 0 { [1, 2] } else { [2, 1] };
            assert!(!floor.observe(order.into_iter(), start + Duration::from_millis(300) * step));
        }
        let now = start + Duration::from_secs(60);
        assert!(!floor.observe([2, 1].into_iter(), now));
        assert!(floor.observe([2, 1].into_iter(), now + TAKES));
        assert_eq!(floor.holder(), Some(2));
    }

    #[test]
    fn silence_keeps_it_and_the_next_speaker_takes_it() {
        let now = Instant::now();
        let mut floor = Floor::default();
        floor.observe([1].into_iter(), now);
        assert!(!floor.observe([].into_iter(), now));
        assert_eq!(floor.holder(), Some(1));
        assert!(floor.observe([7].into_iter(), now), "nobody else speaks");
        floor.remove(7);
        assert_eq!(floor.holder(), None);
    }
}
