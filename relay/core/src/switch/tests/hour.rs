//! A long call over links that lose, reorder and double: the picture goes on.
//!
//! Both links, the publisher's and the viewer's, lose every fifth packet of everything, media, repair and reports alike.
//! The viewer is one as browsers are: it asks again for what is missing, plays frames in order 400 ms after they were
//! taken, and asks for a key frame when it is stuck.

use super::*;
use crate::noise::Noise;
use crate::rtcp::{Packet, packets};
use crate::rtp::Unwrapper;

const STEP: Duration = Duration::from_millis(10);
/// One way.
const DELAY: Duration = Duration::from_millis(20);
/// Steps of a frame.
const FRAME: u64 = 4;
const LOST: u64 = 20;
const PLAYOUT: Duration = Duration::from_millis(400);
/// A pause between two frames that counts as a freeze (webrtc-stats: the mean and 150 ms).
const FREEZE: Duration = Duration::from_millis(190);
/// The viewer's patience: between two requests for a packet, and before a key frame is asked for.
const AGAIN: u64 = 6;
const TRIES: u32 = 10;
const STUCK: Duration = Duration::from_millis(500);

/// One direction of a link.
#[derive(Default)]
struct Link<T>(Vec<(Instant, T)>);

impl<T: Clone> Link<T> {
    fn send(&mut self, packet: T, noise: &mut Noise, now: Instant) {
        for _ in 0..if noise.chance(3) { 2 } else { 1 } {
            if !noise.chance(LOST) {
                let late = Duration::from_millis(if noise.chance(10) { noise.below(40) } else { 0 });
                self.0.push((now + DELAY + late, packet.clone()));
            }
        }
    }

    fn arrived(&mut self, now: Instant) -> Vec<T> {
        let (there, coming) = std::mem::take(&mut self.0).into_iter().partition(|(at, _)| *at <= now);
        self.0 = coming;
        let mut there: Vec<_> = there;
        there.sort_by_key(|(at, _)| *at);
        there.into_iter().map(|(_, packet)| packet).collect()
    }
}

/// The camera: two packets a frame; sends again what is asked for.
#[derive(Default)]
struct Camera {
    index: u64,
    frame: u64,
    key: bool,
    repairs: u64,
    history: BTreeMap<u16, (u32, Vec<u8>)>,
}

impl Camera {
    fn frame(&mut self, client: &mut Client) -> Vec<Vec<u8>> {
        let key = std::mem::take(&mut self.key) || self.frame == 0;
        let packets = (0..2).map(|part| {
            let mut payload = vp8(key, part == 0, self.frame as u16 & 0x7fff, self.frame as u8, part);
            payload.extend_from_slice(&self.frame.to_be_bytes());
            let timestamp = (self.frame as u32).wrapping_mul(3_600);
            self.index += 1;
            self.history.insert(self.index as u16, (timestamp, payload.clone()));
            self.history.remove(&(self.index as u16).wrapping_sub(600));
            let sent = Sent { ssrc: 100, payload_type: 96, timestamp, marker: part == 1, payload: &payload };
            client.packet(self.index, sent, None)
        });
        let packets = packets.collect();
        self.frame += 1;
        packets
    }

    fn repair(&mut self, sequence: u16, client: &mut Client) -> Option<Vec<u8>> {
        let (timestamp, payload) = self.history.get(&sequence)?;
        let mut wrapped = sequence.to_be_bytes().to_vec();
        wrapped.extend_from_slice(payload);
        self.repairs += 1;
        let marker = payload[7] == 1;
        let sent = Sent { ssrc: 200, payload_type: 97, timestamp: *timestamp, marker, payload: &wrapped };
        Some(client.packet(self.repairs, sent, None))
    }
}

/// The viewer's depacketiser, decoder and screen.
struct Viewer {
    unwrapper: Unwrapper,
    waiting: BTreeMap<u64, (bool, Vec<u8>)>,
    asked: BTreeMap<u64, (u64, u32)>,
    /// The next number to decode, and the frame decoded last.
    next: Option<u64>,
    decoded: Option<u64>,
    stuck_since: Instant,
    requested: Instant,
    shown: Instant,
    frames: u64,
    frozen: Duration,
    freezes: u32,
}

impl Viewer {
    fn new(now: Instant) -> Self {
        Self {
            unwrapper: Unwrapper::default(),
            waiting: BTreeMap::new(),
            asked: BTreeMap::new(),
            next: None,
            decoded: None,
            stuck_since: now,
            requested: now,
            shown: now,
            frames: 0,
            frozen: Duration::ZERO,
            freezes: 0,
        }
    }

    fn take(&mut self, seen: Seen) {
        let (sequence, payload) = if seen.header.ssrc == 901 {
            (u16::from_be_bytes([seen.payload[0], seen.payload[1]]), seen.payload[2..].to_vec())
        } else {
            (seen.header.sequence, seen.payload)
        };
        let number = self.unwrapper.next(sequence);
        if self.next.is_none_or(|next| number >= next) {
            let marker = payload[7] == 1;
            self.waiting.insert(number, (marker, payload));
        }
    }

    /// The numbers of the frame that begins with `first`, if it is complete.
    fn frame_at(&self, first: u64) -> Option<std::ops::RangeInclusive<u64>> {
        let begins = |payload: &[u8]| payload[0] & 0x10 != 0;
        self.waiting.get(&first).filter(|(_, payload)| begins(payload))?;
        let mut last = first;
        while !self.waiting.get(&last)?.0 {
            last += 1;
        }
        Some(first..=last)
    }

    /// Decodes what can be, and shows it in its time.
    fn play(&mut self, begun: Instant, now: Instant) {
        let is_key = |payload: &[u8]| payload[6] & 1 == 0;
        loop {
            let first = self.next.filter(|next| self.waiting.contains_key(next));
            let frame = match first.and_then(|first| self.frame_at(first)) {
                Some(frame) => frame,
                // A later key frame helps who is stuck.
                None if self.next.is_none() || now - self.stuck_since >= STUCK => {
                    let keys = self.waiting.iter().filter(|(_, (_, payload))| is_key(payload));
                    let Some(frame) = keys.rev().find_map(|(number, _)| self.frame_at(*number)) else { return };
                    frame
                }
                None => return,
            };
            let payloads: Vec<_> = frame.clone().map(|number| self.waiting[&number].1.clone()).collect();
            let number = u64::from_be_bytes(payloads[0][9..17].try_into().unwrap());
            assert!(
                payloads.iter().all(|payload| payload[9..17] == payloads[0][9..17]),
                "a frame of one frame's packets"
            );
            assert_eq!(payloads.iter().map(|payload| payload[7]).collect::<Vec<_>>(), [0, 1], "in their order");
            let follows = self.decoded.is_some_and(|before| number == before + 1);
            assert!(follows || is_key(&payloads[0]), "frame {number} after {:?} cannot be decoded", self.decoded);
            self.decoded = Some(number);
            self.next = Some(frame.end() + 1);
            self.waiting = self.waiting.split_off(&(frame.end() + 1));
            self.stuck_since = now;
            let taken = begun + STEP * FRAME as u32 * number as u32;
            let shown = now.max(taken + PLAYOUT);
            if self.frames > 0 && shown - self.shown > FREEZE {
                self.frozen += shown - self.shown;
                self.freezes += 1;
            }
            (self.shown, self.frames) = (shown, self.frames + 1);
        }
    }

    /// What to ask for: packets again, and whether for a key frame.
    fn ask(&mut self, step: u64, now: Instant) -> (Vec<u16>, bool) {
        let stuck = now - self.stuck_since >= STUCK && now - self.requested >= STUCK;
        self.requested = if stuck { now } else { self.requested };
        let (Some(next), Some((last, _))) = (self.next, self.waiting.last_key_value()) else {
            return (Vec::new(), stuck);
        };
        self.asked = self.asked.split_off(&next);
        let missing = (next..*last).filter(|number| !self.waiting.contains_key(number)).take(100);
        let mut again = Vec::new();
        for number in missing {
            let (at, tries) = self.asked.entry(number).or_insert((step, 0));
            if *at <= step && *tries < TRIES {
                (*at, *tries) = (step + AGAIN, *tries + 1);
                again.push(number as u16);
            }
        }
        (again, stuck)
    }
}

/// So many minutes of it; returns frames taken, the viewer, and key frames asked of the publisher.
fn call(seed: u64, minutes: u64) -> (u64, Viewer, usize) {
    let mut noise = Noise::new(seed);
    let mut scene = Scene::new();
    let (mut publisher, mut viewer) = (scene.client(), scene.client());
    let track = scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    scene.switch.subscribe(viewer.key, track, &shown(900, true), scene.now).unwrap();
    let (mut up, mut down) = (Link::default(), Link::default());
    let (mut back, mut control) = (Link::default(), Link::default());
    let (mut camera, begun) = (Camera::default(), scene.now);
    let (mut screen, mut requests) = (Viewer::new(begun), 0);
    for step in 0..minutes * 6_000 {
        if step % FRAME == 0 {
            camera.frame(&mut publisher).into_iter().for_each(|packet| up.send(packet, &mut noise, scene.now));
        }
        for packet in up.arrived(scene.now) {
            scene.receive(&publisher, packet);
        }
        for packet in back.arrived(scene.now) {
            scene.receive(&viewer, packet);
        }
        scene.pass(STEP);
        for packet in std::mem::take(&mut scene.out.packets) {
            let link = if packet.0 == viewer.destination { &mut down } else { &mut control };
            link.send(packet, &mut noise, scene.now);
        }
        for compound in publisher.open(control.arrived(scene.now)).1 {
            for packet in packets(&compound) {
                match packet {
                    Packet::Nack { ssrc: 100, entries } => {
                        for sequence in entries {
                            if let Some(packet) = camera.repair(sequence, &mut publisher) {
                                up.send(packet, &mut noise, scene.now);
                            }
                        }
                    }
                    Packet::Pli { ssrc: 100 } => {
                        camera.key = true;
                        requests += 1;
                    }
                    _ => {}
                }
            }
        }
        // The relay sends nothing twice but by RTX; what the link doubled the client's replay window drops.
        let arrived = down.arrived(scene.now);
        viewer.open_once(arrived).into_iter().for_each(|seen| screen.take(seen));
        screen.play(begun, scene.now);
        let (missing, key) = screen.ask(step, scene.now);
        if !missing.is_empty() || key {
            let compound = viewer.rtcp(|writer| {
                assert!(missing.is_empty() || writer.nack(900, &missing));
                assert!(!key || writer.pli(900));
            });
            back.send(compound, &mut noise, scene.now);
        }
    }
    (camera.frame, screen, requests)
}

fn check(seed: u64, minutes: u64) {
    let (taken, screen, requests) = call(seed, minutes);
    let lasted = Duration::from_secs(minutes * 60);
    let share = screen.frozen.as_secs_f64() / lasted.as_secs_f64();
    let told = format!(
        "seed {seed}: {} of {taken} frames shown, {} freezes, {:.2} % of {minutes} min, {requests} key frame requests",
        screen.frames,
        screen.freezes,
        share * 100.0
    );
    assert!(share <= 0.02, "{told}");
    assert!(screen.frames * 100 >= taken * 98, "{told}");
}

#[test]
fn an_hour_of_loss() {
    check(77, 60);
}
