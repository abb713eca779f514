//! Subscribers with little bandwidth in rooms with more: what they are sent, and what everybody is told.

use super::*;
use crate::allocate::Withheld;
use crate::rtcp::{Packet, packets};

/// Payload bytes of a layer's packet; 25 packets a second: 160, 480 and 1,440 kbit/s beside what is added on the wire.
const SIZES: [usize; 3] = [800, 2_400, 7_200];
/// Longest payload; a larger frame is several packets.
const PART: usize = 1_200;

/// A camera with three layers (or as many as `on`), a key frame whenever one is asked for, and a microphone.
pub(super) struct Person {
    client: Client,
    pub track: TrackKey,
    level: u8,
    pub on: [bool; 3],
    key: [bool; 3],
}

/// A room full of people, frame by frame.
pub(super) struct Meeting {
    pub scene: Scene,
    pub people: Vec<Person>,
    viewer: Client,
    pub subscriptions: Vec<SubscriptionKey>,
    frame: u32,
    /// Payload bytes, and packets, the viewer was sent by subscription, video then sound, since the last look.
    pub bytes: BTreeMap<u32, usize>,
    pub packets: BTreeMap<u32, usize>,
    /// The layer of the viewer's newest packet of each subscription.
    layers: BTreeMap<u32, u8>,
    /// The newest sequence number of each subscription.
    sequences: BTreeMap<u32, u16>,
}

impl Meeting {
    pub fn new(people: u32) -> Self {
        let mut scene = Scene::new();
        let viewer = scene.client();
        let mut subscriptions = Vec::new();
        let people = (0..people)
            .map(|number| {
                let client = scene.client();
                let track = scene.switch.add_track(client.key, &video(3), scene.now).unwrap();
                let sound = scene.switch.add_track(client.key, &audio(), scene.now).unwrap();
                let config = shown(900 + number * 10, true);
                subscriptions.push(scene.switch.subscribe(viewer.key, track, &config, scene.now).unwrap());
                let config = shown(905 + number * 10, false);
                scene.switch.subscribe(viewer.key, sound, &config, scene.now).unwrap();
                Person { client, track, level: 127, on: [true; 3], key: [true; 3] }
            })
            .collect();
        let (bytes, packets, layers, sequences) = Default::default();
        Self { scene, people, viewer, subscriptions, frame: 0, bytes, packets, layers, sequences }
    }

    /// The viewer's link carries so much.
    pub fn link(&mut self, bitrate: u64) {
        let ssrcs: Vec<_> = (0..=self.people.len() as u32).map(|number| 900 + number * 10).collect();
        let remb = self.viewer.rtcp(|writer| assert!(writer.remb(bitrate, &ssrcs)));
        self.scene.receive(&self.viewer, remb);
    }

    /// Lets 40 ms pass with a frame of every layer and two packets of sound.
    fn step(&mut self) {
        for person in &mut self.people {
            for layer in (0..3usize).filter(|layer| person.on[*layer]) {
                let key = std::mem::take(&mut person.key[layer]);
                let parts = SIZES[layer].div_ceil(PART);
                for part in 0..parts {
                    let mut payload = vp8(key, part == 0, self.frame as u16, self.frame as u8, layer as u8);
                    payload.resize(SIZES[layer] / parts, layer as u8);
                    let sent = Sent {
                        ssrc: 100 + layer as u32,
                        payload_type: 96,
                        timestamp: self.frame * 3_600,
                        marker: part + 1 == parts,
                        payload: &payload,
                    };
                    let packet = person.client.next(sent);
                    self.scene.receive(&person.client, packet);
                }
            }
            for half in 0..2u32 {
                let index = self.frame * 2 + half;
                let sent =
                    Sent { ssrc: 300, payload_type: 111, timestamp: index * 960, marker: false, payload: &[9; 80] };
                let packet = person.client.packet(u64::from(index), sent, Some(person.level));
                self.scene.receive(&person.client, packet);
            }
        }
        self.frame += 1;
        self.scene.pass(Duration::from_millis(40));
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
        for seen in self.viewer.open(out).0 {
            let before = self.sequences.insert(seen.header.ssrc, seen.header.sequence);
            let follows = before.is_none_or(|before| seen.header.sequence == before.wrapping_add(1));
            assert!(follows, "no gap, whatever is left out");
            *self.bytes.entry(seen.header.ssrc).or_default() += seen.payload.len();
            *self.packets.entry(seen.header.ssrc).or_default() += 1;
            self.layers.insert(seen.header.ssrc, *seen.payload.last().unwrap());
        }
    }

    pub fn run(&mut self, millis: u32) {
        self.bytes.clear();
        self.packets.clear();
        (0..millis / 40).for_each(|_| self.step());
    }

    /// Bytes sent to the viewer so far.
    pub fn sent(&self) -> u64 {
        self.scene.switch.egresses[self.viewer.key.0.place()].sent().1
    }

    /// The longest time without a packet of each person's camera, ms.
    pub fn longest_gaps(&mut self, millis: u32) -> Vec<u32> {
        let (mut gaps, mut longest) = (vec![0; self.people.len()], vec![0; self.people.len()]);
        for _ in 0..millis / 40 {
            self.run(40);
            for ((gap, longest), seen) in gaps.iter_mut().zip(&mut longest).zip(self.seen()) {
                *gap = if seen.is_some() { 0 } else { *gap + 40 };
                *longest = (*gap).max(*longest);
            }
        }
        longest
    }

    /// The layer the viewer sees of each person; `None`: no packets in the last run.
    pub fn seen(&self) -> Vec<Option<u8>> {
        let ssrcs = (0..self.people.len() as u32).map(|number| 900 + number * 10);
        ssrcs.map(|ssrc| self.bytes.get(&ssrc).map(|_| self.layers[&ssrc])).collect()
    }

    /// Whose sound the viewer hears.
    fn heard(&self) -> Vec<usize> {
        (0..self.people.len()).filter(|number| self.bytes.contains_key(&(905 + *number as u32 * 10))).collect()
    }

    /// What happened to withheld subscriptions, by person.
    pub fn withheld(&mut self) -> Vec<(usize, Option<Withheld>)> {
        let place = |key| self.subscriptions.iter().position(|own| *own == key).unwrap();
        let events: Vec<_> = std::iter::from_fn(|| self.scene.switch.poll_event()).collect();
        let told = events.into_iter().filter_map(|event| match event {
            SwitchEvent::Withheld { subscription, reason } => Some((place(subscription), reason)),
            _ => None,
        });
        told.collect()
    }

    pub fn wish(&mut self, person: usize, wishes: Wishes) {
        self.scene.switch.set_wishes(self.subscriptions[person], wishes);
    }
}

#[test]
fn everything_while_nothing_is_known_of_the_link() {
    let mut meeting = Meeting::new(4);
    meeting.run(2_000);
    assert_eq!(meeting.seen(), [Some(2); 4]);
    assert_eq!(meeting.scene.switch.wanted_bitrate(meeting.viewer.key), 0);
    assert_eq!(meeting.withheld(), []);
}

#[test]
fn a_link_that_shrinks_and_grows_again() {
    let mut meeting = Meeting::new(4);
    meeting.run(2_000);
    meeting.withheld();
    for (bitrate, layers, told) in [
        (20_000_000, [Some(2); 4], vec![]),
        (2_000_000, [Some(1), Some(1), Some(1), Some(0)], vec![]),
        (600_000, [Some(0), Some(0), None, None], vec![(2, Some(Withheld::Bandwidth)), (3, Some(Withheld::Bandwidth))]),
        (30_000, [None; 4], vec![(0, Some(Withheld::Bandwidth)), (1, Some(Withheld::Bandwidth))]),
    ] {
        meeting.link(bitrate);
        meeting.run(2_000);
        meeting.run(1_000);
        assert_eq!(meeting.seen(), layers, "{bitrate} bit/s");
        assert_eq!(meeting.heard(), [0, 1, 2, 3], "sound is never dropped");
        let payload: usize = meeting.bytes.values().sum();
        assert!(bitrate < 100_000 || (payload as u64 * 8) < bitrate, "{payload} bytes in a second at {bitrate} bit/s");
        assert_eq!(meeting.withheld(), told);
    }
    let missing = meeting.scene.switch.wanted_bitrate(meeting.viewer.key);
    assert!((5_500_000..7_000_000).contains(&missing), "four whole cameras: {missing}");
    meeting.link(20_000_000);
    meeting.run(1_000);
    assert!(meeting.seen().iter().all(Option::is_some), "pictures again within a second: {:?}", meeting.seen());
    assert_eq!(meeting.withheld(), [(0, None), (1, None), (2, None), (3, None)]);
    meeting.run(16_000);
    assert_eq!(meeting.seen(), [Some(2); 4]);
    assert_eq!(meeting.scene.switch.wanted_bitrate(meeting.viewer.key), 0);
}

#[test]
fn a_receiver_that_was_paused_and_says_nothing_more_is_tried_again() {
    let mut meeting = Meeting::new(4);
    meeting.run(1_000);
    meeting.link(7_000);
    meeting.run(1_000);
    meeting.run(1_000);
    assert_eq!(meeting.seen(), [None; 4]);
    meeting.run(12_000);
    assert!(meeting.seen().iter().all(Option::is_some), "{:?}", meeting.seen());
}

#[test]
fn what_is_told_of_one_stream_alone_is_not_of_the_link() {
    let mut meeting = Meeting::new(4);
    meeting.run(1_000);
    let remb = meeting.viewer.rtcp(|writer| assert!(writer.remb(7_000, &[900, 901])));
    meeting.scene.receive(&meeting.viewer, remb);
    meeting.run(1_000);
    meeting.run(1_000);
    assert_eq!(meeting.seen(), [Some(2); 4]);
}

#[test]
fn who_joins_a_known_link_begins_small() {
    let mut meeting = Meeting::new(3);
    meeting.link(900_000);
    let late = meeting.scene.client();
    let viewer = std::mem::replace(&mut meeting.viewer, late);
    meeting.run(1_000);
    meeting.viewer = viewer;
    meeting.run(2_000);
    let before = meeting.seen();
    assert_eq!(before, [Some(0); 3]);
    let track = meeting.people[0].track;
    let key = meeting.scene.switch.subscribe(meeting.viewer.key, track, &shown(990, true), meeting.scene.now).unwrap();
    meeting.subscriptions.push(key);
    meeting.run(400);
    assert_eq!(meeting.layers.get(&990), Some(&0));
}

#[test]
fn screen_then_speaker_then_size() {
    let mut meeting = Meeting::new(4);
    meeting.run(1_000);
    meeting.link(2_900_000);
    meeting.wish(3, Wishes { screen: true, ..Wishes::default() });
    meeting.wish(2, Wishes { visible: Some(640 * 360), ..Wishes::default() });
    meeting.run(3_000);
    assert_eq!(meeting.seen(), [Some(0), Some(0), Some(1), Some(2)], "the screen, then the larger picture");
    meeting.people[1].level = 20;
    meeting.run(4_000);
    // All but fits, and so is left as it is.
    meeting.link(2_600_000);
    meeting.run(1_000);
    assert_eq!(meeting.seen(), [Some(0), Some(1), Some(0), Some(2)], "the speaker before the larger picture");
    meeting.wish(0, Wishes { priority: 1, ..Wishes::default() });
    meeting.link(2_900_000);
    meeting.run(8_000);
    meeting.link(2_600_000);
    meeting.run(1_000);
    assert_eq!(meeting.seen(), [Some(2), Some(0), Some(0), Some(1)], "and what is pinned before all");
}

#[test]
fn one_decision_in_a_tenth_of_a_second() {
    let mut meeting = Meeting::new(4);
    meeting.run(1_000);
    let mut changes = 0;
    for step in 0..100 {
        meeting.link(if step % 2 == 0 { 600_000 } else { 6_000_000 });
        meeting.scene.pass(Duration::from_millis(1));
        changes += meeting.withheld().len();
    }
    assert!(changes <= 4, "the first decision and no flapping: {changes}");
}

#[test]
fn only_the_last_speakers_are_seen() {
    let mut meeting = Meeting::new(5);
    meeting.scene.switch.set_room(meeting.scene.room, None, Some(2));
    meeting.wish(4, Wishes { screen: true, ..Wishes::default() });
    meeting.run(1_000);
    meeting.run(1_000);
    assert_eq!(meeting.seen(), [Some(2), Some(2), None, None, Some(2)], "the first two, and the screen");
    assert_eq!(meeting.withheld(), [(2, Some(Withheld::LastN)), (3, Some(Withheld::LastN))]);
    for speaker in [3, 2] {
        meeting.people[speaker].level = 20;
        meeting.run(1_500);
        meeting.people[speaker].level = 127;
        meeting.run(1_500);
    }
    meeting.run(1_000);
    assert_eq!(meeting.seen(), [None, None, Some(2), Some(2), Some(2)]);
    meeting.wish(0, Wishes { priority: 1, ..Wishes::default() });
    meeting.run(1_000);
    assert_eq!(meeting.seen(), [Some(2), None, Some(2), Some(2), Some(2)], "pinned");
    meeting.scene.switch.set_room(meeting.scene.room, None, None);
    meeting.run(1_000);
    assert_eq!(meeting.seen(), [Some(2); 5]);
    assert_eq!(meeting.withheld().last(), Some(&(1, None)));
}

#[test]
fn only_the_loudest_are_heard_without_a_gap() {
    let mut meeting = Meeting::new(4);
    meeting.scene.switch.set_room(meeting.scene.room, Some(2), None);
    meeting.run(1_000);
    meeting.run(1_000);
    assert_eq!(meeting.heard(), [0, 1], "as many as may be");
    let mut told = 0;
    meeting.scene.events();
    for speaker in [3, 2, 0, 3] {
        meeting.people[speaker].level = 15;
        meeting.run(1_000);
        meeting.people[speaker].level = 127;
        meeting.run(2_000);
        assert!(meeting.heard().contains(&speaker));
        assert_eq!(meeting.heard().len(), 2);
        let events = meeting.scene.events();
        told += events.iter().filter(|event| matches!(event, SwitchEvent::LayerChanged { .. })).count();
    }
    assert_eq!(told, 0, "nobody is told of every pause");
    meeting.scene.switch.set_room(meeting.scene.room, None, None);
    meeting.run(1_000);
    assert_eq!(meeting.heard(), [0, 1, 2, 3]);
}

#[test]
fn publishers_hear_which_layers_anybody_could_see() {
    let mut meeting = Meeting::new(1);
    let key = meeting.subscriptions[0];
    let wanted = |meeting: &mut Meeting, millis: u32| {
        meeting.run(millis);
        let events = meeting.scene.events();
        let told = events.into_iter().filter_map(|event| match event {
            SwitchEvent::LayersWanted { track, layers, of: 3 } => Some((track, layers)),
            _ => None,
        });
        let own = meeting.people[0].track;
        told.inspect(|(track, _)| assert_eq!(*track, own)).map(|(_, layers)| layers).collect::<Vec<_>>()
    };
    assert_eq!(wanted(&mut meeting, 4_000), [], "all are sent and all are wanted");
    meeting.scene.switch.set_subscription(key, false, Some(0), None, meeting.scene.now);
    assert_eq!(wanted(&mut meeting, 1_600), []);
    assert_eq!(wanted(&mut meeting, 1_200), [1]);
    meeting.scene.switch.set_subscription(key, false, Some(1), None, meeting.scene.now);
    assert_eq!(wanted(&mut meeting, 0), [2], "at once");
    meeting.scene.switch.set_subscription(key, true, Some(1), None, meeting.scene.now);
    assert_eq!(wanted(&mut meeting, 1_000), []);
    meeting.scene.switch.set_subscription(key, false, None, None, meeting.scene.now);
    assert_eq!(wanted(&mut meeting, 3_000), [3], "came back in time");
    meeting.link(30_000);
    assert_eq!(wanted(&mut meeting, 4_000), [], "bandwidth may come back at any time");
    meeting.scene.switch.unsubscribe(key);
    assert_eq!(wanted(&mut meeting, 4_000), [0]);
}
