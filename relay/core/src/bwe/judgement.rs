//! From what was told to the estimate, and when to probe.

use super::control::{STANDING_QUEUE, Signal};
use super::detector::Usage;
use super::probe::Outcome;
use super::{Control, Estimator, MAX, MIN, START};

/// A guess becomes the estimate this long after the first feedback, µs.
const GUESSED: u64 = 500_000;
/// Without feedback for this long while packets are sent the rate is halved, µs and packets.
const SILENCE: u64 = 2_000_000;
const SILENCE_PACKETS: u64 = 10;
/// A REMB besides transport-wide feedback holds this long, µs.
const REMB_HOLDS: u64 = 5_000_000;
/// One alone holds this long, and is not believed below this, bit/s: who is sent little cannot tell what would pass, and
/// who is sent nothing tells nothing any more.
const REMB_ALONE_HOLDS: u64 = 10_000_000;
const REMB_ALONE_LEAST: u64 = 100_000;
/// The arrival clock may make the rate at most this much higher than our own clock does.
const CLOCKS: f64 = 1.5;
/// A probe aims at so many times the rate, the first one at so many times the guess.
const AIM: f64 = 2.0;
const FIRST_AIM: f64 = 3.0;
/// A probe aims at this at least, bit/s: a slower one does not come to its end in time, and who is down would stay there.
const LEAST_AIM: f64 = 300_000.0;
/// How far beyond what is wanted the link is known: frames come in trains, which a link of just their rate delays.
const BEYOND_WANTED: f64 = 2.0;
/// A probe that shows so many times the link's known capacity is repeated before it is believed.
const BOLD: f64 = 1.15;
/// Time to the next probe after one that found the link full, after one that found nothing, and after a decrease, µs.
const AFTER_FULL: u64 = 3_000_000;
const AFTER_UNCLEAR: u64 = 1_000_000;
const AFTER_DECREASE: u64 = 1_000_000;
/// A probe waits for a queue shorter than this, µs.
const FREE: i64 = 15_000;
/// After so long without a packet whatever was queued is gone, µs.
const DRAINED: u64 = 1_000_000;
/// When a queue is looked at after the rate fell, µs, and the share of what passed then that had to be sent meanwhile.
const RELIEF: u64 = 1_200_000;
const RELIEVED: f64 = 0.8;
/// What is sent goes so many times faster than what is known to pass, while the link's end was not found.
const FASTER: u64 = 3;
/// Less than this share of the rate is little.
const LITTLE: f64 = 0.6;
/// A turnaround is taken to be no longer than this, µs.
const LONGEST_TURNAROUND: u64 = 500_000;
/// Time between two bursts of a cluster, µs.
pub const TICK: u64 = 2_000;

impl Estimator {
    /// What the link carries, bit/s; `None` while nothing is known.
    #[must_use]
    pub fn estimate(&self) -> Option<u64> {
        let heard = self.last.map(|(at, _)| at).filter(|_| self.first.is_some());
        let asked = |(rate, at): (u64, u64)| heard.is_none_or(|heard| heard < at + REMB_HOLDS).then_some(rate);
        let rate = if self.first.is_some() { self.known.then(|| self.rate()) } else { self.loss.bound() };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
        let rate = rate.map(|rate| rate as u64);
        let alone = |rate: u64| if self.first.is_none() { rate.max(REMB_ALONE_LEAST) } else { rate };
        let asked = self.remb.and_then(asked).map(alone);
        let lower = match (rate, asked) {
            (Some(rate), Some(asked)) => Some(rate.min(asked)),
            (rate, asked) => rate.or(asked),
        };
        lower.map(|rate| rate.clamp(MIN, MAX))
    }

    /// Whether the estimate is less than passes, until a queue has drained.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.first.is_some() && self.control.is_draining()
    }

    /// What the receiver last asked for by REMB, bit/s.
    #[must_use]
    pub fn remb(&self) -> Option<u64> {
        self.remb.map(|(rate, _)| rate)
    }

    /// Probe clusters sent so far.
    #[must_use]
    pub fn probes(&self) -> u64 {
        self.probe.count()
    }

    /// bit/s at which to send what there is, `None` for at once: not faster than the link where its end was found, else
    /// somewhat faster than what is known to pass.
    #[must_use]
    pub fn pace(&self) -> Option<u64> {
        let faster = if self.full { 1 } else { FASTER };
        self.estimate().map(|rate| rate * faster)
    }

    /// How soon the receiver can ask again for what is sent now, µs, and whether packets wait in a queue.
    #[must_use]
    pub fn turnaround(&self) -> (u64, bool) {
        let quickest = self.quickest[0].min(self.quickest[1]);
        let queue = self.detector.queue();
        let time = if quickest == u64::MAX { 0 } else { quickest.saturating_add(queue.unsigned_abs()) };
        (time.min(LONGEST_TURNAROUND), queue > STANDING_QUEUE)
    }

    fn rate(&self) -> f64 {
        let rate = self.control.rate();
        self.loss.bound().map_or(rate, |bound| bound.min(rate))
    }

    /// Draws the conclusions from one feedback.
    pub(super) fn conclude(&mut self, now: u64) {
        let first = *self.first.get_or_insert(now);
        self.last = self.last.map(|(_, sent)| (now, sent));
        let acknowledged = self.acknowledged(19);
        let signal = Signal {
            usage: self.detector.usage(),
            queue: self.detector.queue(),
            acknowledged,
            latest: self.latest(acknowledged),
            #[allow(clippy::cast_precision_loss, reason = "µs")]
            rtt: self.rtt.unwrap_or_default() as f64 / 1e6,
        };
        if !self.known
            && signal.usage == Usage::Normal
            && let Some(rate) = acknowledged
        {
            self.control.raise(rate);
        }
        let fell = self.control.update(&signal, now);
        if fell {
            self.loss.excuse(now + self.rtt.unwrap_or_default());
        }
        self.see_relief(fell, &signal, now);
        let lost = self.loss.update(self.control.rate(), acknowledged.unwrap_or_default(), now);
        self.full |= fell;
        if fell || lost {
            self.decreased = now;
        }
        self.judge_probe(now);
        self.known |= fell || lost || now.saturating_sub(first) >= GUESSED;
        self.plan(now);
    }

    /// What arrived a moment ago. Where little was sent until then, only the last part of it tells what passes.
    fn latest(&self, acknowledged: Option<f64>) -> Option<f64> {
        let latest = self.acknowledged(6).or(acknowledged);
        let rate = self.control.rate();
        let moment = self.arrived.rate(3).map(|moment| moment.min(rate));
        let little = latest.is_some_and(|latest| latest < LITTLE * rate);
        latest.map(|latest| if little { latest.max(moment.unwrap_or(0.0)) } else { latest })
    }

    /// A queue of ours shrinks when less is sent. One that does not is not held against the path.
    fn see_relief(&mut self, fell: bool, signal: &Signal, now: u64) {
        let passes = signal.acknowledged.unwrap_or_default();
        match &mut self.relief {
            None if fell && signal.queue > STANDING_QUEUE => self.relief = Some((now, signal.queue, passes)),
            Some((_, queue, _)) if signal.queue < *queue / 4 * 3 => self.relief = None,
            Some((at, _, before)) if now.saturating_sub(*at) > RELIEF => {
                if passes < RELIEVED * *before {
                    self.detector.forgive();
                }
                self.relief = None;
            }
            _ => {}
        }
    }

    /// What arrived over so many steps; a receiver's clock that runs too fast does not make it more.
    fn acknowledged(&self, steps: i64) -> Option<f64> {
        let rate = self.arrived.rate(steps)?;
        Some(self.told.rate(19).map_or(rate, |own| rate.min(CLOCKS * own)))
    }

    fn judge_probe(&mut self, now: u64) {
        let Some(outcome) = self.probe.outcome(now) else { return };
        self.cluster = self.probe.sending();
        match outcome {
            Outcome::Unclear => {
                self.confirming = false;
                self.next_probe = now + AFTER_UNCLEAR;
            }
            Outcome::Passed { rate, full } => {
                self.full = full;
                let bold = self.control.capacity().is_some_and(|capacity| rate > BOLD * capacity);
                if bold && !std::mem::replace(&mut self.confirming, true) {
                    // Jitter can make a cluster look quicker than the link: once more.
                    self.next_probe = now;
                    return;
                }
                if self.known {
                    self.control.raise(rate);
                } else {
                    let passed = self.acknowledged(19).filter(|_| !full).unwrap_or_default();
                    self.control = Control::found(rate.max(passed), self.detector.queue());
                }
                self.known = true;
                self.confirming = false;
                self.loss.raise(rate);
                self.next_probe = now + if full { AFTER_FULL } else { 0 };
            }
        }
    }

    /// Lets time pass: notices silence, and begins a probe when one is due. True while a cluster is being sent.
    pub fn plan(&mut self, now: u64) -> bool {
        self.notice_silence(now);
        let expired = |(_, at): &(u64, u64)| self.first.is_none() && now.saturating_sub(*at) > REMB_ALONE_HOLDS;
        self.remb = self.remb.filter(|remb| !expired(remb));
        self.judge_probe(now);
        if now.saturating_sub(self.sent) > DRAINED {
            // Where all is paused for want of bandwidth nothing tells of the queue: without this it would stay so.
            self.detector.rest();
        }
        if !self.probe.is_busy() && self.may_probe(now) {
            #[allow(clippy::cast_precision_loss, reason = "a rate")]
            let most = self.wanted.map_or(MAX as f64, |wanted| BEYOND_WANTED * wanted as f64);
            let passed = self.acknowledged(6).unwrap_or_default();
            let aim = if self.known { AIM * self.rate() } else { (FIRST_AIM * START).max(AIM * passed) };
            self.next_probe = now + AFTER_FULL;
            self.probe.begin(aim.min(most).max(LEAST_AIM), now);
            self.cluster = self.probe.sending();
        }
        self.cluster != 0
    }

    fn may_probe(&self, now: u64) -> bool {
        let quiet = self.detector.usage() != Usage::Over
            && (self.decreased == 0 || now.saturating_sub(self.decreased) > AFTER_DECREASE);
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let wants = self.wanted.map_or(!self.known, |wanted| self.rate() < BEYOND_WANTED * wanted as f64);
        let quiet = quiet && self.detector.queue() < FREE;
        self.first.is_some() && quiet && wants && now >= self.next_probe
    }

    fn notice_silence(&mut self, now: u64) {
        let Some((at, sent)) = self.last.filter(|_| self.first.is_some()) else { return };
        if now.saturating_sub(at) > SILENCE && self.history.count() - sent > SILENCE_PACKETS {
            self.control.lower(0.5 * self.control.rate());
            self.last = Some((now, self.history.count()));
        }
    }

    /// Bytes to be sent now to keep to the rate of the cluster being sent, 0 when there is none.
    #[must_use]
    pub fn padding_due(&self, now: u64) -> u64 {
        self.probe.due(now, TICK)
    }

    /// Gives a cluster up that nothing can be sent for.
    pub fn cancel_probe(&mut self, now: u64) {
        self.probe.cancel();
        self.cluster = 0;
        self.next_probe = now + AFTER_FULL;
    }
}
