use std::sync::LazyLock;
use std::time::{Duration, Instant};

use super::*;

const SECOND: u64 = 1_000_000;
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

fn at(micros: u64) -> Instant {
    *BEGAN + Duration::from_micros(micros)
}

fn span(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

fn ages(tape: &Tape, now: u64) -> Vec<u64> {
    tape.records(at(now), SPAN).iter().map(|record| record.age / SECOND).collect()
}

#[test]
fn the_last_seconds_come_out_oldest_first() {
    let mut tape = Tape::new(64);
    for second in 0..20 {
        tape.record(Direction::Out, at(second * SECOND), 1200, &[0x80, 96]);
    }
    assert_eq!(ages(&tape, 19 * SECOND), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
}

#[test]
fn headers_of_packets_are_recorded_like_any_head() {
    let (mut tape, mut expected) = (Tape::new(64), Tape::new(64));
    let packet: Vec<u8> = (0..=255).collect();
    for (step, header) in (0..).zip([12, 20, 31, 32, 33, 64, 12, 255].repeat(20)) {
        let now = at(step / 3 * SECOND / 100);
        match tape.begin(now, 1_000, header) {
            Some(head) => head[..header].copy_from_slice(&packet[..header]),
            None => tape.record(Direction::Out, now, 1_000, &packet[..header]),
        }
        expected.record(Direction::Out, now, 1_000, &packet[..header]);
        assert_eq!(tape.records(now, SPAN), expected.records(now, SPAN));
    }
    assert!(tape.records(at(54 * SECOND / 100), SPAN).len() > 20);
}

#[test]
fn a_full_ring_forgets_the_oldest() {
    let mut tape = Tape::new(8);
    for second in 0..100 {
        tape.record(Direction::In, at(second * SECOND / 100), 60, &[second as u8]);
    }
    let heads: Vec<u8> = tape.records(at(SECOND), span(10 * SECOND)).iter().map(|record| record.head[0]).collect();
    assert_eq!(heads, (92..100).collect::<Vec<u8>>());
}

#[test]
fn a_long_record_spans_cells_and_one_whose_start_was_overwritten_is_left_out() {
    let mut tape = Tape::new(8);
    let long: Vec<u8> = (0..100).collect();
    tape.record(Direction::In, at(0), 100, &long);
    tape.record(Direction::Out, at(1), 200, &[7]);
    let records = tape.records(at(2), span(SECOND));
    assert_eq!(records[0].head, long);
    assert_eq!((records[0].direction, records[0].len), (Direction::In, 100));
    assert_eq!((records[1].direction, records[1].len, records[1].head.as_slice()), (Direction::Out, 200, &[7][..]));
    for _ in 0..4 {
        tape.record(Direction::Out, at(2), 1, &[8]);
    }
    assert_eq!(tape.records(at(2), span(SECOND)).iter().map(|record| record.head.len()).max(), Some(1));
}

#[test]
fn more_than_a_record_may_span_is_cut() {
    let mut tape = Tape::new(64);
    tape.record(Direction::In, at(0), 1200, &[9; 1200]);
    assert_eq!(tape.records(at(0), span(SECOND))[0].head.len(), 256);
}

#[test]
fn a_busy_tape_grows_to_its_bound_and_keeps_everything_meanwhile() {
    let mut tape = Tape::new(8192);
    let recorded = |tape: &Tape, count: u64| {
        let records = tape.records(at(count * 1000), span(10 * SECOND));
        assert!(records.windows(2).all(|pair| pair[0].age >= pair[1].age));
        records.len()
    };
    for number in 0..2000 {
        tape.record(Direction::Out, at(number * 1000), 1200, &[1; 70]); // three cells each
    }
    assert_eq!(recorded(&tape, 2000), 2000);
    for number in 2000..9000 {
        tape.record(Direction::Out, at(number * 1000), 1200, &[1; 70]);
    }
    assert_eq!(recorded(&tape, 9000), 8192 / 3);
    let mut quiet = Tape::new(8192);
    for number in 0..5000 {
        quiet.record(Direction::Out, at(number * SECOND / 10), 60, &[1]);
    }
    assert_eq!(quiet.records(at(500 * SECOND), span(1000 * SECOND)).len(), 512, "ten a second need no more");
}

#[test]
fn time_that_goes_round_is_still_an_age() {
    let mut tape = Tape::new(8);
    let late = u64::from(u32::MAX) << 4;
    tape.record(Direction::Out, at(0), 1, &[0]); // times count from here
    tape.record(Direction::In, at(late), 1, &[1]);
    let records = tape.records(at(late + 3 * SECOND), SPAN);
    assert_eq!(records[1].age / 100, 3 * SECOND / 100);
}

#[test]
fn an_unused_tape_costs_nothing() {
    assert!(Tape::new(8192).records(at(0), span(SECOND)).is_empty());
}

#[test]
fn a_capture_has_the_blocks_in_order_and_true_lengths() {
    let mut tape = Tape::new(8);
    tape.record(Direction::Out, at(0), 1200, &[0x80, 96, 0, 1]);
    let ends = Ends { local: "127.0.0.1:7882".parse().unwrap(), remote: "[2001:db8::1]:5000".parse().unwrap() };
    let file = pcapng(&tape.records(at(0), span(SECOND)), ends, "PA_1/sub", "why", 1_700_000_000 * SECOND);
    let mut kinds = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let (kind, len) = (word(at), word(at + 4) as usize);
        assert_eq!(word(at + len - 4) as usize, len);
        if kind == 6 {
            assert_eq!((word(at + 20), word(at + 24)), (40 + 8 + 4, 40 + 8 + 1200));
        }
        kinds.push(kind);
        at += len;
    }
    assert_eq!(kinds, [0x0a0d_0d0a, 1, 6]);
}

#[test]
fn padding_that_was_not_kept_is_not_announced_in_a_capture() {
    let ends = Ends { local: "127.0.0.1:7882".parse().unwrap(), remote: "127.0.0.1:5000".parse().unwrap() };
    let comment = b"P bit cleared";
    for (head, len, first) in [
        (&[0xa0, 96, 0, 1][..], 300, 0x80),  // RTP with padding
        (&[0xb1, 111, 0, 1][..], 300, 0x91), // of extensions and sources nothing is changed
        (&[0x80, 96, 0, 1][..], 300, 0x80),
        (&[0xa1, 201, 0, 1][..], 300, 0xa1), // RTCP, whose padding is kept with it
        (&[0xa0, 96, 0, 1][..], 4, 0xa0),    // nothing is left out
        (&[0x20, 0xfe, 0xfd, 1][..], 300, 0x20), // DTLS
    ] {
        let mut tape = Tape::new(8);
        tape.record(Direction::Out, at(0), len, head);
        let records = tape.records(at(0), span(SECOND));
        assert_eq!(records[0].head, head, "as it was sent");
        let file = pcapng(&records, ends, "", "", SECOND);
        let after_udp = file.windows(4).position(|bytes| bytes[1..] == head[1..]).unwrap();
        assert_eq!(file[after_udp], first, "{head:x?}");
        assert_eq!(file.windows(comment.len()).any(|bytes| bytes == comment), head[0] != first, "{head:x?}");
    }
}
