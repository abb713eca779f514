use relay_core::message::{Codec, Encoding, Extensions, Kind};

use super::*;

fn open(transport: &str, room: &str) -> Command {
    Command::OpenTransport {
        transport: transport.into(),
        room: room.into(),
        ufrag: "ufrag".into(),
        password: "0123456789012345678901".into(),
    }
}

fn add_track(transport: &str, track: &str) -> Command {
    let codec = Codec {
        mime: "audio/opus".into(),
        payload_type: 111,
        clock_rate: 48_000,
        channels: 2,
        rtx_payload_type: None,
        red_payload_type: None,
        fmtp: String::new(),
    };
    Command::AddTrack {
        transport: transport.into(),
        track: track.into(),
        kind: Kind::Audio,
        codec,
        encodings: vec![Encoding::default()],
        extensions: Extensions::default(),
        mid: None,
        scalability: None,
    }
}

fn subscribe(subscription: &str, transport: &str, track: &str) -> Command {
    Command::Subscribe {
        subscription: subscription.into(),
        transport: transport.into(),
        track: track.into(),
        ssrc: 1,
        payload_type: 111,
        extensions: Extensions::default(),
        rtx_ssrc: None,
        rtx_payload_type: None,
        red_payload_type: None,
        mid: None,
    }
}

fn shard(targets: &[Target]) -> Option<usize> {
    match targets {
        [Target::Shard(shard, _)] => Some(*shard),
        _ => None,
    }
}

#[test]
fn everything_of_a_room_goes_to_its_home() {
    let mut router = Router::new(8);
    let homes: HashSet<usize> = (0..100).map(|room| home(&format!("room-{room}"), 8)).collect();
    assert_eq!(homes.len(), 8, "rooms spread over all shards");
    let expected = Some(home("room-7", 8));
    for command in [
        open("a", "room-7"),
        open("b", "room-7"),
        add_track("a", "t"),
        subscribe("s", "b", "t"),
        Command::MuteTrack { track: "t".into(), muted: true },
        Command::SetSubscription {
            subscription: "s".into(),
            paused: true,
            max_layer: None,
            max_temporal: None,
            screen: false,
            visible: None,
            priority: 0,
            keep: false,
        },
        Command::GetStats { request: 1, room: Some("room-7".into()) },
    ] {
        assert_eq!(shard(&router.route(command)), expected);
    }
}

#[test]
fn what_ends_is_forgotten_with_all_that_hangs_on_it() {
    let mut router = Router::new(4);
    for round in 0..3 {
        for command in [open("a", "r"), open("b", "r"), add_track("a", "t"), subscribe("s", "b", "t")] {
            assert!(shard(&router.route(command)).is_some(), "round {round}");
        }
        let end =
            [Command::CloseTransport { transport: "a".into() }, Command::CloseTransport { transport: "b".into() }];
        for command in end {
            assert!(shard(&router.route(command)).is_some());
        }
        assert!(router.transports.is_empty() && router.tracks.is_empty() && router.subscriptions.is_empty());
    }
    let refused = router.route(Command::Unsubscribe { subscription: "s".into() });
    assert!(
        matches!(&refused[..], [Target::Refused(Event::CommandFailed { code, .. })] if code == "unknown_subscription")
    );
}

#[test]
fn data_is_split_by_shard_and_strangers_are_skipped() {
    let mut router = Router::new(8);
    for room in 0..20 {
        router.route(open(&format!("t{room}"), &format!("room-{room}")));
    }
    let transports = (0..25).map(|room| format!("t{room}")).collect();
    let targets =
        router.route(Command::SendData { transports, label: "l".into(), payload: vec![1].into(), source: None });
    let mut reached = Vec::new();
    for target in targets {
        let Target::Shard(shard, Command::SendData { transports, .. }) = target else { panic!("data goes to shards") };
        for id in &transports {
            assert_eq!(router.transports[id].shard, shard);
        }
        reached.extend(transports);
    }
    assert_eq!(reached.len(), 20);
}

#[test]
fn who_sent_data_is_answered_whoever_is_there() {
    let mut router = Router::new(8);
    router.route(open("t", "room"));
    let send = |source: &str| Command::SendData {
        transports: vec!["gone".into()],
        label: "l".into(),
        payload: vec![1].into(),
        source: Some(source.into()),
    };
    assert_eq!(shard(&router.route(send("t"))), Some(home("room", 8)));
    assert!(router.route(send("gone")).is_empty());
    assert_eq!(shard(&router.route(Command::DropData { transport: "t".into() })), Some(home("room", 8)));
    assert!(router.route(Command::DropData { transport: "gone".into() }).is_empty());
}
