//! Probes as a subscriber sees them: packets beside its media, never in its numbers.

use super::*;
use crate::twcc::Recorder;

/// Publishes 640 kbit/s for so long to a subscriber that gives feedback at once, and returns what that saw.
pub(super) fn watch(
    scene: &mut Scene,
    publisher: &mut Client,
    subscriber: &mut Client,
    (from, seconds): (u64, u64),
    wanted: u64,
) -> Vec<Seen> {
    let mut recorder = Recorder::new(scene.now);
    let mut seen = Vec::new();
    for step in from * 100..(from + seconds) * 100 {
        // As if more were published.
        scene.switch.egresses[subscriber.key.0.place()].set_wanted(wanted);
        let mut payload = vp8(step == 0, true, step as u16, 0, 0);
        payload.resize(800, 7);
        let sent = Sent { ssrc: 100, payload_type: 96, timestamp: step as u32 * 900, marker: true, payload: &payload };
        let packet = publisher.next(sent);
        scene.receive(publisher, packet);
        for _ in 0..5 {
            scene.pass(Duration::from_millis(2));
            for packet in scene.seen_by(subscriber).0 {
                recorder.record(packet.header.extensions.transport_cc.unwrap(), 900, scene.now);
                seen.push(packet);
            }
        }
        if recorder.next_feedback().is_some_and(|due| due <= scene.now) {
            let now = scene.now;
            let compound = subscriber.rtcp(|writer| recorder.write_feedback(now, writer));
            scene.receive(subscriber, compound);
        }
    }
    seen
}

pub(super) fn scene(rtx: bool) -> (Scene, Client, Client, SubscriptionKey) {
    let mut scene = Scene::new();
    let (publisher, subscriber) = (scene.client(), scene.client());
    let track = scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    let key = scene.switch.subscribe(subscriber.key, track, &shown(900, rtx), scene.now).unwrap();
    (scene, publisher, subscriber, key)
}

#[test]
fn probes_raise_the_estimate_and_leave_the_stream_alone() {
    let (mut scene, mut publisher, mut subscriber, key) = scene(true);
    let seen = watch(&mut scene, &mut publisher, &mut subscriber, (0, 5), 12_000_000);
    let media: Vec<_> = seen.iter().filter(|packet| packet.header.ssrc == 900).collect();
    assert_eq!(media.len(), 500);
    for pair in media.windows(2) {
        assert_eq!(pair[1].header.sequence, pair[0].header.sequence.wrapping_add(1));
    }
    let probes: Vec<_> = seen.iter().filter(|packet| packet.header.ssrc == 901).collect();
    assert!((10..600).contains(&probes.len()), "{}", probes.len());
    for probe in &probes {
        let original = u16::from_be_bytes([probe.payload[0], probe.payload[1]]);
        assert!(media.iter().any(|packet| packet.header.sequence == original && packet.payload == probe.payload[2..]));
    }
    let stats = scene.switch.peer_stats(subscriber.key).unwrap();
    assert!(stats.estimate.unwrap() >= 6_000_000, "{:?}, while 640 kbit/s are sent", stats.estimate);
    assert_eq!(scene.switch.subscription_stats(key).unwrap().retransmitted, 0, "a probe is no repair");
}

#[test]
fn padding_probes_a_subscriber_that_is_shown_nothing() {
    let (mut scene, mut publisher, mut subscriber, key) = scene(true);
    watch(&mut scene, &mut publisher, &mut subscriber, (0, 1), 500_000);
    scene.switch.set_subscription(key, true, None, None, scene.now);
    let seen = watch(&mut scene, &mut publisher, &mut subscriber, (1, 8), 12_000_000);
    assert!(!seen.is_empty());
    for packet in seen {
        assert_eq!((packet.header.ssrc, packet.header.padding), (901, true));
        assert_eq!(packet.header.unpadded(&packet.payload), Ok(&[][..]));
    }
}

#[test]
fn without_retransmissions_nothing_is_made_up() {
    let (mut scene, mut publisher, mut subscriber, _) = scene(false);
    // A second stream, whose packets carry numbers.
    let sound = scene.switch.add_track(publisher.key, &audio(), scene.now).unwrap();
    scene.switch.subscribe(subscriber.key, sound, &shown(950, false), scene.now).unwrap();
    let mut numbered = 0;
    for step in 0..100u64 {
        let sent =
            Sent { ssrc: 300, payload_type: 111, timestamp: step as u32 * 960, marker: false, payload: &[1; 80] };
        let packet = publisher.next(sent);
        scene.receive(&publisher, packet);
        scene.pass(Duration::from_millis(20));
        numbered += scene.seen_by(&mut subscriber).0.len();
    }
    assert_eq!(numbered, 100);
    assert!(scene.switch.probing.is_empty());
}
