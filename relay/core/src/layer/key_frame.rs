//! A layer's key frames: the newest, and when to ask for one.

use std::time::{Duration, Instant};

use super::Layer;
use crate::codec::Format;

/// Least time between two key frame requests for a layer.
///
/// A little more than the 300 ms within which libwebrtc ignores a second one.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(350);
/// A key frame that was asked for and has not come is asked for again.
pub(super) const KEY_FRAME_RETRY: Duration = Duration::from_millis(500);
/// How old a key frame may be for a new subscription to begin with it, out of the ring.
const FRESH: Duration = Duration::from_millis(400);
/// Key frame requests without a key frame, and time, after which a video payload is taken for unreadable: then decoding
/// may begin anywhere, as with a format we do not know. It is the subscriber's to ask for a key frame.
const UNREADABLE: (u64, Duration) = (3, Duration::from_millis(1_500));

impl Layer {
    pub(super) fn note_key_frame(&mut self, timestamp: u32, index: u64, now: Instant) {
        match &mut self.key_frame {
            Some((newest, first, _)) if *newest == timestamp => *first = index.min(*first),
            _ => {
                self.key_frame = Some((timestamp, index, now));
                self.key_frames += 1;
                self.wanted = None;
            }
        }
    }

    /// The first packet of a key frame so recent that a new subscription may begin with it, when all since is there.
    #[must_use]
    pub fn fresh_key_frame(&self, now: Instant) -> Option<u64> {
        let (_, first, at) = self.key_frame?;
        let fresh = now.saturating_duration_since(at) < FRESH && self.missing.none_since(first);
        (fresh && self.newest()? - first < self.ring.packets() / 2).then_some(first)
    }

    /// Whether a key frame was ever seen.
    #[must_use]
    pub fn had_key_frame(&self) -> bool {
        self.key_frames > 0
    }

    /// Takes the payload for unreadable when a key frame was asked for long enough: it may be encrypted end to end.
    pub fn doubt(&mut self, now: Instant) {
        let (requests, time) = UNREADABLE;
        let since = self.first_packet.map(|first| now.saturating_duration_since(first));
        if self.plis_sent >= requests && since.is_some_and(|since| since >= time) {
            self.format = Format::Opaque;
        }
    }

    /// Asks for a key frame: now, or as soon as the throttle allows, and again until one comes.
    pub fn want_key_frame(&mut self, now: Instant) {
        let earliest = self.asked.map_or(now, |asked| asked + KEY_FRAME_INTERVAL);
        let due = earliest.max(now);
        self.wanted = Some(self.wanted.map_or(due, |before| before.min(due)));
    }

    /// Whether one is asked for and has not come yet.
    #[must_use]
    pub fn wants_key_frame(&self) -> bool {
        self.wanted.is_some()
    }

    /// As [`Layer::want_key_frame`], unless one is asked for already.
    pub fn ensure_key_frame(&mut self, now: Instant) {
        if self.wanted.is_none() {
            self.want_key_frame(now);
        }
    }

    /// Nobody needs a key frame any more.
    pub fn forget_key_frame(&mut self) {
        self.wanted = None;
    }
}
