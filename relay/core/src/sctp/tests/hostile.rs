//! What one authentic peer can make the relay hold, do and say; and that none of it stops one that only loses much.

use super::intake::{MAX_AHEAD, MAX_GAPS, MAX_HELD, MAX_RESETS, Room};
use super::*;

const HEADER: usize = 12;
/// The flags of a DATA chunk.
const END: u8 = 1;
const BEGIN: u8 = 2;
const UNORDERED: u8 = 4;

/// A peer that writes its DATA itself.
pub(super) struct Attacker {
    pub(super) relay: Sctp,
    /// The header of its packets.
    head: Vec<u8>,
    /// The first TSN that it has not used.
    next: u32,
    pub(super) now: Instant,
    messages: usize,
    pub(super) refused: Vec<Reason>,
    /// What the relay said.
    pub(super) heard: Vec<Bytes>,
}

impl Attacker {
    pub(super) fn new() -> Self {
        let mut pair = Pair::new();
        assert!(pair.open(0));
        let packet = pair.sends().pop().unwrap();
        assert_eq!(packet[HEADER], 0, "DATA");
        let tsn = u32::from_be_bytes([packet[16], packet[17], packet[18], packet[19]]);
        let (relay, head, now) = (pair.relay, packet[..HEADER].to_vec(), pair.now);
        let mut attacker =
            Self { relay, head, next: tsn + 1, now, messages: 0, refused: Vec::new(), heard: Vec::new() };
        attacker.deliver(packet);
        assert_eq!((attacker.relay.channels.len(), attacker.messages), (1, 0));
        assert_eq!(attacker.acknowledged().0, 0);
        attacker
    }

    fn deliver(&mut self, packet: Bytes) {
        self.relay.handle(packet, self.now);
        self.collect();
    }

    /// Ten seconds.
    fn wait(&mut self) {
        for _ in 0..100 {
            self.now += Duration::from_millis(100);
            self.relay.handle_timeout(self.now);
            self.collect();
        }
    }

    pub(super) fn collect(&mut self) {
        while let Some(packets) = self.relay.poll_transmit(self.now) {
            self.heard.extend(packets);
        }
        while let Some(event) = self.relay.poll_event() {
            self.messages += usize::from(matches!(event, ChannelEvent::Received { .. }));
            self.relay.answered(self.now);
        }
        self.refused.extend(self.relay.take_refused());
    }

    pub(super) fn send(&mut self, chunks: &[Vec<u8>]) {
        let packet = [self.head.clone(), chunks.concat()].concat();
        let all = packet::chunks(&packet).unwrap();
        self.deliver(packet::of_chunks(&packet, all.iter()).unwrap());
    }

    /// What the relay acknowledged last, as it says after a while if need be; and as distance from the first unused TSN.
    pub(super) fn acknowledged(&mut self) -> (u32, Sack) {
        self.now += Duration::from_millis(300);
        self.relay.handle_timeout(self.now);
        while let Some(packets) = self.relay.poll_transmit(self.now) {
            self.heard.extend(packets);
        }
        let sack = self.heard.iter().rev().find_map(|packet| Sack::of(packet)).unwrap();
        (sack.cumulative.wrapping_sub(self.next).wrapping_add(1), sack)
    }

    fn count(&self, reason: Reason) -> usize {
        self.refused.iter().filter(|refused| **refused == reason).count()
    }

    pub(super) fn chunk(&self, number: u32, flags: u8, sequence: u16, payload: &[u8]) -> Vec<u8> {
        let mut chunk = vec![0, flags];
        chunk.extend(u16::try_from(16 + payload.len()).unwrap().to_be_bytes());
        chunk.extend(self.next.wrapping_add(number).to_be_bytes());
        chunk.extend([0, 0]);
        chunk.extend(sequence.to_be_bytes());
        chunk.extend(53_u32.to_be_bytes());
        chunk.extend(payload);
        chunk.resize(chunk.len().next_multiple_of(4), 0);
        chunk
    }
}

#[test]
fn beyond_a_gap_so_much_is_taken() {
    let mut attacker = Attacker::new();
    let whole = BEGIN | END | UNORDERED;
    for packet in 0..200 {
        let chunks: Vec<_> = (1..=50).map(|more| attacker.chunk(50 * packet + more, whole, 0, &[7])).collect();
        attacker.send(&chunks);
    }
    attacker.wait();
    assert_eq!(attacker.messages, MAX_AHEAD as usize - 1);
    assert_eq!(attacker.count(Reason::SctpWindow), 160);
    attacker.send(&[attacker.chunk(0, whole, 0, &[7])]);
    assert_eq!(attacker.acknowledged().0, MAX_AHEAD, "the gap is filled");
    attacker.send(&[attacker.chunk(MAX_AHEAD, whole, 0, &[7])]);
    assert_eq!(attacker.acknowledged().0, MAX_AHEAD + 1, "and all goes on");
}

#[test]
fn of_gaps_there_are_so_many_as_one_packet_can_tell() {
    let mut attacker = Attacker::new();
    let whole = BEGIN | END | UNORDERED;
    for packet in 0..100 {
        let chunks: Vec<_> = (0..50).map(|more| attacker.chunk(100 * packet + 2 * more + 1, whole, 0, &[7])).collect();
        attacker.send(&chunks);
    }
    let blocks = attacker.acknowledged().1.gaps.len();
    assert!((MAX_GAPS..MAX_GAPS + 50).contains(&blocks), "{blocks}");
    assert!(attacker.heard.iter().all(|packet| packet.len() <= CHUNK_PAYLOAD as usize + 28));
    // Gaps can be filled from both sides all the same.
    for number in (0..2 * blocks).rev().step_by(2) {
        attacker.send(&[attacker.chunk(u32::try_from(number).unwrap() - 1, whole, 0, &[7])]);
    }
    assert_eq!(attacker.acknowledged().1.gaps, []);
}

#[test]
fn of_messages_that_wait_for_another_so_many_are_kept() {
    let mut attacker = Attacker::new();
    let mut many = 0;
    for _ in 0..100 {
        // From where it stands: what is not taken is sent again.
        let from = attacker.acknowledged().0;
        let sequence = |number| u16::try_from(number).unwrap() + 2;
        let chunks: Vec<_> =
            (from..from + 50).map(|number| attacker.chunk(number, BEGIN | END, sequence(number), &[7])).collect();
        attacker.send(&chunks);
        let taken = attacker.acknowledged().0 - from;
        if from as usize > MAX_HELD / 2 {
            many += 1;
            assert!(taken <= 16, "of one packet {taken}, and {from} are held");
        }
    }
    assert!(many > 20, "{many}");
    assert_eq!(attacker.acknowledged().0 as usize, MAX_HELD);
    assert_eq!(attacker.messages, 0);
}

#[test]
fn a_message_of_single_bytes_is_not_taken() {
    let mut attacker = Attacker::new();
    let mut sent = 0;
    for _ in 0..300 {
        // From where it stands: what is not taken is sent again.
        let from = attacker.acknowledged().0;
        let flags = |number: u32| if number == 0 { BEGIN } else { 0 };
        let chunks: Vec<_> = (from..from + 58).map(|number| attacker.chunk(number, flags(number), 1, &[7])).collect();
        attacker.send(&chunks);
        let taken = attacker.acknowledged().0 - from;
        assert!(taken <= 16, "of one packet {taken} fragments");
        sent += taken;
    }
    assert_eq!(sent as usize, MAX_HELD);
}

#[test]
fn a_message_over_the_bound_is_dropped_and_the_next_one_taken() {
    let mut attacker = Attacker::new();
    let flags = |number| [BEGIN, 0, END][usize::from(number > 0) + usize::from(number == 69)];
    for number in 0..70 {
        attacker.send(&[attacker.chunk(number, flags(number), 1, &[7; 1_000])]);
    }
    assert_eq!((attacker.count(Reason::DataTooLarge), attacker.messages), (1, 0));
    attacker.send(&[attacker.chunk(70, BEGIN | END, 2, b"small")]);
    assert_eq!((attacker.messages, attacker.refused.len()), (1, 1));
}

#[test]
fn a_message_that_no_buffer_holds_ends_its_association_and_the_peer_is_told() {
    let mut attacker = Attacker::new();
    for number in 0..600 {
        attacker.send(&[attacker.chunk(number, if number == 0 { BEGIN } else { 0 }, 1, &[7; 1_000])]);
    }
    assert_eq!(attacker.count(Reason::DataTooLarge), 1);
    assert!(attacker.relay.association.is_none());
    let end = attacker.heard.iter().position(|packet| packet[HEADER] == 6).unwrap();
    assert_eq!(attacker.heard[end][..8], attacker.heard[end - 1][..8], "to the same peer");
    assert_eq!(end + 1, attacker.heard.len(), "the last word");
}

#[test]
fn who_lies_about_what_came_is_told_that_this_is_the_end() {
    let mut attacker = Attacker::new();
    let mut sack = vec![3, 0, 0, 16];
    sack.extend(7_u32.to_be_bytes());
    sack.extend([0, 1, 0, 0, 0, 0, 0, 0]);
    attacker.send(&[sack]);
    if attacker.relay.association.is_some() {
        let far = u32::from_be_bytes([0x80, 0, 0, 7]);
        attacker.send(&[[vec![3, 0, 0, 16], far.to_be_bytes().to_vec(), vec![0, 1, 0, 0, 0, 0, 0, 0]].concat()]);
    }
    assert!(attacker.relay.association.is_none(), "one of the two was never sent");
    assert_eq!(attacker.count(Reason::SctpMalformed), 1);
    assert_eq!(attacker.heard.last().map(|packet| packet[HEADER]), Some(6));
}

#[test]
fn before_the_handshake_ends_as_little_is_kept() {
    let mut peer = Pair::new();
    assert!(peer.open(0));
    let data = peer.sends().pop().unwrap();
    let mut relay = Sctp::default();
    let mut taken = 0;
    for number in 0..2_000_u32 {
        let mut chunks = packet::chunks(&data).unwrap();
        if let Kind::Data(data) = &mut chunks[0].kind {
            data.tsn = 2 * number;
        }
        taken += usize::from(relay.intake.admit(&chunks, Room::All).unwrap()[0]);
    }
    assert_eq!(taken, 256);
}

#[test]
fn a_fifth_lost_takes_nothing_from_large_messages() {
    let mut pair = Pair::new();
    assert!(pair.open(0) && pair.open(2));
    pair.run(5);
    pair.loss = 20;
    for _ in 0..10 {
        for id in [0, 2] {
            pair.peer.stream(id).unwrap().write_with_ppi(&vec![1; MAX_MESSAGE], Protocol::Binary).unwrap();
        }
        pair.run(50);
    }
    pair.run(20_000);
    assert_eq!(pair.received, [MAX_MESSAGE; 20]);
    assert_eq!(pair.refused, []);
}

#[test]
fn a_fifth_lost_of_a_flood_of_single_bytes_still_brings_all_of_them() {
    let mut pair = Pair::new();
    assert!(pair.open(0));
    pair.run(5);
    pair.loss = 20;
    for _ in 0..10_000 {
        pair.peer.stream(0).unwrap().write_with_ppi(&[1], Protocol::Binary).unwrap();
    }
    pair.run(20_000);
    assert_eq!(pair.received.len(), 10_000);
}

impl Attacker {
    /// RE-CONFIG with the request of that number, from 0, to reset the stream 0; `last` as distance from the first unused TSN.
    fn reset(&self, request: u32, last: u32) -> Vec<u8> {
        let mut chunk = vec![130, 0, 0, 22, 0, 13, 0, 18];
        chunk.extend(self.next.wrapping_add(request).wrapping_sub(1).to_be_bytes());
        chunk.extend([0; 4]);
        chunk.extend(self.next.wrapping_add(last).to_be_bytes());
        chunk.extend([0; 4]);
        chunk
    }

    /// FORWARD-TSN (RFC 3758 section 3.2) up to a TSN, as distance from the first unused one; of unordered messages only.
    fn forward(&self, last: u32) -> Vec<u8> {
        [&[192, 0, 0, 8][..], &self.next.wrapping_add(last).to_be_bytes()].concat()
    }

    fn resets(&self) -> usize {
        self.heard.iter().filter(|packet| packet[HEADER] == 130).count()
    }
}

#[test]
fn resets_that_are_never_confirmed_are_bounded() {
    let mut attacker = Attacker::new();
    for number in 0..300 {
        let sequence = u16::from(number == 0); // the first one is of the stream that opened the channel
        let (data, reset) = (attacker.chunk(number, BEGIN | END, sequence, &[7]), attacker.reset(number, number));
        attacker.send(&[data, reset]);
    }
    assert_eq!(attacker.relay.intake.streams(), 1, "it uses the last one on");
    assert_eq!(attacker.count(Reason::SctpWindow), 300 - MAX_RESETS);
    assert!((MAX_RESETS..=MAX_RESETS + 1).contains(&attacker.resets()), "{}", attacker.resets());
}

#[test]
fn a_reset_that_comes_again_takes_nothing_from_who_uses_the_stream_again() {
    let mut attacker = Attacker::new();
    let reset = attacker.reset(0, 0);
    attacker.send(&[attacker.chunk(0, BEGIN | END, 1, &[7]), reset.clone()]);
    attacker.send(&[attacker.chunk(1, BEGIN | END, 0, &[7])]);
    attacker.send(&[reset]);
    attacker.send(&[attacker.chunk(2, BEGIN | END, 1, &[7])]);
    assert_eq!(attacker.acknowledged().0, 3);
    assert_eq!(attacker.count(Reason::SctpWindow), 0);
}

#[test]
fn a_reset_waits_for_the_last_data_of_its_stream_and_nothing_comes_after_it() {
    let mut attacker = Attacker::new();
    attacker.send(&[attacker.reset(0, 0)]);
    assert_eq!((attacker.resets(), attacker.count(Reason::SctpWindow)), (0, 1));
    attacker.send(&[attacker.chunk(0, BEGIN, 1, &[7]), attacker.reset(0, 0)]);
    assert_eq!(attacker.count(Reason::SctpWindow), 1);
    attacker.send(&[attacker.chunk(1, END, 1, &[7])]);
    assert_eq!(attacker.count(Reason::SctpWindow), 2, "of a stream that was reset");
    assert_eq!(attacker.acknowledged().0, 1);
}

#[test]
fn what_was_sent_before_a_reset_is_acknowledged_again() {
    let mut attacker = Attacker::new();
    attacker.send(&[attacker.chunk(0, BEGIN, 1, &[7]), attacker.reset(0, 0)]);
    assert_eq!(attacker.acknowledged().0, 1);
    attacker.heard.clear(); // that was lost
    attacker.send(&[attacker.chunk(0, BEGIN, 1, &[7])]);
    assert_eq!((attacker.acknowledged().0, attacker.count(Reason::SctpWindow)), (1, 0));
}

#[test]
fn late_copies_of_data_of_a_stream_that_was_reset_begin_no_stream() {
    let mut attacker = Attacker::new();
    attacker.send(&[attacker.chunk(0, BEGIN | END, 1, &[7]), attacker.reset(0, 0)]);
    assert_eq!(attacker.relay.intake.streams(), 0);
    attacker.send(&[attacker.chunk(0, BEGIN | END, 1, &[7])]);
    assert_eq!(attacker.relay.intake.streams(), 0);
}

#[test]
fn what_its_sender_gives_up_takes_no_place_for_ever() {
    let mut attacker = Attacker::new();
    attacker.send(&[attacker.chunk(0, BEGIN, 1, &[7; 1_000])]); // waits for its end, so that something always does
    let fragments = 15;
    let rounds = u32::try_from(2 * MAX_HELD).unwrap() / fragments;
    for round in 0..rounds {
        let first = 1 + (fragments + 1) * round;
        let flags = |number| if number == first { BEGIN | UNORDERED } else { UNORDERED };
        let chunks: Vec<_> =
            (first..first + fragments).map(|number| attacker.chunk(number, flags(number), 0, &[7; 1_000])).collect();
        attacker.send(&chunks);
        attacker.send(&[attacker.forward(first + fragments)]);
    }
    let sent = 1 + (fragments + 1) * rounds;
    assert_eq!((attacker.acknowledged().0, attacker.count(Reason::SctpWindow)), (sent, 0));
    attacker.send(&[attacker.chunk(sent, BEGIN | END | UNORDERED, 0, b"small")]);
    assert_eq!(attacker.messages, 1);
}

#[test]
fn what_came_before_its_association_counts_for_nothing() {
    let mut pair = Pair::crossed();
    let head = [0x13, 0x88, 0x13, 0x88, 0, 0, 0, 9, 0, 0, 0, 0];
    for stream in 1_000..1_100_u16 {
        let mut packet = head.to_vec();
        packet.extend([0, 3, 0, 17, 0, 0, 0, 1]);
        packet.extend(stream.to_be_bytes());
        packet.extend([0, 0, 0, 0, 0, 53, 7, 0, 0, 0]);
        let all = packet::chunks(&packet).unwrap();
        pair.relay.handle(packet::of_chunks(&packet, all.iter()).unwrap(), pair.now);
    }
    pair.run(40);
    assert!(pair.relay.established && pair.open(1));
    pair.run(10);
    assert_eq!(pair.opened, 1);
}
