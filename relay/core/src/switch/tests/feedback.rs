//! What publishers and subscribers are told.

use super::*;
use crate::rtcp::{Packet, ReportBlock, SenderInfo, packets};
use crate::twcc::Feedback;

fn publish(scene: &mut Scene, publisher: &mut Client, millis: u64, twcc: bool) -> Vec<Vec<u8>> {
    let mut control = Vec::new();
    for step in 0..millis / 10 {
        let payload = vp8(step == 0, true, step as u16, 0, 0);
        let sent = Sent { ssrc: 100, payload_type: 96, timestamp: step as u32 * 900, marker: true, payload: &payload };
        let mut packet = publisher.next(sent);
        if !twcc {
            packet = without_extensions(publisher, step, &payload);
        }
        scene.receive(publisher, packet);
        scene.pass(Duration::from_millis(10));
        let packets = std::mem::take(&mut scene.out.packets);
        control.extend(publisher.open(packets).1);
    }
    control
}

fn without_extensions(publisher: &Client, step: u64, payload: &[u8]) -> Vec<u8> {
    let template = Template::new(&TemplateConfig { ssrc: 100, payload_type: 96, ..TemplateConfig::default() });
    let mut slot = vec![0; 200];
    let stamp = Stamp { sequence: step as u16, timestamp: step as u32 * 900, ..Stamp::default() };
    let header = template.write(&mut slot, &stamp).unwrap();
    let len = publisher.sealer.seal_rtp(&mut slot, header, payload, &[], step).unwrap();
    slot.truncate(len);
    slot
}

#[test]
fn transport_wide_feedback_several_times_a_second() {
    let mut scene = Scene::new();
    let mut publisher = scene.client();
    scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    let control = publish(&mut scene, &mut publisher, 3_000, true);
    let feedback: Vec<_> = control
        .iter()
        .flat_map(|compound| packets(compound))
        .filter_map(|packet| match packet {
            Packet::TransportCc { content } => Some(Feedback::parse(content).unwrap().collect::<Vec<_>>()),
            Packet::Remb { .. } => panic!("never both"),
            _ => None,
        })
        .collect();
    assert!((30..=60).contains(&feedback.len()), "{}", feedback.len());
    let told: Vec<u16> = feedback.iter().flatten().map(|(sequence, _)| *sequence).collect();
    assert!(told.len() > 290 && told.iter().zip(0..).all(|(seen, expected)| *seen == expected));
    let blocks = control.iter().flat_map(|compound| packets(compound)).filter_map(|packet| match packet {
        Packet::ReceiverReport { mut blocks } => blocks.next(),
        _ => None,
    });
    assert_eq!(blocks.filter(|block| block.ssrc == 100 && block.cumulative_lost == 0).count(), 3, "one a second");
}

#[test]
fn remb_without_transport_wide_numbers() {
    let mut scene = Scene::new();
    let mut publisher = scene.client();
    scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    let control = publish(&mut scene, &mut publisher, 3_000, false);
    let rates: Vec<_> = control
        .iter()
        .flat_map(|compound| packets(compound))
        .filter_map(|packet| match packet {
            Packet::Remb { bitrate, .. } => Some(bitrate),
            _ => None,
        })
        .collect();
    assert!((5..=8).contains(&rates.len()), "{rates:?}");
    assert!(rates.iter().all(|rate| *rate >= 1_499_000), "{rates:?}");
}

#[test]
fn what_a_subscriber_asks_for_by_remb_is_the_estimate() {
    let mut scene = Scene::new();
    let mut subscriber = scene.client();
    assert_eq!(scene.switch.peer_stats(subscriber.key).unwrap().estimate, None);
    let compound = subscriber.rtcp(|writer| assert!(writer.remb(1 << 20, &[900])));
    scene.receive(&subscriber, compound);
    let stats = scene.switch.peer_stats(subscriber.key).unwrap();
    assert_eq!((stats.estimate, stats.remb), (Some(1 << 20), Some(1 << 20)));
}

#[test]
fn feedback_about_what_was_never_sent_is_counted() {
    let mut scene = Scene::new();
    let mut subscriber = scene.client();
    let mut recorder = crate::twcc::Recorder::new(scene.now);
    recorder.record(17, 900, scene.now);
    let later = scene.now + Duration::from_millis(100);
    let compound = subscriber.rtcp(|writer| recorder.write_feedback(later, writer));
    scene.receive(&subscriber, compound);
    let stats = scene.switch.peer_stats(subscriber.key).unwrap();
    assert_eq!(stats.dropped.of(crate::drop::Reason::FeedbackUnsent), 1);
    assert_eq!(stats.estimate, None);
}

#[test]
fn sender_reports_are_translated_and_tell_the_round_trip() {
    let mut scene = Scene::new();
    let (mut publisher, mut subscriber) = (scene.client(), scene.client());
    let track = scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    let key = scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
    let payload = vp8(true, true, 0, 0, 0);
    let sent = Sent { ssrc: 100, payload_type: 96, timestamp: 9_000, marker: true, payload: &payload };
    let packet = publisher.next(sent);
    scene.receive(&publisher, packet);
    let info = SenderInfo { ntp: 5 << 40, timestamp: 4_500, ..SenderInfo::default() };
    let report = publisher.rtcp(|writer| assert!(writer.sender_report(100, &info)));
    scene.receive(&publisher, report);
    scene.pass(Duration::from_millis(500));
    let (media, control) = scene.seen_by(&mut subscriber);
    assert_eq!(media[0].header.timestamp, 9_000);
    let reports: Vec<_> = control.iter().flat_map(|compound| packets(compound)).collect();
    let Packet::SenderReport { ssrc: 900, info: seen, .. } = &reports[0] else { panic!("{reports:?}") };
    assert_eq!(seen.packets, 1);
    let ticks = ((seen.ntp - info.ntp) * 90_000) >> 32;
    assert!(ticks.abs_diff(u64::from(seen.timestamp - info.timestamp)) < 2, "the same instant on both clocks");
    let block = ReportBlock {
        ssrc: 900,
        fraction_lost: 64,
        last_report: (seen.ntp >> 16) as u32,
        delay: 65_536 / 4,
        ..ReportBlock::default()
    };
    let answer = subscriber.rtcp(|writer| assert!(writer.receiver_report(&[block])));
    scene.receive(&subscriber, answer);
    let rtt = scene.switch.peer_stats(subscriber.key).unwrap().rtt_ms.unwrap();
    assert!((200.0..=251.0).contains(&rtt), "{rtt}");
    assert!((scene.switch.subscription_stats(key).unwrap().lost - 0.25).abs() < 1e-9);
}

#[test]
fn a_subscribers_key_frame_request_reaches_the_publisher_once() {
    let mut scene = Scene::new();
    let (mut publisher, mut subscriber) = (scene.client(), scene.client());
    let track = scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    let key = scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
    publish(&mut scene, &mut publisher, 1_000, true);
    for _ in 0..10 {
        let request = subscriber.rtcp(|writer| {
            assert!(writer.pli(900));
            assert!(writer.fir(900, 1));
        });
        scene.receive(&subscriber, request);
    }
    scene.pass(Duration::from_millis(20));
    let (_, control) = scene.seen_by(&mut publisher);
    let asked = control.iter().flat_map(|compound| packets(compound));
    assert_eq!(asked.filter(|packet| *packet == Packet::Pli { ssrc: 100 }).count(), 1);
    assert_eq!(scene.switch.subscription_stats(key).unwrap().plis_received, 20);
}

#[test]
fn nothing_spins_without_an_address() {
    let mut scene = Scene::new();
    let mut publisher = scene.client();
    scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
    publish(&mut scene, &mut publisher, 100, true);
    scene.switch.set_destination(publisher.key, None);
    let mut polls = 0;
    let end = scene.now + Duration::from_secs(10);
    while scene.switch.next_timeout() <= end {
        let now = scene.switch.next_timeout().max(scene.now);
        scene.switch.poll(now, &mut scene.out);
        polls += 1;
    }
    assert!(polls < 100, "{polls}");
}

/// The publisher takes 25 frames a second, and answers a request with its next one.
#[test]
fn a_new_subscriber_sees_the_next_frame() {
    for wait in [0, 7, 20, 37] {
        let mut scene = Scene::new();
        let (mut publisher, mut subscriber) = (scene.client(), scene.client());
        let track = scene.switch.add_track(publisher.key, &video(1), scene.now).unwrap();
        publish(&mut scene, &mut publisher, 2_000, true);
        let frame = |scene: &mut Scene, publisher: &mut Client, key: bool, number: u32| {
            let payload = vp8(key, true, 300 + number as u16, 0, 7);
            let timestamp = 900_000 + number * 3_600;
            let sent = Sent { ssrc: 100, payload_type: 96, timestamp, marker: true, payload: &payload };
            let packet = publisher.next(sent);
            scene.receive(publisher, packet);
        };
        frame(&mut scene, &mut publisher, false, 0);
        scene.pass(Duration::from_millis(wait));
        let joined = scene.now;
        scene.switch.subscribe(subscriber.key, track, &shown(900, true), scene.now).unwrap();
        // The relay asks in time for the publisher's next frame, whenever that is.
        scene.pass(Duration::from_millis(40 - wait));
        let out = std::mem::take(&mut scene.out.packets);
        let asked = publisher.open(out).1;
        let asked =
            asked.iter().flat_map(|compound| packets(compound)).any(|packet| packet == Packet::Pli { ssrc: 100 });
        assert!(asked, "asked before the next frame, {} ms after joining", 40 - wait);
        frame(&mut scene, &mut publisher, true, 1);
        let (seen, _) = scene.seen_by(&mut subscriber);
        assert_eq!(seen.len(), 1, "at the subscriber in the instant it came");
        assert_eq!(seen[0].payload[6], 0, "and it is the key frame");
        assert!(scene.now - joined <= Duration::from_millis(45));
    }
}

#[test]
fn key_frames_are_asked_for_layer_by_layer() {
    let mut scene = Scene::new();
    let (mut publisher, mut small) = (scene.client(), scene.client());
    let track = scene.switch.add_track(publisher.key, &video(2), scene.now).unwrap();
    let mut large = scene.client();
    for (viewer, ssrc, layer) in [(&small, 900, 0), (&large, 910, 1)] {
        let key = scene.switch.subscribe(viewer.key, track, &shown(ssrc, true), scene.now).unwrap();
        scene.switch.set_subscription(key, false, Some(layer), None, scene.now);
    }
    let mut asked = Vec::new();
    for step in 0..500u32 {
        // Both ask all the time.
        for (viewer, ssrc) in [(&mut small, 900), (&mut large, 910)] {
            let request = viewer.rtcp(|writer| assert!(writer.pli(ssrc)));
            scene.receive(viewer, request);
        }
        for layer in 0..2 {
            let payload = vp8(step % 50 == 0, true, step as u16, 0, 0);
            let sent =
                Sent { ssrc: 100 + layer, payload_type: 96, timestamp: step * 900, marker: true, payload: &payload };
            let packet = publisher.next(sent);
            scene.receive(&publisher, packet);
        }
        scene.pass(Duration::from_millis(10));
        let (_, control) = scene.seen_by(&mut publisher);
        let told = control.iter().flat_map(|compound| packets(compound));
        asked.extend(told.filter_map(|packet| match packet {
            Packet::Pli { ssrc } => Some((ssrc, step * 10)),
            _ => None,
        }));
    }
    for ssrc in [100, 101] {
        let times: Vec<_> = asked.iter().filter(|(layer, _)| *layer == ssrc).map(|(_, at)| *at).collect();
        assert!((8..=15).contains(&times.len()), "{times:?}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 340), "at most every 350 ms: {times:?}");
    }
}
