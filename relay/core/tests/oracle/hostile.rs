//! Clients that do harm on purpose: what they cost is bounded, counted, and theirs.

use std::net::SocketAddr;

use relay_core::message::{Command, Event, Kind, TransportPhase};

use crate::media::{OPUS, heard, play_range, publish, subscribe};
use crate::memory;
use crate::world::World;

/// A speaker and a listener whose sound nobody else may disturb.
struct Call {
    world: World,
    spoken: u32,
}

impl Call {
    fn new() -> Self {
        let mut world = World::new();
        world.join("speaker");
        world.join("listener");
        publish(&mut world, 0, Kind::Audio, "mic");
        subscribe(&mut world, 1, Kind::Audio, "mic");
        world.run(20);
        Self { world, spoken: 0 }
    }

    /// One packet of sound, and 20 ms.
    fn speak(&mut self) {
        play_range(&mut self.world, 0, Kind::Audio, "mic", self.spoken..self.spoken + 1, 20);
        self.spoken += 1;
    }

    /// That every packet arrived, in order.
    fn check(&mut self) {
        self.world.run(20);
        let numbers: Vec<u32> = heard(&self.world, 1, OPUS, 1).iter().map(|(number, ..)| *number).collect();
        assert_eq!(numbers, (0..self.spoken).collect::<Vec<_>>());
    }
}

/// The next valid STUN check of a client.
fn check(world: &mut World, client: usize) -> Vec<u8> {
    loop {
        world.now += std::time::Duration::from_millis(1);
        let now = world.now;
        if let Some(check) = world.clients[client].poll(now).into_iter().find(|bytes| bytes.starts_with(&[0, 1])) {
            return check;
        }
    }
}

fn stranger(number: u32) -> SocketAddr {
    let [_, a, b, c] = number.to_be_bytes();
    SocketAddr::from(([100, a, b, c], 4000))
}

#[test]
fn a_flood_of_checks_from_forged_addresses_is_counted() {
    let mut call = Call::new();
    let hostile = call.world.join("hostile");
    let valid = check(&mut call.world, hostile);
    let mut forged = valid.clone();
    let place = forged.len() - 12; // within the message integrity (RFC 8489 section 14.5), before the fingerprint
    forged[place] ^= 1;
    let own = call.world.clients[hostile].address;
    let before = memory::live();
    for number in 0..10_000 {
        call.world.inject(stranger(number), &mut valid.clone());
        call.world.inject(own, &mut forged.clone());
        if number % 100 == 0 {
            call.speak();
        }
    }
    assert_eq!(call.world.dropped("hostile", "stun_paths"), 10_000 - 31, "32 addresses with its own");
    let refused = call.world.dropped("hostile", "stun_unauthenticated");
    let malformed: u64 = call.world.relay.drops().iter().map(|(_, count)| count).sum();
    assert_eq!(refused + malformed, 10_000, "{refused} {malformed}");
    assert!(memory::live() - before < 1024 * 1024, "{} bytes more", memory::live() - before);
    call.check();
}

/// Real datagrams of a client, damaged: DTLS, SRTP, SRTCP and STUN.
#[test]
fn damaged_datagrams_are_counted_and_disturb_nobody() {
    let mut call = Call::new();
    let hostile = call.world.join("hostile");
    publish(&mut call.world, hostile, Kind::Video, "cam");
    call.world.clients[hostile].open_channel("c");
    call.world.damage = Some(hostile);
    for number in 0..400 {
        play_range(&mut call.world, hostile, Kind::Video, "cam", number..number + 1, 0);
        call.speak();
    }
    call.world.damage = None;
    let stats = call.world.relay.stats(0, None, call.world.now);
    let transport = stats.transports.iter().find(|transport| transport.transport == "hostile").expect("it");
    let dropped = &transport.dropped;
    assert!(dropped["authentication"] > 200, "{dropped:?}");
    assert!(dropped.contains_key("dtls_refused"), "{dropped:?}");
    for victim in ["speaker", "listener"] {
        let transport = stats.transports.iter().find(|transport| transport.transport == victim).expect("it");
        assert!(transport.dropped.is_empty(), "{victim}: {:?}", transport.dropped);
    }
    call.check();
}

#[test]
fn a_client_that_restarts_ice_without_end_holds_two_generations() {
    let mut call = Call::new();
    call.world.join("hostile");
    let mut after_ten = 0;
    for number in 0..10_000 {
        let (ufrag, password) = (format!("again{number}"), "abcdefghijklmnopqrstuv".to_owned());
        call.world.command(Command::RestartIce { transport: "hostile".into(), ufrag, password });
        if number % 100 == 0 {
            call.speak();
        }
        if number == 1_000 {
            after_ten = memory::live();
        }
    }
    assert!(memory::live() - after_ten < 1024 * 1024, "{} bytes more", memory::live() - after_ten);
    call.check();
}

fn channel(world: &mut World, client: usize, label: &str, reliable: bool) {
    let transport = world.clients[client].id.clone();
    let max_retransmits = (!reliable).then_some(0);
    world.command(Command::OpenDataChannel { transport, label: label.into(), ordered: reliable, max_retransmits });
    world.until(5_000, |world| world.clients[client].channel(label).is_some());
}

fn send(world: &mut World, to: &[&str], label: &str, payload: &[u8]) {
    let transports = to.iter().map(|id| (*id).to_owned()).collect();
    world.command(Command::SendData {
        transports,
        label: label.into(),
        payload: payload.to_vec().into(),
        source: None,
    });
}

#[test]
fn a_subscriber_that_never_acknowledges_costs_a_bounded_backlog() {
    for (label, reliable) in [("_reliable", true), ("_lossy", false)] {
        let mut call = Call::new();
        let deaf = call.world.join("deaf");
        let other = call.world.join("other");
        channel(&mut call.world, deaf, label, reliable);
        channel(&mut call.world, other, label, reliable);
        call.world.deaf = Some(deaf);
        let mut held = [0; 3];
        for held in &mut held {
            for _ in 0..800 {
                send(&mut call.world, &["deaf"], label, &[7; 8 * 1024]);
                call.speak();
            }
            call.world.clients[deaf].messages.clear();
            *held = memory::live();
        }
        // The test itself keeps the sound that was heard.
        let grown = held[2] - held[1];
        assert!(grown < 2 * 1024 * 1024, "{label}: {grown} bytes more of 6 MiB: {held:?}");
        assert!(call.world.dropped("deaf", "data_backlog") > 500, "{label}");
        assert_eq!(call.world.phase("deaf"), Some(TransportPhase::Connected), "its ICE checks go on");
        call.world.clients[other].messages.clear();
        send(&mut call.world, &["deaf", "other"], label, b"everybody else hears it");
        call.world.until(5_000, |world| world.clients[other].messages.len() == 1);
        call.check();
    }
}

#[test]
fn messages_to_one_and_to_all_on_both_channels() {
    let mut world = World::new();
    let clients: Vec<usize> = ["a", "b", "c"].iter().map(|id| world.join(id)).collect();
    for client in &clients {
        channel(&mut world, *client, "_reliable", true);
        channel(&mut world, *client, "_lossy", false);
    }
    for label in ["_reliable", "_lossy"] {
        let large = vec![9; 64 * 1024];
        for client in &clients {
            world.clients[*client].messages.clear();
        }
        send(&mut world, &["a", "b", "c"], label, &large);
        world.run(5_000);
        let counts: Vec<usize> = clients.iter().map(|client| world.clients[*client].messages.len()).collect();
        assert_eq!(counts, [1, 1, 1], "{label}");
        assert!(clients.iter().all(|client| world.clients[*client].messages[0].1 == large), "{label}");
        send(&mut world, &["b"], label, b"only you");
        world.until(10_000, |world| world.clients[1].messages.len() == 2);
        world.run(500);
        assert_eq!((world.clients[0].messages.len(), world.clients[2].messages.len()), (1, 1), "{label}");
    }
}

#[test]
fn what_transports_counted_is_kept_when_they_close() {
    let mut call = Call::new();
    for _ in 0..50 {
        call.speak();
    }
    let before = call.world.relay.totals(call.world.now);
    assert_eq!((before.transports, before.tracks, before.subscriptions), (2, 1, 1));
    assert_eq!((before.media_received, before.media_sent), (50, 50));
    let stats = call.world.relay.stats(0, None, call.world.now);
    assert_eq!(
        before.packets_received,
        stats.transports.iter().map(|transport| transport.packets_received).sum::<u64>()
    );
    for transport in ["speaker", "listener"] {
        call.world.command(Command::CloseTransport { transport: transport.into() });
    }
    let after = call.world.relay.totals(call.world.now);
    assert!(call.world.relay.stats(0, None, call.world.now).transports.is_empty());
    assert_eq!((after.transports, after.media_sent), (2, 50));
    assert!(after.packets_received >= before.packets_received && after.bytes_sent > before.bytes_sent, "with goodbyes");
    assert!(call.world.events.iter().all(|event| !matches!(event, Event::CommandFailed { .. })));
}

#[test]
fn as_many_transports_as_there_may_be() {
    let mut world = World::new();
    for number in 0..8_200 {
        world.command(Command::OpenTransport {
            transport: format!("t{number}"),
            room: "room".into(),
            ufrag: format!("ufrag{number}"),
            password: "0123456789012345678901".into(),
        });
    }
    let refused = |event: &Event| matches!(event, Event::CommandFailed { code, .. } if code == "limit");
    assert_eq!(world.relay.take_events().iter().filter(|event| refused(event)).count(), 8);
}
