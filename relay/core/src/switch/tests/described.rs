//! What a subscriber sees of AV1 with dependency descriptors: the payload is never looked at.

use super::*;
use crate::codec::dependency::pen::{K_SVC, L1T3, L3T3, Row, delta, with_structure};

/// Sends frames by the templates of one of the specification's tables.
struct Camera {
    rows: &'static [Row],
    protected: &'static [u32],
    /// Template of each frame of the pictures of one period, after the key picture.
    period: Vec<Vec<usize>>,
    key: Vec<usize>,
    number: u16,
    picture: u32,
    active: Option<u32>,
    ssrc: u32,
}

impl Camera {
    fn new(rows: &'static [Row], protected: &'static [u32], key: &[usize], period: &[&[usize]]) -> Self {
        let period = period.iter().map(|templates| templates.to_vec()).collect();
        Self { rows, protected, period, key: key.to_vec(), number: 0xfff0, picture: 0, active: None, ssrc: 100 }
    }

    fn send(&mut self, scene: &mut Scene, publisher: &mut Client, key: bool) {
        let templates =
            if key { self.key.clone() } else { self.period[self.picture as usize % self.period.len()].clone() };
        let count = templates.len();
        for (place, template) in templates.into_iter().enumerate() {
            self.number = self.number.wrapping_add(1);
            let descriptor = if key && place == 0 {
                with_structure(self.number.into(), self.rows, self.protected, self.active, &[])
            } else {
                delta(self.number, template)
            };
            let row = &self.rows[template];
            // Encrypted end to end: nothing to be read but the layer, for this test.
            let payload = [0xee, row.0, row.1, self.picture as u8];
            let marker = place + 1 == count;
            let sent =
                Sent { ssrc: self.ssrc, payload_type: 96, timestamp: self.picture * 3_600, marker, payload: &payload };
            let packet = publisher.described(sent, &descriptor);
            scene.receive(publisher, packet);
        }
        self.picture += 1;
        scene.pass(Duration::from_millis(40));
    }
}

fn scene(mode: &str) -> (Scene, Client, Client, SubscriptionKey) {
    let mut scene = Scene::new();
    let (publisher, subscriber) = (scene.client(), scene.client());
    let config = TrackConfig {
        codec: codec("video/AV1", 96),
        scalability: Some(mode.into()),
        encodings: vec![Encoding::default()],
        ..video(1)
    };
    let track = scene.switch.add_track(publisher.key, &config, scene.now).unwrap();
    let key = scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
    (scene, publisher, subscriber, key)
}

/// Picture, spatial and temporal layer of each packet of a gapless stream; frames of a picture end with the marker.
fn frames(seen: &[Seen]) -> Vec<(u8, u8, u8)> {
    for pair in seen.windows(2) {
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1), "gapless");
        assert_eq!(pair[0].header.marker, pair[0].payload[3] != pair[1].payload[3], "the marker ends a picture");
    }
    assert!(seen.iter().all(|packet| packet.header.extensions.dependency_descriptor.is_some()), "passed on");
    seen.iter().map(|packet| (packet.payload[3], packet.payload[1], packet.payload[2])).collect()
}

#[test]
fn temporal_layers() {
    let (mut scene, mut publisher, mut subscriber, key) = scene("L1T3");
    // Frames 1.. of a period of four: T2, T1, T2, T0.
    let mut camera = Camera::new(L1T3, &[0, 0, 0], &[0], &[&[1], &[3], &[2], &[4]]);
    let mut seen = Vec::new();
    for picture in 0..48 {
        match picture {
            16 => scene.switch.set_subscription(key, false, None, Some(0), scene.now),
            33 => scene.switch.set_subscription(key, false, None, None, scene.now),
            _ => {}
        }
        camera.send(&mut scene, &mut publisher, picture == 0);
        seen.extend(scene.seen_by(&mut subscriber).0);
    }
    let frames = frames(&seen);
    let shown: Vec<_> = frames.iter().map(|frame| frame.0).collect();
    let all = (0..16).chain([16, 20, 24, 28, 32]).chain(34..48);
    assert_eq!(shown, all.collect::<Vec<_>>(), "up again with the next frame that says switch");
}

#[test]
fn up_with_a_key_frame_and_down_where_the_stream_allows() {
    let full: &[&[usize]] = &[&[1, 5, 7]];
    let keyed: &[&[usize]] = &[&[1, 3, 5]];
    for (rows, key_picture, period, down) in [(L3T3, &[0, 4, 6][..], full, 30), (K_SVC, &[0, 2, 4][..], keyed, 40)] {
        let (mut scene, mut publisher, mut subscriber, key) = scene("L3T3");
        scene.switch.set_subscription(key, false, Some(0), None, scene.now);
        let mut camera = Camera::new(rows, &[2, 2, 2, 1, 1, 1, 0, 0, 0], key_picture, period);
        let mut seen = Vec::new();
        for picture in 0..50 {
            match picture {
                10 => scene.switch.set_subscription(key, false, None, None, scene.now),
                30 => scene.switch.set_subscription(key, false, Some(1), None, scene.now),
                _ => {}
            }
            camera.send(&mut scene, &mut publisher, [0, 20, 40].contains(&picture));
            seen.extend(scene.seen_by(&mut subscriber).0);
        }
        let frames = frames(&seen);
        for picture in 0..50u8 {
            let layers: Vec<_> = frames.iter().filter(|frame| frame.0 == picture).map(|frame| frame.1).collect();
            let whole = rows == L3T3 || [0, 20, 40].contains(&picture);
            let expected: &[u8] = match picture {
                0..20 => &[0],
                _ if picture < down && whole => &[0, 1, 2],
                _ if picture < down => &[2],
                _ if whole => &[0, 1],
                _ => &[1],
            };
            assert_eq!(layers, expected, "picture {picture}");
        }
    }
}

#[test]
fn inactive_targets_are_not_waited_for() {
    let (mut scene, mut publisher, mut subscriber, _) = scene("L3T3");
    let mut camera = Camera::new(L3T3, &[2, 2, 2, 1, 1, 1, 0, 0, 0], &[0, 4], &[&[1, 5]]);
    camera.active = Some(0b1_1111_1000);
    let mut seen = Vec::new();
    for picture in 0..10 {
        camera.send(&mut scene, &mut publisher, picture == 0);
        seen.extend(scene.seen_by(&mut subscriber).0);
    }
    assert_eq!(frames(&seen).len(), 20);
    let layers: Vec<_> = scene
        .events()
        .into_iter()
        .filter_map(|event| match event {
            SwitchEvent::LayerChanged { layer, .. } => layer,
            SwitchEvent::Live { layer, live, .. } => Some(layer + if live { 10 } else { 20 }),
            _ => None,
        })
        .collect();
    assert_eq!(layers, [10, 11, 1], "two layers live, the upper one shown");
}

#[test]
fn a_late_structure_explains_what_came_before_it() {
    let (mut scene, mut publisher, mut subscriber, _) = scene("L1T3");
    let mut first = None;
    for number in 0..5u16 {
        let descriptor = if number == 0 { with_structure(0, L1T3, &[0, 0, 0], None, &[]) } else { delta(number, 1) };
        let payload = [0xee, 0, 0, number as u8];
        let sent =
            Sent { ssrc: 100, payload_type: 96, timestamp: u32::from(number) * 3_600, marker: true, payload: &payload };
        let packet = publisher.described(sent, &descriptor);
        if number == 0 { first = Some(packet) } else { scene.receive(&publisher, packet) }
    }
    assert!(scene.seen_by(&mut subscriber).0.is_empty());
    scene.receive(&publisher, first.unwrap());
    let (seen, _) = scene.seen_by(&mut subscriber);
    assert_eq!(frames(&seen).len(), 5);
}

#[test]
fn a_publisher_that_begins_anew_is_shown_again() {
    let (mut scene, mut publisher, mut subscriber, _) = scene("L1T3");
    let mut camera = Camera::new(L1T3, &[0, 0, 0], &[0], &[&[1], &[3], &[2], &[4]]);
    let mut seen = Vec::new();
    for picture in 0..20 {
        if picture == 10 {
            // Another SSRC on the same line, whose sequence numbers are lower.
            (camera.ssrc, camera.number) = (150, 7);
        }
        camera.send(&mut scene, &mut publisher, picture % 5 == 0);
        seen.extend(scene.seen_by(&mut subscriber).0);
    }
    let shown: Vec<_> = frames(&seen).iter().map(|frame| frame.0).collect();
    assert_eq!(shown, (0..20).collect::<Vec<_>>());
    let numbers: Vec<_> =
        seen.iter().map(|packet| u16::from_be_bytes([packet.descriptor[1], packet.descriptor[2]])).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "frame numbers go on: {numbers:?}");
}

#[test]
fn any_descriptors_cost_their_sender_only() {
    let mut noise = crate::noise::Noise::new(33);
    let (mut scene, mut publisher, mut subscriber, key) = scene("L3T3");
    for round in 0..4_000u32 {
        let mut descriptor = match noise.below(3) {
            0 => with_structure(round, L3T3, &[2, 2, 2, 1, 1, 1, 0, 0, 0], Some(noise.next() as u32 & 0x1ff), &[]),
            1 => delta(noise.next() as u16, noise.below(9) as usize),
            _ => noise.bytes(255),
        };
        for _ in 0..noise.below(3) {
            let at = noise.below(descriptor.len().max(1) as u64) as usize;
            if let Some(byte) = descriptor.get_mut(at) {
                *byte = noise.next() as u8;
            }
        }
        if noise.chance(10) {
            let layer = |noise: &mut crate::noise::Noise| Some(noise.below(5) as u8).filter(|layer| *layer < 4);
            let (spatial, temporal) = (layer(&mut noise), layer(&mut noise));
            scene.switch.set_subscription(key, noise.chance(10), spatial, temporal, scene.now);
        }
        let payload = noise.bytes(30);
        let (timestamp, marker) = (round / 3 * 3_600, noise.chance(30));
        let packet = publisher
            .described(Sent { ssrc: 100, payload_type: 96, timestamp, marker, payload: &payload }, &descriptor);
        if noise.chance(95) {
            scene.receive(&publisher, packet);
        }
        scene.pass(Duration::from_millis(noise.below(20)));
    }
    let (seen, _) = scene.seen_by(&mut subscriber);
    assert!(seen.len() > 100, "{}", seen.len());
}
