//! A sender that follows its estimate, and a receiver that gives transport-wide feedback.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::super::Estimator;
use super::link::{Link, Path};
use crate::noise::Noise;
use crate::rtcp::{Packet, Writer, packets};
use crate::twcc::Recorder;

/// Largest packet, bytes.
const PACKET: u64 = 1_200;
/// A frame's packets come in bursts, so many µs apart.
const BURST: u64 = 5_000;

/// Feedback on its way: when it comes, and its control information.
type Told = (u64, Vec<u8>);

/// One direction of media over one link, in steps of 1 ms.
pub struct Session {
    pub estimator: Estimator,
    pub link: Link,
    pub now: u64,
    /// The media the sender has, bit/s: it sends that, or the estimate if that is less.
    pub media: u64,
    /// Media is sent in layers of these rates, not at the estimate.
    pub layers: &'static [u64],
    /// Time between two frames, µs, and whether a frame is sent at once.
    pub frames: u64,
    pub at_once: bool,
    /// The receiver has no processor for up to so long, again and again, µs.
    pub stalls: u64,
    awake: u64,
    /// Nothing is sent where not even the lowest layer fits.
    pub pauses: bool,
    recorder: Recorder,
    epoch: Instant,
    noise: Noise,
    flights: Vec<(u64, u16)>,
    feedback: VecDeque<Told>,
    back: u64,
    /// Bursts of the frame being sent: when, and bytes.
    bursts: VecDeque<(u64, u64)>,
    frame: u64,
    /// Bytes delivered of media and probes, in steps of 100 ms.
    pub delivered: Vec<u64>,
    /// Bytes of probes sent.
    pub padding: u64,
    /// The estimate, and the queue in ms, each 100 ms.
    pub estimates: Vec<(u64, u64)>,
}

impl Session {
    pub fn new(path: Path, media: u64, seed: u64) -> Self {
        let epoch = Instant::now();
        let mut estimator = Estimator::default();
        estimator.set_wanted(media);
        Self {
            estimator,
            link: Link::new(path, seed),
            now: 0,
            media,
            layers: &[],
            frames: 33_333,
            at_once: false,
            stalls: 0,
            awake: 0,
            pauses: false,
            recorder: Recorder::new(epoch),
            epoch,
            noise: Noise::new(seed ^ 0xabcd),
            flights: Vec::new(),
            feedback: VecDeque::new(),
            back: path.delay,
            bursts: VecDeque::new(),
            frame: 0,
            delivered: Vec::new(),
            padding: 0,
            estimates: Vec::new(),
        }
    }

    /// Runs until `seconds` of virtual time.
    pub fn run(&mut self, seconds: f64) {
        while (self.now as f64) < seconds * 1e6 {
            self.step();
        }
    }

    fn step(&mut self) {
        self.now += 1_000;
        if self.now.is_multiple_of(100_000) {
            self.delivered.push(0);
            let queue = self.link.backlog(self.now) / 1_000;
            self.estimates.push((self.estimator.estimate().unwrap_or(0), queue));
        }
        self.receive();
        while self.feedback.front().is_some_and(|(at, _)| *at <= self.now) {
            let (_, content) = self.feedback.pop_front().unwrap();
            self.estimator.on_feedback(&content, self.now).unwrap();
        }
        if self.now.is_multiple_of(500_000) {
            self.estimator.plan(self.now);
        }
        self.send_media();
        if self.now.is_multiple_of(2_000) {
            self.send_padding();
        }
    }

    fn receive(&mut self) {
        let now = self.now;
        if now < self.awake {
            return;
        }
        let mut arrived: Vec<_> = self.flights.extract_if(.., |(at, _)| *at <= now).collect();
        arrived.sort_by_key(|(at, _)| *at);
        if self.stalls > 0 && !arrived.is_empty() {
            self.awake = now + self.noise.below(self.stalls);
        }
        for (at, number) in arrived {
            let at = if self.stalls > 0 { now } else { at };
            self.recorder.record(number, 1, self.epoch + Duration::from_micros(at));
        }
        let instant = self.epoch + Duration::from_micros(now);
        while self.recorder.next_feedback().is_some_and(|due| due <= instant) {
            let mut out = [0; 1_160];
            let mut writer = Writer::new(&mut out, 1);
            self.recorder.write_feedback(instant, &mut writer);
            let len = writer.len();
            for packet in packets(&out[..len]) {
                if let Packet::TransportCc { content } = packet {
                    self.feedback.push_back((now + self.back, content.to_vec()));
                }
            }
        }
    }

    fn rate(&self) -> u64 {
        let most = self.estimator.estimate().unwrap_or(self.media).min(self.media);
        if self.layers.is_empty() {
            return most;
        }
        let fits = self.layers.iter().copied().filter(|layer| *layer <= most).max();
        fits.unwrap_or(if self.pauses { 0 } else { self.layers[0] })
    }

    fn send_media(&mut self) {
        if self.now >= self.frame {
            self.frame = self.now + self.frames;
            let bytes = self.rate() * self.frames / 8_000_000 * (80 + self.noise.below(41)) / 100;
            if bytes == 0 {
                return;
            }
            // Within two thirds of the frame's time, as a publisher's pacer does.
            let count = if self.at_once { 1 } else { (bytes / (4 * PACKET) + 1).min(5) };
            self.bursts.extend((0..count).map(|burst| (self.now + burst * BURST, bytes / count)));
        }
        while self.bursts.front().is_some_and(|(at, _)| *at <= self.now) {
            let (_, bytes) = self.bursts.pop_front().unwrap();
            self.send(bytes);
        }
    }

    fn send_padding(&mut self) {
        let mut due = self.estimator.padding_due(self.now);
        while due > 0 {
            self.send(PACKET);
            self.padding += PACKET;
            due = due.saturating_sub(PACKET);
        }
    }

    /// Sends so many bytes in packets.
    fn send(&mut self, mut bytes: u64) {
        while bytes > 0 {
            let size = bytes.min(PACKET);
            bytes -= size;
            let number = self.estimator.next_number();
            self.estimator.sent(size as usize, true, self.now);
            if let Some(arrives) = self.link.send(self.now, size) {
                self.flights.push((arrives, number));
                if let Some(step) = self.delivered.last_mut() {
                    *step += size;
                }
            }
        }
    }

    /// Mean rate delivered between two instants in seconds, bit/s.
    pub fn throughput(&self, from: f64, to: f64) -> f64 {
        let steps = &self.delivered[(from * 10.0) as usize..(to * 10.0) as usize];
        steps.iter().sum::<u64>() as f64 * 80.0 / steps.len() as f64
    }

    /// The first instant from `from` s on at which the rate of a second reaches `rate`, s.
    pub fn reaches(&self, from: f64, rate: f64) -> Option<f64> {
        let first = (from * 10.0) as usize;
        let steps = first..self.delivered.len().saturating_sub(10);
        let found = steps.into_iter().find(|step| {
            let bytes: u64 = self.delivered[*step..step + 5].iter().sum();
            bytes as f64 * 16.0 >= rate
        });
        found.map(|step| (step - first) as f64 / 10.0)
    }
}
