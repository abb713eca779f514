//! Key frames over a link whose rate is known: drawn out, with sound passing them.

use super::probes::{scene, watch};
use super::*;

/// bit/s the subscriber asked for.
const RATE: u64 = 1_000_000;
/// A key frame's packets.
const TRAIN: usize = 80;

/// A publisher, a subscriber whose link carries RATE, and what the subscriber saw by when it was sent, in ms since the key
/// frame was published at once.
fn train(known: bool) -> Vec<(u64, Seen)> {
    let (mut scene, mut publisher, mut subscriber, _) = scene(true);
    let sound = scene.switch.add_track(publisher.key, &audio(), scene.now).unwrap();
    scene.switch.subscribe(subscriber.key, sound, &shown(950, false), scene.now).unwrap();
    if known {
        let compound = subscriber.rtcp(|writer| assert!(writer.remb(RATE, &[900])));
        scene.receive(&subscriber, compound);
    }
    scene.pass(Duration::from_millis(600));
    scene.out.packets.clear();
    let begin = scene.now;
    let mut seen = Vec::new();
    for step in 0..100u64 {
        let mut payloads = Vec::new();
        let count = if step == 0 { TRAIN } else { usize::from(step % 3 == 0) };
        for place in 0..count {
            let mut payload = vp8(step == 0, place == 0, step as u16, 0, 0);
            payload.resize(1_100, place as u8);
            payloads.push(payload);
        }
        let last = payloads.len().saturating_sub(1);
        for (place, payload) in payloads.iter().enumerate() {
            let sent =
                Sent { ssrc: 100, payload_type: 96, timestamp: step as u32 * 900, marker: place == last, payload };
            let packet = publisher.next(sent);
            scene.receive(&publisher, packet);
        }
        if step % 2 == 0 {
            let sent =
                Sent { ssrc: 300, payload_type: 111, timestamp: step as u32 * 480, marker: false, payload: &[1; 80] };
            let packet = publisher.next(sent);
            scene.receive(&publisher, packet);
        }
        for _ in 0..10 {
            let at = (scene.now - begin).as_millis() as u64;
            seen.extend(scene.seen_by(&mut subscriber).0.into_iter().map(|packet| (at, packet)));
            scene.pass(Duration::from_millis(1));
        }
    }
    seen
}

fn of(seen: &[(u64, Seen)], ssrc: u32) -> Vec<(u64, u16)> {
    let of = seen.iter().filter(|(_, packet)| packet.header.ssrc == ssrc);
    of.map(|(at, packet)| (*at, packet.header.sequence)).collect()
}

#[test]
fn a_key_frame_is_drawn_out_and_sound_passes_it() {
    let seen = train(true);
    let pictures = of(&seen, 900);
    assert!(pictures.windows(2).all(|pair| pair[1].1 == pair[0].1.wrapping_add(1)), "in order, without gaps");
    assert_eq!(pictures.len(), TRAIN + 33);
    let within = |ms| pictures.iter().filter(|(at, _)| *at <= ms).count();
    assert!((10..16).contains(&within(0)), "{}", within(0));
    assert!(within(100) < TRAIN && within(450) >= TRAIN, "{} {}", within(100), within(450));
    // 1,200 bytes and 3 Mbit/s: what is known to pass may be less than what would.
    let most = (0..90).map(|step| within(step * 10 + 10) - within(step * 10)).max().unwrap();
    assert!(most <= 8, "{most} packets in 10 ms");
    let sound = of(&seen, 950);
    assert_eq!(sound.len(), 50);
    assert!(sound.iter().zip(0..).all(|((at, _), step)| *at == step * 20), "{sound:?}");
}

#[test]
fn nothing_is_held_where_nothing_limits() {
    let seen = train(false);
    assert_eq!(of(&seen, 900).iter().filter(|(at, _)| *at == 0).count(), TRAIN);
}

#[test]
fn what_is_asked_for_again_before_it_can_have_come_is_not_sent_a_third_time() {
    let (mut scene, mut publisher, mut subscriber, key) = scene(true);
    let seen = watch(&mut scene, &mut publisher, &mut subscriber, (0, 2), 600_000);
    let lost = seen.iter().rev().find(|packet| packet.header.ssrc == 900).unwrap().header.sequence;
    let mut ask = |scene: &mut Scene| {
        let nack = subscriber.rtcp(|writer| assert!(writer.nack(900, &[lost])));
        scene.receive(&subscriber, nack);
        scene.switch.subscription_stats(key).unwrap().retransmitted
    };
    assert_eq!([ask(&mut scene), ask(&mut scene)], [1, 1]);
    scene.pass(Duration::from_millis(300));
    assert_eq!([ask(&mut scene), ask(&mut scene)], [2, 2]);
}
