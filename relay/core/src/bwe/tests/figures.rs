//! The figures the relay is held to, each over several seeds.

use super::link::Path;
use super::session::Session;

const SEEDS: [u64; 5] = [1, 2, 3, 4, 5];

fn trace(session: &Session) {
    if std::env::var_os("BWE_TRACE").is_some() {
        for (step, ((estimate, queue), delivered)) in session.estimates.iter().zip(&session.delivered).enumerate() {
            let (at, estimate, delivered) = (step as f64 / 10.0, estimate / 1000, delivered * 8 / 100);
            println!("{at:5.1} s  {estimate:6} kbit/s  {delivered:6} kbit/s  {queue:4} ms");
        }
    }
}

#[test]
fn a_narrow_link_is_used_and_not_filled() {
    for seed in SEEDS {
        let mut session = Session::new(Path::of(|_| 2_000_000), 6_000_000, seed);
        session.run(30.0);
        trace(&session);
        let (early, share, delay) =
            (session.throughput(4.0, 6.0) / 2e6, session.throughput(5.0, 30.0) / 2e6, session.link.p95());
        println!("2 Mbit/s, seed {seed}: share at 5 s {early:.2}, after {share:.2}, delay p95 {delay:.0} ms");
        assert!(early >= 0.85 && share >= 0.85 && delay <= 60.0);
    }
}

#[test]
fn a_link_that_narrows_and_widens_is_followed() {
    let rate = |now| if (20_000_000..40_000_000).contains(&now) { 1_000_000 } else { 10_000_000 };
    for seed in SEEDS {
        let mut session = Session::new(Path::of(rate), 12_000_000, seed);
        session.run(60.0);
        trace(&session);
        let (wide, narrow) = (session.throughput(5.0, 20.0) / 1e7, session.throughput(25.0, 40.0) / 1e6);
        let (back, delay) = (session.reaches(40.0, 8.5e6), session.link.p95());
        println!("10 -> 1 -> 10, seed {seed}: {wide:.2}, {narrow:.2}, back in {back:?} s, delay p95 {delay:.0} ms");
        assert!(wide >= 0.85 && narrow >= 0.8 && back.is_some_and(|back| back <= 6.0) && delay <= 60.0);
    }
}

#[test]
fn what_was_paused_for_want_of_bandwidth_is_found_to_fit_again() {
    let rate = |now| if (10_000_000..20_000_000).contains(&now) { 60_000 } else { 2_000_000 };
    for seed in SEEDS {
        let mut session = Session::new(Path::of(rate), 1_500_000, seed);
        (session.layers, session.pauses) = (&[150_000, 500_000, 1_500_000], true);
        session.run(20.0);
        let during = session.estimator.estimate();
        session.run(40.0);
        trace(&session);
        let back = session.reaches(20.0, 1.2e6);
        println!("paused, seed {seed}: {during:?} bit/s, back in {back:?} s");
        assert!(during.is_some_and(|rate| rate < 150_000) && back.is_some_and(|back| back <= 6.0));
    }
}

#[test]
fn random_loss_does_not_collapse_it() {
    for seed in SEEDS {
        let mut session = Session::new(Path { loss: 10, ..Path::of(|_| 2_000_000) }, 4_000_000, seed);
        session.run(60.0);
        trace(&session);
        let (share, delay) = (session.throughput(5.0, 60.0) / 2e6, session.link.p95());
        println!("2 Mbit/s, 10 % loss, seed {seed}: share {share:.2}, delay p95 {delay:.0} ms");
        assert!(share >= 0.75 && delay <= 60.0);
    }
}

#[test]
fn jitter_does_not_collapse_it() {
    for (seed, ordered) in SEEDS.into_iter().flat_map(|seed| [(seed, true), (seed, false)]) {
        let path = Path { delay: 50_000, jitter: 20_000, ordered, ..Path::of(|_| 2_000_000) };
        let mut session = Session::new(path, 4_000_000, seed);
        session.run(60.0);
        trace(&session);
        let (share, delay) = (session.throughput(5.0, 60.0) / 2e6, session.link.p95());
        println!("100 ms and 20 ms jitter, seed {seed}, {ordered}: share {share:.2}, delay p95 {delay:.0} ms");
        assert!(share >= 0.8 && delay <= 60.0);
    }
}

#[test]
fn frames_that_grow_are_no_queue() {
    for seed in SEEDS {
        let mut session = Session::new(Path::of(|_| 2_000_000), 900_000, seed);
        (session.frames, session.at_once) = (83_333, true);
        session.run(2.0);
        for step in 0..20 {
            session.media += 40_000;
            session.estimator.set_wanted(session.media);
            session.run(2.5 + f64::from(step) * 0.5);
        }
        trace(&session);
        let least = session.estimates[20..].iter().map(|(estimate, _)| *estimate).min().unwrap();
        println!("frames that grow, seed {seed}: never below {least}");
        assert!(least >= 1_650_000);
    }
}

#[test]
fn a_receiver_without_a_processor_is_no_queue() {
    for (seed, stalls) in SEEDS.into_iter().flat_map(|seed| [(seed, 40_000), (seed, 100_000)]) {
        let mut session = Session::new(Path { delay: 100, ..Path::of(|_| 1_000_000_000) }, 1_500_000, seed);
        (session.layers, session.pauses) = (&[150_000, 500_000, 1_500_000], true);
        session.run(10.0);
        session.stalls = stalls;
        session.run(60.0);
        trace(&session);
        let least = session.estimates[20..].iter().map(|(estimate, _)| *estimate).min().unwrap();
        println!("stalls of {stalls} µs, seed {seed}: never below {least}");
        assert!(least >= 1_600_000);
    }
}
