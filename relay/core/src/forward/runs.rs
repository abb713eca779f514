//! From what was published to what a subscriber sees: runs of packets with one offset.
//!
//! Between two changes (a layer switch, a pause) every packet of a layer has the same offset in sequence number,
//! timestamp and picture numbers. Keeping the last few runs, not one entry per packet, answers both questions: what a
//! published packet becomes, and which published packet a subscriber's NACK means.

use crate::codec::Shift;

/// Runs remembered; a NACK for a packet of an older one finds nothing.
const RUNS: usize = 8;

/// Packets of one layer forwarded with the same offsets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The layer.
    pub layer: u8,
    /// First published index.
    pub first_in: u64,
    /// First index towards the subscriber.
    pub first_out: u64,
    /// Added to timestamps.
    pub timestamp: u32,
    /// Added to picture numbers.
    pub picture: Shift,
    /// Its first packet follows a pause.
    pub begins: bool,
    /// It closes up behind a packet that was left out: what was published before that belongs to the run before.
    pub follows: bool,
}

impl Run {
    /// What a published index becomes; `None` before the run.
    #[must_use]
    pub fn outgoing(&self, index: u64) -> Option<u64> {
        Some(self.first_out + index.checked_sub(self.first_in)?)
    }
}

/// The current run and the few before it.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// Newest at `count - 1` modulo `RUNS`.
    runs: [Run; RUNS],
    count: usize,
}

impl Runs {
    /// Begins a run. One that nothing was sent of gives way to it.
    pub fn push(&mut self, run: Run) {
        if self.current().is_none_or(|current| current.first_out != run.first_out) {
            self.count += 1;
        }
        self.runs[(self.count - 1) % RUNS] = run;
    }

    /// The newest run.
    #[inline]
    #[must_use]
    pub fn current(&self) -> Option<&Run> {
        self.runs.get(self.count.checked_sub(1)? % RUNS)
    }

    /// What a packet becomes that comes so late that a run behind its own has begun: there is a gap for it.
    #[cold]
    #[must_use]
    pub fn late(&self, index: u64) -> Option<(&Run, u64)> {
        let mut newer = self.current()?;
        for back in 2..=self.count.min(RUNS) {
            let run = self.runs.get((self.count - back) % RUNS).filter(|_| newer.follows)?;
            if let Some(number) = run.outgoing(index) {
                return Some((run, number)).filter(|_| number < newer.first_out);
            }
            newer = run;
        }
        None
    }

    /// The run an index towards the subscriber belongs to, and the published index it was.
    #[must_use]
    pub fn published(&self, outgoing: u64) -> Option<(&Run, u64)> {
        let kept = self.count.min(RUNS);
        (1..=kept)
            .filter_map(|back| self.runs.get((self.count - back) % RUNS))
            .find(|run| run.first_out <= outgoing)
            .map(|run| (run, run.first_in + (outgoing - run.first_out)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let mut runs = Runs::default();
        assert!(runs.current().is_none() && runs.published(5).is_none());
        runs.push(Run { layer: 0, first_in: 100, first_out: 10, ..Run::default() });
        runs.push(Run { layer: 2, first_in: 7, first_out: 50, ..Run::default() });
        let current = runs.current().unwrap();
        assert_eq!((current.outgoing(9), current.outgoing(6)), (Some(52), None));
        let found = |outgoing| runs.published(outgoing).map(|(run, index)| (run.layer, index));
        assert_eq!(found(9), None);
        assert_eq!(found(49), Some((0, 139)));
        assert_eq!(found(50), Some((2, 7)));
    }

    #[test]
    fn late_packets_have_the_gaps_before_what_closed_up() {
        let mut runs = Runs::default();
        runs.push(Run { first_in: 100, first_out: 10, ..Run::default() });
        runs.push(Run { first_in: 105, first_out: 14, follows: true, ..Run::default() });
        runs.push(Run { first_in: 110, first_out: 18, follows: true, ..Run::default() });
        let found = |index| runs.late(index).map(|(run, number)| (run.first_in, number));
        assert_eq!(
            [103, 104, 108, 109].map(found),
            [Some((100, 13)), None, Some((105, 17)), None],
            "two were left out"
        );
        assert_eq!(found(99), None);
        let apart = Run { first_in: 120, first_out: 25, ..Run::default() };
        runs.push(apart);
        assert_eq!(runs.late(112), None, "a stream that begins anew has nothing to do with the one before");
        runs.push(Run { first_in: 130, first_out: 30, follows: true, ..apart });
        assert_eq!(runs.late(124).map(|(_, number)| number), Some(29));
        assert_eq!(runs.late(112), None);
    }

    #[test]
    fn only_the_last_are_kept() {
        let mut runs = Runs::default();
        for number in 0..20u64 {
            runs.push(Run { first_in: number * 100, first_out: number * 10, ..Run::default() });
        }
        assert!(runs.published(119).is_none());
        assert_eq!(runs.published(125).unwrap().1, 1205);
    }
    #[test]
    fn an_empty_one_is_forgotten() {
        let mut runs = Runs::default();
        runs.push(Run { first_in: 5, first_out: 50, ..Run::default() });
        for number in 8..40 {
            runs.push(Run { first_in: number, first_out: 52, ..Run::default() });
        }
        assert_eq!(runs.published(51).unwrap().1, 6);
        assert_eq!(runs.published(52).unwrap().1, 39);
    }
}
