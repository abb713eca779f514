//! One publisher to many: everyone gets every packet, with their own header.

use super::*;

#[test]
fn fifty_subscribers() {
    let mut scene = Scene::new();
    let mut publisher = scene.client();
    let track = scene.switch.add_track(publisher.key, &audio(), scene.now).unwrap();
    let mut subscribers: Vec<_> = (0..50).map(|_| scene.client()).collect();
    for (number, subscriber) in (0..).zip(&subscribers) {
        scene.switch.subscribe(subscriber.key, track, &shown(5_000 + number, false), scene.now).unwrap();
    }
    for step in 0..40u32 {
        let payload = [step as u8; 60];
        let sent = Sent { ssrc: 300, payload_type: 111, timestamp: step * 960, marker: false, payload: &payload };
        let packet = publisher.next(sent);
        scene.receive(&publisher, packet);
    }
    let packets = std::mem::take(&mut scene.out.packets);
    assert_eq!(packets.len(), 40 * 50);
    for (number, subscriber) in (0..).zip(&mut subscribers) {
        let (seen, _) = subscriber.open(packets.clone());
        assert_eq!(seen.len(), 40);
        let first = seen[0].header.sequence;
        for (step, packet) in (0..).zip(&seen) {
            assert_eq!(packet.header.ssrc, 5_000 + number);
            assert_eq!(packet.header.sequence, first.wrapping_add(step));
            assert_eq!(packet.header.timestamp, u32::from(step) * 960);
            assert_eq!(packet.header.payload_type, 120);
            assert_eq!(packet.header.extensions.transport_cc, Some(step));
            assert_eq!(packet.header.marker, step == 0, "a talk spurt begins for who just came");
            assert_eq!(packet.payload, [step as u8; 60]);
        }
    }
    let stats = scene.switch.peer_stats(publisher.key).unwrap();
    assert_eq!((stats.packets_received, stats.dropped.iter().count()), (40, 0));
}
