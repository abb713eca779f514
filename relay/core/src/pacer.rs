//! How fast the packets of one peer go out: trains of them, as a key frame is, are drawn out to what the link carries.
//!
//! A train sent at once waits in the queue before the narrow link, or overruns it; sound behind it waits too. Drawn out it
//! waits here, where sound passes it. A bucket of bytes fills at the pace; everything sent takes from it, and pictures wait
//! while it is empty. What ordinary frames bring fits into it, and without a pace nothing is counted. So that nothing waits
//! for long, many packets go faster than the pace; but not while pictures that do not fit are borne for a moment, or these
//! would fill the queue that is to drain.

/// Bytes that may always go at once: an ordinary frame.
const DEPTH: u64 = 12_000;
/// The same of a fast link, µs of its pace.
const DEPTH_TIME: u64 = 15_000;
/// What is sent regardless of the pace holds pictures up for no longer than this, µs of the pace.
const DEBT_TIME: u64 = 100_000;
/// Packets wait about this long at most, µs: many of them go faster than the link would take them.
const HOLD: u64 = 1_000_000;
/// Size assumed of packets that wait, bytes.
const PACKET: u64 = 1_200;

/// The bucket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pacer {
    /// Bytes per second, 0 where nothing limits.
    rate: u64,
    bytes: i64,
    /// When it was last filled, µs.
    at: u64,
    /// However many wait, none goes faster than the pace.
    firm: bool,
}

impl Pacer {
    /// Sends at so many bit/s from now on; `None`: at once.
    pub fn set_pace(&mut self, pace: Option<u64>) {
        let rate = pace.map_or(0, |pace| (pace / 8).max(1));
        if self.rate == 0 {
            self.bytes = depth(rate);
        }
        self.rate = rate;
    }

    /// Keeps to the pace, however many packets wait, or no longer.
    pub fn set_firm(&mut self, firm: bool) {
        self.firm = firm;
    }

    /// Whether it keeps to the pace, however many packets wait.
    #[must_use]
    pub fn is_firm(&self) -> bool {
        self.firm
    }

    /// Whether anything is ever held.
    #[inline]
    #[must_use]
    pub fn limits(&self) -> bool {
        self.rate != 0
    }

    /// Fills the bucket up to `now`, µs, while so many packets wait.
    pub fn fill(&mut self, waiting: u64, now: u64) {
        let elapsed = now.saturating_sub(self.at).min(HOLD);
        self.at = now;
        let soon = if self.firm { 0 } else { waiting * PACKET * 1_000_000 / HOLD };
        let rate = self.rate.max(soon);
        let bytes = (rate * elapsed / 1_000_000).cast_signed();
        self.bytes = (self.bytes + bytes).min(depth(rate));
    }

    /// Whether one more packet may go now.
    #[inline]
    #[must_use]
    pub fn admits(&self) -> bool {
        self.bytes > 0
    }

    /// So many bytes were sent.
    #[inline]
    pub fn spend(&mut self, bytes: usize) {
        if self.rate != 0 {
            let debt = (self.rate * DEBT_TIME / 1_000_000).cast_signed();
            self.bytes = (self.bytes - (bytes as u64).cast_signed()).max(-debt.max(PACKET.cast_signed()));
        }
    }
}

/// Bytes that may go at once at a pace.
fn depth(rate: u64) -> i64 {
    DEPTH.max(rate * DEPTH_TIME / 1_000_000).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets that go in each of `steps` of 5 ms, while there are any.
    fn drawn_out(pacer: &mut Pacer, mut packets: u64, from: u64) -> Vec<u64> {
        let mut steps = Vec::new();
        while packets > 0 {
            pacer.fill(packets, from + steps.len() as u64 * 5_000);
            let mut sent = 0;
            while packets > 0 && pacer.admits() {
                pacer.spend(1_200);
                (packets, sent) = (packets - 1, sent + 1);
            }
            steps.push(sent);
        }
        steps
    }

    #[test]
    fn a_frame_goes_at_once_and_a_train_is_drawn_out() {
        let mut pacer = Pacer::default();
        assert!(!pacer.limits());
        pacer.set_pace(Some(2_000_000));
        assert_eq!(drawn_out(&mut pacer, 10, 1_000_000), [10]);
        // 60 kB at 2 Mbit/s, but for what may go at once.
        let steps = drawn_out(&mut pacer, 50, 2_000_000);
        assert_eq!(steps[0], 10);
        assert!((36..=40).contains(&steps.len()), "{steps:?}");
        assert!(steps[1..].iter().all(|sent| *sent <= 2), "{steps:?}");
    }

    #[test]
    fn nothing_waits_for_long() {
        let mut pacer = Pacer::default();
        pacer.set_pace(Some(100_000));
        let steps = drawn_out(&mut pacer, 100, 1_000_000);
        assert!(steps.len() <= 700, "{}", steps.len());
        let soon: u64 = steps[..200].iter().sum();
        assert!(soon > 55, "{soon} packets of 100 in a second, where ten would go");
    }

    #[test]
    fn a_firm_pace_is_kept_however_much_waits() {
        let mut pacer = Pacer::default();
        pacer.set_pace(Some(100_000));
        pacer.set_firm(true);
        let steps = drawn_out(&mut pacer, 30, 1_000_000);
        // 20 packets of 1,200 bytes after the ten that go at once.
        assert!((360..=400).contains(&steps.len()), "{}", steps.len());
        pacer.set_firm(false);
        assert!(drawn_out(&mut pacer, 100, 10_000_000).len() <= 700);
    }

    #[test]
    fn what_is_not_held_does_not_hold_the_rest_up_for_ever() {
        let mut pacer = Pacer::default();
        pacer.set_pace(Some(1_000_000));
        (0..1_000).for_each(|_| pacer.spend(1_200));
        pacer.fill(1, 1_000_000);
        pacer.fill(1, 1_110_000);
        assert!(pacer.admits());
    }
}
