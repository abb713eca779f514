//! What one subscriber's link carries: the send-side bandwidth estimate of a transport.
//!
//! Written from draft-ietf-rmcat-gcc-02 (delay-based and loss-based control), draft-holmer-rmcat-transport-wide-cc-
//! extensions-01 (the feedback), Carlucci et al., "Analysis and Design of the Google Congestion Control for Web Real-Time
//! Communication" (2016), and draft-alvestrand-rmcat-remb-03.
//!
//! Feedback tells which packets arrived, and when: [`groups`] makes of it how the delay changes, [`detector`] whether a
//! queue grows, [`control`] a rate; [`loss`] bounds that rate, [`probe`] finds out whether more would pass.
//!
//! Times are µs since the media plane began (`u64`), arrival times µs of the receiver's clock (`i64`), rates bit/s.
//! Nothing here allocates per packet, and nothing a subscriber tells costs more than a bounded amount of work.

pub mod control;
pub mod detector;
pub mod groups;
pub mod history;
pub mod loss;
pub mod meter;
pub mod probe;

mod judgement;

pub use judgement::TICK;

use control::Control;
use detector::Detector;
use groups::Groups;
use history::{Fate, History, Lookup};
use loss::Loss;
use meter::Meter;
use probe::Probe;

use crate::drop::Reason;
use crate::twcc::Feedback;

/// Never estimated lower: audio goes through.
pub const MIN: u64 = 30_000;
/// Never estimated higher.
pub const MAX: u64 = 30_000_000;
/// Where the search for the rate begins, bit/s.
const START: f64 = 600_000.0;
/// Packets one feedback may cover for each that was sent since: some receivers repeat themselves.
const TOLD: u64 = 4;
/// That many at most.
const MOST_TOLD: u64 = 16_384;
/// The least round trip is that of the last two of these, µs.
const EPOCH: u64 = 10_000_000;
/// Steps of the two meters: of the receiver's clock, and of ours, µs.
const STEP: i64 = 25_000;
const OWN_STEP: i64 = 50_000;
/// The receiver's 24-bit reference time goes round after so many µs.
const CIRCLE: i64 = (1 << 24) * 64_000;

/// The estimate of one transport.
#[derive(Debug)]
pub struct Estimator {
    history: History,
    /// Probe cluster of the packets being sent, 0 for none.
    cluster: u8,
    /// Bytes sent without a transport-wide number since the last one with.
    untold: usize,
    /// Bytes sent, and when the last of them were.
    bytes: u64,
    sent: u64,
    /// Bytes sent when losses were last reported.
    reported: u64,
    /// Packets that feedback may still tell of.
    allowance: u64,
    /// The receiver's clock.
    clock: Option<i64>,
    arrived: Meter,
    told: Meter,
    groups: Groups,
    detector: Detector,
    control: Control,
    loss: Loss,
    probe: Probe,
    /// Whether the rate is more than a guess.
    known: bool,
    /// Whether the link was last found to carry no more.
    full: bool,
    /// First and last feedback, and packets sent before the last.
    first: Option<u64>,
    last: Option<(u64, u64)>,
    rtt: Option<u64>,
    /// The least time from sending to feedback of the last one or two [`EPOCH`]s, and when the last began, µs.
    quickest: [u64; 2],
    epoch: u64,
    decreased: u64,
    /// When the rate last fell, the queue then, and what arrived then: what became of the queue is looked at once.
    relief: Option<(u64, i64, f64)>,
    next_probe: u64,
    /// Whether the probe being sent repeats one.
    confirming: bool,
    remb: Option<(u64, u64)>,
    /// What would be sent if the link carried it, bit/s, once that was told.
    wanted: Option<u64>,
}

impl Default for Estimator {
    fn default() -> Self {
        Self {
            history: History::default(),
            cluster: 0,
            untold: 0,
            bytes: 0,
            sent: 0,
            reported: 0,
            allowance: 0,
            clock: None,
            arrived: Meter::new(STEP),
            told: Meter::new(OWN_STEP),
            groups: Groups::default(),
            detector: Detector::default(),
            control: Control::new(START),
            loss: Loss::default(),
            probe: Probe::default(),
            known: false,
            full: false,
            first: None,
            last: None,
            rtt: None,
            quickest: [u64::MAX; 2],
            epoch: 0,
            decreased: 0,
            relief: None,
            next_probe: 0,
            confirming: false,
            remb: None,
            wanted: None,
        }
    }
}

impl Estimator {
    /// The transport-wide number of the next packet that carries one.
    #[inline]
    #[must_use]
    pub fn next_number(&self) -> u16 {
        self.history.next()
    }

    /// A packet of `bytes` was sent at `now`; `numbered` if it carried [`Estimator::next_number`].
    #[inline]
    pub fn sent(&mut self, bytes: usize, numbered: bool, now: u64) {
        self.bytes += bytes as u64;
        self.sent = now;
        if !numbered {
            self.untold += bytes;
            return;
        }
        let size = bytes + std::mem::take(&mut self.untold);
        self.history.push(now, size, self.cluster);
        if self.cluster != 0 {
            self.probe.sent(size as u64, now);
            self.cluster = self.probe.sending();
        }
    }

    /// Tells what would be sent if the link carried it, bit/s. The link is probed only while its estimate is below.
    pub fn set_wanted(&mut self, bitrate: u64) {
        self.wanted = Some(bitrate.min(MAX));
    }

    /// Takes in a receiver estimated maximum bitrate.
    pub fn on_remb(&mut self, bitrate: u64, now: u64) {
        self.remb = Some((bitrate, now));
    }

    /// Takes in one report block: of `expected` packets since the last one, `fraction_lost`/256 were lost. Where there is
    /// transport-wide feedback, that tells it better.
    pub fn on_report(&mut self, fraction_lost: u8, expected: u64, now: u64) {
        if self.first.is_some() {
            return;
        }
        let sent = self.bytes - std::mem::replace(&mut self.reported, self.bytes);
        self.loss.add(expected, expected * u64::from(fraction_lost) / 256, sent);
        self.told.add(now.cast_signed(), sent);
        if let Some(rate) = self.told.rate(19) {
            self.loss.update(rate, 0.0, now);
        }
    }

    /// Takes in transport-wide feedback.
    ///
    /// # Errors
    /// [`Reason::Malformed`]; [`Reason::FeedbackUnsent`] when it tells of packets that were never sent;
    /// [`Reason::FeedbackFlood`] when it tells of many more than were sent. Nothing of it is then believed.
    pub fn on_feedback(&mut self, content: &[u8], now: u64) -> Result<(), Reason> {
        let feedback = Feedback::parse(content).ok_or(Reason::Malformed)?;
        self.check(&feedback)?;
        for (number, arrival) in feedback {
            let Lookup::Known(extended) = self.history.look_up(number) else { continue };
            match arrival {
                Some(arrival) => self.on_arrived(extended, arrival, now),
                None => self.on_missing(extended),
            }
        }
        self.conclude(now);
        Ok(())
    }

    fn check(&mut self, feedback: &Feedback<'_>) -> Result<(), Reason> {
        let (first, count) = feedback.range();
        let sent = self.history.count();
        let last = first.wrapping_add(count.saturating_sub(1));
        if u64::from(count) > sent || [first, last].iter().any(|at| self.history.look_up(*at) == Lookup::Unsent) {
            return Err(Reason::FeedbackUnsent);
        }
        let since = sent - self.last.map_or(0, |(_, sent)| sent);
        self.last = Some((self.last.map_or(0, |(at, _)| at), sent));
        self.allowance = (self.allowance + TOLD * since).min(MOST_TOLD);
        self.allowance = self.allowance.checked_sub(count.into()).ok_or(Reason::FeedbackFlood)?;
        Ok(())
    }

    fn on_arrived(&mut self, extended: u64, arrival: i64, now: u64) {
        let Some((sent, before)) = self.history.settle(extended, Fate::Arrived) else { return };
        if before == Fate::Arrived {
            return;
        }
        if before == Fate::Missing {
            self.loss.take_back();
        } else {
            self.loss.add(1, 0, sent.size());
        }
        let arrival = self.unwrap(arrival);
        let at = sent.at(now);
        self.on_round_trip(now.saturating_sub(at), now);
        self.arrived.add(arrival, sent.size());
        self.told.add(now.cast_signed(), sent.size());
        self.probe.arrived(sent.cluster(), sent.size(), arrival);
        if let Some(variation) = self.groups.add(at, arrival) {
            self.detector.add(&variation);
        }
    }

    fn on_round_trip(&mut self, rtt: u64, now: u64) {
        if now.saturating_sub(self.epoch) > EPOCH {
            (self.epoch, self.quickest) = (now, [self.quickest[1], u64::MAX]);
        }
        self.quickest[1] = self.quickest[1].min(rtt);
        self.rtt = Some(rtt);
    }

    fn on_missing(&mut self, extended: u64) {
        if let Some((sent, Fate::Unknown)) = self.history.settle(extended, Fate::Missing) {
            self.loss.add(1, 1, sent.size());
            self.probe.missing(sent.cluster());
        }
    }

    /// An arrival time beyond the 24 bits of the reference time.
    fn unwrap(&mut self, arrival: i64) -> i64 {
        let last = *self.clock.get_or_insert(arrival);
        let step = (arrival - last).rem_euclid(CIRCLE);
        let unwrapped = last + if step < CIRCLE / 2 { step } else { step - CIRCLE };
        self.clock = Some(unwrapped);
        unwrapped
    }
}

#[cfg(test)]
mod tests;
