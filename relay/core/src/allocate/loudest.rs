//! Loudest-N audio: which voices of a large room are forwarded.
//!
//! Decided as packets come, so that the first syllable of a new speaker is heard. A voice stays until another one is
//! clearly louder: silence changes nothing, and needs no timer.

use std::time::{Duration, Instant};

/// How much louder than the quietest voice heard another has to be to take its place, dB.
const LOUDER: f32 = 6.0;
/// A voice is heard this long at least.
const SHORTEST: Duration = Duration::from_millis(500);
/// Levels rise towards a louder packet, and fall towards a quieter one, by these shares.
const RISE: f32 = 0.5;
const FALL: f32 = 0.05;
/// Silence, -dBov (RFC 6464).
const SILENT: f32 = 127.0;

#[derive(Clone, Copy, Debug)]
struct Voice<K> {
    key: K,
    /// Smoothed -dBov: smaller is louder.
    level: f32,
    /// Since when it is heard.
    heard: Option<Instant>,
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<K> {
    /// To be forwarded from now on (or not).
    pub key: K,
    /// Which of both.
    pub heard: bool,
}

/// The voices of one room, of which the loudest are heard.
#[derive(Clone, Debug)]
pub struct Loudest<K> {
    limit: usize,
    voices: Vec<Voice<K>>,
}

impl<K: Copy + Eq> Loudest<K> {
    /// At most `limit` voices are to be heard.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { limit, voices: Vec::new() }
    }

    /// The voices known.
    pub fn keys(&self) -> impl Iterator<Item = K> + '_ {
        self.voices.iter().map(|voice| voice.key)
    }

    /// Notes one packet's level (-dBov, 0..=127) and says who is silenced and who is heard because of it.
    pub fn observe(&mut self, key: K, level: u8, now: Instant) -> [Option<Change<K>>; 2] {
        let known = self.voices.iter().position(|voice| voice.key == key);
        let place = known.unwrap_or(self.voices.len());
        if known.is_none() {
            self.voices.push(Voice { key, level: SILENT, heard: None });
        }
        let Some(voice) = self.voices.get_mut(place) else { return [None; 2] };
        let towards = f32::from(level) - voice.level;
        voice.level += towards * if towards < 0.0 { RISE } else { FALL };
        if voice.heard.is_some() {
            return [None; 2];
        }
        let level = voice.level;
        let heard = self.voices.iter().filter(|voice| voice.heard.is_some());
        let silenced = if heard.clone().count() < self.limit {
            None
        } else {
            let settled =
                |voice: &&Voice<K>| voice.heard.is_some_and(|since| now.saturating_duration_since(since) >= SHORTEST);
            let quietest = heard.filter(settled).max_by(|a, b| a.level.total_cmp(&b.level));
            match quietest.filter(|quietest| level + LOUDER <= quietest.level) {
                Some(quietest) => Some(quietest.key),
                // A voice is forwarded until it is known here.
                None => return [known.is_none().then_some(Change { key, heard: false }), None],
            }
        };
        for voice in &mut self.voices {
            if voice.key == key {
                voice.heard = Some(now);
            } else if Some(voice.key) == silenced {
                voice.heard = None;
            }
        }
        [silenced.map(|key| Change { key, heard: false }), Some(Change { key, heard: true })]
    }

    /// Forgets a voice that ended; the next packet of any other one takes its place.
    pub fn remove(&mut self, key: K) {
        self.voices.retain(|voice| voice.key != key);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::noise::Noise;

    /// Packets of 20 ms from every voice; who is forwarded at the end of each.
    fn play(loudest: &mut Loudest<u8>, from: Instant, steps: u32, level: impl Fn(u8, u32) -> u8) -> Vec<BTreeSet<u8>> {
        let mut forwarded: BTreeSet<u8> = (0..6).filter(|key| !loudest.keys().any(|known| known == *key)).collect();
        forwarded.extend(loudest.voices.iter().filter(|voice| voice.heard.is_some()).map(|voice| voice.key));
        let mut seen = Vec::new();
        for step in 0..steps {
            for key in 0..6 {
                let now = from + Duration::from_millis(20) * step;
                for change in loudest.observe(key, level(key, step), now).into_iter().flatten() {
                    let changed =
                        if change.heard { forwarded.insert(change.key) } else { forwarded.remove(&change.key) };
                    assert!(changed || change.heard, "nobody is silenced twice");
                }
            }
            seen.push(forwarded.clone());
        }
        seen
    }

    #[test]
    fn the_loudest_are_heard_from_their_first_words() {
        let start = Instant::now();
        let mut loudest = Loudest::new(2);
        let quiet = play(&mut loudest, start, 50, |_, _| 127);
        assert!(quiet.iter().all(|heard| heard.len() == 2), "never more than two: {quiet:?}");
        let spoken = play(&mut loudest, start + Duration::from_secs(1), 10, |key, _| if key >= 4 { 20 } else { 127 });
        assert_eq!(spoken[1], BTreeSet::from([4, 5]), "within two packets");
    }

    #[test]
    fn breath_and_noise_change_nothing() {
        let start = Instant::now();
        let mut loudest = Loudest::new(2);
        play(&mut loudest, start, 50, |key, _| if key < 2 { 25 } else { 90 });
        let heard = play(&mut loudest, start + Duration::from_secs(1), 500, |key, step| {
            let mut noise = Noise::new(u64::from(step) * 8 + u64::from(key));
            // Speakers pause for up to 200 ms; the others rustle.
            if key < 2 && step % 25 < 15 { 20 + noise.below(10) as u8 } else { 60 + noise.below(60) as u8 }
        });
        assert!(heard.iter().all(|heard| *heard == BTreeSet::from([0, 1])));
    }

    #[test]
    fn equals_do_not_take_turns() {
        let mut loudest = Loudest::new(3);
        let heard = play(&mut loudest, Instant::now(), 1_000, |key, step| {
            20 + Noise::new(u64::from(step) * 8 + u64::from(key)).below(6) as u8
        });
        let changes = heard.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(changes <= 1, "{changes}");
    }

    #[test]
    fn who_leaves_makes_room() {
        let start = Instant::now();
        let mut loudest = Loudest::new(1);
        play(&mut loudest, start, 50, |key, _| if key == 0 { 20 } else { 80 });
        loudest.remove(0);
        let change = loudest.observe(3, 80, start + Duration::from_secs(1));
        assert_eq!(change, [None, Some(Change { key: 3, heard: true })]);
    }
}
