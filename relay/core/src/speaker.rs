//! Who speaks in a room, from the audio levels packets carry (RFC 6464).

use std::time::{Duration, Instant};

/// Time over which levels are gathered, and the least between two changes told.
const INTERVAL: Duration = Duration::from_millis(300);
/// Levels at least this loud (-dBov, smaller is louder) count as speech.
const LOUD: u8 = 45;
/// Milliseconds one packet stands for at least; Opus packets of browsers are 20 ms.
const PACKET: u32 = 20;
/// Loud time within an interval that makes a speaker.
const LOUD_TIME: u32 = 80;
/// Intervals a speaker stays active in a pause.
const HOLD: u8 = 2;
/// Speakers told of.
const MAX_SPEAKERS: usize = 16;
/// Steps of level that are worth telling.
const STEPS: f32 = 8.0;

#[derive(Clone, Copy, Debug)]
struct Voice<K> {
    key: K,
    loud_time: u32,
    /// Sum of linear levels of loud packets.
    sum: f32,
    packets: u16,
    level: f32,
    hold: u8,
}

/// One active speaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speaker<K> {
    /// Whose.
    pub key: K,
    /// Linear 0..=1, smoothed; 1 is loudest.
    pub level: f32,
}

/// The voices of one room.
#[derive(Debug)]
pub struct Speakers<K> {
    voices: Vec<Voice<K>>,
    /// Linear level by -dBov.
    linear: [f32; 128],
    due: Option<Instant>,
    told: Vec<(K, u8)>,
}

impl<K: Copy + Eq> Default for Speakers<K> {
    fn default() -> Self {
        let mut linear = [0.0; 128];
        let mut level = 1.0;
        for step in linear.iter_mut().take(127) {
            *step = level;
            // One dB.
            level *= 0.891_250_9;
        }
        Self { voices: Vec::new(), linear, due: None, told: Vec::new() }
    }
}

impl<K: Copy + Eq> Speakers<K> {
    /// Notes one packet's level.
    pub fn observe(&mut self, key: K, level: u8, now: Instant) {
        self.due.get_or_insert(now + INTERVAL);
        let place = self.voices.iter().position(|voice| voice.key == key).unwrap_or_else(|| {
            self.voices.push(Voice { key, loud_time: 0, sum: 0.0, packets: 0, level: 0.0, hold: 0 });
            self.voices.len() - 1
        });
        if let Some(voice) = self.voices.get_mut(place)
            && level <= LOUD
        {
            voice.loud_time += PACKET;
            voice.packets = voice.packets.saturating_add(1);
            voice.sum += self.linear.get(usize::from(level)).copied().unwrap_or_default();
        }
    }

    /// Forgets a voice that ended.
    pub fn remove(&mut self, key: K, now: Instant) {
        self.voices.retain(|voice| voice.key != key);
        if self.told.iter().any(|(told, _)| *told == key) {
            self.due.get_or_insert(now + INTERVAL);
        }
    }

    /// When [`Speakers::changed`] wants to be asked.
    #[must_use]
    pub fn next_change(&self) -> Option<Instant> {
        self.due
    }

    /// The active speakers as of the last look, loudest first.
    pub fn active(&self) -> impl Iterator<Item = K> + '_ {
        self.told.iter().map(|(key, _)| *key)
    }

    /// The active speakers, loudest first, if they changed and telling is due.
    pub fn changed(&mut self, now: Instant) -> Option<Vec<Speaker<K>>> {
        if self.due.is_none_or(|due| due > now) {
            return None;
        }
        self.voices.iter_mut().for_each(Voice::close_interval);
        let mut active: Vec<_> = self
            .voices
            .iter()
            .filter(|voice| voice.hold > 0)
            .map(|voice| Speaker { key: voice.key, level: voice.level.min(1.0) })
            .collect();
        active.sort_by(|a, b| b.level.total_cmp(&a.level));
        active.truncate(MAX_SPEAKERS);
        // While someone speaks, silence has to be noticed without packets.
        self.due = (!active.is_empty()).then(|| now + INTERVAL);
        let told: Vec<_> = active.iter().map(|speaker| (speaker.key, step(speaker.level))).collect();
        if told == self.told {
            return None;
        }
        self.told = told;
        Some(active)
    }
}

impl<K> Voice<K> {
    fn close_interval(&mut self) {
        let loud = if self.packets == 0 { 0.0 } else { self.sum / f32::from(self.packets) };
        if self.loud_time >= LOUD_TIME {
            self.hold = HOLD + 1;
        }
        self.hold = self.hold.saturating_sub(1);
        // Speech levels are small numbers on a linear scale; the square root spreads them.
        self.level += (loud.sqrt() - self.level) * 0.6;
        (self.loud_time, self.sum, self.packets) = (0, 0.0, 0);
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "levels are 0..=1")]
fn step(level: f32) -> u8 {
    (level * STEPS) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speak(speakers: &mut Speakers<u8>, from: Instant, millis: u64, levels: &[(u8, u8)]) -> Vec<(u64, Vec<u8>)> {
        let mut told = Vec::new();
        for step in 0..millis / 20 {
            let now = from + Duration::from_millis(step * 20);
            for (key, level) in levels {
                speakers.observe(*key, *level, now);
            }
            if let Some(active) = speakers.changed(now) {
                told.push((step * 20, active.iter().map(|speaker| speaker.key).collect()));
            }
        }
        told
    }

    #[test]
    fn loudest_first_and_silence_after() {
        let start = Instant::now();
        let mut speakers = Speakers::default();
        let told = speak(&mut speakers, start, 3000, &[(1, 30), (2, 12), (3, 100)]);
        assert_eq!(told[0], (300, vec![2, 1]));
        assert!(told.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 300));
        assert!(told.len() < 6, "a steady level is told until it has settled: {told:?}");
        let told = speak(&mut speakers, start + Duration::from_secs(3), 3000, &[(1, 127), (2, 127)]);
        assert_eq!(told.last().unwrap().1, Vec::<u8>::new());
    }

    #[test]
    fn a_click_is_no_speaker() {
        let start = Instant::now();
        let mut speakers = Speakers::default();
        speakers.observe(1, 5, start);
        assert_eq!(speakers.changed(start + INTERVAL), None);
        assert_eq!(speakers.next_change(), None, "silence costs nothing");
    }

    #[test]
    fn one_who_leaves_is_told() {
        let start = Instant::now();
        let mut speakers = Speakers::default();
        speak(&mut speakers, start, 1000, &[(1, 20)]);
        let now = start + Duration::from_secs(1);
        speakers.remove(1, now);
        assert_eq!(speakers.changed(now + INTERVAL), Some(vec![]));
    }
}
