use std::io::{Read, Write};

use rustix::event::{PollFd, PollFlags, poll};

use super::*;
use crate::stream::{MAX_BACKLOG, MAX_DELAY};

struct Bench {
    streams: Streams,
    address: SocketAddr,
    now: Instant,
}

/// A shard's TCP side without a shard.
fn bench() -> Bench {
    let listener = tcp_listener("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let now = Instant::now();
    Bench { streams: Streams::new(vec![listener], now).unwrap(), address, now }
}

impl Bench {
    fn connect(&mut self) -> TcpStream {
        let before = (self.streams.open, self.refused());
        let peer = TcpStream::connect(self.address).unwrap();
        peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        while (self.streams.open, self.refused()) == before {
            self.look();
        }
        peer
    }

    /// Wait for something to happen, and see to it.
    fn look(&mut self) -> Vec<u32> {
        let mut bell = [PollFd::from_borrowed_fd(self.streams.bell(), PollFlags::IN)];
        assert_eq!(poll(&mut bell, Some(&Timespec { tv_sec: 10, tv_nsec: 0 })), Ok(1), "nothing happens");
        self.streams.ready(self.now)
    }

    fn refused(&self) -> u64 {
        self.counted("stream_refused")
    }

    fn counted(&self, name: &str) -> u64 {
        self.streams.counts().find(|(known, _)| *known == name).map_or(0, |(_, count)| count)
    }

    fn numbers(&self) -> Vec<u32> {
        self.streams.open_streams().map(|(number, _)| number).collect()
    }
}

/// Whether the other side has closed.
fn is_closed(mut peer: &TcpStream) -> bool {
    !matches!(peer.read(&mut [0; 1]), Ok(1..))
}

#[test]
fn a_stranger_has_a_deadline_and_a_proven_peer_has_not() {
    let mut bench = bench();
    let (stranger, proven) = (bench.connect(), bench.connect());
    let number = bench.numbers()[1];
    bench.streams.get(number).unwrap().proven = true;
    let port = proven.local_addr().unwrap().port();
    bench.streams.sweep(bench.now + PROOF, |source| source.remote.port() == port);
    assert_eq!(bench.numbers().len(), 2, "not before its time");
    bench.streams.sweep(bench.now + PROOF + SWEEP, |source| source.remote.port() == port);
    assert_eq!(bench.numbers(), [number]);
    assert!(is_closed(&stranger));
    bench.streams.sweep(bench.now + PROOF + SWEEP * 2, |_| false);
    assert!(is_closed(&proven), "its transport has ended");
    assert_eq!(bench.counted("stream_unowned"), 2);
    assert_eq!(bench.streams.take_closed().len(), 2);
}

#[test]
fn one_address_has_so_many_strangers() {
    let mut bench = bench();
    let peers: Vec<TcpStream> = (0..MAX_STRANGERS).map(|_| bench.connect()).collect();
    assert_eq!(bench.refused(), 0);
    assert!(is_closed(&bench.connect()));
    assert_eq!(bench.refused(), 1);
    let number = bench.numbers()[0];
    bench.streams.get(number).unwrap().proven = true;
    bench.connect();
    assert_eq!((bench.refused(), peers.len() + 1), (1, bench.numbers().len()), "a proven one does not count");
}

#[test]
fn when_all_places_are_taken_the_oldest_stranger_gives_way_and_the_proven_stay() {
    let mut bench = bench();
    let mut peers = Vec::new();
    while bench.streams.open < MAX_STREAMS {
        peers.push(bench.connect());
        let number = *bench.numbers().last().unwrap();
        bench.streams.get(number).unwrap().proven = peers.len() != 2;
    }
    let last = bench.connect();
    assert!(is_closed(&peers[1]));
    assert_eq!((bench.streams.open, bench.refused()), (MAX_STREAMS, 1));
    bench.numbers().iter().for_each(|number| bench.streams.get(*number).unwrap().proven = true);
    let late = TcpStream::connect(bench.address).unwrap();
    while bench.refused() < 2 {
        bench.look();
    }
    assert!(is_closed(&late));
    drop(last);
}

#[test]
fn a_number_is_not_mistaken_for_a_former_one() {
    let mut bench = bench();
    let _first = bench.connect();
    let number = bench.numbers()[0];
    bench.streams.close(number, Closed::Peer);
    let _second = bench.connect();
    assert_ne!(bench.numbers(), [number]);
    assert!(bench.streams.get(number).is_none());
    assert_eq!(bench.streams.write(number, std::iter::once(&b"late"[..])), 0);
}

#[test]
fn a_slow_reader_costs_a_bounded_backlog_and_then_its_connection() {
    let mut bench = bench();
    let mut peer = bench.connect();
    let number = bench.numbers()[0];
    let datagram = [7_u8; 1200];
    let mut taken = 0;
    while bench.counted("stream_full") == 0 {
        taken += bench.streams.write(number, std::iter::once(&datagram[..]));
    }
    assert!(taken > (MAX_BACKLOG / 1202) as u64);
    // It reads again: every frame that was taken is whole.
    let mut frame = [0; 1202];
    for _ in 0..taken {
        while !bench.streams.get(number).unwrap().has_room(MAX_BACKLOG) && peer.peek(&mut frame).unwrap() < frame.len()
        {
            bench.look();
        }
        peer.read_exact(&mut frame).unwrap();
        assert_eq!(frame[..3], [0x04, 0xb0, 7]);
    }
    while !bench.streams.get(number).unwrap().has_room(MAX_BACKLOG) {
        bench.look();
    }
    while bench.streams.write(number, std::iter::once(&datagram[..])) == 1 {}
    bench.streams.sweep(Instant::now() + MAX_DELAY / 2, |_| true);
    assert_eq!(bench.streams.open, 1);
    bench.streams.sweep(Instant::now() + MAX_DELAY + SWEEP, |_| true);
    assert_eq!((bench.streams.open, bench.counted("stream_slow")), (0, 1));
}

#[test]
fn what_is_read_in_pieces_is_kept_together() {
    let mut bench = bench();
    let mut peer = bench.connect();
    let number = bench.numbers()[0];
    let mut scratch = vec![0; SCRATCH];
    let mut bytes = Vec::new();
    put(b"datagram", &mut bytes);
    let mut length = 0;
    for byte in &bytes {
        peer.write_all(&[*byte]).unwrap();
        while bench.look().is_empty() {}
        length = bench.streams.read(number, &mut scratch).unwrap();
        if length < bytes.len() {
            bench.streams.keep(number, &scratch[..length]);
        }
    }
    assert_eq!(scratch[..length], bytes);
    drop(peer);
    while bench.look().is_empty() {}
    assert_eq!(bench.streams.read(number, &mut scratch), None);
    assert_eq!(bench.streams.open, 0);
}
