//! Paths: TCP, addresses that change in mid-call, restarts. Sound flows all the while.

use relay_core::message::{Command, Event, Kind, TransportPhase};

use crate::media::{OPUS, heard, play_range, publish, subscribe};
use crate::world::World;

/// A speaker and a listener.
fn call(speaker: Option<u32>, listener: Option<u32>) -> World {
    let mut world = World::new();
    world.join_by("speaker", speaker);
    world.join_by("listener", listener);
    publish(&mut world, 0, Kind::Audio, "mic");
    subscribe(&mut world, 1, Kind::Audio, "mic");
    world.run(20);
    world
}

/// How many of the packets of these numbers the listener got.
fn arrived(world: &World, numbers: std::ops::Range<u32>) -> usize {
    heard(world, 1, OPUS, 1).iter().filter(|(number, ..)| numbers.contains(number)).count()
}

fn speak(world: &mut World, numbers: std::ops::Range<u32>) {
    play_range(world, 0, Kind::Audio, "mic", numbers, 20);
    world.run(20);
}

fn protocol<'a>(world: &'a World, id: &str) -> Option<&'a str> {
    world.events.iter().find_map(|event| match event {
        Event::TransportState { transport, phase: TransportPhase::Connected, protocol, .. } if transport == id => {
            protocol.as_deref()
        }
        _ => None,
    })
}

#[test]
fn sound_flows_between_tcp_and_udp() {
    for (speaker, listener) in [(Some(1), None), (None, Some(1)), (Some(1), Some(2))] {
        let mut world = call(speaker, listener);
        let name = |connection: Option<u32>| connection.map_or("udp", |_| "tcp");
        assert_eq!(protocol(&world, "speaker"), Some(name(speaker)));
        assert_eq!(protocol(&world, "listener"), Some(name(listener)));
        speak(&mut world, 0..50);
        assert_eq!(arrived(&world, 0..50), 50);
    }
}

#[test]
fn a_listener_whose_nat_maps_it_anew_is_followed() {
    let mut world = call(None, None);
    speak(&mut world, 0..50);
    world.clients[1].seen = "192.0.2.9:40000".parse().expect("an address");
    speak(&mut world, 50..350);
    speak(&mut world, 350..400);
    assert_eq!(arrived(&world, 350..400), 50, "the relay sends to the new address");
    assert_eq!(world.phase("listener"), Some(TransportPhase::Connected));
}

#[test]
fn a_publisher_whose_nat_maps_it_anew_is_heard_and_asked() {
    let mut world = call(None, None);
    publish(&mut world, 0, Kind::Video, "cam");
    subscribe(&mut world, 1, Kind::Video, "cam");
    speak(&mut world, 0..50);
    world.clients[0].seen = "192.0.2.9:40000".parse().expect("an address");
    speak(&mut world, 50..350);
    world.clients[0].events.clear();
    play_range(&mut world, 0, Kind::Video, "cam", 1..40, 33); // no key frame before the 30th: it is asked for
    let asked = world.clients[0].events.iter().any(|event| matches!(event, str0m::Event::KeyframeRequest(_)));
    assert!(asked, "the relay sends what it asks for to the new address");
    speak(&mut world, 350..400);
    assert_eq!(arrived(&world, 350..400), 50);
    assert_eq!(world.phase("speaker"), Some(TransportPhase::Connected));
}

#[test]
fn a_client_that_moves_to_another_network_goes_on_without_a_restart() {
    let mut world = call(None, None);
    speak(&mut world, 0..50);
    for client in 0..2 {
        world.clients[client].move_to(&format!("10.9.9.{}:7000", client + 1));
    }
    speak(&mut world, 50..350);
    speak(&mut world, 350..400);
    assert_eq!(arrived(&world, 350..400), 50);
    assert_eq!(world.phase("speaker"), Some(TransportPhase::Connected));
    assert_eq!(world.phase("listener"), Some(TransportPhase::Connected));
}

#[test]
fn a_restart_from_a_new_address_moves_the_media() {
    let mut world = call(None, None);
    speak(&mut world, 0..50);
    let (ufrag, password) = ("renewed".to_owned(), "abcdefghijklmnopqrstuv".to_owned());
    world.command(Command::RestartIce {
        transport: "listener".into(),
        ufrag: ufrag.clone(),
        password: password.clone(),
    });
    speak(&mut world, 50..100);
    assert_eq!(arrived(&world, 0..100), 100, "until the peer takes it up, all goes on as it was");
    world.clients[1].move_to("10.9.9.9:7000");
    let mut api = world.clients[1].rtc.direct_api();
    api.set_local_ice_credentials(str0m::IceCreds::new());
    api.set_remote_ice_credentials(str0m::IceCreds { ufrag, pass: password });
    let remote = world.clients[1].set_remote();
    world.command(remote);
    speak(&mut world, 100..300);
    speak(&mut world, 300..350);
    assert_eq!(arrived(&world, 300..350), 50);
    assert_eq!(world.phase("listener"), Some(TransportPhase::Connected));
}

#[test]
fn a_tcp_connection_that_breaks_is_replaced_by_another_at_once() {
    let mut world = call(None, Some(1));
    speak(&mut world, 0..50);
    let path = world.path(world.clients[1].seen);
    world.relay.close_path(path);
    assert!(!world.relay.owns(path.source()));
    world.clients[1].connection = Some(2);
    world.clients[1].seen = "10.0.1.2:5001".parse().expect("an address");
    speak(&mut world, 50..150); // 2 s: a path that is only silent is left after 3 s
    speak(&mut world, 150..170);
    assert_eq!(arrived(&world, 150..170), 20);
    assert_eq!(world.phase("listener"), Some(TransportPhase::Connected));
}

#[test]
fn a_client_is_at_so_many_addresses_at_a_time() {
    let mut world = World::new();
    world.join("a");
    let mut check = loop {
        world.now += std::time::Duration::from_millis(1);
        let now = world.now;
        if let Some(check) = world.clients[0].poll(now).into_iter().find(|bytes| bytes.starts_with(&[0, 1])) {
            break check;
        }
    };
    for port in 1000..1040 {
        world.inject(std::net::SocketAddr::from(([198, 51, 100, 1], port)), &mut check);
    }
    assert_eq!(world.dropped("a", "stun_paths"), 40 - 31, "32 with its own");
    assert_eq!(world.phase("a"), Some(TransportPhase::Connected));
}

#[test]
fn a_client_that_vanishes_is_failed_in_15_to_30_seconds_by_tcp_too() {
    for connection in [None, Some(1)] {
        let mut world = World::new();
        let index = world.join_by("a", connection);
        world.clients.remove(index);
        world.run(14_000);
        assert_eq!(world.phase("a"), Some(TransportPhase::Connected));
        world.until(16_000, |world| world.phase("a") == Some(TransportPhase::Failed));
        assert_eq!(world.reason("a"), Some("ice_timeout"));
    }
}

/// Speaks for so many seconds, by sound or by data, or is silent.
fn stay(world: &mut World, by: &str, seconds: u32, from: u32) {
    for second in from..from + seconds {
        match by {
            "sound" => play_range(world, 0, Kind::Audio, "voice", second..second + 1, 1_000),
            "data" => {
                let id = world.clients[0].channel("_reliable").expect("open");
                world.clients[0].rtc.channel(id).expect("a channel").write(true, &[1]).expect("accepted");
                world.run(1_000);
            }
            _ => world.run(1_000),
        }
    }
}

#[test]
fn a_client_whose_checks_are_all_lost_stays_as_long_as_it_is_heard() {
    for by in ["sound", "data"] {
        let mut world = World::new();
        world.join("a");
        publish(&mut world, 0, Kind::Audio, "voice");
        world.clients[0].open_channel("_reliable");
        world.until(5_000, |world| world.clients[0].channel("_reliable").is_some());
        world.unchecked = Some(0);
        stay(&mut world, by, 20, 0);
        assert_eq!(world.phase("a"), Some(TransportPhase::Connected), "{by}: heard");
        world.unchecked = None;
        stay(&mut world, "silence", 40, 20);
        assert_eq!(world.phase("a"), Some(TransportPhase::Connected), "{by}: checked again");
        world.unchecked = Some(0);
        stay(&mut world, by, 17, 60);
        world.clients.clear();
        world.run(13_000);
        assert_eq!(world.phase("a"), Some(TransportPhase::Connected), "{by}: not silent for long");
        world.until(4_000, |world| world.phase("a") == Some(TransportPhase::Failed));
        assert_eq!(world.reason("a"), Some("ice_timeout"));
    }
}

#[test]
fn a_client_that_wanders_on_and_on_meets_a_bound_and_restarts() {
    let mut world = World::new();
    world.join("a");
    for number in 1..512_u16 {
        world.clients[0].seen = format!("192.0.2.1:{}", 1000 + number).parse().expect("an address");
        world.run(3_500);
        assert_eq!(world.phase("a"), Some(TransportPhase::Connected), "after {number} moves");
        assert_eq!(world.dropped("a", "stun_paths"), 0, "addresses it has left make place");
    }
    world.clients[0].seen = "192.0.2.1:9".parse().expect("an address");
    world.until(20_000, |world| world.phase("a") == Some(TransportPhase::Failed));
    assert!(world.dropped("a", "stun_paths") > 0);
}
