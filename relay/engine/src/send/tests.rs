use std::net::UdpSocket;
use std::time::Duration;

use super::*;

struct Bench {
    sender: Sender,
    sinks: Vec<UdpSocket>,
}

fn bench(gso: bool, sinks: usize) -> Bench {
    let any = "127.0.0.1:0".parse().unwrap();
    let sockets: Arc<[Socket]> = Arc::new([Socket::open(any, 1 << 20, 1 << 20).unwrap()]);
    let streams = Streams::new(Vec::new(), std::time::Instant::now()).unwrap();
    let mut sender = Sender::new(sockets, streams, gso);
    let sinks: Vec<UdpSocket> = (0..sinks).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    for (index, sink) in sinks.iter().enumerate() {
        sink.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let path = Path { socket: 0, protocol: Protocol::Udp, local: None, remote: sink.local_addr().unwrap() };
        sender.bind(Destination(u32::try_from(index).unwrap()), path);
    }
    Bench { sender, sinks }
}

fn put(sender: &mut Sender, destination: u32, bytes: &[u8]) {
    let slot = sender.packet(Destination(destination), bytes.len() + 20);
    slot[..bytes.len()].copy_from_slice(bytes);
    sender.commit(bytes.len());
}

fn read(sink: &UdpSocket) -> Vec<u8> {
    let mut bytes = [0; 2048];
    let length = sink.recv(&mut bytes).unwrap();
    bytes[..length].to_vec()
}

/// Sizes as browsers send them: runs that step by a byte, and strays.
fn packets() -> Vec<Vec<u8>> {
    let sizes = [1136, 1136, 1136, 1137, 1137, 200, 1137, 60, 60, 61, 1, 1200];
    sizes.iter().zip(1_u8..).map(|(size, number)| vec![number; *size]).collect()
}

#[test]
fn each_destination_gets_its_packets_whole_and_in_order() {
    for gso in [true, false] {
        let Bench { mut sender, sinks } = bench(gso, 3);
        for packet in packets() {
            for destination in 0..3 {
                put(&mut sender, destination, &packet); // interleaved, as a forwarder does
            }
        }
        sender.flush();
        for sink in &sinks {
            for packet in packets() {
                assert_eq!(read(sink), packet, "gso {gso}");
            }
        }
        assert_eq!(sender.counters.datagrams, 36);
        assert_eq!(sender.counters.failed, 0);
    }
}

#[test]
fn equal_packets_leave_in_one_run() {
    let Bench { mut sender, sinks } = bench(true, 1);
    for _ in 0..10 {
        put(&mut sender, 0, &[7; 1000]);
    }
    assert_eq!(sender.runs.len(), 1);
    sender.flush();
    assert_eq!((sender.counters.calls, sender.counters.datagrams), (1, 10));
    assert!(sender.gso());
    (0..10).for_each(|_| assert_eq!(read(&sinks[0]), [7; 1000]));
}

#[test]
fn packets_side_by_side_are_one_piece() {
    let Bench { mut sender, sinks } = bench(true, 2);
    let pieces = |sender: &mut Sender| {
        let run = sender.runs[0];
        let runs = std::slice::from_ref(&run);
        sender.call.pieces(runs, &sender.segments, &sender.arena)
    };
    for destination in [0, 0, 1, 0] {
        put(&mut sender, destination, &[7; 1000]);
    }
    assert_eq!((sender.runs[0].count, pieces(&mut sender)), (3, vec![2000, 1000]));
    sender.flush();
    (0..3).for_each(|_| assert_eq!(read(&sinks[0]), [7; 1000]));
    assert_eq!(read(&sinks[1]), [7; 1000]);
}

#[test]
fn a_full_arena_is_sent_and_reused() {
    let Bench { mut sender, .. } = bench(true, 1); // what the sink does not read is lost there, and no matter here
    for _ in 0..2000 {
        put(&mut sender, 0, &[1; 1200]);
    }
    sender.flush();
    assert_eq!(sender.counters.datagrams, 2000);
}

#[test]
fn what_was_lent_and_not_committed_is_not_sent() {
    let Bench { mut sender, sinks } = bench(true, 1);
    let _ = sender.packet(Destination(0), 100);
    put(&mut sender, 0, b"sent");
    assert!(sender.packet(Destination(9), 100).is_empty(), "a destination without a path");
    sender.commit(50);
    sender.flush();
    assert_eq!(read(&sinks[0]), b"sent");
    assert_eq!(sender.counters.datagrams, 1);
}

#[test]
fn a_peer_that_cannot_be_reached_costs_only_its_own_packets() {
    let Bench { mut sender, sinks } = bench(true, 1);
    let remote = "[2001:db8::1]:9".parse().unwrap(); // not of the socket's family
    let nowhere = Path { socket: 0, protocol: Protocol::Udp, local: None, remote };
    sender.bind(Destination(1), nowhere);
    put(&mut sender, 1, b"lost");
    put(&mut sender, 0, b"arrives");
    sender.flush();
    assert_eq!(read(&sinks[0]), b"arrives");
    assert_eq!(sender.counters.failed, 1);
}
