//! DTLS by itself, in virtual time: `dimpl` clients of each version, over a link that loses, repeats and reorders.

use std::time::Duration;

use dimpl::{Dtls, SrtpProfile};
use relay_core::transport::dtls::{DtlsAction, DtlsTimers};
use relay_core::transport::hello::Version;

use crate::pair::{DELAY, Link, Make, Pair};

/// A client that leaves it to the relay to send again what was lost.
const PATIENT: (Duration, usize) = (Duration::from_secs(20), 1);

#[test]
fn each_client_gets_the_version_it_offers() {
    for (make, version) in [
        (Dtls::new_12 as fn(_, _, _) -> _, Version::V1_2),
        (Dtls::new_13, Version::V1_3),
        (Dtls::new_auto, Version::V1_3),
    ] {
        let mut pair = Pair::new(make, 1150, Link::default(), 1);
        pair.connect();
        assert_eq!(pair.relay.version(), Some(version));
        let (_, profile) = pair.relay_keys.as_ref().expect("keys");
        assert_eq!(*profile, SrtpProfile::AEAD_AES_256_GCM);
    }
}

#[test]
fn a_hello_in_several_datagrams_costs_no_round_trip() {
    for (make, round_trips) in [(Dtls::new_12 as fn(_, _, _) -> _, 2), (Dtls::new_13, 1)] {
        let mut pair = Pair::new(make, 1150, Link::default(), 1);
        pair.longest = 60;
        pair.connect();
        assert!(pair.first_flight > 1, "{}", pair.first_flight);
        let connected = pair.peer_connected.expect("connected");
        let expected = Duration::from_millis(round_trips * 2 * DELAY);
        assert!(connected.abs_diff(expected) <= Duration::from_millis(4), "{connected:?}");
    }
}

#[test]
fn loss_repetition_and_disorder_do_not_end_a_handshake() {
    for (make, name) in [(Dtls::new_12 as fn(_, _, _) -> _, "1.2"), (Dtls::new_13, "1.3"), (Dtls::new_auto, "both")] {
        for seed in 1..=1000 {
            let link = Link { loss: 30, repeat: 20, late: 30, gone: &[] };
            let mut pair = Pair::new(make, if seed % 2 == 0 { 1150 } else { 300 }, link, seed);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pair.connect()));
            assert!(result.is_ok(), "DTLS {name}, seed {seed}, loss {}%", link.loss);
        }
    }
}

#[test]
fn a_flight_is_sent_again_at_bounded_waits_for_as_long_as_a_handshake_may_take() {
    for make in [Dtls::new_12 as Make, Dtls::new_13] {
        let mut pair = Pair::with(make, 1150, PATIENT, Link::default(), 1);
        pair.until(|pair| pair.sent[0] > 0);
        // Nothing more comes from the client.
        let (mut now, mut waits) = (pair.now, Vec::new());
        let failed = loop {
            let at = pair.relay.poll_timeout().expect("something to do");
            let actions = pair.relay.handle_timeout(at);
            match actions[..] {
                [DtlsAction::Failed(reason)] => break (at, reason),
                [] => continue,
                _ => waits.push(at - now),
            }
            now = at;
        };
        assert_eq!(failed, (pair.began + Duration::from_millis(DELAY) + DtlsTimers::default().handshake, "dtls"));
        assert!(waits.iter().all(|wait| *wait <= DtlsTimers::default().longest_retry), "{waits:?}");
        assert!((20..=31).contains(&waits.len()), "{waits:?}");
        assert_eq!(pair.relay.poll_timeout(), None);
    }
}

#[test]
fn the_last_flight_of_1_2_is_repeated_until_the_clients_data() {
    // The second of the server's datagrams is its last flight; its repetitions after 100, 300 and 700 ms are lost too.
    let link = Link { gone: &[1, 2, 3, 4], ..Link::default() };
    let mut pair = Pair::with(Dtls::new_12, 1150, PATIENT, link, 1);
    pair.until(|pair| pair.peer_connected.is_some());
    let connected = pair.peer_connected.expect("connected");
    assert!(connected.abs_diff(Duration::from_millis(4 * DELAY + 1500)) < Duration::from_millis(9), "{connected:?}");
    pair.link = Link::default();
    pair.peer.send_application_data(b"here").expect("data");
    pair.until(|pair| pair.relay_data == [b"here"]);
    let sent = pair.sent[0];
    let long = pair.now + Duration::from_secs(10);
    pair.until(|pair| pair.now >= long);
    assert_eq!(pair.sent[0], sent, "it has come");
}

#[test]
fn a_last_flight_that_comes_again_is_answered_but_not_each_time() {
    let mut pair = Pair::with(Dtls::new_12, 1150, PATIENT, Link::default(), 1);
    pair.until(|pair| pair.flights.iter().any(|(_, to_relay, bytes)| *to_relay && bytes[13] == 11));
    let (_, _, flight) = pair.flights[0].clone();
    pair.until(|pair| pair.relay_connected.is_some());
    let mut answers = |after: u64| {
        let now = pair.now + Duration::from_millis(after);
        pair.relay.handle(&flight, now).into_iter().filter(|action| matches!(action, DtlsAction::Send(_))).count()
    };
    assert_eq!([answers(99), answers(100), answers(199), answers(40_000), answers(40_001)], [0, 1, 0, 1, 0]);
}

#[test]
fn the_last_flight_of_1_2_is_a_datagram_by_itself() {
    let mut pair = Pair::with(Dtls::new_12, 1150, PATIENT, Link::default(), 1);
    pair.until(|pair| pair.flights.iter().any(|(_, to_relay, bytes)| *to_relay && bytes[13] == 11));
    let (_, _, flight) = pair.flights[0].clone();
    // It arrives just when the server's own flight is due again.
    let due = pair.relay.poll_timeout().expect("a flight to be sent again");
    let firsts = pair.relay.handle(&flight, due).into_iter().filter_map(|action| match action {
        DtlsAction::Send(datagram) => Some(datagram[0]),
        _ => None,
    });
    assert_eq!(firsts.collect::<Vec<u8>>(), [22, 20]);
}

#[test]
fn a_record_that_holds_no_message_does_not_stand_in_the_way() {
    let mut pair = Pair::with(Dtls::new_12, 1150, PATIENT, Link::default(), 1);
    pair.until(|pair| pair.flights.iter().any(|(_, to_relay, bytes)| *to_relay && bytes[13] == 11));
    // A fragment longer than its message; one that ends beyond it; one longer than its record.
    for (length, offset, fragment) in [(5, 0, 6), (9, 4, 6), (60, 0, 60)] {
        let mut record =
            vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 18, 1, 0, 0, length, 0, 7, 0, 0, offset, 0, 0, fragment];
        record.extend([0; 6]);
        assert!(matches!(pair.relay.handle(&record, pair.now)[..], [DtlsAction::Refused(_)]));
    }
    pair.connect();
}

#[test]
fn a_finished_that_comes_before_its_keys_counts() {
    let mut pair = Pair::with(Dtls::new_12, 300, PATIENT, Link::default(), 1);
    pair.until(|pair| pair.flights.iter().filter(|(_, to_relay, _)| *to_relay).count() == 3);
    let arrives = pair.flights[0].0;
    assert!(pair.flights.iter().all(|(at, ..)| *at == arrives));
    pair.flights.reverse();
    pair.until(|pair| pair.relay_connected.is_some());
    assert!(pair.now <= arrives + Duration::from_millis(1));
    pair.connect();
}

#[test]
fn half_a_hello_is_forgotten_after_the_handshakes_time() {
    let mut pair = Pair::new(Dtls::new_13, 150, Link::default(), 1);
    pair.drain_peer();
    pair.peer.handle_timeout(pair.now).expect("a clock");
    pair.drain_peer();
    let (_, _, first) = pair.flights.first().expect("a datagram").clone();
    assert!(pair.relay.handle(&first, pair.now).is_empty());
    let deadline = pair.relay.poll_timeout().expect("a deadline");
    assert_eq!(deadline - pair.now, DtlsTimers::default().handshake);
    assert!(pair.relay.handle(&first, pair.now + Duration::from_secs(20)).is_empty(), "it is not put off");
    assert_eq!(pair.relay.poll_timeout(), Some(deadline));
    let actions = pair.relay.handle_timeout(deadline);
    assert!(matches!(actions[..], [DtlsAction::Failed("dtls")]));
    assert_eq!(pair.relay.poll_timeout(), None);
}
