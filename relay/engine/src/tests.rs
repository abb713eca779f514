use std::net::UdpSocket;
use std::time::Duration;

use relay_core::message::Stats;

use super::*;

mod streams;

fn config(shards: u16) -> EngineConfig {
    EngineConfig {
        bind: vec!["127.0.0.1:0".parse().unwrap()],
        announce: Vec::new(),
        tcp: true,
        shards,
        receive_buffer: 1 << 20,
        send_buffer: 1 << 20,
        gso: Gso::Auto,
        dtls_retry_ms: 100,
        dtls_longest_retry_ms: 1600,
        dtls_handshake_ms: 30_000,
    }
}

fn stats(engine: &Engine) -> Stats {
    engine.command(vec![Command::GetStats { request: 7, room: None }]);
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        let mut fds = [rustix::event::PollFd::new(engine.events.bell(), rustix::event::PollFlags::IN)];
        let wait = rustix::event::Timespec { tv_sec: 1, tv_nsec: 0 };
        rustix::event::poll(&mut fds, Some(&wait)).unwrap();
        for event in engine.events() {
            if let Event::Stats(stats) = event {
                return stats;
            }
        }
    }
    panic!("no statistics within 10 s");
}

#[test]
fn statistics_of_all_shards_come_as_one() {
    let engine = Engine::start(&config(3)).unwrap();
    let open = |id: u32| Command::OpenTransport {
        transport: format!("t{id}"),
        room: format!("room-{id}"),
        ufrag: format!("ufrag{id}"),
        password: "0123456789012345678901".into(),
    };
    engine.command((0..30).map(open).collect());
    let stats = stats(&engine);
    assert_eq!(stats.request, 7);
    assert_eq!(stats.transports.len(), 30);
    assert_eq!(stats.shards.iter().map(|shard| shard.shard).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn noise_is_counted_by_reason() {
    let engine = Engine::start(&config(1)).unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let relay = engine.candidates("any")[0].address;
    for first in [0_u8, 22, 128, 255] {
        for length in 1..=50 {
            stranger.send_to(&vec![first; length], relay).unwrap();
        }
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    let dropped = loop {
        let dropped = stats(&engine).shards[0].dropped.clone();
        if dropped.values().sum::<u64>() == 200 || Instant::now() > deadline {
            break dropped;
        }
    };
    let told: Vec<(&str, u64)> = dropped.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(told, [("stun_malformed", 50), ("unknown_address", 100), ("unknown_protocol", 50)]);
}

#[test]
fn a_wildcard_announces_an_address_peers_can_reach() {
    let mut config = config(1);
    config.bind = vec!["0.0.0.0:0".parse().unwrap()];
    let engine = Engine::start(&config).unwrap();
    assert!(engine.candidates("r").iter().all(|at| !at.address.ip().is_unspecified() && at.address.port() != 0));
    config.announce = vec!["203.0.113.5".parse().unwrap(), "2001:db8::5".parse().unwrap()];
    let engine = Engine::start(&config).unwrap();
    let told: Vec<String> = engine.candidates("r").iter().map(|at| format!("{} {}", at.address.ip(), at.tcp)).collect();
    assert_eq!(told, ["203.0.113.5 false", "203.0.113.5 true"], "of the socket's own family only");
}

#[test]
fn a_taken_port_is_said_and_a_closed_engine_is_quiet() {
    let engine = Engine::start(&config(1)).unwrap();
    let mut again = config(1);
    again.bind = vec![engine.candidates("r")[0].address];
    let error = Engine::start(&again).err().expect("the port is taken");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    engine.close();
    engine.close();
    engine.command(vec![Command::RemoveTrack { track: "t".into() }]);
    assert!(engine.candidates("r").is_empty());
    Engine::start(&again).expect("the port is free again");
}

#[test]
fn commands_that_cannot_be_read_are_refused_as_a_whole() {
    let engine = Engine::start(&config(1)).unwrap();
    for bad in [&b""[..], b"\x90\x90", b"\xff", b"\x91\x81\xa4type\xa3abc"] {
        let result = engine.submit(bad);
        assert!(result.is_err() || bad.starts_with(b"\x90"), "{bad:?}");
    }
}
