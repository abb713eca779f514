//! A meeting of six of whom one is behind a link that narrows: that link with its queue, feedback, repair, and a receiver
//! that now and then waits for its processor.

use super::*;
use crate::noise::Noise;
use crate::rtcp::{Packet, packets};
use crate::twcc::Recorder;

/// bit/s of the link, and when it narrows and widens, ms.
const WIDE: u64 = 10_000_000;
const NARROW: u64 = 1_000_000;
const NARROWS: u64 = 6_000;
const WIDENS: u64 = 26_000;
const ENDS: u64 = 34_000;
/// What is shown may stutter for so long after the link narrowed, ms.
const SETTLE: u64 = 4_000;
/// Longest wait in the link's queue, µs.
const QUEUE: u64 = 300_000;
/// One way, ms.
const DELAY: u64 = 1;
/// bit/s of the layers of the one camera that has several, of the other cameras, and payload bytes of voices.
const LAYERS: [u64; 3] = [150_000, 500_000, 1_500_000];
const SMALL: [u64; 5] = [0, 150_000, 15_000, 15_000, 15_000];
const VOICES: [usize; 5] = [80, 90, 110, 120, 240];
/// RTP's header and SRTP's tag, and the headers of UDP, IP and Ethernet as a shaper counts them, bytes.
const HEADERS: u64 = 24 + 16 + 28 + 14;
/// What is missing is asked for so often, and given up after, ms.
const ASKS: u64 = 50;
const PATIENCE: u64 = 1_000;

/// Somebody with a camera and a microphone.
struct Person {
    client: Client,
    rates: Vec<u64>,
    /// ms between frames, and when the first comes.
    interval: u64,
    phase: u64,
    voice: usize,
    key: [bool; 3],
    frame: u32,
}

/// What the viewer has of one camera.
#[derive(Default)]
struct Picture {
    /// Packets not used yet, by extended number: whether it ends a frame, begins a key frame.
    waiting: BTreeMap<u64, (bool, bool)>,
    next: Option<u64>,
    unwrapper: crate::rtp::Unwrapper,
    stuck: u64,
    asked: u64,
    /// When frames could be shown, ms.
    frames: Vec<u64>,
}

impl Picture {
    fn add(&mut self, sequence: u16, ends: bool, key: bool, now: u64) {
        let number = self.unwrapper.next(sequence);
        if self.next.is_none_or(|next| number >= next) {
            self.waiting.insert(number, (ends, key));
        }
        while let Some((number, (ends, key))) = self.waiting.pop_first() {
            if !key && self.next != Some(number) {
                self.waiting.insert(number, (ends, key));
                break;
            }
            // A key frame out of turn makes what was before it needless, when nothing of it is missing any more.
            if self.next.is_some_and(|next| number > next) {
                self.waiting.insert(number, (ends, key));
                break;
            }
            self.next = Some(number + 1);
            self.stuck = now;
            if ends {
                self.frames.push(now);
            }
        }
    }

    /// What to ask for: numbers, and a key frame.
    fn missing(&mut self, now: u64) -> (Vec<u16>, bool) {
        let Some(next) = self.next else { return (Vec::new(), false) };
        let Some((last, _)) = self.waiting.last_key_value() else {
            self.stuck = now;
            return (Vec::new(), false);
        };
        if now < self.asked + ASKS {
            return (Vec::new(), false);
        }
        self.asked = now;
        if now > self.stuck + PATIENCE {
            // Goes on with the next key frame.
            self.next = self.waiting.iter().find(|(_, (_, key))| *key).map(|(number, _)| *number).or(self.next);
            self.stuck = now;
            return (Vec::new(), true);
        }
        let missing = (next..*last).filter(|number| !self.waiting.contains_key(number)).take(60);
        (missing.map(|number| number as u16).collect(), false)
    }
}

/// What happened to the one behind the link.
#[derive(Debug)]
struct Outcome {
    /// The longest time between two frames of each camera once settled, and after the link widened, ms.
    gaps: Vec<u64>,
    after: Vec<u64>,
    /// What 95 % of the packets waited less than at the link's head while it was narrow and settled, ms.
    waits: u64,
    /// When pictures were paused once settled, ms, and how many before.
    pauses: Vec<u64>,
    early: usize,
    /// Packets of sound published and received once settled.
    sounds: (usize, usize),
    /// The layer of the camera with several at the end.
    layer: Option<u8>,
}

fn frame(person: &mut Person, noise: &mut Noise) -> Vec<(u32, u32, bool, Vec<u8>)> {
    let mut out = Vec::new();
    for (layer, rate) in person.rates.iter().enumerate() {
        let key = std::mem::take(&mut person.key[layer]) || person.frame == 0;
        let mean = rate * person.interval / 8_000;
        let bytes = if key { mean * 4 } else { mean * (60 + noise.below(80)) / 100 };
        let parts = bytes.div_ceil(1_100).max(1);
        for part in 0..parts {
            let mut payload = vp8(key, part == 0, person.frame as u16, person.frame as u8, layer as u8);
            payload.resize((bytes / parts).max(20) as usize, layer as u8);
            out.push((100 + layer as u32, person.frame * person.interval as u32 * 90, part + 1 == parts, payload));
        }
    }
    person.frame += 1;
    out
}

/// The room, and the one behind the link.
struct Meeting {
    scene: Scene,
    noise: Noise,
    people: Vec<Person>,
    viewer: Client,
    recorder: Recorder,
    pictures: Vec<Picture>,
    /// What is on its way: when it comes, ms; and when the link is free, µs.
    link: Vec<(u64, Seen)>,
    free: u64,
    /// The receiver has no processor until then, and for up to so many ms, every second or so.
    awake: u64,
    stalls: u64,
    now: u64,
    waits: Vec<u64>,
    pauses: Vec<u64>,
    sounds: (usize, usize),
    layer: Option<u8>,
}

impl Meeting {
    fn new(seed: u64, stalls: u64) -> Self {
        let (mut noise, mut scene) = (Noise::new(seed), Scene::new());
        let viewer = scene.client();
        let mut people = Vec::new();
        for (number, (voice, small)) in (0u32..).zip(VOICES.into_iter().zip(SMALL)) {
            let client = scene.client();
            let rates = if number == 0 { LAYERS.to_vec() } else { vec![small] };
            let track = scene.switch.add_track(client.key, &video(rates.len() as u32), scene.now).unwrap();
            let sound = scene.switch.add_track(client.key, &audio(), scene.now).unwrap();
            for (track, ssrc, picture) in [(track, 900, true), (sound, 905, false)] {
                let config = shown(ssrc + number * 10, picture);
                scene.switch.subscribe(viewer.key, track, &config, scene.now).unwrap();
            }
            let interval = if number < 2 { 83 } else { 100 };
            people.push(Person { client, rates, interval, phase: noise.below(80), voice, key: [false; 3], frame: 0 });
        }
        let (recorder, pictures) = (Recorder::new(scene.now), people.iter().map(|_| Picture::default()).collect());
        let (link, waits, pauses) = (Vec::new(), Vec::new(), Vec::new());
        let (free, awake, now, sounds, layer) = (0, 0, 0, (0, 0), None);
        Self {
            scene,
            noise,
            people,
            viewer,
            recorder,
            pictures,
            link,
            free,
            awake,
            stalls,
            now,
            waits,
            pauses,
            sounds,
            layer,
        }
    }

    /// Lets a millisecond pass.
    fn step(&mut self) {
        self.now += 1;
        self.publish();
        self.scene.pass(Duration::from_millis(1));
        self.send();
        if self.now >= self.awake {
            if self.stalls > 0 && self.noise.chance(20) && self.noise.chance(1) {
                self.awake = self.now + self.noise.below(self.stalls);
            }
            self.receive();
            self.answer();
        }
        let withheld = |event: &SwitchEvent| matches!(event, SwitchEvent::Withheld { reason: Some(_), .. });
        let paused = self.scene.events().iter().filter(|event| withheld(event)).count();
        self.pauses.extend(vec![self.now; paused]);
    }

    fn is_settled(&self) -> bool {
        (NARROWS + SETTLE..WIDENS).contains(&self.now)
    }

    fn publish(&mut self) {
        let (now, settled) = (self.now, self.is_settled());
        for person in &mut self.people {
            let mut sent = Vec::new();
            if now % person.interval == person.phase {
                sent = frame(person, &mut self.noise);
            }
            if (now + person.phase).is_multiple_of(20) {
                sent.push((300, now as u32 * 48, false, vec![9; person.voice]));
                self.sounds.0 += usize::from(settled);
            }
            for (ssrc, timestamp, marker, payload) in sent {
                let payload_type = if ssrc == 300 { 111 } else { 96 };
                let packet = person.client.next(Sent { ssrc, payload_type, timestamp, marker, payload: &payload });
                self.scene.receive(&person.client, packet);
            }
        }
    }

    /// What the relay has sent: requests for key frames, and what goes into the link.
    fn send(&mut self) {
        let out = std::mem::take(&mut self.scene.out.packets);
        for person in &mut self.people {
            for compound in person.client.open(out.clone()).1 {
                for packet in packets(&compound) {
                    if let Packet::Pli { ssrc } = packet {
                        person.key[ssrc as usize - 100] = true;
                    }
                }
            }
        }
        let (now, settled) = (self.now * 1_000, self.is_settled());
        let rate = if (NARROWS..WIDENS).contains(&self.now) { NARROW } else { WIDE };
        for packet in self.viewer.open(out).0 {
            let begins = self.free.max(now);
            if begins - now > QUEUE {
                continue;
            }
            if settled {
                self.waits.push((begins - now) / 1_000);
            }
            self.free = begins + (packet.payload.len() as u64 + HEADERS) * 8_000_000 / rate;
            self.link.push((self.free / 1_000 + DELAY, packet));
        }
    }

    fn receive(&mut self) {
        let (now, settled) = (self.now, self.is_settled());
        for (_, packet) in self.link.extract_if(.., |(at, _)| *at <= now) {
            let (header, payload) = (&packet.header, &packet.payload);
            self.recorder.record(header.extensions.transport_cc.unwrap(), 900, self.scene.now);
            let person = (header.ssrc as usize - 900) / 10;
            let begins_key = |payload: &[u8]| payload[6] & 1 == 0 && payload[0] & 0x10 != 0;
            match (header.ssrc - 900) % 10 {
                0 => {
                    self.pictures[person].add(header.sequence, header.marker, begins_key(payload), now);
                    self.layer = if person == 0 { payload.last().copied() } else { self.layer };
                }
                1 if payload.len() > 8 => {
                    let sequence = u16::from_be_bytes([payload[0], payload[1]]);
                    self.pictures[person].add(sequence, header.marker, begins_key(&payload[2..]), now);
                }
                kind => self.sounds.1 += usize::from(kind == 5 && settled),
            }
        }
    }

    /// What the viewer says: what is missing, and what came when.
    fn answer(&mut self) {
        for (number, picture) in (0u32..).zip(&mut self.pictures) {
            let ssrc = 900 + number * 10;
            let (missing, key) = picture.missing(self.now);
            if !missing.is_empty() || key {
                let compound = self.viewer.rtcp(|writer| {
                    assert!(if key { writer.pli(ssrc) } else { writer.nack(ssrc, &missing) });
                });
                self.scene.receive(&self.viewer, compound);
            }
        }
        let (recorder, at) = (&mut self.recorder, self.scene.now);
        if recorder.next_feedback().is_some_and(|due| due <= at) {
            let compound = self.viewer.rtcp(|writer| recorder.write_feedback(at, writer));
            self.scene.receive(&self.viewer, compound);
        }
    }

    /// The longest time between two frames of each camera, ms.
    fn gaps(&self, from: u64, to: u64) -> Vec<u64> {
        let gap = |picture: &Picture| {
            let within = picture.frames.iter().copied().filter(|at| (from..to).contains(at));
            let times: Vec<u64> = std::iter::once(from).chain(within).chain([to]).collect();
            times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
        };
        self.pictures.iter().map(gap).collect()
    }
}

fn meeting(seed: u64, stalls: u64) -> Outcome {
    let mut meeting = Meeting::new(seed, stalls);
    while meeting.now < ENDS {
        meeting.step();
    }
    meeting.waits.sort_unstable();
    Outcome {
        gaps: meeting.gaps(NARROWS + SETTLE, WIDENS),
        after: meeting.gaps(WIDENS + 1_000, ENDS),
        waits: meeting.waits[meeting.waits.len() * 95 / 100],
        pauses: meeting.pauses.iter().copied().filter(|at| *at >= NARROWS + SETTLE).collect(),
        early: meeting.pauses.iter().filter(|at| **at < NARROWS + SETTLE).count(),
        sounds: meeting.sounds,
        layer: meeting.layer,
    }
}

#[test]
fn nobody_freezes_behind_a_link_that_narrows() {
    let mut early = 0;
    for seed in 1..=16 {
        let stalls = [0, 40, 80, 120][seed as usize % 4];
        let outcome = meeting(seed, stalls);
        let longest = outcome.gaps.iter().chain(&outcome.after).max();
        assert!(longest.is_some_and(|gap| *gap <= 500), "seed {seed}: {outcome:?}");
        assert_eq!(outcome.pauses, [], "seed {seed}");
        assert!(outcome.waits <= 60, "seed {seed}: p95 {} ms", outcome.waits);
        assert!(outcome.sounds.1 + 20 >= outcome.sounds.0, "seed {seed}: {:?}", outcome.sounds);
        assert_eq!(outcome.layer, Some(2), "seed {seed}");
        early += outcome.early;
    }
    assert!(early <= 4, "{early} of 80 pictures were paused while the full queue drained");
}
