//! Key frames over a link whose rate is known: drawn out, with sound passing them.

use super::probes::{scene, watch};
use super::scalable::vp9;
use super::*;
use crate::twcc::Recorder;

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

/// Steps of 5 ms from one picture to the next, and until the large key picture.
const PICTURE: u64 = 8;
const LARGE: u64 = 4_000;

/// The packets of a picture: so many, or so many of each of three spatial layers.
fn picture(scalable: bool, number: u32, count: u8) -> Vec<Vec<u8>> {
    let key = number == 0 || u64::from(number) * PICTURE == LARGE;
    let layers = if scalable { 3 } else { 1 };
    let mut payloads = Vec::new();
    for spatial in 0..layers {
        for place in 0..count / layers {
            let mut payload = if scalable {
                let (depends, unused) = (spatial > 0, spatial + 1 == layers);
                vp9(number, key, (spatial, 0), place == 0, [depends, unused])
            } else {
                vp8(key, place == 0, number as u16, 0, 0)
            };
            payload.resize(if key { 1_100 } else { 700 }, 7);
            payloads.push(payload);
        }
    }
    payloads
}

/// A subscriber behind a link of RATE with a queue, who gives feedback; a stream that fits it, and after 20 s one key
/// picture of 60 packets. The longest that a packet waited in the queue after that, in ms; how many of the picture's packets
/// came; and when the last of them did, in ms since it was published.
fn over_narrow_link(scalable: bool) -> (u64, usize, u64) {
    let mut scene = Scene::new();
    let (mut publisher, mut subscriber) = (scene.client(), scene.client());
    let config = if scalable {
        TrackConfig { codec: codec("video/VP9", 96), scalability: Some("L3T1".into()), ..video(1) }
    } else {
        video(1)
    };
    let track = scene.switch.add_track(publisher.key, &config, scene.now).unwrap();
    scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
    let mut recorder = Recorder::new(scene.now);
    let mut link: Vec<(Instant, u16)> = Vec::new();
    let (mut free, mut begun) = (scene.now, scene.now);
    let (mut longest, mut came, mut last) = (Duration::ZERO, 0, Duration::ZERO);
    for step in 0..LARGE + 600 {
        if step == LARGE {
            begun = scene.now;
        }
        if step % PICTURE == 0 {
            let number = (step / PICTURE) as u32;
            let payloads = picture(scalable, number, if step == LARGE { 60 } else { 3 });
            for (place, payload) in (1..).zip(&payloads) {
                let (timestamp, marker) = (number * 3_600, place == payloads.len());
                let packet = publisher.next(Sent { ssrc: 100, payload_type: 96, timestamp, marker, payload });
                scene.receive(&publisher, packet);
            }
        }
        // As if more were published: the link's end is looked for.
        scene.switch.egresses[subscriber.key.0.place()].set_wanted(3_000_000);
        scene.pass(Duration::from_millis(5));
        for packet in scene.seen_by(&mut subscriber).0 {
            let begins = free.max(scene.now);
            free = begins + Duration::from_micros((packet.payload.len() as u64 + 60) * 8_000_000 / RATE);
            link.push((free + Duration::from_millis(20), packet.header.extensions.transport_cc.unwrap()));
            if step >= LARGE {
                longest = longest.max(begins - scene.now);
                let of_it = packet.header.ssrc == 900 && packet.payload.len() == 1_100;
                came += usize::from(of_it);
                last = if of_it { free - begun } else { last };
            }
        }
        for (_, number) in link.extract_if(.., |(at, _)| *at <= scene.now) {
            recorder.record(number, 900, scene.now);
        }
        if recorder.next_feedback().is_some_and(|due| due <= scene.now) {
            let now = scene.now;
            let compound = subscriber.rtcp(|writer| recorder.write_feedback(now, writer));
            scene.receive(&subscriber, compound);
        }
    }
    (longest.as_millis() as u64, came, last.as_millis() as u64)
}

#[test]
fn a_large_key_frame_does_not_fill_the_queue_of_a_narrow_link() {
    for scalable in [false, true] {
        let (longest, came, last) = over_narrow_link(scalable);
        assert_eq!(came, 60, "scalable: {scalable}");
        // 66 kB at 1 Mbit/s last 550 ms. What goes at once lasts 100 ms.
        assert!(longest <= 150, "scalable: {scalable}: it waited {longest} ms in the queue");
        assert!(last <= 900, "scalable: {scalable}: it was there after {last} ms");
    }
}
