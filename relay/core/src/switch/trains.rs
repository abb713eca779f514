//! Trains of packets, drawn out to what each subscriber's link carries.

use std::time::{Duration, Instant};

use super::Switch;
use crate::arena::Key;
use crate::egress::Moment;
use crate::outbox::Outbox;

/// Time between two parts of a train.
const TICK: Duration = Duration::from_millis(5);

impl Switch {
    /// Sees that what waits of a track is sent in time.
    pub(super) fn expect_train(&mut self, track: Key, now: Instant) {
        if !self.trains.contains(&track) {
            self.trains.push(track);
        }
        self.train_due.get_or_insert(now + TICK);
    }

    /// Sends what is due of the trains under way.
    pub(super) fn draw_out<O: Outbox>(&mut self, now: Instant, out: &mut O) {
        let moment = Moment::new(now, self.epoch);
        let mut trains = std::mem::take(&mut self.trains);
        trains.retain(|key| {
            let published = self.tracks.get_mut(*key);
            published.is_some_and(|published| published.track.draw_out(&moment, &mut self.egresses, out))
        });
        // Each in turn is the first to take of what its subscribers' paces allow.
        let next = usize::from(trains.len() > 1);
        trains.rotate_left(next);
        self.trains = trains;
        self.train_due = (!self.trains.is_empty()).then(|| now + TICK);
    }
}
