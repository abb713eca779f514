//! Noise on the port: counted, and of no consequence for anyone.

use std::net::SocketAddr;

use relay_core::message::TransportPhase;
use str0m::config::DtlsVersion;

use crate::world::World;

/// First bytes of STUN, DTLS, RTP, RTCP and nothing (RFC 7983).
const KINDS: [u8; 8] = [0, 1, 20, 22, 23, 128, 144, 255];

fn noise(world: &mut World) -> Vec<u8> {
    let length = world.random() % 300 + 1;
    let mut bytes: Vec<u8> = (0..length).map(|_| world.random().to_le_bytes()[0]).collect();
    bytes[0] = KINDS[usize::from(world.random().to_le_bytes()[0]) % KINDS.len()];
    if bytes.len() > 8 && world.random().is_multiple_of(2) {
        bytes[4..8].copy_from_slice(&[0x21, 0x12, 0xa4, 0x42]); // STUN's magic cookie
        let rest = u16::try_from(bytes.len().saturating_sub(20)).unwrap_or(0);
        bytes[2..4].copy_from_slice(&rest.to_be_bytes());
    }
    bytes
}

#[test]
fn a_stranger_reaches_no_transport() {
    let mut world = World::new();
    world.join("a");
    let before = world.relay.stats(0, None, world.now).transports;
    let stranger: SocketAddr = "203.0.113.66:1234".parse().expect("an address");
    let sent = 20_000;
    for _ in 0..sent {
        let mut bytes = noise(&mut world);
        world.inject(stranger, &mut bytes);
    }
    let counted: u64 = world.relay.drops().iter().map(|(_, count)| count).sum();
    assert_eq!(counted, sent, "each is counted once: {:?}", world.relay.drops().iter().collect::<Vec<_>>());
    assert_eq!(world.relay.stats(0, None, world.now).transports, before);
}

#[test]
fn noise_from_a_peers_own_address_ends_no_call() {
    for dtls in [DtlsVersion::Dtls12, DtlsVersion::Dtls13] {
        let mut world = World::new();
        world.dtls = dtls;
        let index = world.join("a");
        let address = world.clients[index].address;
        for _ in 0..20_000 {
            let mut bytes = noise(&mut world);
            world.inject(address, &mut bytes);
        }
        world.run(30_000);
        assert_eq!(world.phase("a"), Some(TransportPhase::Connected));
        world.clients[index].open_channel("still-works");
        world.until(5_000, |world| world.clients[index].channel("still-works").is_some());
    }
}

#[test]
fn noise_before_the_first_message_is_counted_and_does_not_stop_it() {
    let mut world = World::new();
    let index = world.open("a");
    let remote = world.clients[index].set_remote();
    let address = world.clients[index].address;
    world.command(remote);
    for _ in 0..3_000 {
        let mut bytes = noise(&mut world);
        bytes[0] = 22;
        world.inject(address, &mut bytes);
        world.step();
    }
    assert_eq!(world.phase("a"), Some(TransportPhase::Connected));
    assert!(world.dropped("a", "dtls_hello") > 0);
}

#[test]
fn noise_during_the_handshake_does_not_stop_it() {
    let mut world = World::new();
    let index = world.open("a");
    let remote = world.clients[index].set_remote();
    world.command(remote);
    let stranger: SocketAddr = "203.0.113.66:1234".parse().expect("an address");
    for _ in 0..3_000 {
        let mut bytes = noise(&mut world);
        world.inject(stranger, &mut bytes);
        world.step();
    }
    assert_eq!(world.phase("a"), Some(TransportPhase::Connected));
}

#[test]
fn another_members_address_cannot_be_taken() {
    let mut world = World::new();
    let victim = world.join("victim");
    let thief = world.join("thief");
    // The thief's valid checks, sent with the victim's address as their source.
    let address = world.clients[victim].seen;
    let own = std::mem::replace(&mut world.clients[thief].seen, address);
    for _ in 0..6_000 {
        world.step();
    }
    world.clients[victim].open_channel("mine");
    world.until(5_000, |world| world.clients[victim].channel("mine").is_some());
    world.clients[thief].seen = own;
}

#[test]
fn an_address_is_learnt_once_it_is_free() {
    let mut world = World::new();
    let first = world.join("first");
    let address = world.clients[first].seen;
    world.clients.remove(first);
    // Its NAT gives the mapping of the one that vanished to another client at once.
    let second = world.open("second");
    world.clients[second].seen = address;
    let remote = world.clients[second].set_remote();
    world.command(remote);
    // Free after 7 s; the client says its hello again after 1, 2, 4 and 8 s.
    world.until(20_000, |world| world.phase("second") == Some(TransportPhase::Connected));
}
