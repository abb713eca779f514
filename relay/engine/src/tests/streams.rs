//! Strangers at the TCP port of a running engine.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

fn connect(engine: &Engine) -> TcpStream {
    let address = engine.candidates("r").iter().find(|at| at.tcp).unwrap().address;
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Whether the engine closed it, within the time-out of reading.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 16]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
    }
}

/// A STUN header with the magic cookie, and nothing in it.
fn empty_check() -> Vec<u8> {
    [&[0, 20][..], &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42], &[7; 12]].concat()
}

#[test]
fn what_begins_with_no_stun_is_closed_at_once() {
    let engine = Engine::start(&config(1)).unwrap();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0, 4, 22, 254, 253, 0], &[0, 0], &[0, 3, 128, 0, 0], &[8, 1]] {
        let mut stream = connect(&engine);
        stream.write_all(bytes).unwrap();
        assert!(is_closed(&mut stream), "{bytes:?}");
    }
    assert_eq!(stats(&engine).shards[0].dropped["stream_protocol"], 5);
}

#[test]
fn a_frame_that_is_too_long_is_closed_after_stun_too() {
    let engine = Engine::start(&config(1)).unwrap();
    let mut stream = connect(&engine);
    stream.write_all(&[&empty_check()[..], &[0xff, 0xff]].concat()).unwrap();
    assert!(is_closed(&mut stream));
    let dropped = &stats(&engine).shards[0].dropped;
    assert_eq!(dropped["stream_protocol"], 1);
    assert!(dropped.contains_key("stun_malformed") || dropped.contains_key("stun_unknown_user"), "{dropped:?}");
}

#[test]
fn a_stranger_that_trickles_checks_is_closed_at_its_deadline() {
    let engine = Engine::start(&config(1)).unwrap();
    let mut stream = connect(&engine);
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(&empty_check()).unwrap();
    assert!(is_closed(&mut stream));
    assert_eq!(stats(&engine).shards[0].dropped["stream_unowned"], 1);
}

#[test]
fn strangers_at_once_leave_the_engine_answering() {
    let engine = Engine::start(&config(1)).unwrap();
    let strangers: Vec<TcpStream> = (0..300).map(|_| connect(&engine)).collect();
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    let refused = loop {
        let refused = stats(&engine).shards[0].dropped.get("stream_refused").copied().unwrap_or(0);
        if refused == 300 - crate::streams::MAX_STRANGERS as u64 || std::time::Instant::now() > deadline {
            break refused;
        }
    };
    assert_eq!(refused, 300 - crate::streams::MAX_STRANGERS as u64);
    drop(strangers);
}
