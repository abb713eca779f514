//! Sound and picture from one client to others, packet by packet.

use std::collections::BTreeSet;

use relay_core::message::{Codec, Command, Encoding, Event, Extensions, Kind};
use str0m::media::{KeyframeRequestKind, MediaKind, Mid};
use str0m::rtp::{ExtensionValues, RtpWrite, Ssrc};

use crate::world::World;

/// Payload type of sound.
pub const OPUS: u8 = 111;
/// Payload type of pictures.
pub const VP8: u8 = 96;
const VP8_RTX: u8 = 97;
/// `str0m`'s own ids of header extensions it is built with.
const MID_ID: u8 = 4;
const TWCC_ID: u8 = 3;

fn extensions() -> Extensions {
    Extensions { mid: Some(MID_ID), transport_cc: Some(TWCC_ID), ..Extensions::default() }
}

fn codec(kind: Kind) -> Codec {
    let (mime, payload_type, clock_rate, rtx) = match kind {
        Kind::Audio => ("audio/opus", OPUS, 48_000, None),
        Kind::Video => ("video/VP8", VP8, 90_000, Some(VP8_RTX)),
    };
    Codec {
        mime: mime.into(),
        payload_type,
        clock_rate,
        channels: 2,
        rtx_payload_type: rtx,
        red_payload_type: None,
        fmtp: String::new(),
    }
}

/// Declare a stream the client sends, and tell the relay.
pub fn publish(world: &mut World, client: usize, kind: Kind, mid: &str) {
    let (ssrc, rtx) = (Ssrc::from(1000 + u32::from(kind == Kind::Video)), Ssrc::from(2000));
    let rtx = (kind == Kind::Video).then_some(rtx);
    let mut api = world.clients[client].rtc.direct_api();
    api.declare_media(Mid::from(mid), if kind == Kind::Audio { MediaKind::Audio } else { MediaKind::Video });
    api.declare_stream_tx(ssrc, rtx, Mid::from(mid), None);
    let transport = world.clients[client].id.clone();
    world.command(Command::AddTrack {
        transport,
        track: mid.into(),
        kind,
        codec: codec(kind),
        encodings: vec![Encoding { rid: None, ssrc: Some(*ssrc), rtx_ssrc: rtx.map(|ssrc| *ssrc) }],
        extensions: extensions(),
        mid: Some(mid.into()),
        scalability: None,
    });
}

/// Declare a stream the client receives, and tell the relay.
pub fn subscribe(world: &mut World, client: usize, kind: Kind, track: &str) {
    let ssrc = 5000 + u32::from(kind == Kind::Video);
    let rtx = (kind == Kind::Video).then_some(6000);
    let mut api = world.clients[client].rtc.direct_api();
    api.declare_media(Mid::from(track), if kind == Kind::Audio { MediaKind::Audio } else { MediaKind::Video });
    api.expect_stream_rx(ssrc.into(), rtx.map(Into::into), Mid::from(track), None);
    let transport = world.clients[client].id.clone();
    world.command(Command::Subscribe {
        subscription: format!("{transport}<{track}"),
        transport,
        track: track.into(),
        ssrc,
        payload_type: codec(kind).payload_type,
        extensions: extensions(),
        rtx_ssrc: rtx,
        rtx_payload_type: rtx.map(|_| VP8_RTX),
        red_payload_type: None,
        mid: Some(track.into()),
    });
}

/// VP8 with a one-byte descriptor: a key frame's first byte has its lowest bit clear (RFC 6386 §9.1).
fn picture(number: u32) -> Vec<u8> {
    let frame = u8::from(!number.is_multiple_of(30));
    let mut payload = vec![0x10, frame, 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 240, 0];
    payload.extend(number.to_be_bytes());
    payload.resize(900, 7);
    payload
}

fn sound(number: u32) -> Vec<u8> {
    let mut payload = vec![0xfc];
    payload.extend(number.to_be_bytes());
    payload.resize(80, 3);
    payload
}

/// Send `count` packets, one each `ms`.
fn play(world: &mut World, client: usize, kind: Kind, mid: &str, count: u32, ms: u64) {
    play_range(world, client, kind, mid, 0..count, ms);
}

/// Send the packets of these numbers, one each `ms`.
pub fn play_range(world: &mut World, client: usize, kind: Kind, mid: &str, numbers: std::ops::Range<u32>, ms: u64) {
    for number in numbers {
        let now = world.now;
        let (payload, pt, step) = match kind {
            Kind::Audio => (sound(number), OPUS, 960),
            Kind::Video => (picture(number), VP8, 3000),
        };
        let mut api = world.clients[client].rtc.direct_api();
        let stream = api.stream_tx_by_mid(Mid::from(mid), None).expect("a declared stream");
        let sequence = u64::from(number) + 65_000; // across the wrap
        let values = ExtensionValues { mid: Some(Mid::from(mid)), ..ExtensionValues::default() };
        let write = RtpWrite::new(pt.into(), sequence.into(), number * step + 77, now, payload);
        stream.write_rtp(write.marker(kind == Kind::Video).nackable(kind == Kind::Video).ext_vals(values));
        world.run(ms);
    }
}

/// The numbers within the received packets of a payload type, and their RTP sequence numbers, as they came.
pub fn heard(world: &World, client: usize, payload_type: u8, at: usize) -> Vec<(u32, u64, u32)> {
    let packets = world.clients[client].events.iter().filter_map(|event| match event {
        str0m::Event::RtpPacket(packet) if *packet.header.payload_type == payload_type => {
            let number = packet.payload[at..].first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))?;
            Some((number, *packet.seq_no, packet.header.timestamp))
        }
        _ => None,
    });
    packets.collect()
}

#[test]
fn sound_reaches_all_subscribers_whole_and_in_order() {
    let mut world = World::new();
    let publisher = world.join("publisher");
    let viewers = [world.join("one"), world.join("two"), world.join("three")];
    publish(&mut world, publisher, Kind::Audio, "aud");
    for viewer in viewers {
        subscribe(&mut world, viewer, Kind::Audio, "aud");
    }
    play(&mut world, publisher, Kind::Audio, "aud", 1000, 20);
    world.run(100);
    for viewer in viewers {
        let heard = heard(&world, viewer, OPUS, 1);
        assert_eq!(heard.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), (0..1000).collect::<Vec<_>>());
        for pair in heard.windows(2) {
            assert_eq!(pair[1].1, pair[0].1 + 1, "no gap in sequence numbers");
            assert_eq!(pair[1].2.wrapping_sub(pair[0].2), 960, "timestamps as sent");
        }
    }
    assert!(world.events.iter().any(|event| matches!(event, Event::TrackLive { live: true, .. })));
}

#[test]
fn what_is_lost_on_either_side_is_repaired() {
    let mut world = World::new();
    let publisher = world.join("publisher");
    let viewer = world.join("viewer");
    publish(&mut world, publisher, Kind::Video, "vid");
    subscribe(&mut world, viewer, Kind::Video, "vid");
    play(&mut world, publisher, Kind::Video, "vid", 60, 33);
    world.loss = 20;
    play_on(&mut world, publisher, 60..600);
    world.loss = 0;
    play_on(&mut world, publisher, 600..640);
    world.run(2_000);
    let numbers: BTreeSet<u32> = heard(&world, viewer, VP8, 11).into_iter().map(|(number, ..)| number).collect();
    let missing: Vec<u32> = (0..640).filter(|number| !numbers.contains(number)).collect();
    assert!(missing.len() <= 6, "5% lost twice over leaves 60 missing without repair; missing {missing:?}");
    let stats = world.relay.stats(0, None, world.now);
    assert!(stats.subscriptions[0].retransmitted > 10, "{:?}", stats.subscriptions);
    assert!(stats.tracks[0].layers[0].nacks_sent > 10, "{:?}", stats.tracks);
}

fn play_on(world: &mut World, client: usize, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let now = world.now;
        let mut api = world.clients[client].rtc.direct_api();
        let stream = api.stream_tx_by_mid(Mid::from("vid"), None).expect("a declared stream");
        let sequence = u64::from(number) + 65_000;
        let write = RtpWrite::new(VP8.into(), sequence.into(), number * 3000 + 77, now, picture(number));
        stream.write_rtp(write.marker(true).nackable(true));
        world.run(33);
    }
}

#[test]
fn a_viewer_that_joins_late_begins_with_a_key_frame() {
    let mut world = World::new();
    let publisher = world.join("publisher");
    publish(&mut world, publisher, Kind::Video, "vid");
    play(&mut world, publisher, Kind::Video, "vid", 50, 33); // the last key frame is too old to begin with
    let viewer = world.join("viewer");
    subscribe(&mut world, viewer, Kind::Video, "vid");
    world.run(100);
    let asked = world.clients[publisher].events.iter().any(|event| matches!(event, str0m::Event::KeyframeRequest(_)));
    assert!(asked, "the publisher is asked for a key frame");
    play_on(&mut world, publisher, 50..100);
    let first = heard(&world, viewer, VP8, 11).first().map(|(number, ..)| *number);
    assert_eq!(first, Some(60), "frames 30, 60, … are key frames");
}

#[test]
fn a_publisher_is_asked_for_key_frames_of_a_layer_no_more_than_every_350_ms() {
    let mut world = World::new();
    let publisher = world.join("publisher");
    publish(&mut world, publisher, Kind::Video, "vid");
    let viewers = [world.join("one"), world.join("two"), world.join("three")];
    for viewer in viewers {
        subscribe(&mut world, viewer, Kind::Video, "vid");
    }
    play(&mut world, publisher, Kind::Video, "vid", 60, 33);
    let mut asked = Vec::new();
    for step in 0..90 {
        for viewer in viewers {
            let mut api = world.clients[viewer].rtc.direct_api();
            let stream = api.stream_rx_by_mid(Mid::from("vid"), None).expect("a stream that comes");
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
        world.clients[publisher].events.clear();
        play_on(&mut world, publisher, 60 + step..61 + step);
        let requests = world.clients[publisher].events.iter();
        let requests = requests.filter(|event| matches!(event, str0m::Event::KeyframeRequest(_)));
        asked.extend(requests.map(|_| step * 33));
    }
    assert!((3..=9).contains(&asked.len()), "asked 30 times a second by three for 3 s: {asked:?}");
    assert!(asked.windows(2).all(|pair| pair[1] - pair[0] >= 350 - 33), "{asked:?}");
}

#[test]
fn a_muted_track_and_a_transport_without_keys_get_nothing() {
    let mut world = World::new();
    let publisher = world.join("publisher");
    let viewer = world.join("viewer");
    publish(&mut world, publisher, Kind::Audio, "aud");
    subscribe(&mut world, viewer, Kind::Audio, "aud");
    let waiting = world.open("waiting");
    subscribe(&mut world, waiting, Kind::Audio, "aud");
    world.command(Command::MuteTrack { track: "aud".into(), muted: true });
    play(&mut world, publisher, Kind::Audio, "aud", 50, 20);
    assert!(heard(&world, viewer, OPUS, 1).is_empty());
    world.command(Command::MuteTrack { track: "aud".into(), muted: false });
    world.run(100);
    let stats = world.relay.stats(0, None, world.now);
    assert!(stats.subscriptions.iter().all(|subscription| subscription.packets == 0));
}

#[test]
fn media_that_comes_before_the_keys_is_counted() {
    let mut world = World::new();
    let index = world.open("a");
    world.run(500); // checks arrive, no SDP yet: no keys
    let address = world.clients[index].address;
    let mut packet = [0_u8; 60];
    packet[0] = 0x80;
    packet[1] = OPUS;
    world.inject(address, &mut packet);
    assert_eq!(world.dropped("a", "no_keys"), 1);
}
