//! A receiver that gives nothing but receiver reports, on emulated links.

use std::collections::VecDeque;

use super::super::Estimator;
use super::link::{Link, Path};
use crate::noise::Noise;

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];
/// Largest packet, and time between two frames, µs.
const PACKET: u64 = 1_200;
const FRAME: u64 = 33_000;
/// Reports come once in so long, µs.
const INTERVALS: [u64; 2] = [1_000_000, 5_000_000];

/// One direction of media over one link, in steps of 1 ms, and reports back.
struct Call {
    estimator: Estimator,
    link: Link,
    noise: Noise,
    now: u64,
    media: u64,
    /// Media is sent in layers of these rates; the lowest, or nothing if it `pauses`, where none fits.
    layers: &'static [u64],
    pauses: bool,
    interval: u64,
    back: u64,
    /// Packets sent, and on their way: when they arrive, and their number.
    packets: u64,
    flights: Vec<(u64, u64)>,
    /// The receiver's highest number and count, and both at the last report.
    highest: u64,
    received: u64,
    reported: (u64, u64),
    reports: VecDeque<(u64, u8, u64)>,
    /// Each second: the estimate, and bytes sent and delivered.
    seconds: Vec<(Option<u64>, u64, u64)>,
}

impl Call {
    fn new(path: Path, media: u64, interval: u64, seed: u64) -> Self {
        let mut estimator = Estimator::default();
        estimator.set_wanted(media);
        Self {
            estimator,
            link: Link::new(path, seed),
            noise: Noise::new(seed ^ 0xfeed),
            now: 0,
            media,
            layers: &[],
            pauses: false,
            interval,
            back: path.delay,
            packets: 0,
            flights: Vec::new(),
            highest: 0,
            received: 0,
            reported: (0, 0),
            reports: VecDeque::new(),
            seconds: Vec::new(),
        }
    }

    fn run(mut self, seconds: u64) -> Self {
        while self.now < seconds * 1_000_000 {
            if self.now.is_multiple_of(1_000_000) {
                self.seconds.push((self.estimator.estimate(), 0, 0));
                self.estimator.plan(self.now);
            }
            if self.now.is_multiple_of(FRAME) {
                let share = 80 + self.noise.below(41);
                self.send(self.rate() * FRAME / 8_000_000 * share / 100);
            }
            self.receive();
            self.now += 1_000;
        }
        if std::env::var_os("BWE_TRACE").is_some() {
            for (second, (estimate, sent, delivered)) in self.seconds.iter().enumerate() {
                let estimate = estimate.map(|estimate| estimate / 1_000);
                println!("{second:4} s  {estimate:?}  sent {}, delivered {} kbit/s", sent / 125, delivered / 125);
            }
        }
        self
    }

    fn rate(&self) -> u64 {
        let most = self.estimator.estimate().unwrap_or(self.media).min(self.media);
        let fits = self.layers.iter().copied().filter(|layer| *layer <= most).max();
        match (self.layers.first(), fits) {
            (None, _) => most,
            (_, Some(layer)) => layer,
            (Some(lowest), None) => {
                if self.pauses {
                    0
                } else {
                    *lowest
                }
            }
        }
    }

    fn send(&mut self, mut bytes: u64) {
        while bytes > 0 {
            let size = bytes.min(PACKET);
            bytes -= size;
            self.packets += 1;
            self.estimator.sent(size as usize, false, self.now);
            let Some(second) = self.seconds.last_mut() else { return };
            second.1 += size;
            if let Some(arrives) = self.link.send(self.now, size) {
                second.2 += size;
                self.flights.push((arrives, self.packets));
            }
        }
    }

    fn receive(&mut self) {
        let now = self.now;
        for (_, number) in self.flights.extract_if(.., |(at, _)| *at <= now) {
            self.highest = self.highest.max(number);
            self.received += 1;
        }
        if now.is_multiple_of(self.interval) {
            let (expected, received) = (self.highest - self.reported.0, self.received - self.reported.1);
            self.reported = (self.highest, self.received);
            let fraction = (expected.saturating_sub(received) * 256).checked_div(expected).unwrap_or(0);
            self.reports.push_back((now + self.back, fraction as u8, expected));
        }
        while let Some((_, fraction, expected)) = self.reports.pop_front_if(|(at, ..)| *at <= now) {
            self.estimator.on_report(fraction, expected);
            self.estimator.on_report_end(now);
        }
    }

    /// The estimates of these seconds.
    fn estimates(&self, from: usize, to: usize) -> impl Iterator<Item = Option<u64>> + '_ {
        self.seconds[from..to].iter().map(|(estimate, ..)| *estimate)
    }

    /// Bytes sent and delivered in these seconds, as bit/s.
    fn rates(&self, from: usize, to: usize) -> (f64, f64) {
        let sum = |rate: fn(&(Option<u64>, u64, u64)) -> u64| {
            self.seconds[from..to].iter().map(rate).sum::<u64>() as f64 * 8.0 / (to - from) as f64
        };
        (sum(|second| second.1), sum(|second| second.2))
    }

    /// Seconds from `from` on until this much is delivered.
    fn reaches(&self, from: usize, rate: u64) -> Option<usize> {
        self.seconds[from..].iter().position(|(_, _, delivered)| delivered * 8 >= rate)
    }
}

fn each() -> impl Iterator<Item = (u64, u64)> {
    INTERVALS.into_iter().flat_map(|interval| SEEDS.map(|seed| (interval, seed)))
}

#[test]
fn a_narrow_link_is_kept_to() {
    for (interval, seed) in each() {
        let call = Call::new(Path::of(|_| 250_000), 2_000_000, interval, seed).run(120);
        let estimates: Vec<_> = call.estimates(15, 120).map(|estimate| estimate.unwrap_or(u64::MAX)).collect();
        let (least, most) = (*estimates.iter().min().unwrap(), *estimates.iter().max().unwrap());
        let (sent, delivered) = call.rates(15, 120);
        let lost = 1.0 - delivered / sent;
        println!("250 kbit/s, {interval} µs, seed {seed}: {least} to {most}, {delivered:.0} of {sent:.0} bit/s");
        assert!(least >= 150_000 && most <= 400_000 && delivered >= 200_000.0 && lost <= 0.1);
    }
}

#[test]
fn a_link_that_widens_is_found_to() {
    let rate = |now| if now < 40_000_000 { 100_000 } else { 2_000_000 };
    for (interval, seed) in each() {
        let call = Call::new(Path::of(rate), 2_000_000, interval, seed).run(110);
        let narrow = call.estimates(20, 40).max().flatten();
        let back = call.reaches(40, 1_700_000);
        println!("100 kbit/s to 2 Mbit/s, {interval} µs, seed {seed}: {narrow:?} bit/s, back in {back:?} s");
        assert!(narrow.is_some_and(|rate| rate < 180_000) && back.is_some_and(|back| back <= 30));
    }
}

#[test]
fn a_link_that_narrows_is_followed() {
    let rate = |now| if now < 20_000_000 { 2_000_000 } else { 250_000 };
    for (interval, seed) in each() {
        let call = Call::new(Path::of(rate), 1_500_000, interval, seed).run(80);
        let before = call.estimates(5, 20).map(|estimate| estimate.unwrap_or(u64::MAX)).min();
        let (sent, delivered) = call.rates(35, 80);
        println!("2 Mbit/s to 250 kbit/s, {interval} µs, seed {seed}: {before:?}, {delivered:.0} of {sent:.0} bit/s");
        assert!(before >= Some(1_500_000) && delivered >= 200_000.0 && sent <= 275_000.0);
    }
}

#[test]
fn random_loss_does_not_collapse_it() {
    for ((interval, seed), loss) in each().flat_map(|each| [5, 10, 15].map(|loss| (each, loss))) {
        let path = Path { loss, ..Path::of(|_| 2_000_000) };
        let call = Call::new(path, 4_000_000, interval, seed).run(180);
        let (_, delivered) = call.rates(10, 180);
        println!("{loss} % lost, {interval} µs, seed {seed}: {delivered:.0} bit/s");
        let least = 2e6 * (1.0 - loss as f64 / 100.0);
        assert!(delivered >= 0.75 * least);
    }
}

#[test]
fn random_loss_of_a_slow_stream_does_not_collapse_it() {
    for (interval, seed) in each() {
        let path = Path { loss: 5, ..Path::of(|_| 2_000_000) };
        let call = Call::new(path, 200_000, interval, seed).run(600);
        let (_, delivered) = call.rates(10, 600);
        println!("5 % of 200 kbit/s lost, {interval} µs, seed {seed}: {delivered:.0} bit/s");
        assert!(delivered >= 165_000.0);
    }
}

#[test]
fn layers_that_do_not_fit_are_tried_seldom() {
    for ((interval, seed), pauses) in each().flat_map(|each| [false, true].map(|pauses| (each, pauses))) {
        let mut call = Call::new(Path::of(|_| 250_000), 1_500_000, interval, seed);
        (call.layers, call.pauses) = (&[150_000, 500_000, 1_500_000], pauses);
        let call = call.run(600);
        let ((sent, delivered), tried) =
            (call.rates(60, 600), call.seconds[60..].iter().filter(|second| second.1 > 40_000));
        let tried = tried.count();
        println!("layers, {interval} µs, seed {seed}: {tried} s of a higher one, {delivered:.0} of {sent:.0} bit/s");
        assert!(tried <= 540 / 6 && delivered >= 130_000.0);
    }
}

#[test]
fn what_was_paused_for_want_of_bandwidth_is_found_to_fit_again() {
    let rate = |now| if (10_000_000..100_000_000).contains(&now) { 60_000 } else { 2_000_000 };
    for (interval, seed) in each() {
        let mut call = Call::new(Path::of(rate), 1_500_000, interval, seed);
        (call.layers, call.pauses) = (&[150_000, 500_000, 1_500_000], true);
        let call = call.run(200);
        let (first, whole) = (call.reaches(100, 100_000), call.reaches(100, 1_200_000));
        println!("paused, {interval} µs, seed {seed}: back in {first:?} s, whole in {whole:?} s");
        assert!(first.is_some_and(|back| back <= 45) && whole.is_some_and(|whole| whole <= 80));
    }
}
