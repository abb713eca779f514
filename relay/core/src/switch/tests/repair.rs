//! Loss, reordering and duplication on both links, repaired by NACK and RTX in virtual time.

use std::collections::BTreeSet;

use super::*;
use crate::noise::Noise;
use crate::rtcp::{Packet, packets};

/// Twenty seconds of 100 packets a second; both links lose, swap and double. Returns what the subscriber has of it by
/// sequence number, and how many packets were sent to it twice.
fn run(seed: u64, rtx_in: bool, rtx_out: bool) -> (BTreeMap<u64, Vec<u8>>, u64, usize) {
    let mut noise = Noise::new(seed);
    let mut scene = Scene::new();
    let (mut publisher, mut subscriber) = (scene.client(), scene.client());
    let mut config = video(1);
    if !rtx_in {
        config.codec.rtx_payload_type = None;
        config.encodings[0].rtx_ssrc = None;
    }
    let track = scene.switch.add_track(publisher.key, &config, scene.now).unwrap();
    let key = scene.switch.subscribe(subscriber.key, track, &shown(900, rtx_out), scene.now).unwrap();
    let mut history: BTreeMap<u16, (u64, u32, Vec<u8>)> = BTreeMap::new();
    let mut link: Vec<Vec<u8>> = Vec::new();
    let mut got: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let mut unwrapper = crate::rtp::Unwrapper::default();
    let (mut rtx_index, mut total) = (0, 0);
    for step in 0..2_300u64 {
        // The last three seconds only repair.
        if step < 2_000 {
            let index = 0xff00 + step;
            let payload = vp8(step == 0, true, step as u16, 0, step as u8);
            let timestamp = step as u32 * 900;
            let sent = Sent { ssrc: 100, payload_type: 96, timestamp, marker: true, payload: &payload };
            let packet = publisher.packet(index, sent, None);
            history.insert(index as u16, (index, timestamp, payload));
            total += 1;
            if step == 0 || !noise.chance(8) {
                if noise.chance(3) {
                    link.push(packet.clone());
                }
                let place = if noise.chance(10) { link.len().saturating_sub(1) } else { link.len() };
                link.insert(place, packet);
            }
        }
        if step % 2 == 0 {
            for packet in std::mem::take(&mut link) {
                scene.receive(&publisher, packet);
            }
        }
        scene.pass(Duration::from_millis(10));
        let outgoing = std::mem::take(&mut scene.out.packets);
        for compound in publisher.open(outgoing.clone()).1 {
            for packet in packets(&compound) {
                let Packet::Nack { ssrc: 100, entries } = packet else { continue };
                for sequence in entries {
                    let (index, timestamp, payload) = &history[&sequence];
                    if noise.chance(8) {
                        continue;
                    }
                    let mut wrapped = sequence.to_be_bytes().to_vec();
                    wrapped.extend_from_slice(payload);
                    rtx_index += 1;
                    link.push(if rtx_in {
                        let sent = Sent {
                            ssrc: 200,
                            payload_type: 97,
                            timestamp: *timestamp,
                            marker: true,
                            payload: &wrapped,
                        };
                        publisher.packet(rtx_index, sent, None)
                    } else {
                        let sent = Sent { ssrc: 100, payload_type: 96, timestamp: *timestamp, marker: true, payload };
                        publisher.packet(*index, sent, None)
                    });
                }
            }
        }
        let delivered = outgoing.into_iter().filter(|_| step == 0 || !noise.chance(8)).collect();
        for seen in subscriber.open(delivered).0 {
            let (sequence, payload) = if seen.header.ssrc == 901 {
                assert_eq!(seen.header.payload_type, 121);
                (u16::from_be_bytes([seen.payload[0], seen.payload[1]]), seen.payload[2..].to_vec())
            } else {
                (seen.header.sequence, seen.payload)
            };
            let extended = unwrapper.next(sequence);
            if let Some(before) = got.insert(extended, payload.clone()) {
                assert_eq!(before, payload, "a packet sent again is the same packet");
            }
        }
        if step % 5 == 0
            && let (Some((first, _)), Some((last, _))) = (got.first_key_value(), got.last_key_value())
        {
            let recent = (*first).max(last.saturating_sub(200));
            let missing: BTreeSet<_> = (recent..*last).filter(|index| !got.contains_key(index)).collect();
            let missing: Vec<u16> = missing.into_iter().take(60).map(|index| index as u16).collect();
            if !missing.is_empty() {
                let nack = subscriber.rtcp(|writer| assert!(writer.nack(900, &missing)));
                scene.receive(&subscriber, nack);
            }
        }
    }
    let stats = scene.switch.subscription_stats(key).unwrap();
    (got, stats.retransmitted, total)
}

#[test]
fn everything_lost_is_repaired() {
    for (seed, rtx_in, rtx_out) in [(1, true, true), (2, true, false), (3, false, true), (4, false, false)] {
        let (got, retransmitted, total) = run(seed, rtx_in, rtx_out);
        // A loss at the very end is seen by nobody; and what was lost six times over is given up.
        assert!(got.len() + 3 >= total, "seed {seed}: {} of {total}", got.len());
        assert!(retransmitted > 100, "seed {seed}: {retransmitted}");
        let (first, last) = (*got.first_key_value().unwrap().0, *got.last_key_value().unwrap().0);
        assert!(last - first + 1 - got.len() as u64 <= 2);
        for (index, payload) in &got {
            assert_eq!(payload[7], (index - first) as u8, "each packet is in its own place");
            assert_eq!(u16::from_be_bytes([payload[2], payload[3]]) & 0x7fff, (index - first) as u16);
        }
    }
}

/// The SRTP index of a packet is its number: other bytes under it would use a nonce twice.
#[test]
fn what_was_sent_before_a_source_began_anew_is_not_sent_again() {
    let mut scene = Scene::new();
    let (mut publisher, mut subscriber) = (scene.client(), scene.client());
    let config = TrackConfig { encodings: vec![Encoding::default()], ..video(1) };
    let track = scene.switch.add_track(publisher.key, &config, scene.now).unwrap();
    scene.switch.subscribe(subscriber.key, track, &shown(900, false), scene.now).unwrap();
    let mut sealed: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    let sent_to = |scene: &mut Scene, subscriber: &Client| -> Vec<(u16, Vec<u8>)> {
        let packets = std::mem::take(&mut scene.out.packets).into_iter();
        let media = packets.filter(|(to, packet)| *to == subscriber.destination && !crate::rtp::is_rtcp(packet));
        media.map(|(_, packet)| (u16::from_be_bytes([packet[2], packet[3]]), packet)).collect()
    };
    for ssrc in [100, 150] {
        for number in 0..20u16 {
            let payload = vp8(number == 0, true, number, 0, ssrc as u8);
            let timestamp = u32::from(number) * 3_600 + if ssrc == 150 { 777_000 } else { 0 };
            let packet =
                publisher.described(Sent { ssrc, payload_type: 96, timestamp, marker: true, payload: &payload }, &[]);
            scene.receive(&publisher, packet);
            scene.pass(Duration::from_millis(40));
            for (sequence, packet) in sent_to(&mut scene, &subscriber) {
                assert!(sealed.insert(sequence, packet).is_none());
            }
        }
    }
    assert_eq!(sealed.len(), 40);
    let all: Vec<u16> = sealed.keys().copied().collect();
    let nack = subscriber.rtcp(|writer| assert!(writer.nack(900, &all)));
    scene.receive(&subscriber, nack);
    let again = sent_to(&mut scene, &subscriber);
    assert_eq!(again.len(), 20, "those of the new source");
    assert!(again.iter().all(|(sequence, packet)| sealed[sequence] == *packet));
}

#[test]
fn a_greedy_subscriber_is_bounded() {
    let mut scene = Scene::new();
    let (mut publisher, mut subscriber) = (scene.client(), scene.client());
    let track = scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    let key = scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
    let payload = vp8(true, true, 0, 0, 0);
    for step in 0..300 {
        let sent = Sent { ssrc: 100, payload_type: 96, timestamp: step, marker: true, payload: &payload };
        let packet = publisher.next(sent);
        scene.receive(&publisher, packet);
    }
    let newest = scene.seen_by(&mut subscriber).0.last().unwrap().header.sequence;
    let all: Vec<u16> = (0..300).map(|back| newest.wrapping_sub(299 - back)).collect();
    for _ in 0..20 {
        let nack = subscriber.rtcp(|writer| assert!(writer.nack(900, &all)));
        scene.receive(&subscriber, nack);
    }
    let stats = scene.switch.subscription_stats(key).unwrap();
    assert_eq!(stats.retransmitted, 512, "a second's budget and no more");
    assert_eq!(stats.nacks_received, 20 * 256);
}
