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
            Packet::Remb { bitrate } => Some(bitrate),
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
