//! Hand-built feedback, round trips, bounds.

use super::*;
use crate::rtcp::{Packet, packets};

fn micros(values: &[Option<u64>]) -> Vec<Option<u64>> {
    values.to_vec()
}

#[test]
fn a_run_of_small_deltas() {
    let arrivals: Vec<_> = (0..20).map(|step| Some(64_000 * 5 + 1_000 * step)).collect();
    let mut out = [0xff; 200];
    let (packets, len) = encode(0x1_0007, &arrivals, 9, &mut out).unwrap();
    let mut expected = vec![0, 7, 0, 20, 0, 0, 5, 9, 0x20, 20, 0];
    expected.extend_from_slice(&[4; 19]);
    expected.extend_from_slice(&[0; 2]);
    assert_eq!((packets, &out[..len]), (20, &expected[..]));
}

#[test]
fn one_bit_and_two_bit_vectors() {
    let arrivals = micros(&[Some(0), None, Some(250), None, Some(500), None, None, None, Some(750)]);
    let mut out = [0; 100];
    let (packets, len) = encode(0x1_0000, &arrivals, 0, &mut out).unwrap();
    // 10 101010001 00000: one-bit vector of nine symbols.
    assert_eq!((packets, &out[8..len]), (9, &[0b1010_1010, 0b0010_0000, 0, 1, 1, 1, 0, 0][..]));
    let arrivals = micros(&[Some(0), Some(100_000), None, Some(99_750)]);
    let (packets, len) = encode(0x1_0000, &arrivals, 0, &mut out).unwrap();
    // 11 01 10 00 10 000000: small, large, lost, large (negative).
    assert_eq!((packets, len), (4, 16));
    assert_eq!(out[8..16], [0b1101_1000, 0b1000_0000, 0, 1, 144, 0xff, 0xff, 0]);
}

#[test]
fn a_jump_begins_another_packet() {
    let arrivals = micros(&[Some(0), Some(20_000_000)]);
    let mut out = [0; 100];
    assert_eq!(encode(0x1_0000, &arrivals, 0, &mut out).unwrap().0, 1);
    assert_eq!(encode(0x1_0000, &[None, None], 0, &mut out), None);
    assert_eq!(encode(0x1_0000, &arrivals, 0, &mut out[..9]), None);
}

fn drain(recorder: &mut Recorder, now: Instant) -> Vec<(u16, Option<i64>)> {
    let mut seen = Vec::new();
    loop {
        let mut out = [0; 1160];
        let mut writer = Writer::new(&mut out, 1);
        recorder.write_feedback(now, &mut writer);
        let len = writer.len();
        for packet in packets(&out[..len]) {
            if let Packet::TransportCc { content } = packet {
                seen.extend(Feedback::parse(content).unwrap());
            }
        }
        if recorder.next_feedback().is_none_or(|due| due > now) {
            return seen;
        }
    }
}

#[test]
fn everything_recorded_is_reported_once() {
    let start = Instant::now();
    let mut noise = crate::noise::Noise::new(21);
    let mut recorder = Recorder::new(start);
    let (mut sent, mut reported) = (Vec::new(), Vec::new());
    let mut now = start;
    for sequence in 65_000..68_000u64 {
        now += Duration::from_micros(noise.below(3_000));
        if noise.chance(90) {
            let jitter = if noise.chance(1) { 90_000 } else { 0 };
            now += Duration::from_micros(jitter);
            let at = now.duration_since(start).as_micros() as i64;
            sent.push((sequence as u16, at - at % 250));
            recorder.record(sequence as u16, 5, now);
        }
        if recorder.next_feedback().is_some_and(|due| due <= now) {
            reported.extend(drain(&mut recorder, now));
        }
    }
    reported.extend(drain(&mut recorder, now + INTERVAL));
    let arrived: Vec<_> = reported.iter().filter_map(|(sequence, at)| at.map(|at| (*sequence, at))).collect();
    assert_eq!(arrived, sent);
    for pair in reported.windows(2) {
        assert_eq!(pair[1].0, pair[0].0.wrapping_add(1), "no number is left out or told twice");
    }
}

#[test]
fn after_an_outage_of_any_length_arrivals_are_told_at_once() {
    for lost in [1, 149, 150, 151, 299, 300, 301, 1_000, 2_047, 2_048, 5_000] {
        let start = Instant::now();
        let (mut recorder, mut now, mut told) = (Recorder::new(start), start, Vec::new());
        let after = 100 + lost;
        for sequence in 0..after + 100 {
            now += Duration::from_millis(5);
            if !(100..after).contains(&sequence) {
                recorder.record(sequence, 5, now);
            }
            if recorder.next_feedback().is_some_and(|due| due <= now) {
                told.extend(drain(&mut recorder, now));
            }
        }
        told.extend(drain(&mut recorder, now + INTERVAL));
        let arrived = told.iter().filter(|(_, at)| at.is_some()).count();
        let missed = told.iter().filter(|(_, at)| at.is_none()).count();
        assert_eq!(arrived, 200, "{lost} lost");
        assert!(missed >= usize::from(lost).min(MAX_LOST) || lost >= 2_048 - 20, "{lost} lost, {missed} told");
    }
}

#[test]
fn a_flood_or_a_jump_is_bounded() {
    let start = Instant::now();
    let mut recorder = Recorder::new(start);
    for step in 0..50_000u32 {
        recorder.record((step * 7) as u16, 5, start);
    }
    assert!(recorder.arrivals.len() <= MAX_WAITING);
    let mut out = [0; 60];
    recorder.write_feedback(start + INTERVAL, &mut Writer::new(&mut out, 1));
    assert!(recorder.next_feedback().is_some(), "what did not fit is due at once");
}

#[test]
fn parsing_noise_never_panics() {
    let mut noise = crate::noise::Noise::new(22);
    let mut parsed = 0;
    for _ in 0..20_000 {
        let mut content = noise.bytes(60);
        if content.len() > 3 {
            content[2] = 0;
        }
        if let Some(feedback) = Feedback::parse(&content) {
            parsed += 1;
            assert!(feedback.count() <= 255);
        }
    }
    assert!(parsed > 1_000);
}
