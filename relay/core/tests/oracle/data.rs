//! Data channels both ways.

use relay_core::message::{Command, Event, TransportPhase};

use crate::world::World;

fn opened(world: &World, label: &str) -> bool {
    world.events.iter().any(|event| matches!(event, Event::DataChannelOpened { label: name, .. } if name == label))
}

fn received(world: &World) -> Vec<(&str, &[u8])> {
    let data = world.events.iter().filter_map(|event| match event {
        Event::DataReceived { label, payload, .. } => Some((label.as_str(), payload.as_slice())),
        _ => None,
    });
    data.collect()
}

fn send(world: &mut World, label: &str, payload: Vec<u8>) {
    world.command(Command::SendData {
        transports: vec!["a".into()],
        label: label.into(),
        payload: payload.into(),
        source: None,
    });
}

#[test]
fn a_channel_of_the_client_carries_both_ways() {
    let mut world = World::new();
    let index = world.join("a");
    world.clients[index].open_channel("_reliable");
    world.until(5_000, |world| opened(world, "_reliable") && world.clients[index].channel("_reliable").is_some());
    let id = world.clients[index].channel("_reliable").expect("open");
    let large = vec![7; 64 * 1024];
    assert!(world.clients[index].rtc.channel(id).expect("a channel").write(true, &large).expect("accepted"));
    world.until(5_000, |world| received(world) == [("_reliable", &large[..])]);
    send(&mut world, "_reliable", large.clone());
    world.until(5_000, |world| world.clients[index].messages == [(id, large.clone())]);
}

#[test]
fn a_channel_of_the_relay_opened_before_the_peer_connects_carries_both_ways() {
    let mut world = World::new();
    let index = world.open("a");
    world.command(Command::OpenDataChannel {
        transport: "a".into(),
        label: "_lossy".into(),
        ordered: false,
        max_retransmits: Some(0),
    });
    let remote = world.clients[index].set_remote();
    world.command(remote);
    world.until(5_000, |world| opened(world, "_lossy") && world.clients[index].channel("_lossy").is_some());
    let id = world.clients[index].channel("_lossy").expect("open");
    send(&mut world, "_lossy", b"hello".to_vec());
    world.until(1_000, |world| world.clients[index].messages == [(id, b"hello".to_vec())]);
    assert!(world.clients[index].rtc.channel(id).expect("a channel").write(true, b"there").expect("accepted"));
    world.until(1_000, |world| received(world) == [("_lossy", &b"there"[..])]);
}

#[test]
fn a_reliable_channel_survives_loss_in_order() {
    let mut world = World::new();
    let index = world.join("a");
    world.clients[index].open_channel("_reliable");
    world.until(5_000, |world| opened(world, "_reliable"));
    world.loss = 8;
    for number in 0..200_u32 {
        send(&mut world, "_reliable", number.to_be_bytes().repeat(200));
        world.step();
    }
    world.until(60_000, |world| world.clients[index].messages.len() == 200);
    let numbers = world.clients[index].messages.iter().map(|(_, message)| message[..4].to_vec());
    assert!(numbers.eq((0..200_u32).map(|number| number.to_be_bytes().to_vec())));
}

#[test]
fn a_reader_that_stalls_costs_messages_and_not_memory() {
    let mut world = World::new();
    let index = world.join("a");
    world.clients[index].open_channel("_reliable");
    world.until(5_000, |world| opened(world, "_reliable"));
    world.loss = 1; // everything
    for _ in 0..64 {
        send(&mut world, "_reliable", vec![0; 64 * 1024]);
    }
    assert!(world.dropped("a", "data_backlog") >= 40, "1 MiB may wait: {}", world.dropped("a", "data_backlog"));
    send(&mut world, "_reliable", vec![0; 64 * 1024 + 1]);
    assert_eq!(world.dropped("a", "data_too_large"), 1);
}

#[test]
fn channels_are_bounded_whoever_opens_them() {
    let mut world = World::new();
    let index = world.join("a");
    for number in 0..40 {
        world.clients[index].open_channel(&format!("channel-{number}"));
    }
    world.run(3_000);
    let open = world.events.iter().filter(|event| matches!(event, Event::DataChannelOpened { .. })).count();
    assert_eq!(open, 32);
    assert_eq!(world.dropped("a", "channel_limit"), 8);
    let command =
        Command::OpenDataChannel { transport: "a".into(), label: "ours".into(), ordered: true, max_retransmits: None };
    world.command(command);
    world.run(10);
    assert!(world.events.iter().any(|event| matches!(event, Event::CommandFailed { code, .. } if code == "limit")));
}

#[test]
fn what_is_sent_to_a_connected_client_waits_for_its_channel() {
    let mut world = World::new();
    let index = world.open("a");
    for (label, max_retransmits) in [("_reliable", None), ("_lossy", Some(0))] {
        let (transport, label) = ("a".into(), label.into());
        world.command(Command::OpenDataChannel { transport, label, ordered: true, max_retransmits });
    }
    let remote = world.clients[index].set_remote();
    world.command(remote);
    world.until(5_000, |world| world.phase("a") == Some(TransportPhase::Connected));
    assert!(!opened(&world, "_reliable"));
    send(&mut world, "_lossy", b"late".to_vec());
    send(&mut world, "_reliable", b"first".to_vec());
    send(&mut world, "_reliable", b"second".to_vec());
    for _ in 0..10_000 {
        send(&mut world, "_never", Vec::new());
    }
    world.until(5_000, |world| opened(world, "_reliable") && opened(world, "_lossy"));
    send(&mut world, "_reliable", b"third".to_vec());
    world.run(1_000);
    let got: Vec<&[u8]> = world.clients[index].messages.iter().map(|(_, message)| message.as_slice()).collect();
    assert_eq!(got, [&b"first"[..], b"second", b"third"]);
    assert_eq!(world.dropped("a", "data_backlog"), 10_000 - 4 * 64 * 1024 / 64);
}
