//! A peer that is slowed down by its window.

use super::super::intake::MAX_AHEAD;
use super::hostile::Attacker;
use super::*;

/// The flags of a DATA chunk: its message is whole, and of no order.
const WHOLE: u8 = 7;

#[test]
fn a_peer_that_is_held_back_stops_by_itself_and_goes_on_at_once() {
    let mut pair = Pair::new();
    assert!(pair.open(0));
    pair.run(5);
    pair.relay.hold(true, pair.now);
    for _ in 0..40 {
        pair.peer.stream(0).unwrap().write_with_ppi(&vec![1; MAX_MESSAGE], Protocol::Binary).unwrap();
    }
    pair.run(200); // four seconds
    let held = pair.relay.held();
    assert!((480 * 1024..=(512 + 64) * 1024).contains(&held), "{held}");
    assert_eq!((pair.received.len(), pair.refused.len()), (0, 0));
    pair.relay.hold(false, pair.now);
    pair.collect();
    // It is told at once, and not only when it tries again.
    let told = outgoing(&mut pair.relay, pair.now);
    let room = |packet: &Bytes| Sack::of(packet).map_or(0, |sack| sack.credit);
    assert!(told.iter().map(room).max() > Some(400 * 1024), "{told:?}");
    for packet in told {
        if let Some((_, DatagramEvent::AssociationEvent(event))) =
            pair.endpoint.handle(pair.now, NOWHERE, None, None, packet)
        {
            pair.peer.handle_event(event);
        }
    }
    assert_eq!(pair.relay.inbox.bytes(), 0);
    let before = (pair.received.len(), pair.relay.held());
    pair.run(3);
    assert!((pair.received.len(), pair.relay.held()) > before, "and goes on");
    pair.run(60);
    assert_eq!((pair.received.len(), pair.refused.len()), (40, 0), "{:?}", pair.refused);
}

#[test]
fn what_is_taken_beyond_a_closed_window_is_acknowledged_late() {
    let mut attacker = Attacker::new();
    attacker.relay.hold(true, attacker.now);
    let message =
        |attacker: &Attacker, number: u32| attacker.chunk(number, 3, u16::try_from(number + 1).unwrap(), &[7; 1_000]);
    let mut sent = 0;
    while attacker.relay.held() < RECEIVE_BUFFER as usize {
        attacker.send(&[message(&attacker, sent)]);
        sent += 1;
    }
    assert_eq!((attacker.acknowledged().0, attacker.acknowledged().1.credit), (sent, 0));
    attacker.heard.clear();
    for _ in 0..2 {
        attacker.send(&[message(&attacker, sent)]);
        sent += 1;
    }
    assert!(attacker.heard.is_empty(), "or it would try again at once");
    attacker.now += Duration::from_millis(100);
    attacker.relay.handle_timeout(attacker.now);
    attacker.collect();
    let heard: Vec<_> = attacker.heard.iter().filter_map(|packet| Sack::of(packet)).collect();
    assert_eq!(heard.iter().map(|sack| sack.credit).collect::<Vec<_>>(), [0]);
    assert_eq!((attacker.acknowledged().0, attacker.refused.len()), (sent, 0));
}

#[test]
fn who_does_not_mind_the_window_is_not_taken() {
    let mut pair = Pair::new();
    assert!(pair.open(0));
    pair.run(5);
    pair.relay.hold(true, pair.now);
    for _ in 0..40 {
        pair.peer.stream(0).unwrap().write_with_ppi(&vec![1; MAX_MESSAGE], Protocol::Binary).unwrap();
    }
    for _ in 0..3_000 {
        pair.now += Duration::from_millis(20);
        pair.peer.handle_timeout(pair.now);
        for packet in pair.sends() {
            pair.relay.handle(packet, pair.now);
        }
        while let Some(packets) = pair.relay.poll_transmit(pair.now) {
            for packet in packets {
                // It takes all acknowledgments for ones that leave it all the room there is.
                let packet = Sack::of(&packet).map_or(packet.clone(), |_| packet::with_credit(&packet, RECEIVE_BUFFER));
                if let Some((_, DatagramEvent::AssociationEvent(event))) =
                    pair.endpoint.handle(pair.now, NOWHERE, None, None, packet)
                {
                    pair.peer.handle_event(event);
                }
            }
        }
        assert!(pair.relay.held() <= (512 + 64 + 2) * 1024, "{}", pair.relay.held());
    }
    pair.collect();
    assert!(pair.count(Reason::SctpWindow) > 10);
    pair.relay.hold(false, pair.now);
    pair.run(1_000); // what was refused is sent again, packet by packet
    assert_eq!(pair.received.len(), 40);
}

/// Bytes held while a peer that is held back fills a gap before its last TSN with whole messages, `parts` of one that is never
/// complete behind them; and all of it is taken once it is told.
fn filling_a_gap(parts: u32) -> usize {
    let mut attacker = Attacker::new();
    attacker.relay.hold(true, attacker.now);
    let last = MAX_AHEAD - 1;
    let whole = |attacker: &Attacker, number| attacker.chunk(number, WHOLE, 0, &[7; 1_400]);
    attacker.send(&[whole(&attacker, last)]);
    for number in last - parts..last {
        let flags = if number == last - parts { 2 } else { 0 };
        attacker.send(&[attacker.chunk(number, flags, 1, &[7; 1_000])]);
    }
    let mut most = 0;
    for number in 0..last - parts {
        attacker.send(&[whole(&attacker, number)]);
        most = most.max(attacker.relay.held());
    }
    assert!(attacker.refused.len() > 1_000, "{}", attacker.refused.len());
    attacker.relay.hold(false, attacker.now);
    attacker.collect();
    for _ in 0..100 {
        let from = attacker.acknowledged().0;
        for number in from..(from + 40).min(last - parts) {
            attacker.send(&[whole(&attacker, number)]);
        }
    }
    assert_eq!(attacker.acknowledged().0, MAX_AHEAD, "it goes on where it is told");
    most
}

#[test]
fn what_fills_a_gap_is_not_taken_either_where_enough_waits_to_be_told() {
    for parts in [0, 400] {
        let most = filling_a_gap(parts);
        assert!(most <= (512 + 64 + 2) * 1024, "{parts}: {most}");
    }
}
