//! How long a video waits before it goes up again after it went down, and before it is paused.

use std::time::{Duration, Instant};

/// Wait before the next layer up.
const SHORTEST: Duration = Duration::from_secs(2);
/// The same when going up did not last, again and again.
const LONGEST: Duration = Duration::from_secs(16);
/// A paused video waits for a part of that only, for nothing is worse than no picture: 0.5 to 4 s.
const RESUME: u32 = 4;
/// What is shown is paused when it did not fit for so long: an estimate falls further than it has to while a queue drains,
/// and a picture that is paused is gone for longer than that.
const PATIENCE: Duration = Duration::from_millis(800);
/// The same while such a queue has not drained.
const LONG_PATIENCE: Duration = Duration::from_millis(1_600);
/// A way up that lasted this long was right.
const LASTING: Duration = Duration::from_secs(10);

/// How far a video may go up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// As far as there is room.
    Free,
    /// Not above this layer.
    Layer(u8),
    /// Not at all yet.
    Paused,
}

impl Ceiling {
    /// Whether a layer is below it.
    #[must_use]
    pub const fn admits(self, layer: u8) -> bool {
        match self {
            Self::Free => true,
            Self::Layer(highest) => layer <= highest,
            Self::Paused => false,
        }
    }
}

/// What a video was given, and when that changed.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    granted: Option<u8>,
    dropped: Option<Instant>,
    /// Since when it does not fit.
    short: Option<Instant>,
    /// When it last went up again.
    raised: Option<Instant>,
    wait: Duration,
}

impl Default for Hold {
    fn default() -> Self {
        Self { granted: None, dropped: None, short: None, raised: None, wait: SHORTEST }
    }
}

impl Hold {
    /// The layer given the last time.
    #[must_use]
    pub const fn granted(&self) -> Option<u8> {
        self.granted
    }

    /// How far the video may go up.
    #[must_use]
    pub fn ceiling(&self, now: Instant) -> Ceiling {
        let since = self.dropped.map(|dropped| now.saturating_duration_since(dropped));
        match (since, self.granted) {
            (Some(since), None) if since < self.wait / RESUME => Ceiling::Paused,
            (Some(since), Some(layer)) if since < self.wait => Ceiling::Layer(layer),
            // What resumes goes up from the lowest layer like everything else.
            _ => Ceiling::Free,
        }
    }

    /// Whether it is too early to pause it, should it not fit; `draining` tells whether a queue has yet to drain.
    #[must_use]
    pub fn is_patient(&self, draining: bool, now: Instant) -> bool {
        let patience = if draining { LONG_PATIENCE } else { PATIENCE };
        self.short.is_none_or(|since| now.saturating_duration_since(since) < patience)
    }

    /// Since when it is shown and does not fit.
    #[must_use]
    pub const fn short(&self) -> Option<Instant> {
        self.short
    }

    /// Notes whether it is shown and does not fit. When it is to be looked at again if that goes on.
    pub fn lack(&mut self, short: bool, now: Instant) -> Option<Instant> {
        self.short = short.then(|| self.short.unwrap_or(now));
        let pause = |patience: Duration| self.short.map(|since| since + patience).filter(|at| *at > now);
        pause(PATIENCE).or_else(|| pause(LONG_PATIENCE))
    }

    /// Lets it go up at once, if it went down since then: what it made room for was paused after all, and that there is room
    /// now says nothing of a link that swings.
    pub fn release(&mut self, since: Instant) {
        self.dropped = self.dropped.filter(|dropped| *dropped < since);
    }

    /// Takes a decision in. `had` tells whether the layer given before still could be: else its loss says nothing of the
    /// bandwidth.
    pub fn decide(&mut self, granted: Option<u8>, had: bool, now: Instant) {
        let before = std::mem::replace(&mut self.granted, granted);
        if granted > before {
            // The first one is no way back up.
            self.raised = self.dropped.map(|_| now);
        } else if granted < before && had {
            // Only the first way down after one up tells whether that was right.
            if let Some(raised) = self.raised.take() {
                let lasted = now.saturating_duration_since(raised) >= LASTING;
                self.wait = if lasted { SHORTEST } else { (self.wait * 2).min(LONGEST) };
            }
            self.dropped = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(100);

    #[test]
    fn waits_longer_each_time_going_up_did_not_last() {
        let mut now = Instant::now();
        let mut hold = Hold::default();
        let mut waits = Vec::new();
        for _ in 0..5 {
            hold.decide(Some(2), true, now);
            now += Duration::from_secs(1);
            hold.decide(Some(1), true, now);
            let dropped = now;
            while hold.ceiling(now) == Ceiling::Layer(1) {
                now += Duration::from_millis(100);
            }
            assert_eq!(hold.ceiling(now), Ceiling::Free);
            waits.push((now - dropped).as_secs());
        }
        assert_eq!(waits, [2, 4, 8, 16, 16]);
        hold.decide(Some(2), true, now);
        now += LASTING;
        hold.decide(Some(1), true, now);
        assert_eq!(hold.ceiling(now + SHORTEST), Ceiling::Free, "that one lasted");
    }

    #[test]
    fn a_pause_is_short() {
        let now = Instant::now();
        let mut hold = Hold::default();
        let mut pause = |before: Duration| {
            hold.decide(Some(0), true, now);
            hold.decide(None, true, now + before);
            let steps = (0..100).map(|step| Duration::from_millis(100) * step);
            steps.into_iter().find(|wait| hold.ceiling(now + before + *wait) == Ceiling::Free).unwrap().as_millis()
        };
        assert_eq!(pause(LASTING), 500);
        assert_eq!([0, 1, 2, 3, 4].map(|_| pause(Duration::from_secs(1))), [1000, 2000, 4000, 4000, 4000]);
        assert_eq!(pause(LASTING), 500);
    }

    #[test]
    fn what_went_down_in_vain_is_released() {
        let now = Instant::now();
        let mut hold = Hold::default();
        hold.decide(Some(2), true, now);
        hold.decide(Some(0), true, now);
        hold.release(now + STEP);
        assert_eq!(hold.ceiling(now + STEP), Ceiling::Layer(0), "it was for something else");
        hold.release(now);
        assert_eq!(hold.ceiling(now + STEP), Ceiling::Free);
    }

    #[test]
    fn a_layer_that_ended_is_no_way_down() {
        let now = Instant::now();
        let mut hold = Hold::default();
        hold.decide(Some(2), true, now);
        hold.decide(Some(0), false, now);
        assert_eq!((hold.ceiling(now), hold.granted()), (Ceiling::Free, Some(0)));
    }
}
