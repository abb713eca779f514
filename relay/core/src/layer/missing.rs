//! The packets a layer has not received, and when to ask for them (again).

use std::time::{Duration, Instant};

/// Most packets asked for at a time; a wider gap is given up for a key frame.
const MAX_MISSING: usize = 256;
/// How long an answer takes as long as none has come.
const RESPONSE: Duration = Duration::from_millis(40);
/// The least and the longest time between two requests for one packet.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(300));
/// Requests for one packet.
const MAX_TRIES: u8 = 10;

#[derive(Clone, Copy, Debug)]
struct Entry {
    index: u64,
    tries: u8,
    asked: Instant,
    due: Instant,
}

/// Missing packets, oldest first.
#[derive(Debug)]
pub struct Missing {
    entries: Vec<Entry>,
    hopeless: bool,
    /// How long it takes from a request to the packet.
    response: Duration,
}

impl Default for Missing {
    fn default() -> Self {
        Self { entries: Vec::new(), hopeless: false, response: RESPONSE }
    }
}

impl Missing {
    /// Notes a gap before a packet that just came.
    pub fn gap(&mut self, indices: std::ops::Range<u64>, now: Instant) {
        let room = (MAX_MISSING - self.entries.len()) as u64;
        if indices.end.saturating_sub(indices.start) > room {
            self.entries.clear();
            self.hopeless = true;
            return;
        }
        self.entries.extend(indices.map(|index| Entry { index, tries: 0, asked: now, due: now }));
    }

    /// The packet came after all.
    pub fn found(&mut self, index: u64, now: Instant) {
        if let Ok(place) = self.entries.binary_search_by_key(&index, |entry| entry.index) {
            let entry = self.entries.remove(place);
            if entry.tries > 0 {
                self.answered(now.saturating_duration_since(entry.asked));
            }
        }
    }

    /// Learns from the time since the first request for a packet. Lost requests and answers make it longer, never
    /// shorter: so it falls fast and rises slowly.
    fn answered(&mut self, took: Duration) {
        self.response = if took < self.response { (self.response + took) / 2 } else { (self.response * 7 + took) / 8 };
    }

    /// Whether nothing from this index on is missing.
    #[must_use]
    pub fn none_since(&self, index: u64) -> bool {
        self.entries.last().is_none_or(|entry| entry.index < index)
    }

    /// Sequence numbers to ask for now, at most `out.len()`. Packets asked for often enough are given up.
    pub fn due(&mut self, now: Instant, out: &mut [u16]) -> usize {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.tries < MAX_TRIES || entry.due > now);
        self.hopeless |= self.entries.len() < before;
        let retry = (self.response * 5 / 4).clamp(RETRY.0, RETRY.1);
        let mut count = 0;
        for entry in &mut self.entries {
            if entry.due > now {
                continue;
            }
            let Some(place) = out.get_mut(count) else { break };
            #[allow(clippy::cast_possible_truncation, reason = "the low 16 bits are the sequence number")]
            let sequence = entry.index as u16;
            *place = sequence;
            count += 1;
            entry.asked = if entry.tries == 0 { now } else { entry.asked };
            entry.due = now + retry;
            entry.tries += 1;
        }
        count
    }

    /// When a request is due.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.entries.iter().map(|entry| entry.due).min()
    }

    /// True once after packets were given up: only a key frame helps.
    pub fn take_hopeless(&mut self) -> bool {
        std::mem::take(&mut self.hopeless)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(missing: &mut Missing, now: Instant) -> Vec<u16> {
        let mut out = [0; 64];
        let count = missing.due(now, &mut out);
        out[..count].to_vec()
    }

    #[test]
    fn asks_again_then_gives_up() {
        let start = Instant::now();
        let mut missing = Missing::default();
        missing.gap(0x1_fffe..0x2_0002, start);
        missing.found(0x1_ffff, start);
        let mut asked = Vec::new();
        for step in 0..400 {
            let now = start + Duration::from_millis(step * 10);
            let sequences = due(&mut missing, now);
            if !sequences.is_empty() {
                assert_eq!(sequences, [0xfffe, 0, 1]);
                asked.push(step * 10);
            }
        }
        assert_eq!(asked, [0, 50, 100, 150, 200, 250, 300, 350, 400, 450]);
        assert!(missing.take_hopeless() && !missing.take_hopeless());
        assert_eq!(missing.next(), None);
    }

    #[test]
    fn waits_as_long_as_answers_take() {
        for (took, expected) in [(5, 20..=20), (100, 110..=150), (2_000, 300..=300)] {
            let mut now = Instant::now();
            let mut missing = Missing::default();
            for index in 0..100 {
                missing.gap(index..index + 1, now);
                due(&mut missing, now);
                now += Duration::from_millis(took);
                missing.found(index, now);
            }
            missing.gap(200..201, now);
            due(&mut missing, now);
            let again = (missing.next().unwrap() - now).as_millis();
            assert!(expected.contains(&again), "{again} ms where answers take {took}");
        }
    }

    #[test]
    fn bounded() {
        let start = Instant::now();
        let mut missing = Missing::default();
        missing.gap(0..200, start);
        assert_eq!(due(&mut missing, start).len(), 64, "as many as fit");
        missing.gap(300..400, start);
        assert!(missing.take_hopeless());
        assert_eq!(missing.next(), None);
        missing.gap(500..u64::MAX, start);
        assert!(missing.take_hopeless());
    }
}
