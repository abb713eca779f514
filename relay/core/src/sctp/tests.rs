//! A peer of our own making, which does what no browser does.

mod hostile;
mod taken;
mod window;

use std::time::Duration;

use sctp_proto::ClientConfig;

use super::dcep::Dcep;
use super::intake::MAX_STREAMS;
use super::*;
use crate::noise::Noise;

/// The peer's association, the relay's side of it, and what passed.
struct Pair {
    relay: Sctp,
    endpoint: Endpoint,
    handle: AssociationHandle,
    peer: Association,
    now: Instant,
    /// Percent of the packets lost, either way.
    loss: u64,
    noise: Noise,
    opened: usize,
    /// Lengths of the messages that came.
    received: Vec<usize>,
    refused: Vec<Reason>,
    /// Requests answered.
    taken: Vec<String>,
}

impl Pair {
    fn of(relay: Sctp, endpoint: Endpoint, (handle, peer): (AssociationHandle, Association), now: Instant) -> Self {
        let (received, refused, taken) = (Vec::new(), Vec::new(), Vec::new());
        Self { relay, endpoint, handle, peer, now, loss: 0, noise: Noise::new(33), opened: 0, received, refused, taken }
    }

    fn new() -> Self {
        let now = Instant::now();
        let mut endpoint = Endpoint::new(Arc::new(EndpointConfig::new()), None);
        let mut config = ClientConfig::new();
        let retries = TransportConfig::default().with_rto_initial_ms(RETRY).with_rto_min_ms(SHORTEST_RETRY);
        config.transport = Arc::new(retries.with_rto_max_ms(LONGEST_RETRY));
        let (handle, peer) = endpoint.connect(config, NOWHERE).unwrap();
        let mut pair = Self::of(Sctp::default(), endpoint, (handle, peer), now);
        pair.run(10);
        assert!(pair.relay.established);
        pair
    }

    /// The relay is the DTLS client; the peer waits to be asked.
    fn called() -> Self {
        let now = Instant::now();
        let mut relay = Sctp::default();
        relay.open("ours", true, Reliability::Reliable).unwrap();
        relay.connect();
        let mut endpoint = Endpoint::new(Arc::new(EndpointConfig::new()), Some(Arc::new(ServerConfig::new())));
        let init = outgoing(&mut relay, now).remove(0);
        let Some((handle, DatagramEvent::NewAssociation(peer))) = endpoint.handle(now, NOWHERE, None, None, init)
        else {
            panic!("no INIT")
        };
        Self::of(relay, endpoint, (handle, peer), now)
    }

    /// Both ask at once.
    fn crossed() -> Self {
        let now = Instant::now();
        let mut relay = Sctp::default();
        relay.open("ours", true, Reliability::Reliable).unwrap();
        relay.connect();
        let mut endpoint = Endpoint::new(Arc::new(EndpointConfig::new()), None);
        let (handle, peer) = endpoint.connect(ClientConfig::new(), NOWHERE).unwrap();
        Self::of(relay, endpoint, (handle, peer), now)
    }

    /// What the peer wants to send.
    fn sends(&mut self) -> Vec<Bytes> {
        let mut packets = Vec::new();
        let peer = |pair: &mut Self| pair.peer.poll_transmit(pair.now).or_else(|| pair.endpoint.poll_transmit());
        while let Some(transmit) = peer(self) {
            if let Payload::RawEncode(more) = transmit.payload {
                packets.extend(more);
            }
        }
        packets
    }

    /// Rounds of 20 ms.
    fn run(&mut self, rounds: usize) {
        for _ in 0..rounds {
            self.now += Duration::from_millis(20);
            self.peer.handle_timeout(self.now);
            self.relay.handle_timeout(self.now);
            for packet in self.sends() {
                if !self.noise.chance(self.loss) {
                    self.relay.handle(packet, self.now);
                    self.answer();
                }
            }
            self.answer();
            while let Some(event) = self.peer.poll_endpoint_event() {
                if let Some(event) = self.endpoint.handle_event(self.handle, event) {
                    self.peer.handle_event(event);
                }
            }
            while self.peer.poll().is_some() {}
            self.collect();
        }
    }

    /// What the relay has to say comes to the peer.
    fn answer(&mut self) {
        while let Some(packets) = self.relay.poll_transmit(self.now) {
            for packet in packets {
                if !self.noise.chance(self.loss)
                    && let Some((_, DatagramEvent::AssociationEvent(event))) =
                        self.endpoint.handle(self.now, NOWHERE, None, None, packet)
                {
                    self.peer.handle_event(event);
                }
            }
        }
    }

    fn collect(&mut self) {
        while let Some(event) = self.relay.poll_event() {
            match event {
                ChannelEvent::Opened(_) => self.opened += 1,
                ChannelEvent::Taken(request) => self.taken.push(request),
                ChannelEvent::Received { payload, .. } => {
                    self.received.push(payload.len());
                    self.relay.answered(self.now);
                }
            }
        }
        self.refused.extend(self.relay.take_refused());
    }

    fn open(&mut self, id: u16) -> bool {
        let open = Open { label: format!("c{id}"), ordered: true, reliability: Reliability::Reliable };
        let Ok(mut stream) = self.peer.open_stream(id, Protocol::Binary) else { return false };
        stream.write_with_ppi(&Dcep::Open(open).to_bytes(), Protocol::Dcep).is_ok()
    }

    fn count(&self, reason: Reason) -> usize {
        self.refused.iter().filter(|refused| **refused == reason).count()
    }
}

/// What the relay wants to send.
fn outgoing(relay: &mut Sctp, now: Instant) -> Vec<Bytes> {
    std::iter::from_fn(|| relay.poll_transmit(now)).flatten().collect()
}

#[test]
fn the_dtls_client_asks_and_opens_channels_of_even_numbers() {
    let mut pair = Pair::called();
    pair.run(20);
    assert_eq!(pair.relay.channels.keys().collect::<Vec<_>>(), [&0]);
    assert!(pair.open(1));
    pair.relay.open("another", true, Reliability::Reliable).unwrap();
    pair.run(20);
    assert_eq!(pair.relay.channels.keys().collect::<Vec<_>>(), [&0, &1, &2]);
    let mut server = Pair::new();
    server.relay.open("ours", true, Reliability::Reliable).unwrap();
    assert_eq!(server.relay.channels.keys().collect::<Vec<_>>(), [&1]);
}

#[test]
fn where_both_ask_there_is_one_association() {
    for first in [true, false] {
        let mut pair = Pair::crossed();
        if first {
            let theirs = pair.sends(); // it arrives before ours is on its way
            pair.relay.handle(theirs[0].clone(), pair.now);
        }
        pair.run(40);
        assert!(pair.relay.established);
        assert_eq!(pair.relay.channels.keys().collect::<Vec<_>>(), [&0]);
        assert!(pair.open(1));
        pair.run(10);
        assert_eq!((pair.opened, pair.refused.len()), (1, 0), "{:?}", pair.refused);
    }
}

#[test]
fn an_association_nobody_answers_to_is_given_up() {
    let mut relay = Sctp::default();
    relay.connect();
    let (mut now, mut asked) = (Instant::now(), 0);
    while let Some(at) = relay.poll_timeout() {
        asked += outgoing(&mut relay, now).len();
        now = at.max(now);
        relay.handle_timeout(now);
    }
    assert!((5..=12).contains(&asked), "{asked}");
    assert!(relay.association.is_none());
}

#[test]
fn a_second_association_is_refused() {
    for mut pair in [Pair::new(), Pair::called()] {
        pair.run(10);
        let mut other = Endpoint::new(Arc::new(EndpointConfig::new()), None);
        let (_, mut another) = other.connect(ClientConfig::new(), NOWHERE).unwrap();
        let Some(Payload::RawEncode(init)) = another.poll_transmit(pair.now).map(|transmit| transmit.payload) else {
            panic!("no INIT")
        };
        pair.relay.handle(init[0].clone(), pair.now);
        pair.run(5);
        assert_eq!(pair.count(Reason::SctpMalformed), 1);
        assert!(pair.relay.established && pair.open(7));
        pair.run(5);
        assert!(pair.opened > 0);
    }
}

#[test]
fn ten_thousand_streams_leave_as_many_as_channels_need() {
    let mut pair = Pair::new();
    for id in 0..10_000 {
        assert!(pair.open(id));
    }
    pair.run(500);
    assert_eq!(pair.opened, MAX_CHANNELS);
    assert!(pair.count(Reason::ChannelLimit) > 10, "{:?}", pair.refused);
    let (_, association) = pair.relay.association.as_mut().unwrap();
    let kept = (0..10_000).filter(|id| association.stream(*id).is_ok()).count();
    assert!((MAX_CHANNELS..=MAX_STREAMS).contains(&kept), "{kept}");
}

#[test]
fn channels_that_close_make_place_for_others() {
    let mut pair = Pair::new();
    for id in 0..300 {
        assert!(pair.open(id));
        pair.run(5);
        pair.peer.stream(id).unwrap().close().unwrap();
        pair.run(15);
    }
    assert_eq!((pair.opened, pair.refused.len()), (300, 0));
    assert!(pair.relay.channels.is_empty() && pair.relay.intake.streams() == 0);
}

/// `CRC32c` (RFC 9260 appendix A), bit by bit.
fn checksum(packet: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
    };
    !packet.iter().fold(u32::MAX, step)
}

fn damaged(packet: &[u8], noise: &mut Noise) -> Bytes {
    let mut packet = packet.to_vec();
    for _ in 0..=noise.below(3) {
        let place = 12 + noise.below(packet.len() as u64 - 12) as usize;
        packet[place] = noise.next().to_le_bytes()[0];
    }
    if noise.chance(10) {
        packet.truncate(12 + noise.below(packet.len() as u64 - 12) as usize);
    }
    packet[8..12].fill(0);
    let sum = checksum(&packet).to_le_bytes();
    packet[8..12].copy_from_slice(&sum);
    packet.into()
}

#[test]
fn damaged_packets_with_true_checksums_are_survived() {
    let mut noise = Noise::new(32);
    let (mut sent, mut refused) = (0, 0);
    for _ in 0..60 {
        let mut pair = Pair::new();
        for step in 0..40 {
            let id = step * 2;
            if !pair.open(id) {
                break; // the relay took something for an abort, or for its end
            }
            let _ = pair.peer.stream(id).map(|mut stream| stream.write_with_ppi(&[1; 3_000], Protocol::Binary));
            for packet in pair.sends() {
                for _ in 0..4 {
                    pair.relay.handle(damaged(&packet, &mut noise), pair.now);
                    sent += 1;
                }
                pair.relay.handle(packet, pair.now);
            }
            pair.run(2);
            assert!(pair.relay.intake.streams() <= MAX_STREAMS && pair.relay.channels.len() <= MAX_CHANNELS);
        }
        refused += pair.count(Reason::SctpMalformed);
    }
    assert!(sent > 3_000 && refused > 100, "{sent} {refused}");
}
