//! What a subscriber sees of a stream that holds several layers: VP9 as RFC 9628 says, without dependency descriptors.

use super::*;

/// Three spatial layers and two temporal ones; spatial layers depend on those below in every picture, or in key pictures
/// only (K-SVC).
struct Camera {
    picture: u32,
    key: bool,
    only_key: bool,
    layers: u8,
}

const PACKETS: u8 = 2;

/// A VP9 packet whose last byte names its spatial layer.
pub(super) fn vp9(
    picture: u32,
    key: bool,
    (spatial, temporal): (u8, u8),
    begins: bool,
    [depends, unused]: [bool; 2],
) -> Vec<u8> {
    let inter_picture = !key;
    let first = 0xa0 | u8::from(inter_picture) << 6 | u8::from(begins) << 3 | u8::from(!begins) << 2 | u8::from(unused);
    let id = (picture as u16 | 0x8000).to_be_bytes();
    // U with every picture: the higher temporal layer refers to the lower one only.
    vec![
        first,
        id[0],
        id[1],
        temporal << 5 | 0x10 | spatial << 1 | u8::from(depends),
        (picture / 2) as u8,
        u8::from(key),
        spatial,
    ]
}

impl Camera {
    fn new(only_key: bool) -> Self {
        Self { picture: 0, key: true, only_key, layers: 3 }
    }

    /// The packets of the next picture.
    fn packets(&mut self, publisher: &mut Client) -> Vec<Vec<u8>> {
        let key = std::mem::take(&mut self.key);
        let temporal = u8::from(self.picture % 2 == 1 && !key);
        let mut packets = Vec::new();
        for spatial in 0..self.layers {
            let linked = key || !self.only_key;
            for part in 0..PACKETS {
                let last = spatial + 1 == self.layers;
                let unused = last || !linked;
                let payload = vp9(self.picture, key, (spatial, temporal), part == 0, [spatial > 0 && linked, unused]);
                let timestamp = self.picture * 3_600;
                let marker = last && part + 1 == PACKETS;
                packets.push(publisher.next(Sent {
                    ssrc: 100,
                    payload_type: 96,
                    timestamp,
                    marker,
                    payload: &payload,
                }));
            }
        }
        self.picture += 1;
        packets
    }

    fn send(&mut self, scene: &mut Scene, publisher: &mut Client) {
        for packet in self.packets(publisher) {
            scene.receive(publisher, packet);
        }
        scene.pass(Duration::from_millis(40));
    }
}

fn scene() -> (Scene, Client, Client, TrackKey, SubscriptionKey) {
    let mut scene = Scene::new();
    let (publisher, subscriber) = (scene.client(), scene.client());
    let config = TrackConfig { codec: codec("video/VP9", 96), scalability: Some("L3T2".into()), ..video(1) };
    let track = scene.switch.add_track(publisher.key, &config, scene.now).unwrap();
    let key = scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
    (scene, publisher, subscriber, track, key)
}

/// The pictures of a gapless stream: picture id, whether key, layers in order, whether the marker ends it (and only ends it).
fn pictures(seen: &[Seen]) -> Vec<(u16, bool, Vec<u8>, bool)> {
    let mut pictures: Vec<(u16, bool, Vec<u8>, bool)> = Vec::new();
    for (number, packet) in seen.iter().enumerate() {
        if let Some(before) = number.checked_sub(1) {
            assert_eq!(packet.header.sequence, seen[before].header.sequence.wrapping_add(1), "gapless");
        }
        let id = u16::from_be_bytes([packet.payload[1], packet.payload[2]]) & 0x7fff;
        if pictures.last().is_none_or(|picture| picture.0 != id) {
            pictures.push((id, packet.payload[5] == 1, Vec::new(), false));
        }
        let picture = pictures.last_mut().unwrap();
        assert!(!picture.3, "nothing after the marker");
        picture.2.push(packet.payload[6]);
        picture.3 = packet.header.marker;
    }
    pictures
}

fn layers_shown(scene: &mut Scene) -> Vec<Option<u8>> {
    let changed = |event| if let SwitchEvent::LayerChanged { layer, .. } = event { Some(layer) } else { None };
    scene.events().into_iter().filter_map(changed).collect()
}

#[test]
fn all_layers_and_then_fewer() {
    let (mut scene, mut publisher, mut subscriber, _, key) = scene();
    let mut camera = Camera::new(false);
    let mut seen = Vec::new();
    for picture in 0..60 {
        match picture {
            20 => scene.switch.set_subscription(key, false, Some(1), None, scene.now),
            40 => scene.switch.set_subscription(key, false, Some(1), Some(0), scene.now),
            _ => {}
        }
        camera.send(&mut scene, &mut publisher);
        seen.extend(scene.seen_by(&mut subscriber).0);
    }
    let pictures = pictures(&seen);
    assert_eq!(pictures.len(), 50, "every second picture in the end");
    for (id, _, layers, marked) in pictures {
        assert!(marked, "the marker is on the last packet forwarded");
        assert_eq!(layers, if id < 20 { vec![0, 0, 1, 1, 2, 2] } else { vec![0, 0, 1, 1] });
        assert!(id < 40 || id % 2 == 0, "only the lowest temporal layer");
    }
    assert_eq!(layers_shown(&mut scene), [Some(2), Some(1)], "the second time in one picture");
}

#[test]
fn up_by_a_key_picture_only() {
    for only_key in [false, true] {
        let (mut scene, mut publisher, mut subscriber, _, key) = scene();
        scene.switch.set_subscription(key, false, Some(0), None, scene.now);
        let mut camera = Camera::new(only_key);
        let (mut seen, mut asked) = (Vec::new(), Vec::new());
        for picture in 0..60 {
            match picture {
                20 => scene.switch.set_subscription(key, false, None, None, scene.now),
                30 | 50 => camera.key = true,
                40 => scene.switch.set_subscription(key, false, Some(0), None, scene.now),
                _ => {}
            }
            camera.send(&mut scene, &mut publisher);
            let packets = std::mem::take(&mut scene.out.packets);
            let control = publisher.open(packets.clone()).1;
            let plis = control.iter().flat_map(|compound| crate::rtcp::packets(compound));
            if plis.into_iter().any(|packet| matches!(packet, crate::rtcp::Packet::Pli { ssrc: 100 })) {
                asked.push(picture);
            }
            seen.extend(subscriber.open(packets).0);
        }
        // Down without a key picture where the lower layer was part of what was shown; else with one.
        let down = if only_key { 50 } else { 40 };
        let pictures = pictures(&seen);
        assert_eq!(pictures.len(), 60, "no picture is lost on the way");
        for (id, key, layers, marked) in pictures {
            let high = (30..down).contains(&id);
            let expected = match (high, only_key && !key) {
                (false, _) => vec![0, 0],
                (true, false) => vec![0, 0, 1, 1, 2, 2],
                (true, true) => vec![2, 2],
            };
            assert_eq!((layers, marked), (expected, true), "picture {id}");
        }
        assert!(asked.iter().any(|picture| (20..30).contains(picture)), "{asked:?}");
        assert_eq!(asked.iter().any(|picture| (40..50).contains(picture)), only_key, "{asked:?}");
        assert_eq!(layers_shown(&mut scene), [Some(0), Some(2), Some(0)]);
    }
}

#[test]
fn who_missed_the_key_picture_gets_another() {
    for most in 0..3 {
        let (mut scene, mut publisher, mut subscriber, _, key) = scene();
        scene.switch.set_subscription(key, false, Some(most), None, scene.now);
        let mut camera = Camera::new(true);
        for _ in 0..10 {
            camera.send(&mut scene, &mut publisher);
        }
        // All of that came before the subscriber was listening.
        scene.out.packets.clear();
        let mut seen = Vec::new();
        for picture in 0..20 {
            if picture % 5 == 0 {
                let asking = subscriber.rtcp(|writer| assert!(writer.pli(900)));
                scene.receive(&subscriber, asking);
            }
            camera.send(&mut scene, &mut publisher);
            let packets = std::mem::take(&mut scene.out.packets);
            let control = publisher.open(packets.clone()).1;
            let mut asked = control.iter().flat_map(|compound| crate::rtcp::packets(compound));
            camera.key |= asked.any(|packet| matches!(packet, crate::rtcp::Packet::Pli { ssrc: 100 }));
            seen.extend(subscriber.open(packets).0);
        }
        let whole: Vec<u8> = (0..=most).flat_map(|layer| [layer; PACKETS as usize]).collect();
        let keys: Vec<_> = pictures(&seen).into_iter().filter(|picture| picture.1).map(|picture| picture.2).collect();
        assert!(!keys.is_empty(), "no key picture for who is shown layer {most}");
        assert!(keys.iter().all(|layers| *layers == whole), "{keys:?}");
    }
}

#[test]
fn every_layer_has_the_publishers_clock() {
    for most in 0..3 {
        let (mut scene, mut publisher, mut subscriber, _, key) = scene();
        scene.switch.set_subscription(key, false, Some(most), None, scene.now);
        let mut camera = Camera::new(false);
        let info = crate::rtcp::SenderInfo { ntp: 7 << 32, ..Default::default() };
        let report = publisher.rtcp_from(100, |writer| assert!(writer.sender_report(100, &info)));
        camera.send(&mut scene, &mut publisher);
        scene.receive(&publisher, report);
        scene.pass(Duration::from_secs(1));
        let told = scene.seen_by(&mut subscriber).1;
        let mut told = told.iter().flat_map(|compound| crate::rtcp::packets(compound));
        let seconds = told.find_map(|packet| match packet {
            crate::rtcp::Packet::SenderReport { ssrc: 900, info, .. } => Some(info.ntp >> 32),
            _ => None,
        });
        assert_eq!(seconds, Some(7), "layer {most}");
    }
}

#[test]
fn a_layer_that_stops_is_left() {
    let (mut scene, mut publisher, mut subscriber, _, _) = scene();
    let mut camera = Camera::new(true);
    let mut seen = Vec::new();
    for picture in 0..80 {
        if picture == 20 {
            camera.layers = 2;
        }
        camera.send(&mut scene, &mut publisher);
        let packets = std::mem::take(&mut scene.out.packets);
        let control = publisher.open(packets.clone()).1;
        let mut asked = control.iter().flat_map(|compound| crate::rtcp::packets(compound));
        camera.key |= asked.any(|packet| matches!(packet, crate::rtcp::Packet::Pli { .. }));
        seen.extend(subscriber.open(packets).0);
    }
    let pictures = pictures(&seen);
    assert_eq!(pictures.last().unwrap().0, 79);
    assert_eq!(pictures.last().unwrap().2, [1, 1]);
    let frozen = pictures.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap();
    assert!(frozen <= 20, "{frozen} pictures");
    let live: Vec<_> = scene
        .events()
        .into_iter()
        .filter_map(|event| if let SwitchEvent::Live { layer, live, .. } = event { Some((layer, live)) } else { None })
        .collect();
    assert_eq!(live, [(0, true), (1, true), (2, true), (2, false)]);
}

#[test]
fn loss_and_repair_on_the_way_in() {
    let (mut scene, mut publisher, mut subscriber, _, key) = scene();
    scene.switch.set_subscription(key, false, Some(1), None, scene.now);
    let mut camera = Camera::new(false);
    let mut noise = crate::noise::Noise::new(4);
    let mut late: Vec<Vec<u8>> = Vec::new();
    let mut seen = Vec::new();
    for _ in 0..300 {
        for packet in camera.packets(&mut publisher) {
            // Every tenth packet comes after the picture, as one sent again.
            if noise.chance(10) { late.push(packet) } else { scene.receive(&publisher, packet) }
        }
        for packet in late.drain(..) {
            scene.receive(&publisher, packet);
        }
        scene.pass(Duration::from_millis(40));
        seen.extend(scene.seen_by(&mut subscriber).0);
    }
    seen.sort_by_key(|packet| packet.header.sequence);
    let first = seen[0].header.sequence;
    for (number, packet) in (0..).zip(&seen) {
        assert_eq!(packet.header.sequence, first.wrapping_add(number), "gapless when all has come");
    }
    let of = |spatial: u8| seen.iter().filter(|packet| packet.payload.last() == Some(&spatial)).count();
    assert_eq!((of(0), of(1), of(2)), (600, 600, 0), "everything for it, nothing else");
    assert!(seen.len() > 1200, "empty packets in place of what was not for it");
}

#[test]
fn cumulative_bitrates() {
    for only_key in [false, true] {
        let (mut scene, mut publisher, ..) = scene();
        let mut camera = Camera::new(only_key);
        for _ in 0..60 {
            camera.send(&mut scene, &mut publisher);
        }
        let track = scene.switch.tracks.keys().next().unwrap();
        let rates: Vec<_> = scene.switch.tracks.get(track).unwrap().track.layer_bitrates(scene.now).collect();
        let lowest = rates[0];
        assert!((20_000..23_000).contains(&lowest), "25 pictures of 14 bytes in two packets a second: {lowest}");
        let expected = if only_key { [1, 1, 1] } else { [1, 2, 3] };
        assert_eq!(rates, expected.map(|times| times * lowest));
    }
}

#[test]
fn a_poor_link_gets_the_lowest_layer() {
    let mut scene = Scene::new();
    let (mut publisher, mut subscriber) = (scene.client(), scene.client());
    let config = TrackConfig { codec: codec("video/VP9", 96), scalability: Some("L3T2".into()), ..video(1) };
    let track = scene.switch.add_track(publisher.key, &config, scene.now).unwrap();
    let link = |scene: &mut Scene, subscriber: &mut Client, bitrate| {
        let remb = subscriber.rtcp(|writer| assert!(writer.remb(bitrate, &[900])));
        scene.receive(subscriber, remb);
    };
    link(&mut scene, &mut subscriber, 400_000);
    scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
    let mut camera = Camera::new(false);
    let mut highest = Vec::new();
    for picture in 0..40 {
        // In their first second layers count as what cameras send.
        if picture == 20 {
            link(&mut scene, &mut subscriber, 20_000_000);
            camera.key = true;
        }
        camera.send(&mut scene, &mut publisher);
        let seen = scene.seen_by(&mut subscriber).0;
        highest.push(seen.iter().map(|packet| packet.payload[6]).max());
        camera.key |= picture == 25;
    }
    assert!(highest[..20].iter().all(|layer| *layer == Some(0)), "{highest:?}");
    assert!(highest[30..].iter().all(|layer| *layer == Some(2)), "{highest:?}");
}
