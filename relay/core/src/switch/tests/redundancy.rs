//! Redundant audio: whole to who takes it, the packets proper to who does not, padding to nobody.

use super::*;

#[test]
fn whole_or_taken_apart() {
    let mut scene = Scene::new();
    let (mut publisher, mut whole, mut apart) = (scene.client(), scene.client(), scene.client());
    let config = TrackConfig { codec: Codec { red_payload_type: Some(63), ..codec("audio/opus", 111) }, ..audio() };
    let track = scene.switch.add_track(publisher.key, &config, scene.now).unwrap();
    let with = SubscriptionConfig { red_payload_type: Some(98), payload_type: 97, ..shown(900, false) };
    scene.switch.subscribe(whole.key, track, &with, scene.now).unwrap();
    scene.switch.subscribe(apart.key, track, &shown(910, false), scene.now).unwrap();
    // With an earlier block, without redundancy at all, and malformed.
    let packets: [(u8, &[u8]); 3] =
        [(63, &[0xef, 0, 0, 2, 0x6f, 1, 2, 7, 8, 9]), (111, &[7, 8, 9]), (63, &[0xef, 0, 0, 200, 0x6f, 1])];
    for (payload_type, payload) in packets {
        let sent = Sent { ssrc: 300, payload_type, timestamp: 960, marker: false, payload };
        let packet = publisher.next(sent);
        scene.receive(&publisher, packet);
    }
    let packets = std::mem::take(&mut scene.out.packets);
    let of =
        |seen: Vec<Seen>| seen.into_iter().map(|seen| (seen.header.payload_type, seen.payload)).collect::<Vec<_>>();
    let seen = of(whole.open(packets.clone()).0);
    assert_eq!(seen, [(98, vec![0xe1, 0, 0, 2, 0x61, 1, 2, 7, 8, 9]), (97, vec![7, 8, 9])], "blocks named anew");
    let seen = of(apart.open(packets).0);
    assert_eq!(seen, [(120, vec![7, 8, 9]), (120, vec![7, 8, 9])]);
    let dropped = scene.switch.peer_stats(publisher.key).unwrap().dropped;
    assert_eq!(dropped.of(crate::drop::Reason::Malformed), 1);
}

/// Chromium probes a link with padding under the number and payload type of its voice when it sends no picture.
#[test]
fn padding_leaves_no_gap() {
    let mut scene = Scene::new();
    let (mut publisher, mut subscriber) = (scene.client(), scene.client());
    let config = TrackConfig { codec: Codec { red_payload_type: Some(63), ..codec("audio/opus", 111) }, ..audio() };
    let track = scene.switch.add_track(publisher.key, &config, scene.now).unwrap();
    scene.switch.subscribe(subscriber.key, track, &shown(900, false), scene.now).unwrap();
    let voice: (u8, &[u8]) = (63, &[0xef, 0, 0, 2, 0x6f, 1, 2, 7, 8, 9]);
    let packets = [voice, (63, &[]), (63, &[]), voice, (111, &[]), voice, voice];
    for (step, (payload_type, payload)) in packets.into_iter().enumerate() {
        let timestamp = 960 * u32::try_from(step).unwrap();
        let packet = publisher.next(Sent { ssrc: 300, payload_type, timestamp, marker: false, payload });
        scene.receive(&publisher, packet);
    }
    let seen = subscriber.open(std::mem::take(&mut scene.out.packets)).0;
    let first = seen[0].header.sequence;
    let numbers: Vec<_> = seen.iter().map(|seen| seen.header.sequence.wrapping_sub(first)).collect();
    assert_eq!(numbers, [0, 1, 2, 3]);
    let marked: Vec<_> = seen.iter().map(|seen| seen.header.marker).collect();
    assert_eq!(marked, [true, false, false, false], "speech begins once");
    let stats = &scene.switch.layer_stats(track, scene.now).unwrap()[0];
    assert_eq!((stats.packets, stats.lost), (7, 0), "padding is received like any other packet");
    assert_eq!(scene.switch.peer_stats(publisher.key).unwrap().dropped.of(crate::drop::Reason::Malformed), 0);
}

/// Sound that padding has overtaken.
#[test]
fn late_sound_goes_into_the_gap_that_was_left_for_it() {
    let mut scene = Scene::new();
    let (mut publisher, mut subscriber) = (scene.client(), scene.client());
    let track = scene.switch.add_track(publisher.key, &audio(), scene.now).unwrap();
    scene.switch.subscribe(subscriber.key, track, &shown(900, false), scene.now).unwrap();
    let voices: Vec<&[u8]> = vec![b"a", b"b", b"", b"", b"c", b"d", b"", b"e", b"f"];
    let packets: Vec<_> = voices
        .into_iter()
        .enumerate()
        .map(|(step, payload)| {
            let timestamp = 960 * u32::try_from(step).unwrap();
            publisher.next(Sent { ssrc: 300, payload_type: 111, timestamp, marker: false, payload })
        })
        .collect();
    for at in [0, 2, 3, 6, 7, 4, 1, 1, 5, 4, 8] {
        scene.receive(&publisher, packets[at].clone());
    }
    let seen = subscriber.open(std::mem::take(&mut scene.out.packets)).0;
    let first = seen[0].header.sequence;
    let came: Vec<_> = seen
        .iter()
        .map(|seen| (seen.header.sequence.wrapping_sub(first), seen.header.timestamp / 960, seen.payload[0]))
        .collect();
    assert_eq!(came, [(0, 0, b'a'), (4, 7, b'e'), (2, 4, b'c'), (1, 1, b'b'), (3, 5, b'd'), (5, 8, b'f')]);
}

/// On a narrow link redundancy would take the place of pictures.
#[test]
fn left_out_while_it_burdens_the_link() {
    let mut scene = Scene::new();
    let (mut publisher, mut subscriber) = (scene.client(), scene.client());
    let config = TrackConfig { codec: Codec { red_payload_type: Some(63), ..codec("audio/opus", 111) }, ..audio() };
    let track = scene.switch.add_track(publisher.key, &config, scene.now).unwrap();
    let with = SubscriptionConfig { red_payload_type: Some(98), payload_type: 97, ..shown(900, false) };
    scene.switch.subscribe(subscriber.key, track, &with, scene.now).unwrap();
    let camera = scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    let picture = scene.switch.subscribe(subscriber.key, camera, &shown(910, true), scene.now).unwrap();
    // 32 kbit/s, and the packet before again.
    let mut payload = vec![0xef, 0x0f, 0x00, 80, 0x6f];
    payload.extend([1; 80].into_iter().chain([2; 80]));
    let mut step = 0;
    let mut types_at = |scene: &mut Scene, bitrate: u64| {
        let remb = subscriber.rtcp(|writer| assert!(writer.remb(bitrate, &[900, 910])));
        scene.receive(&subscriber, remb);
        for _ in 0..100 {
            let sent = Sent { ssrc: 300, payload_type: 63, timestamp: step * 960, marker: false, payload: &payload };
            step += 1;
            let packet = publisher.next(sent);
            scene.receive(&publisher, packet);
            scene.pass(Duration::from_millis(20));
        }
        let seen = subscriber.open(std::mem::take(&mut scene.out.packets)).0;
        assert!(seen.windows(2).all(|pair| pair[1].header.sequence == pair[0].header.sequence.wrapping_add(1)));
        let media = seen.iter().rev().take(10).map(|seen| (seen.header.payload_type, seen.payload.len()));
        media.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(types_at(&mut scene, 1_000_000), [(98, 165)]);
    assert_eq!(types_at(&mut scene, 200_000), [(97, 80)], "34 kbit/s are more than an eighth");
    assert_eq!(types_at(&mut scene, 320_000), [(97, 80)], "and still more than seven tenths of one");
    assert_eq!(types_at(&mut scene, 1_000_000), [(98, 165)]);
    scene.switch.unsubscribe(picture);
    assert_eq!(types_at(&mut scene, 200_000), [(98, 165)], "where there is no picture it takes the place of none");
}
