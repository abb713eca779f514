//! A subscriber that lies in its feedback: bounded work, and no estimate above what was sent.

use super::super::{Estimator, MAX, MIN};
use crate::drop::Reason;
use crate::noise::Noise;

/// Feedback that `count` packets from `first` on all arrived, each `ticks` of 250 µs after the one before; `reference` in
/// units of 64 ms.
fn told(first: u16, count: u16, reference: u32, ticks: u8) -> Vec<u8> {
    let mut content = Vec::new();
    content.extend(first.to_be_bytes());
    content.extend(count.to_be_bytes());
    content.extend(&(reference << 8).to_be_bytes()[..3]);
    content.push(0);
    content.extend((0x2000 | count).to_be_bytes());
    content.extend(vec![ticks; count.into()]);
    content
}

/// Ten packets of 1,000 bytes every 100 ms: 800 kbit/s.
fn send(estimator: &mut Estimator, step: u64) -> u16 {
    let first = estimator.next_number();
    for packet in 0..10 {
        estimator.sent(1_000, true, step * 100_000 + packet * 10_000);
    }
    first
}

#[test]
fn numbers_that_were_never_sent_are_refused() {
    let mut estimator = Estimator::default();
    assert_eq!(estimator.on_feedback(&told(0, 1, 0, 0), 0), Err(Reason::FeedbackUnsent));
    for step in 0..100 {
        let first = send(&mut estimator, step);
        let now = step * 100_000 + 100_000;
        for lie in [told(first, 11, 0, 1), told(first.wrapping_add(10), 1, 0, 1), told(first, 8_000, 0, 1)] {
            assert_eq!(estimator.on_feedback(&lie, now), Err(Reason::FeedbackUnsent));
        }
    }
    assert_eq!(estimator.estimate(), None, "nothing of it was believed");
}

#[test]
fn a_flood_of_feedback_is_cut_off() {
    let mut estimator = Estimator::default();
    let first = send(&mut estimator, 0);
    let flood: Vec<_> = (0..100_000).map(|_| estimator.on_feedback(&told(first, 10, 0, 4), 100_000)).collect();
    let taken = flood.iter().filter(|result| result.is_ok()).count();
    assert_eq!(taken, 4, "each packet may be told of four times");
    assert_eq!(flood.last(), Some(&Err(Reason::FeedbackFlood)));
}

#[test]
fn arrivals_at_absurd_rates_do_not_raise_it_beyond_what_was_sent() {
    for ticks in [0, 1, 4] {
        let mut estimator = Estimator::default();
        estimator.set_wanted(MAX);
        for step in 0..600 {
            let first = send(&mut estimator, step);
            let reference = (step * 100 / 64) as u32;
            estimator.on_feedback(&told(first, 10, reference, ticks), step * 100_000 + 100_000).unwrap();
        }
        let estimate = estimator.estimate().unwrap();
        assert!(estimate < 2_000_000, "{ticks}: {estimate}, while 800 kbit/s were sent");
    }
}

#[test]
fn impossible_times_neither_panic_nor_raise_it() {
    for seed in 1..20 {
        let mut noise = Noise::new(seed);
        let mut estimator = Estimator::default();
        estimator.set_wanted(MAX);
        for step in 0..500 {
            let first = send(&mut estimator, step);
            let mut lie = told(first, 10, noise.next() as u32 & 0xff_ffff, noise.next() as u8);
            if noise.chance(20) {
                let at = 8 + noise.below(lie.len() as u64 - 8) as usize;
                lie[at] = noise.next() as u8;
            }
            let _ = estimator.on_feedback(&lie, step * 100_000 + 100_000);
        }
        let estimate = estimator.estimate().unwrap();
        assert!((MIN..2_000_000).contains(&estimate), "{seed}: {estimate}, while 800 kbit/s were sent");
    }
}

#[test]
fn silence_halves_it() {
    let mut estimator = Estimator::default();
    for step in 0..20 {
        let first = send(&mut estimator, step);
        estimator.on_feedback(&told(first, 10, (step * 100 / 64) as u32, 40), step * 100_000 + 100_000).unwrap();
    }
    let before = estimator.estimate().unwrap();
    for step in 20..50 {
        send(&mut estimator, step);
        estimator.plan(step * 100_000);
    }
    assert!(estimator.estimate().unwrap() <= before / 2);
}
