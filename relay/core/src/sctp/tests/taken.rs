//! When the peer is said to have taken what it was sent.

use super::*;

impl Pair {
    /// So many messages for the peer are read.
    fn read_all(&mut self, id: u16) -> usize {
        let mut count = 0;
        while let Ok(Some(_)) = self.peer.stream(id).and_then(|mut stream| stream.read_sctp()) {
            count += 1;
        }
        count
    }
}

/// The peer acknowledges what comes beyond a gap, and cannot read it: a document whose first packet was lost is not taken,
/// however much came after.
#[test]
fn what_is_beyond_a_gap_is_not_taken() {
    let mut pair = Pair::new();
    assert!(pair.open(0));
    pair.run(10);
    for _ in 0..4 {
        // The congestion window grows, so that both documents go at once.
        pair.relay.send("c0", &vec![1; 60_000], true, pair.now).unwrap();
        pair.run(40);
    }
    pair.read_all(0);
    pair.relay.send("c0", &[2; 10_000], true, pair.now).unwrap();
    pair.relay.await_taken("first".into(), pair.now);
    pair.relay.send("c0", &vec![3; 20_000], true, pair.now).unwrap();
    pair.relay.await_taken("second".into(), pair.now);
    let mut packets = outgoing(&mut pair.relay, pair.now);
    assert!(packets.len() > 20, "{}", packets.len());
    packets.remove(0);
    for packet in packets {
        if let Some((_, DatagramEvent::AssociationEvent(event))) =
            pair.endpoint.handle(pair.now, NOWHERE, None, None, packet)
        {
            pair.peer.handle_event(event);
        }
    }
    for packet in pair.sends() {
        pair.relay.handle(packet, pair.now);
    }
    pair.collect();
    assert_eq!((pair.read_all(0), pair.taken.len()), (0, 0), "{:?}", pair.taken);
    pair.run(100);
    assert_eq!((pair.read_all(0), pair.taken.join(" ").as_str()), (2, "first second"));
}

/// On a path that loses packets each is told once the peer could read what had been sent by then.
#[test]
fn nothing_is_taken_before_it_could_be_read() {
    for seed in 0..20 {
        let mut pair = Pair::new();
        assert!(pair.open(0));
        pair.run(10);
        pair.read_all(0); // the answer to opening it
        (pair.loss, pair.noise) = (10, Noise::new(seed));
        let (mut sent, mut read) = (0, 0);
        for round in 0..4_000 {
            if round < 150 && pair.relay.send("c0", &[4; 5_000], true, pair.now).is_ok() {
                pair.relay.await_taken(sent.to_string(), pair.now);
                sent += 1;
            }
            pair.run(1);
            read += pair.read_all(0);
            assert!(pair.taken.len() <= read, "seed {seed}: {} of {read}", pair.taken.len());
        }
        assert_eq!((pair.taken.len(), read), (sent, sent), "seed {seed}");
        assert!(sent > 50, "seed {seed}: {sent}");
    }
}

/// What waits for its channel to open is not taken, however the association begins meanwhile, before the peer could read it.
#[test]
fn what_waits_for_its_channel_is_not_taken() {
    for mut pair in [Pair::new(), Pair::called(), Pair::crossed()] {
        pair.relay.send("c1", &[1; 100], true, pair.now).unwrap();
        pair.relay.await_taken("first".into(), pair.now);
        pair.run(10);
        pair.relay.send("c1", &[2; 100], true, pair.now).unwrap();
        pair.relay.await_taken("second".into(), pair.now);
        pair.run(10);
        assert!(pair.relay.established && pair.taken.is_empty(), "{:?}", pair.taken);
        assert!(pair.open(1));
        for packet in pair.sends() {
            pair.relay.handle(packet, pair.now);
        }
        pair.collect();
        assert_eq!((pair.opened, pair.taken.len()), (1, 0), "on their way: {:?}", pair.taken);
        pair.run(30);
        assert_eq!(
            (pair.read_all(1), pair.taken.join(" ").as_str()),
            (3, "first second"),
            "after the answer to opening"
        );
    }
}

/// Who waits for a channel of an association that is lost waits no longer.
#[test]
fn nobody_waits_for_a_channel_of_a_lost_association() {
    let mut pair = Pair::new();
    pair.relay.send("c1", &[1; 100], true, pair.now).unwrap();
    pair.relay.await_taken("first".into(), pair.now);
    pair.relay.lose(Reason::SctpMalformed);
    pair.collect();
    assert_eq!(pair.taken, ["first"]);
}
