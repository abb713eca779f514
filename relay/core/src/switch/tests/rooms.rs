//! Liveness, binding by labels, speakers, limits, noise, and things that are gone.

use super::*;
use crate::drop::Reason;
use crate::noise::Noise;

#[test]
fn simulcast_is_bound_by_mid_and_rid() {
    let mut scene = Scene::new();
    let publisher = scene.client();
    let mut config = video(2);
    config.encodings = ["q", "h"].map(|rid| Encoding { rid: Some(rid.into()), ..Encoding::default() }).to_vec();
    let track = scene.switch.add_track(publisher.key, &config, scene.now).unwrap();
    let send = |scene: &mut Scene, ssrc: u32, payload_type: u8, block: &[u8], payload: &[u8], index: u64| {
        let mut slot = vec![0; 200];
        slot[..12].copy_from_slice(&[0x90, payload_type, 0, index as u8, 0, 0, 0, 0, 0, 0, 0, ssrc as u8]);
        slot[12..16].copy_from_slice(&[0xbe, 0xde, 0, (block.len() / 4) as u8]);
        slot[16..16 + block.len()].copy_from_slice(block);
        let len = publisher.sealer.seal_rtp(&mut slot, 16 + block.len(), payload, &[], index).unwrap();
        slot.truncate(len);
        scene.receive(&publisher, slot);
    };
    let payload = vp8(true, true, 0, 0, 0);
    send(&mut scene, 61, 96, &[0x10, b'v', 0x20, b'h'], &payload, 1);
    send(&mut scene, 60, 96, &[0x10, b'v', 0x20, b'q'], &payload, 1);
    send(&mut scene, 61, 96, &[0; 4], &payload, 3);
    // The retransmission of packet 2 of the upper layer, known by its repaired RID.
    let mut wrapped = vec![0, 2];
    wrapped.extend_from_slice(&payload);
    send(&mut scene, 71, 97, &[0x10, b'v', 0x30, b'h'], &wrapped, 1);
    send(&mut scene, 62, 96, &[0x10, b'v', 0x20, b'x'], &payload, 1);
    send(&mut scene, 60, 97, &[0; 4], &payload, 2);
    let layers = scene.switch.layer_stats(track, scene.now).unwrap();
    assert_eq!(
        layers.iter().map(|layer| (layer.ssrc, layer.packets)).collect::<Vec<_>>(),
        [(Some(60), 1), (Some(61), 3)]
    );
    let drops = scene.switch.peer_stats(publisher.key).unwrap().dropped;
    assert_eq!((drops.of(Reason::UnknownStream), drops.of(Reason::PayloadType)), (1, 1));
    let live: Vec<_> = scene.events();
    assert_eq!(live.len(), 2);
    scene.pass(Duration::from_secs(3));
    let mut gone = scene.events();
    gone.retain(|event| !matches!(event, SwitchEvent::LayersWanted { layers: 0, .. }));
    assert_eq!(gone.len(), 2);
    assert!(gone.iter().all(|event| matches!(event, SwitchEvent::Live { live: false, .. })));
}

#[test]
fn speakers_of_a_room() {
    let mut scene = Scene::new();
    let (mut loud, mut quiet) = (scene.client(), scene.client());
    let louder = scene.switch.add_track(loud.key, &audio(), scene.now).unwrap();
    scene.switch.add_track(quiet.key, &audio(), scene.now).unwrap();
    for step in 0..50u32 {
        let sent = Sent { ssrc: 300, payload_type: 111, timestamp: step * 960, marker: false, payload: b"x" };
        let packet = loud.packet(u64::from(step), sent, Some(20));
        scene.receive(&loud, packet);
        let packet = quiet.packet(u64::from(step), sent, Some(90));
        scene.receive(&quiet, packet);
        scene.pass(Duration::from_millis(20));
    }
    let told = |events: Vec<SwitchEvent>| {
        events.into_iter().rev().find_map(|event| match event {
            SwitchEvent::Speakers { room, speakers } => Some((room, speakers)),
            _ => None,
        })
    };
    let (room, speakers) = told(scene.events()).unwrap();
    assert_eq!(room, scene.room);
    assert_eq!(speakers.len(), 1);
    assert_eq!(speakers[0].0, louder);
    assert!(speakers[0].1 > 0.1);
    scene.switch.remove_peer(loud.key);
    scene.pass(Duration::from_secs(1));
    assert_eq!(told(scene.events()).unwrap().1, []);
}

#[test]
fn limits_and_refusals() {
    let mut scene = Scene::new();
    let (publisher, subscriber) = (scene.client(), scene.client());
    let none = TrackConfig { encodings: vec![], ..video(1) };
    assert_eq!(scene.switch.add_track(publisher.key, &none, scene.now), Err(Refusal::Invalid));
    assert_eq!(scene.switch.add_track(publisher.key, &video(5), scene.now), Err(Refusal::Limit));
    let track = scene.switch.add_track(publisher.key, &video(3), scene.now).unwrap();
    for _ in 1..MAX_TRACKS {
        scene.switch.add_track(publisher.key, &audio(), scene.now).unwrap();
    }
    assert_eq!(scene.switch.add_track(publisher.key, &audio(), scene.now), Err(Refusal::Limit));
    let key = scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
    let again = scene.switch.subscribe(subscriber.key, track, &shown(901, false), scene.now);
    assert_eq!(again, Err(Refusal::Invalid), "an SSRC twice would be a nonce twice");
    scene.switch.remove_peer(publisher.key);
    assert!(scene.switch.subscription_stats(key).is_none());
    assert!(scene.switch.layer_stats(track, scene.now).is_none());
    assert_eq!(scene.switch.add_track(publisher.key, &audio(), scene.now), Err(Refusal::UnknownPeer));
    let gone = scene.switch.subscribe(subscriber.key, track, &shown(950, true), scene.now);
    assert_eq!(gone, Err(Refusal::UnknownTrack));
    scene.switch.unsubscribe(key);
    scene.switch.remove_track(track);
    scene.switch.remove_room(scene.room);
    assert_eq!(scene.switch.add_peer(scene.room, scene.now), Err(Refusal::UnknownRoom));
}

#[test]
fn noise_is_dropped_and_counted() {
    let mut scene = Scene::new();
    let mut noise = Noise::new(99);
    let mut publisher = scene.client();
    let track = scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    for _ in 0..5_000 {
        let mut data = noise.bytes(100);
        if let Some(first) = data.first_mut() {
            *first = 0x80 | *first & 0x3f;
        }
        scene.receive(&publisher, data);
    }
    // Authentic packets with random content.
    for _ in 0..5_000 {
        let payload = noise.bytes(40);
        let (ssrc, payload_type) = [(100, 96), (200, 97), (100, 97), (7, 96)][noise.below(4) as usize];
        let sent = Sent { ssrc, payload_type, timestamp: noise.next() as u32, marker: false, payload: &payload };
        let packet = publisher.next(sent);
        scene.receive(&publisher, packet);
        let content = noise.bytes(60);
        let mut slot = vec![0x80 | noise.next() as u8 & 0x3f, 192 + noise.below(32) as u8, 0, noise.below(20) as u8];
        slot.extend_from_slice(&[0, 0, 0, noise.below(4) as u8]);
        slot.extend_from_slice(&content);
        let len = slot.len();
        slot.resize(len + 40, 0);
        if let Some(len) = publisher.sealer.seal_rtcp(&mut slot, len) {
            slot.truncate(len);
            scene.receive(&publisher, slot);
        }
        scene.pass(Duration::from_millis(1));
        scene.out.packets.clear();
    }
    let stats = scene.switch.peer_stats(publisher.key).unwrap();
    assert_eq!(stats.packets_received, 15_000);
    assert!(stats.dropped.of(Reason::Authentication) > 1_000);
    assert!(stats.dropped.of(Reason::EmptyRetransmission) > 10);
    assert!(scene.switch.layer_stats(track, scene.now).unwrap()[0].packets > 500);
}

#[test]
fn a_peer_that_changes_its_sources_all_the_time_is_still_heard() {
    let mut scene = Scene::new();
    let mut peer = scene.client();
    let mut reports = Vec::new();
    for ssrc in 0..500u32 {
        let report = peer.rtcp_from(ssrc, |writer| assert!(writer.receiver_report(&[])));
        reports.push(report.clone());
        scene.receive(&peer, report.clone());
        scene.receive(&peer, report);
    }
    let dropped = |scene: &Scene| scene.switch.peer_stats(peer.key).unwrap().dropped.iter().collect::<Vec<_>>();
    assert_eq!(dropped(&scene), [(Reason::Replayed, 500)]);
    // Of 64 it is known what they sent; those that are silent for longest are forgotten.
    for report in reports.into_iter().rev() {
        scene.receive(&peer, report);
    }
    assert_eq!(dropped(&scene), [(Reason::Replayed, 500 + 64)]);
}
