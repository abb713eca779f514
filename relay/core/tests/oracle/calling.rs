//! The relay as DTLS client, for peers that answer `a=setup:passive`: the handshake by itself, and with all it carries.

use std::time::Duration;

use dimpl::{Dtls, SrtpProfile};
use relay_core::message::{Command, DtlsRole, Event, Kind, TransportPhase};
use relay_core::transport::dtls::{DtlsAction, DtlsTimers};
use relay_core::transport::hello::Version;
use str0m::config::DtlsVersion;

use crate::browser::WAITS;
use crate::media::{OPUS, heard, play_range, publish, subscribe};
use crate::pair::{DELAY, Link, Make, Pair};
use crate::world::World;

/// A server that leaves it to the relay to send again what was lost.
const PATIENT: (Duration, usize) = (Duration::from_secs(20), 1);
/// First bytes of the datagrams of a handshake that are not encrypted.
const HANDSHAKE: u8 = 22;

fn call(make: Make, waits: (Duration, usize), link: Link, seed: u64) -> Pair {
    Pair::of(DtlsRole::Client, make, 1150, waits, link, seed)
}

#[test]
fn the_peer_chooses_the_version() {
    for (make, version, trips) in
        [(Dtls::new_12 as Make, Version::V1_2, 3), (Dtls::new_13, Version::V1_3, 2), (Dtls::new_auto, Version::V1_3, 2)]
    {
        let mut pair = call(make, WAITS, Link::default(), 1);
        assert_eq!(pair.relay.version(), None);
        pair.connect();
        assert_eq!(pair.relay.version(), Some(version));
        let (_, profile) = pair.relay_keys.as_ref().expect("keys");
        assert_eq!(*profile, SrtpProfile::AEAD_AES_256_GCM);
        // One round trip of them is the peer's cookie.
        let connected = pair.relay_connected.expect("connected");
        assert!(
            connected.abs_diff(Duration::from_millis(trips * 2 * DELAY)) <= Duration::from_millis(6),
            "{connected:?}"
        );
    }
}

#[test]
fn loss_repetition_and_disorder_do_not_end_a_call() {
    for (make, name) in [(Dtls::new_12 as Make, "1.2"), (Dtls::new_13, "1.3"), (Dtls::new_auto, "both")] {
        for seed in 1..=1000 {
            let link = Link { loss: 30, repeat: 20, late: 30, gone: &[] };
            let mtu = if seed % 2 == 0 { 1150 } else { 300 };
            let mut pair = Pair::of(DtlsRole::Client, make, mtu, WAITS, link, seed);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pair.connect()));
            assert!(result.is_ok(), "DTLS {name}, seed {seed}, loss {}%", link.loss);
        }
    }
}

/// What is sent while nothing comes back, and how it ends.
fn alone(pair: &mut Pair) -> (Vec<Duration>, Duration, &'static str) {
    let (mut now, mut waits) = (pair.now, Vec::new());
    for _ in 0..1_000 {
        let at = pair.relay.poll_timeout().expect("something to do");
        for action in pair.relay.handle_timeout(at) {
            match action {
                DtlsAction::Failed(reason) => return (waits, at - pair.began, reason),
                DtlsAction::Send(_) if at > now => {
                    waits.push(at - now);
                    now = at;
                }
                _ => {}
            }
        }
    }
    panic!("without end: {waits:?}")
}

#[test]
fn a_hello_is_sent_again_at_bounded_waits_and_then_no_more() {
    let mut pair = call(Dtls::new_12, PATIENT, Link::default(), 1);
    assert_eq!(pair.sent, [1, 0], "at once");
    let (waits, end, reason) = alone(&mut pair);
    assert_eq!((end, reason), (DtlsTimers::default().handshake, "dtls"));
    assert!(waits.iter().all(|wait| *wait <= DtlsTimers::default().longest_retry), "{waits:?}");
    assert!((20..=31).contains(&waits.len()), "{waits:?}");
    assert_eq!(pair.relay.poll_timeout(), None);
}

#[test]
fn the_last_flight_of_1_3_is_sent_again_until_it_is_acknowledged() {
    let mut pair = call(Dtls::new_13, PATIENT, Link::default(), 1);
    pair.until(|pair| pair.relay_connected.is_some());
    pair.flights.clear(); // the last flight, and all that is said meanwhile
    let (waits, end, reason) = alone(&mut pair);
    assert!((DtlsTimers::default().handshake, "dtls") == (end, reason), "as long as any handshake: {end:?} {reason}");
    assert!(waits.iter().all(|wait| *wait <= DtlsTimers::default().longest_retry), "{waits:?}");
    assert!((20..=31).contains(&waits.len()), "{waits:?}");

    let mut pair = call(Dtls::new_13, PATIENT, Link::default(), 1);
    pair.until(|pair| pair.relay_connected.is_some());
    pair.flights.clear();
    (pair.link.loss, pair.peer_data) = (100, Vec::new());
    let (connected, mut reached) = (pair.now, None);
    // Data that are sent meanwhile do not put it off.
    while reached.is_none() {
        let since = pair.now - connected;
        assert!(since < Duration::from_millis(9_700), "{since:?}");
        pair.link.loss = if since < Duration::from_secs(8) { 100 } else { 0 };
        let actions = pair.relay.send(b"data", pair.now);
        pair.on_relay(actions);
        pair.step();
        reached = pair.peer_connected;
    }
    let minute = pair.now + Duration::from_secs(60);
    pair.until(|pair| pair.relay.poll_timeout().is_none_or(|at| at > minute));
    let (sent, later) = (pair.sent[0], pair.now + Duration::from_secs(30));
    pair.until_late(later);
    assert_eq!((pair.sent[0], pair.failed), (sent, None), "it has come");
}

#[test]
fn what_is_no_servers_hello_does_not_end_the_handshake() {
    let mut pair = call(Dtls::new_12, PATIENT, Link::default(), 1);
    let hello = pair.flights[0].2.clone();
    let mut certificate = hello.clone();
    certificate[13] = 11;
    let mut half = hello.clone();
    (half[13], half[24]) = (2, half[24] - 1);
    half.pop();
    half[12] -= 1;
    let alert = vec![21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 40];
    for stray in [hello, certificate, half, alert, vec![HANDSHAKE; 40], Vec::new()] {
        let actions = pair.relay.handle(&stray, pair.now);
        assert!(matches!(actions[..], [DtlsAction::Refused(_)]), "{stray:?}");
    }
    pair.connect();
}

#[test]
fn a_wrong_certificate_ends_the_call_before_any_key_is_used() {
    for dtls in [DtlsVersion::Dtls12, DtlsVersion::Dtls13] {
        let mut world = World::new();
        (world.dtls, world.role) = (dtls, DtlsRole::Client);
        let index = world.open("a");
        let mut remote = world.clients[index].set_remote();
        if let Command::SetRemote { fingerprint, .. } = &mut remote {
            *fingerprint = vec!["AB"; 32].join(":");
        }
        world.command(remote);
        world.until(5_000, |world| world.phase("a") == Some(TransportPhase::Failed));
        assert_eq!(world.reason("a"), Some("fingerprint"));
        world.run(2_000);
        assert!(!world.clients[index].connected, "it has no certificate of ours");
    }
}

#[test]
fn a_hello_waits_for_a_path_and_then_all_is_carried_both_ways() {
    for (offered, taken) in [(DtlsVersion::Dtls12, "1.2"), (DtlsVersion::Dtls13, "1.3"), (DtlsVersion::Auto, "1.3")] {
        let mut world = World::new();
        (world.dtls, world.role) = (offered, DtlsRole::Client);
        let index = world.open("a");
        let (label, transport) = ("ours".to_owned(), "a".to_owned());
        world.command(Command::OpenDataChannel { transport, label, ordered: true, max_retransmits: None });
        let remote = world.clients[index].set_remote();
        world.command(remote);
        assert!(!world.sends(HANDSHAKE), "nobody knows where it is");
        world.until(5_000, |world| world.phase("a") == Some(TransportPhase::Connected));
        let version = world.events.iter().find_map(|event| match event {
            Event::TransportState { phase: TransportPhase::Connected, dtls, .. } => dtls.clone(),
            _ => None,
        });
        assert_eq!(version.as_deref(), Some(taken));
        world.until(5_000, |world| world.clients[index].channel("ours").is_some());
        world.clients[index].open_channel("theirs");
        world.until(5_000, |world| world.clients[index].channel("theirs").is_some());
        for label in ["ours", "theirs"] {
            let id = world.clients[index].channel(label).expect("open");
            world.clients[index].rtc.channel(id).expect("a channel").write(true, label.as_bytes()).expect("accepted");
            let payload = label.as_bytes().to_vec();
            let command = Command::SendData {
                transports: vec!["a".into()],
                label: label.into(),
                payload: payload.into(),
                source: None,
            };
            world.command(command);
        }
        world.run(500);
        let got = world.events.iter().filter(|event| matches!(event, Event::DataReceived { .. })).count();
        assert_eq!((got, world.clients[index].messages.len()), (2, 2));
        let viewer = world.join("b");
        publish(&mut world, index, Kind::Audio, "aud");
        subscribe(&mut world, viewer, Kind::Audio, "aud");
        play_range(&mut world, index, Kind::Audio, "aud", 0..20, 20);
        world.run(100);
        assert_eq!(heard(&world, viewer, OPUS, 1).len(), 20, "one passive peer's sound, by the relay, to another");
    }
}

#[test]
fn the_role_is_for_life() {
    let mut world = World::new();
    world.role = DtlsRole::Client;
    let index = world.join("a");
    let remote = world.clients[index].set_remote();
    world.command(remote);
    let refused = |world: &World| {
        let failed = |event: &&Event| matches!(event, Event::CommandFailed { code, .. } if code == "invalid");
        world.events.iter().filter(failed).count()
    };
    world.run(10);
    assert_eq!(refused(&world), 0, "said again");
    world.clients[index].role = DtlsRole::Server;
    let remote = world.clients[index].set_remote();
    world.command(remote);
    world.run(10_000);
    assert_eq!(refused(&world), 1);
    assert_eq!(world.phase("a"), Some(TransportPhase::Connected));
}

#[test]
fn a_passive_peer_that_never_answers_meets_the_bound() {
    let mut world = World::new();
    world.role = DtlsRole::Client;
    let index = world.open("a");
    world.deaf = Some(index);
    let remote = world.clients[index].set_remote();
    world.command(remote);
    world.until(1_000, |world| world.phase("a") == Some(TransportPhase::Connecting));
    let began = world.now;
    world.until(32_000, |world| world.phase("a") == Some(TransportPhase::Failed));
    assert_eq!(world.reason("a"), Some("dtls"));
    assert!((30_000..31_500).contains(&(world.now - began).as_millis()), "{:?}", world.now - began);
}
