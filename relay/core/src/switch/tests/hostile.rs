//! Peers that ask too much, lie, or send what nobody can read: counted with a reason, while another's stream is whole.

use super::*;
use crate::drop::Reason;
use crate::noise::Noise;
use crate::rtcp::{Packet, packets};

/// A publisher whose every picture reaches a viewer, whatever others do.
struct Victim {
    publisher: Client,
    viewer: Client,
    sent: u16,
}

impl Victim {
    fn new(scene: &mut Scene) -> Self {
        let (publisher, viewer) = (scene.client(), scene.client());
        let track = scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
        scene.switch.subscribe(viewer.key, track, &shown(900, true), scene.now).unwrap();
        Self { publisher, viewer, sent: 0 }
    }

    /// One more picture, and how many packets the relay sent because of it.
    fn step(&mut self, scene: &mut Scene) -> usize {
        let before = scene.out.packets.len();
        let payload = vp8(self.sent.is_multiple_of(50), true, self.sent, 0, 7);
        let timestamp = u32::from(self.sent) * 3_000;
        let sent = Sent { ssrc: 100, payload_type: 96, timestamp, marker: true, payload: &payload };
        let packet = self.publisher.next(sent);
        scene.receive(&self.publisher, packet);
        self.sent += 1;
        scene.out.packets.len() - before
    }

    /// That the viewer got every picture once, in order, out of all that was sent by the relay.
    fn check(&mut self, scene: &mut Scene) {
        let (seen, _) = scene.seen_by(&mut self.viewer);
        let numbers: Vec<u16> = seen
            .iter()
            .map(|seen| &seen.header)
            .filter(|header| header.ssrc == 900)
            .map(|header| header.sequence)
            .collect();
        assert_eq!(numbers.len(), usize::from(self.sent));
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
    }
}

fn dropped(scene: &Scene, client: &Client, reason: Reason) -> u64 {
    scene.switch.peer_stats(client.key).unwrap().dropped.of(reason)
}

/// How many packets were sent to a client so far.
fn sent_to(scene: &Scene, client: &Client) -> u64 {
    scene.switch.peer_stats(client.key).unwrap().packets_sent
}

#[test]
fn a_flood_of_nacks_on_many_streams_has_one_budget() {
    let mut scene = Scene::new();
    let mut victim = Victim::new(&mut scene);
    let (mut source, mut greedy) = (scene.client(), scene.client());
    let track = scene.switch.add_track(source.key, &video(1), scene.now).unwrap();
    for number in 0..8 {
        scene.switch.subscribe(greedy.key, track, &shown(2_000 + number * 2, true), scene.now).unwrap();
    }
    let payload = vp8(true, true, 0, 0, 0);
    for step in 0..200 {
        let sent = Sent { ssrc: 100, payload_type: 96, timestamp: step, marker: true, payload: &payload };
        let packet = source.next(sent);
        scene.receive(&source, packet);
    }
    let out = scene.out.packets.clone();
    let newest: BTreeMap<u32, u16> =
        greedy.open(out).0.iter().map(|seen| (seen.header.ssrc, seen.header.sequence)).collect();
    assert_eq!(newest.len(), 8);
    let before = sent_to(&scene, &greedy);
    for _ in 0..20 {
        for (ssrc, newest) in &newest {
            let lost: Vec<u16> = (0..150).map(|back| newest.wrapping_sub(149 - back)).collect();
            let compound = greedy.rtcp(|writer| assert!(writer.nack(*ssrc, &lost)));
            scene.receive(&greedy, compound);
        }
        assert_eq!(victim.step(&mut scene), 1, "a picture is sent in the instant it comes");
    }
    assert_eq!(sent_to(&scene, &greedy) - before, 1_024, "a second's budget for all its streams");
    assert_eq!(dropped(&scene, &greedy, Reason::NackFlood), 20 * 8 * 150 - 1_024);
    victim.check(&mut scene);
}

#[test]
fn a_flood_of_key_frame_requests_asks_the_publisher_once() {
    let mut scene = Scene::new();
    let mut victim = Victim::new(&mut scene);
    let mut greedy = scene.client();
    let track = scene.switch.add_track(victim.publisher.key, &audio(), scene.now).unwrap();
    scene.switch.subscribe(greedy.key, track, &shown(2_000, false), scene.now).unwrap();
    victim.step(&mut scene);
    let before = sent_to(&scene, &victim.publisher);
    for round in 0..100 {
        let compound = greedy.rtcp(|writer| {
            for _ in 0..20 {
                assert!(writer.pli(900) && writer.fir(900, round) && writer.pli(2_000));
            }
        });
        scene.receive(&greedy, compound);
        victim.step(&mut scene);
    }
    assert_eq!(dropped(&scene, &greedy, Reason::UnknownStream), 100 * 40, "900 is another's stream");
    scene.pass(Duration::from_millis(20));
    assert!(sent_to(&scene, &victim.publisher) - before <= 2, "no request of a stranger reaches a publisher");
    victim.check(&mut scene);
}

#[test]
fn ten_thousand_sources_take_sixty_four_places() {
    let mut scene = Scene::new();
    let mut victim = Victim::new(&mut scene);
    let mut hostile = scene.client();
    let mut packets = Vec::new();
    for ssrc in 0..10_000 {
        let packet = hostile.next(picture_of(50_000 + ssrc));
        packets.push(packet.clone());
        scene.receive(&hostile, packet);
        if ssrc % 100 == 0 {
            assert_eq!(victim.step(&mut scene), 1);
        }
    }
    assert_eq!(dropped(&scene, &hostile, Reason::UnknownStream), 10_000);
    assert_eq!(scene.switch.peer_stats(hostile.key).unwrap().packets_received, 10_000);
    // Who has a place is known to have sent this already.
    for packet in packets.into_iter().rev() {
        scene.receive(&hostile, packet);
    }
    assert_eq!(dropped(&scene, &hostile, Reason::Replayed), 64);
    assert_eq!(dropped(&scene, &hostile, Reason::UnknownStream), 20_000 - 64);
    victim.check(&mut scene);
}

#[test]
fn sources_that_have_tracks_keep_their_places() {
    let mut scene = Scene::new();
    let mut victim = Victim::new(&mut scene);
    let mut hostile = scene.client();
    for track in 0..16 {
        let mut config = video(4);
        for (number, encoding) in (0..).zip(&mut config.encodings) {
            (encoding.ssrc, encoding.rtx_ssrc) = (Some(1_000 + track * 4 + number), Some(2_000 + track * 4 + number));
        }
        scene.switch.add_track(hostile.key, &config, scene.now).unwrap();
    }
    for ssrc in [1_000..1_063, 50_000..50_100, 1_063..1_064].into_iter().flatten() {
        let packet = hostile.next(picture_of(ssrc));
        scene.receive(&hostile, packet);
    }
    assert_eq!(dropped(&scene, &hostile, Reason::UnknownStream), 100, "the last place was anybody's");
    assert_eq!(dropped(&scene, &hostile, Reason::TooManyStreams), 0);
    for ssrc in [60_000..60_100, 2_000..2_010, 1_000..1_064].into_iter().flatten() {
        let packet = hostile.next(picture_of(ssrc));
        scene.receive(&hostile, packet);
    }
    assert_eq!(dropped(&scene, &hostile, Reason::TooManyStreams), 110);
    assert_eq!(dropped(&scene, &hostile, Reason::UnknownStream), 100);
    victim.check(&mut scene);
}

/// One packet of a source.
fn picture_of(ssrc: u32) -> Sent<'static> {
    Sent { ssrc, payload_type: 96, timestamp: 0, marker: true, payload: &[1; 50] }
}

#[test]
fn as_many_tracks_and_subscriptions_as_there_may_be() {
    let mut scene = Scene::new();
    let mut victim = Victim::new(&mut scene);
    let hostile = scene.client();
    let made = (0..10_000).filter(|_| scene.switch.add_track(hostile.key, &video(4), scene.now).is_ok()).count();
    assert_eq!(made, 16);
    let track = scene.switch.add_track(victim.publisher.key, &audio(), scene.now).unwrap();
    let subscribed: Vec<_> = (0..10_000)
        .filter_map(|ssrc| scene.switch.subscribe(hostile.key, track, &shown(10_000 + ssrc, false), scene.now).ok())
        .collect();
    assert_eq!(subscribed.len(), 1_024);
    for key in subscribed {
        scene.switch.unsubscribe(key);
    }
    // Negotiating without end: each stream that ends is remembered, so that no index is used twice under one key.
    let again = (0..20_000u32).take_while(|number| {
        let key = scene.switch.subscribe(hostile.key, track, &shown(100_000 + number, false), scene.now);
        key.map(|key| scene.switch.unsubscribe(key)).is_ok()
    });
    assert_eq!(again.count(), 8_192 - 1_024);
    assert_eq!(victim.step(&mut scene), 1);
    victim.check(&mut scene);
}

/// Parts of RTCP that a damaged length or count makes unreadable.
fn broken_parts() -> Vec<Vec<u8>> {
    let part = |kind: u8, count: u8, words: u16, content: &[u8]| {
        [&[0x80 | count, kind][..], &words.to_be_bytes(), content].concat()
    };
    vec![
        part(200, 0, 1, &[0; 4]),  // a sender report without its information
        part(201, 1, 9, &[0; 8]),  // longer than the packet
        part(203, 1, 0, &[]),      // a goodbye of nobody
        part(205, 1, 1, &[0; 4]),  // a NACK without its stream
        part(205, 15, 1, &[0; 4]), // feedback without content
        part(206, 1, 1, &[0; 4]),  // PLI, FIR and REMB likewise
        part(206, 4, 1, &[0; 4]),
        part(206, 15, 3, b"\0\0\0\x01\0\0\0\0REMB"),
        vec![0x40, 200, 0, 0],   // version 1
        part(200, 0x20, 0, &[]), // padding longer than the part
    ]
}

#[test]
fn malformed_rtcp_of_every_type_is_counted() {
    let mut scene = Scene::new();
    let mut victim = Victim::new(&mut scene);
    let mut hostile = scene.client();
    for (number, part) in (1..).zip(broken_parts()) {
        let whole = [&[0x80, 201, 0, 1, 0, 0, 0, 9][..], &part].concat();
        let mut slot = vec![0; 200];
        slot[..whole.len()].copy_from_slice(&whole);
        let len = hostile.sealer.seal_rtcp(&mut slot, whole.len()).unwrap();
        slot.truncate(len);
        scene.receive(&hostile, slot);
        assert_eq!(dropped(&scene, &hostile, Reason::Malformed), number, "{part:?}");
        victim.step(&mut scene);
    }
    let fine = hostile.rtcp_from(9, |writer| assert!(writer.receiver_report(&[]) && writer.goodbye(9)));
    scene.receive(&hostile, fine);
    assert_eq!(dropped(&scene, &hostile, Reason::Malformed), broken_parts().len() as u64);
    victim.check(&mut scene);
}

/// Whatever an authentic peer writes: headers, extensions, payload formats, reports.
#[test]
fn anything_an_authentic_peer_writes_costs_itself_only() {
    let mut noise = Noise::new(41);
    let mut scene = Scene::new();
    let mut victim = Victim::new(&mut scene);
    for round in 0..40u32 {
        let mut hostile = scene.client();
        let viewer = scene.client();
        let mimes = ["video/VP8", "video/VP9", "video/H264", "video/AV1", "audio/opus"];
        for (number, mime) in (0..).zip(mimes) {
            let kind = if mime.starts_with("audio") { Kind::Audio } else { Kind::Video };
            let mut config = TrackConfig { kind, codec: codec(mime, 96), mid: Some(format!("{number}")), ..video(1) };
            config.encodings[0] = Encoding { rid: None, ssrc: Some(7_000 + number), rtx_ssrc: Some(7_100 + number) };
            config.scalability = (round % 2 == 0 && matches!(number, 1 | 3)).then(|| "L3T3".into());
            config.codec.red_payload_type = (kind == Kind::Audio).then_some(98);
            let track = scene.switch.add_track(hostile.key, &config, scene.now).unwrap();
            scene
                .switch
                .subscribe(viewer.key, track, &shown(3_000 + number * 2, kind == Kind::Video), scene.now)
                .unwrap();
        }
        for index in 0..120u64 {
            let mut slot = vec![0; 1_600];
            if noise.chance(30) {
                let mut compound = vec![0x80 | noise.next().to_le_bytes()[0] & 0x3f, 200 + noise.below(8) as u8, 0, 0];
                compound.extend(noise.bytes(200));
                compound.resize(compound.len().next_multiple_of(4).max(8), 0);
                let words = (compound.len() / 4 - 1) as u16;
                compound[2..4].copy_from_slice(&words.saturating_sub(noise.below(2) as u16).to_be_bytes());
                slot[..compound.len()].copy_from_slice(&compound);
                let len = hostile.sealer.seal_rtcp(&mut slot, compound.len()).unwrap();
                slot.truncate(len);
            } else {
                // A header with one- or two-byte extensions of random content, and a random payload.
                let ssrc = 7_000 + noise.below(5) as u32 + if noise.chance(10) { 100 } else { 0 };
                let extensions = noise.bytes(60);
                let words = extensions.len() / 4;
                let profile: [u8; 2] = if noise.chance(50) { [0xbe, 0xde] } else { [0x10, 0] };
                let kind = [96, 97, 98][noise.below(3) as usize];
                let mut header = vec![0x90 | if noise.chance(10) { 0x20 } else { 0 }, kind, 0, 0];
                let sequence = if noise.chance(5) { noise.next() as u16 } else { index as u16 };
                header[2..4].copy_from_slice(&sequence.to_be_bytes());
                header.extend((index as u32 * 3_000).to_be_bytes());
                header.extend(ssrc.to_be_bytes());
                header.extend(profile);
                header.extend((words as u16).to_be_bytes());
                header.extend(&extensions[..words * 4]);
                slot[..header.len()].copy_from_slice(&header);
                let payload = noise.bytes(1_400);
                let index = u64::from(sequence);
                let len = hostile.sealer.seal_rtp(&mut slot, header.len(), &payload, &[], index).unwrap();
                slot.truncate(len);
            }
            scene.receive(&hostile, slot);
            if index % 10 == 0 {
                assert_eq!(victim.step(&mut scene), 1);
                scene.pass(Duration::from_millis(20));
            }
        }
        let stats = scene.switch.peer_stats(hostile.key).unwrap();
        assert_eq!(stats.packets_received, 120);
        assert!(stats.dropped.iter().count() >= 2, "{:?}", stats.dropped.iter().collect::<Vec<_>>());
        assert!(sent_to(&scene, &viewer) < 20 * 120, "nothing is multiplied without end");
        scene.switch.remove_peer(hostile.key);
        scene.switch.remove_peer(viewer.key);
    }
    victim.check(&mut scene);
}

#[test]
fn counters_outlive_what_they_count() {
    let mut scene = Scene::new();
    let mut victim = Victim::new(&mut scene);
    for _ in 0..60 {
        victim.step(&mut scene);
        scene.pass(Duration::from_millis(10));
    }
    let nack = victim.viewer.rtcp(|writer| assert!(writer.nack(900, &[1, 2]) && writer.pli(900) && writer.pli(1)));
    scene.receive(&victim.viewer, nack);
    let before = scene.switch.totals(scene.now);
    assert_eq!((before.peers, before.tracks, before.subscriptions), (2, 1, 1));
    assert_eq!((before.media_received, before.media_sent, before.key_frames), (60, 60, 2));
    assert_eq!((before.nacks.0, before.key_frame_requests.0, before.dropped.of(Reason::UnknownStream)), (2, 1, 1));
    assert!(before.received.0 == 61 && before.sent.0 >= 60);
    scene.switch.remove_peer(victim.publisher.key);
    scene.switch.remove_peer(victim.viewer.key);
    let after = scene.switch.totals(scene.now);
    assert_eq!(format!("{before:?}"), format!("{after:?}"), "nothing is lost with what has gone");
    Victim::new(&mut scene).step(&mut scene);
    let more = scene.switch.totals(scene.now);
    assert_eq!((more.peers, more.media_sent, more.received.0), (4, 61, 62));
}

/// Every request is answered with a key frame, as soon as it reaches the publisher.
#[test]
fn who_asks_for_key_frames_all_the_time_has_one_a_second_made() {
    let mut scene = Scene::new();
    let (mut publisher, mut greedy, mut honest) = (scene.client(), scene.client(), scene.client());
    let track = scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    for (viewer, ssrc) in [(&greedy, 900), (&honest, 910)] {
        scene.switch.subscribe(viewer.key, track, &shown(ssrc, true), scene.now).unwrap();
    }
    let (mut made, mut asked) = (0, true);
    let mut pass = |scene: &mut Scene,
                    publisher: &mut Client,
                    steps: std::ops::Range<u32>,
                    ask: &mut dyn FnMut(&mut Scene)| {
        made = 0;
        for step in steps {
            let payload = vp8(asked, true, step as u16, 0, 0);
            let sent = Sent { ssrc: 100, payload_type: 96, timestamp: step * 900, marker: true, payload: &payload };
            let packet = publisher.next(sent);
            scene.receive(publisher, packet);
            ask(scene);
            scene.pass(Duration::from_millis(10));
            let (_, control) = scene.seen_by(publisher);
            asked =
                control.iter().flat_map(|compound| packets(compound)).any(|packet| packet == Packet::Pli { ssrc: 100 });
            made += u32::from(asked);
        }
        made
    };
    pass(&mut scene, &mut publisher, 0..100, &mut |_| ());
    let made = pass(&mut scene, &mut publisher, 100..2_100, &mut |scene| {
        let request = greedy.rtcp(|writer| assert!(writer.pli(900)));
        scene.receive(&greedy, request);
    });
    assert!((22..=25).contains(&made), "five at once, one in each of 20 seconds: {made}");
    assert!(dropped(&scene, &greedy, Reason::KeyFrameFlood) > 1_000);
    let made = pass(&mut scene, &mut publisher, 2_100..2_140, &mut |scene| {
        let request = honest.rtcp(|writer| assert!(writer.pli(910)));
        scene.receive(&honest, request);
    });
    assert!(made >= 1, "another's are its own");
}

#[test]
fn what_is_not_authentic_pushes_nothing_out_of_the_flight_recorder() {
    let mut scene = Scene::new();
    let mut victim = Victim::new(&mut scene);
    victim.step(&mut scene);
    let payload = vp8(false, true, 1, 0, 7);
    let sent = Sent { ssrc: 100, payload_type: 96, timestamp: 0, marker: true, payload: &payload };
    let mut forged = victim.publisher.next(sent);
    *forged.last_mut().unwrap() ^= 1;
    for _ in 0..20_000 {
        scene.receive(&victim.publisher, forged.clone());
    }
    assert_eq!(dropped(&scene, &victim.publisher, Reason::Authentication), 20_000);
    let [received, _] = scene.switch.tapes(victim.publisher.key).unwrap();
    let records = received.records(scene.now, crate::flight::SPAN);
    assert_eq!(records.len(), 1, "the picture that was sent");
    assert_eq!(records[0].head[..2], [0x90, 0xe0], "its header");
}
