//! What a subscriber sees while its layer changes: one gapless stream.

use super::*;
use crate::rtcp::SenderInfo;

/// Two layers with unrelated timestamps and picture numbers, 25 frames a second of 2 packets each.
struct Camera {
    frame: u32,
    /// Layers whose next frame is a key frame.
    key: [bool; 3],
    /// Layers being sent.
    on: [bool; 3],
}

impl Camera {
    const BASE: [u32; 3] = [1_000, 0xffff_ff00, 77_000_000];

    fn frame(&mut self, scene: &mut Scene, publisher: &mut Client) {
        for layer in (0..3usize).filter(|layer| self.on[*layer]) {
            let key = std::mem::take(&mut self.key[layer]);
            let picture = (self.frame as u16).wrapping_add(layer as u16 * 9_000) & 0x7fff;
            for part in 0..2 {
                let payload = vp8(key, part == 0, picture, (self.frame + layer as u32) as u8, layer as u8);
                let timestamp = Self::BASE[layer].wrapping_add(self.frame * 3_600);
                let sent = Sent {
                    ssrc: 100 + layer as u32,
                    payload_type: 96,
                    timestamp,
                    marker: part == 1,
                    payload: &payload,
                };
                let packet = publisher.next(sent);
                scene.receive(publisher, packet);
            }
        }
        self.frame += 1;
        scene.pass(Duration::from_millis(40));
    }

    /// A sender report per layer, saying when frame 0 was.
    fn report(scene: &mut Scene, publisher: &mut Client, frame: u32) {
        for layer in 0..3u32 {
            let info = SenderInfo {
                ntp: (1 << 40) + (u64::from(frame) << 32) / 25,
                timestamp: Self::BASE[layer as usize].wrapping_add(frame * 3_600),
                ..SenderInfo::default()
            };
            let report = publisher.rtcp(|writer| assert!(writer.sender_report(100 + layer, &info)));
            scene.receive(publisher, report);
        }
    }
}

/// Checks that a stream is gapless and returns the layer (from the payload) of each frame.
fn check(seen: &[Seen]) -> Vec<u8> {
    let mut layers = Vec::new();
    for pair in seen.windows(2) {
        let (a, b) = (&pair[0], &pair[1]);
        assert_eq!(b.header.sequence, a.header.sequence.wrapping_add(1));
        let step = b.header.timestamp.wrapping_sub(a.header.timestamp);
        let picture = |seen: &Seen| u16::from_be_bytes([seen.payload[2], seen.payload[3]]) & 0x7fff;
        let pictures = picture(b).wrapping_sub(picture(a)) & 0x7fff;
        let tl0 = b.payload[4].wrapping_sub(a.payload[4]);
        if a.header.marker {
            // A layer that stops is left after half a second.
            let longest = if b.payload[7] == a.payload[7] { 1 } else { 16 };
            assert!((1..=longest * 3_600).contains(&step), "time goes on: {step}");
            assert_eq!((pictures, tl0), (1, 1));
            if b.payload[7] != a.payload[7] {
                assert_eq!(b.payload[6], 0, "another layer begins with a key frame");
                assert_eq!(b.payload[0] & 0x10, 0x10, "and with its first packet");
            }
        } else {
            assert_eq!((step, pictures, tl0), (0, 0, 0));
            assert_eq!(a.payload[7], b.payload[7], "a frame is of one layer");
        }
    }
    for packet in seen {
        if layers.last() != Some(&packet.payload[7]) {
            layers.push(packet.payload[7]);
        }
    }
    layers
}

fn scene() -> (Scene, Client, Client, TrackKey, SubscriptionKey) {
    let mut scene = Scene::new();
    let (publisher, subscriber) = (scene.client(), scene.client());
    let track = scene.switch.add_track(publisher.key, &video(3), scene.now).unwrap();
    let key = scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
    (scene, publisher, subscriber, track, key)
}

#[test]
fn up_and_down_without_a_jump() {
    for reports in [false, true] {
        let (mut scene, mut publisher, mut subscriber, _, key) = scene();
        let mut camera = Camera { frame: 0, key: [true, false, false], on: [true; 3] };
        let mut seen = Vec::new();
        for frame in 0..200 {
            match frame {
                20 => camera.key = [false, true, false],
                40 | 120 => camera.key = [false, false, true],
                60 => scene.switch.set_subscription(key, false, Some(0), None, scene.now),
                80 | 145 => camera.key = [true, false, false],
                100 => scene.switch.set_subscription(key, false, None, None, scene.now),
                // The two upper layers stop: after half a second the lowest is asked for.
                130 => camera.on = [true, false, false],
                _ => {}
            }
            if reports && frame % 25 == 1 {
                Camera::report(&mut scene, &mut publisher, frame);
            }
            camera.frame(&mut scene, &mut publisher);
            seen.extend(scene.seen_by(&mut subscriber).0);
        }
        assert_eq!(check(&seen), [0, 1, 2, 0, 2, 0], "reports {reports}");
        let layers: Vec<_> = scene
            .events()
            .into_iter()
            .filter_map(|event| match event {
                SwitchEvent::LayerChanged { layer, .. } => Some(layer),
                _ => None,
            })
            .collect();
        assert_eq!(layers, [0, 1, 2, 0, 2, 0].map(Some));
        let span = seen.last().unwrap().header.timestamp.wrapping_sub(seen[0].header.timestamp);
        assert!(span.abs_diff(199 * 3_600) < if reports { 10 } else { 7_200 }, "{span}");
    }
}

#[test]
fn a_key_frame_is_asked_for_and_given() {
    let (mut scene, mut publisher, mut subscriber, ..) = scene();
    let mut camera = Camera { frame: 0, key: [false; 3], on: [true; 3] };
    let (mut seen, mut asked) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        camera.frame(&mut scene, &mut publisher);
        let packets = std::mem::take(&mut scene.out.packets);
        for compound in publisher.open(packets.clone()).1 {
            for packet in crate::rtcp::packets(&compound) {
                if let crate::rtcp::Packet::Pli { ssrc } = packet {
                    asked.push(ssrc);
                    camera.key[ssrc as usize - 100] = true;
                }
            }
        }
        seen.extend(subscriber.open(packets).0);
    }
    assert_eq!(check(&seen).last(), Some(&2), "the highest layer in the end");
    assert!(asked.contains(&102) && asked.len() <= 6, "{asked:?}");
    assert_eq!(seen[0].payload[6], 0, "nothing before a key frame");
}

#[test]
fn pause_and_mute_leave_no_gap() {
    let (mut scene, mut publisher, mut subscriber, track, key) = scene();
    let mut camera = Camera { frame: 0, key: [true, false, false], on: [true, false, false] };
    let mut seen = Vec::new();
    for frame in 0..120 {
        match frame {
            20 => scene.switch.set_subscription(key, true, None, None, scene.now),
            40 => scene.switch.set_subscription(key, false, None, None, scene.now),
            50 | 90 => camera.key[0] = true,
            60 => scene.switch.mute_track(track, true, scene.now),
            80 => scene.switch.mute_track(track, false, scene.now),
            _ => {}
        }
        camera.frame(&mut scene, &mut publisher);
        let (media, _) = scene.seen_by(&mut subscriber);
        assert_eq!(media.is_empty(), (20..50).contains(&frame) || (60..90).contains(&frame), "frame {frame}");
        seen.extend(media);
    }
    let first = seen[0].header.sequence;
    for (number, packet) in (0..).zip(&seen) {
        assert_eq!(packet.header.sequence, first.wrapping_add(number));
    }
    let span = seen.last().unwrap().header.timestamp.wrapping_sub(seen[0].header.timestamp);
    assert_eq!(span, 119 * 3_600, "the pauses took their time");
}

#[test]
fn a_late_key_frame_brings_what_followed_it() {
    let (mut scene, mut publisher, mut subscriber, ..) = scene();
    let payload = |number: u16| vp8(number == 0, number == 0, 0, 0, 0);
    let mut send = |index: u64, payload: &[u8]| {
        let packet =
            publisher.packet(index, Sent { ssrc: 100, payload_type: 96, timestamp: 5, marker: false, payload }, None);
        scene.receive(&publisher, packet);
    };
    send(9, &payload(1));
    for number in [1, 2, 3, 0, 4] {
        send(10 + u64::from(number), &payload(number));
    }
    let (seen, _) = scene.seen_by(&mut subscriber);
    let mut sequences: Vec<_> = seen.iter().map(|packet| packet.header.sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences.len(), 5);
    assert_eq!(sequences[4] - sequences[0], 4);
}

#[test]
fn a_stream_that_begins_again_never_repeats_an_index() {
    let (mut scene, mut publisher, mut subscriber, track, key) = scene();
    let mut camera = Camera { frame: 0, key: [true, false, false], on: [true, false, false] };
    let mut key = key;
    let mut last = None;
    for _ in 0..10 {
        camera.key[0] = true;
        for _ in 0..5 {
            camera.frame(&mut scene, &mut publisher);
        }
        // The client's replay windows refuse a repeated index.
        for packet in scene.seen_by(&mut subscriber).0 {
            assert!(last.is_none_or(|last: u16| packet.header.sequence == last.wrapping_add(1)));
            last = Some(packet.header.sequence);
        }
        scene.switch.unsubscribe(key);
        key = scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
    }
}

#[test]
fn a_subscription_begins_when_its_peer_is_connected() {
    let mut scene = Scene::new();
    let mut publisher = scene.client();
    let track = scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    let (mut subscriber, sealer, opener) = scene.unconnected();
    scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
    let mut camera = Camera { frame: 0, key: [true, false, false], on: [true, false, false] };
    for _ in 0..25 {
        camera.frame(&mut scene, &mut publisher);
    }
    let asked = |scene: &mut Scene, publisher: &mut Client| {
        let (_, control) = scene.seen_by(publisher);
        let told = control.iter().flat_map(|compound| crate::rtcp::packets(compound));
        told.filter(|packet| matches!(packet, crate::rtcp::Packet::Pli { .. })).count()
    };
    assert_eq!(asked(&mut scene, &mut publisher), 0, "nobody could use it");
    scene.connect(&subscriber, sealer, opener);
    scene.pass(Duration::from_millis(5));
    assert_eq!(asked(&mut scene, &mut publisher), 1, "asked for at once");
    camera.key[0] = true;
    camera.frame(&mut scene, &mut publisher);
    let (seen, _) = scene.seen_by(&mut subscriber);
    assert_eq!((seen.len(), seen[0].payload[6]), (2, 0), "the first packet is a key frame's");
}

#[test]
fn who_comes_right_after_a_key_frame_gets_it_from_the_ring() {
    let (mut scene, mut publisher, _, track, _) = scene();
    let mut camera = Camera { frame: 0, key: [true, false, false], on: [true, false, false] };
    for _ in 0..5 {
        camera.frame(&mut scene, &mut publisher);
    }
    let mut late = scene.client();
    scene.switch.subscribe(late.key, track, &shown(910, true), scene.now).unwrap();
    scene.out.packets.clear();
    camera.frame(&mut scene, &mut publisher);
    let (mut seen, _) = scene.seen_by(&mut late);
    seen.sort_by_key(|packet| packet.header.sequence);
    assert_eq!(seen.len(), 12, "all six frames");
    assert_eq!(check(&seen), [0]);
    assert_eq!(seen[0].payload[6], 0);
    for _ in 0..10 {
        camera.frame(&mut scene, &mut publisher);
    }
    let mut later = scene.client();
    scene.switch.subscribe(later.key, track, &shown(920, true), scene.now).unwrap();
    scene.out.packets.clear();
    camera.frame(&mut scene, &mut publisher);
    assert!(scene.seen_by(&mut later).0.is_empty(), "too old: a new one is asked for");
}

#[test]
fn what_cannot_be_read_flows_all_the_same() {
    for layers in [1, 3] {
        let (mut scene, mut publisher, mut subscriber, ..) = scene();
        let mut seen = Vec::new();
        for frame in 0..100u32 {
            for layer in 0..layers {
                // No VP8 at all: bytes encrypted end to end, descriptor included.
                let payload = [0x61, 0x13, 0x77, frame as u8];
                let sent = Sent {
                    ssrc: 100 + layer,
                    payload_type: 96,
                    timestamp: frame * 3_600,
                    marker: true,
                    payload: &payload,
                };
                let packet = publisher.next(sent);
                scene.receive(&publisher, packet);
            }
            scene.pass(Duration::from_millis(40));
            seen.extend(scene.seen_by(&mut subscriber).0);
        }
        assert!(seen.len() > 40, "{} of 100 frames", seen.len());
        assert_eq!(seen.last().unwrap().payload, [0x61, 0x13, 0x77, 99], "untouched");
    }
}
