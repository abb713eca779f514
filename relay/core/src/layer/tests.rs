//! Loss, repair, liveness and key frame requests of one layer in virtual time.

use std::time::Duration;

use super::*;
use crate::rtcp::{Packet, packets};

const SSRC: u32 = 42;

fn layer(now: Instant) -> Layer {
    let encoding = Encoding { ssrc: Some(SSRC), rtx_ssrc: Some(43), ..Encoding::default() };
    Layer::new(&encoding, Format::Vp8, 90_000, now)
}

fn header(sequence: u16) -> Header {
    Header { sequence, ssrc: SSRC, timestamp: u32::from(sequence) * 3000, ..Header::default() }
}

fn feedback(layer: &mut Layer, now: Instant) -> (Vec<u16>, usize) {
    let mut out = [0; 1200];
    let mut writer = Writer::new(&mut out, 1);
    layer.write_feedback(now, &mut writer);
    let len = writer.len();
    let (mut lost, mut plis) = (Vec::new(), 0);
    for packet in packets(&out[..len]) {
        match packet {
            Packet::Nack { ssrc: SSRC, entries } => lost.extend(entries),
            Packet::Pli { ssrc: SSRC } => plis += 1,
            _ => {}
        }
    }
    (lost, plis)
}

#[test]
fn a_gap_is_asked_for_and_repaired() {
    let now = Instant::now();
    let mut layer = layer(now);
    let inter = [0x10, 0x01, 9];
    assert!(layer.receive(&header(0xfffe), &[], &inter, false, now).unwrap().woke);
    assert!(!layer.receive(&header(2), &[], &inter, false, now).unwrap().woke);
    assert_eq!(layer.next_feedback(), Some(now));
    assert_eq!(feedback(&mut layer, now).0, [0xffff, 0, 1]);
    let rtx = Header { sequence: 7, ssrc: 43, timestamp: 5, ..Header::default() };
    let (original, skip) = unwrap_retransmission(&rtx, &[0xff, 0xff, 0x10, 0x01], SSRC).unwrap();
    assert_eq!((original.sequence, original.ssrc, original.timestamp, skip), (0xffff, SSRC, 5, 2));
    layer.receive(&original, &[], &inter, true, now).unwrap();
    assert_eq!(layer.receive(&original, &[], &inter, true, now), Err(Reason::Duplicate));
    layer.receive(&header(0), &[], &inter, false, now).unwrap();
    assert_eq!(feedback(&mut layer, now + Duration::from_millis(50)).0, [1]);
    let stats = layer.stats(now);
    assert_eq!((stats.packets, stats.lost, stats.nacks_sent), (4, 1, 4));
}

#[test]
fn padding_probes_are_no_packets() {
    let rtx = Header::default();
    for payload in [&[][..], &[1], &[1, 2]] {
        assert_eq!(unwrap_retransmission(&rtx, payload, SSRC), Err(Reason::EmptyRetransmission));
    }
}

#[test]
fn too_old_and_too_large() {
    let now = Instant::now();
    let mut layer = layer(now);
    layer.receive(&header(1000), &[], &[0x10, 1], false, now).unwrap();
    assert_eq!(layer.receive(&header(400), &[], &[0x10, 1], false, now), Err(Reason::TooOld));
    assert_eq!(layer.receive(&header(1001), &[], &[0; MAX_PAYLOAD + 1], false, now), Err(Reason::TooLarge));
}

#[test]
fn key_frame_requests_are_throttled_and_end_with_a_key_frame() {
    let start = Instant::now();
    let mut layer = layer(start);
    layer.want_key_frame(start);
    let mut asked = Vec::new();
    for step in 0..150 {
        let now = start + Duration::from_millis(step * 10);
        if step == 10 {
            layer.want_key_frame(now);
        }
        if feedback(&mut layer, now).1 > 0 {
            asked.push(step * 10);
        }
        if step == 50 {
            assert!(layer.receive(&header(1), &[], &[0x10, 0x00, 0], false, now).unwrap().key_frame);
        }
    }
    assert_eq!(asked, [0, 350], "the second waits for the throttle, none follows the key frame");
    assert_eq!(layer.stats(start).key_frames, 1);
}

#[test]
fn a_hopeless_gap_asks_for_a_key_frame() {
    let now = Instant::now();
    let mut layer = layer(now);
    layer.receive(&header(0), &[], &[0x10, 1], false, now).unwrap();
    layer.receive(&header(2000), &[], &[0x10, 1], false, now).unwrap();
    assert_eq!(feedback(&mut layer, now), (vec![], 1));
}

#[test]
fn silence_after_two_seconds() {
    let now = Instant::now();
    let mut layer = layer(now);
    layer.receive(&header(0), &[], &[0x10, 1], false, now).unwrap();
    assert!(!layer.fell_silent(now + Duration::from_millis(1999)));
    assert!(layer.fell_silent(now + SILENCE) && !layer.is_live());
    assert!(!layer.fell_silent(now + SILENCE), "told once");
    assert!(layer.receive(&header(1), &[], &[0x10, 1], false, now + SILENCE).unwrap().woke);
}

#[test]
fn structure_upon_structure_reads_no_more_again_than_came() {
    use crate::codec::dependency::pen::{L1T3, with_structure};
    let now = Instant::now();
    let mut layer = Layer::scalable(&Encoding::default(), Format::Av1, 1, 90_000, now);
    // Of a template that no structure has: never explained, and looked at again for each structure before it.
    let unknown = [0b1100_0000 | 1, 0, 7];
    for step in 0..250 {
        layer.receive(&header(2 * step + 1), &unknown, &[1, 2], false, now).unwrap();
    }
    for step in 0..250 {
        let structure = with_structure(u32::from(step), L1T3, &[0, 0, 0], None, &[]);
        layer.receive(&header(2 * step), &structure, &[1, 2], false, now).unwrap();
    }
    let read_again = layer.spatial().unwrap().read_again;
    assert!((200..=501).contains(&read_again), "{read_again} read again of 500");
}
