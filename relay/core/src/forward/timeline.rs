//! The timeline a subscriber sees, continuous over layers whose timestamps have nothing in common.

use std::time::Instant;

use super::Run;
use crate::codec::{Picture, Shift};
use crate::rtcp::SenderInfo;

/// Sender reports that disagree with arrival times by more than this many seconds are not believed.
const MAX_DISAGREEMENT: f64 = 2.0;
const FRACTION: f64 = 4_294_967_296.0;

/// Where a subscriber's stream stands.
#[derive(Clone, Copy, Debug)]
pub struct Timeline {
    clock_rate: f64,
    /// Timestamp of the newest packet and when it was sent.
    newest: Option<(u32, Instant)>,
    /// How far the current run is ahead of where it belongs, because time may not stand still.
    ahead: u32,
    picture_id: u16,
    tl0: u8,
    frame: u16,
}

impl Timeline {
    /// A timeline of nothing yet. `clock_rate` in Hz.
    #[must_use]
    pub fn new(clock_rate: u32) -> Self {
        Self { clock_rate: f64::from(clock_rate.max(1)), newest: None, ahead: 0, picture_id: 0, tl0: 0, frame: 0 }
    }

    /// Timestamp of the newest packet, 0 before the first.
    #[must_use]
    pub fn latest(&self) -> u32 {
        self.newest.map_or(0, |(timestamp, _)| timestamp)
    }

    /// Notes the newest packet as the subscriber sees it.
    #[inline]
    pub fn advance(&mut self, timestamp: u32, picture: &Picture, shift: Shift, now: Instant) {
        self.newest = Some((timestamp, now));
        if picture.has_id() {
            self.picture_id = picture.shifted_id(shift);
            self.tl0 = picture.shifted_tl0(shift);
        }
        self.frame = picture.shifted_frame(shift).unwrap_or(self.frame);
    }

    /// What to add to picture numbers so that `picture` is the one after the newest.
    #[must_use]
    pub fn picture_shift(&self, picture: &Picture, before: Shift) -> Shift {
        let mut shift = before;
        if picture.has_id() {
            shift.id = self.picture_id.wrapping_add(1).wrapping_sub(picture.id);
            shift.tl0 = self.tl0.wrapping_add(1).wrapping_sub(picture.tl0);
        }
        if let Some(frame) = picture.frame {
            shift.frame = self.frame.wrapping_add(1).wrapping_sub(frame);
        }
        shift
    }

    /// What to add to timestamps of `layer` so that one of `timestamp`, forwarded now, continues the stream.
    ///
    /// A run of the same layer keeps its offset. Another layer is aligned by both layers' sender reports (the publisher's
    /// own clock), or without them by the time that passed. Time never stands still nor goes back.
    pub fn shift(
        &mut self,
        before: &Run,
        layer: u8,
        timestamp: u32,
        report: impl Fn(u8) -> Option<SenderInfo>,
        now: Instant,
    ) -> u32 {
        let Some((newest, at)) = self.newest else {
            return before.timestamp;
        };
        let elapsed = self.ticks(now.saturating_duration_since(at).as_secs_f64());
        let by_time = newest.wrapping_add(elapsed).wrapping_sub(self.ahead);
        let offset = before.timestamp.wrapping_sub(self.ahead);
        let exact = if layer == before.layer {
            Some(timestamp.wrapping_add(offset))
        } else {
            report(before.layer)
                .zip(report(layer))
                .map(|(old, new)| self.aligned(&old, &new, timestamp).wrapping_add(offset))
        };
        let limit = self.ticks(MAX_DISAGREEMENT).cast_signed();
        let believed = exact.filter(|exact| exact.wrapping_sub(by_time).cast_signed().abs() < limit).unwrap_or(by_time);
        let step = self.ticks(0.001).max(1);
        let outgoing =
            if believed.wrapping_sub(newest).cast_signed() > 0 { believed } else { newest.wrapping_add(step) };
        self.ahead = outgoing.wrapping_sub(believed);
        outgoing.wrapping_sub(timestamp)
    }

    /// The publisher's report, moved to now and to the subscriber's timestamps. Counts are not filled in.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "NTP time wraps by definition")]
    pub fn translate(&self, source: (SenderInfo, Instant), shift: u32, now: Instant) -> SenderInfo {
        let (info, at) = source;
        let elapsed = now.saturating_duration_since(at).as_secs_f64();
        SenderInfo {
            ntp: info.ntp.wrapping_add((elapsed * FRACTION) as u64),
            timestamp: info.timestamp.wrapping_add(shift).wrapping_add(self.ticks(elapsed)),
            ..SenderInfo::default()
        }
    }

    /// `timestamp` of the new layer in the old layer's timestamps.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "differences of seconds in ticks")]
    fn aligned(&self, old: &SenderInfo, new: &SenderInfo, timestamp: u32) -> u32 {
        let apart = new.ntp.wrapping_sub(old.ntp).cast_signed() as f64 / FRACTION * self.clock_rate;
        let since = timestamp.wrapping_sub(new.timestamp).cast_signed();
        let ticks = (apart + f64::from(since)).round() as i64;
        old.timestamp.wrapping_add((ticks as i32).cast_unsigned())
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "timestamps wrap by definition")]
    fn ticks(&self, seconds: f64) -> u32 {
        (seconds * self.clock_rate) as u64 as u32
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(timestamp: u32, now: Instant) -> Timeline {
        let mut timeline = Timeline::new(90_000);
        timeline.advance(timestamp, &Picture::default(), Shift::default(), now);
        timeline
    }

    #[test]
    fn by_time_without_reports() {
        let now = Instant::now();
        let run = Run { timestamp: 1, ..Run::default() };
        let shift = at(1000, now).shift(&run, 1, 777_777, |_| None, now + Duration::from_millis(100));
        assert_eq!(777_777u32.wrapping_add(shift), 10_000);
    }

    #[test]
    fn by_reports_across_wrap() {
        let now = Instant::now();
        let run = Run { timestamp: 5, ..Run::default() };
        let old = SenderInfo { ntp: 100 << 32, timestamp: 0xffff_0000, ..SenderInfo::default() };
        let new = SenderInfo { ntp: (101 << 32) + (1 << 31), timestamp: 50, ..SenderInfo::default() };
        let report = |layer| Some(if layer == 0 { old } else { new });
        // The new layer's 50 + 9000 is 1.6 s after the old report.
        let expected = 0xffff_0000u32.wrapping_add(144_000 + 5);
        let mut timeline = at(expected.wrapping_sub(4000), now);
        let shift = timeline.shift(&run, 1, 9050, report, now + Duration::from_millis(60));
        assert_eq!(9050u32.wrapping_add(shift), expected);
    }

    #[test]
    fn never_back() {
        let now = Instant::now();
        let run = Run::default();
        let same = at(5000, now).shift(&run, 0, 5000, |_| None, now);
        assert_eq!(5000u32.wrapping_add(same), 5090, "one millisecond on");
        let mut timeline = at(5000, now);
        let run = Run { timestamp: timeline.shift(&run, 1, 5000, |_| None, now), ..run };
        timeline.advance(5090, &Picture::default(), Shift::default(), now);
        let later = timeline.shift(&run, 2, 8600, |_| None, now + Duration::from_millis(40));
        assert_eq!(8600u32.wrapping_add(later), 8600, "which is taken back by the next run");
        let far = at(5000, now).shift(&run, 0, 900_000_000, |_| None, now + Duration::from_millis(10));
        assert_eq!(900_000_000u32.wrapping_add(far), 5900, "a jump is not believed");
    }

    #[test]
    fn translated_report() {
        let now = Instant::now();
        let info = SenderInfo { ntp: 7 << 32, timestamp: 100, packets: 9, octets: 9 };
        let seen = Timeline::new(48_000).translate((info, now), 50, now + Duration::from_millis(500));
        assert_eq!((seen.ntp, seen.timestamp), ((7 << 32) + (1 << 31), 24_150));
    }
}
