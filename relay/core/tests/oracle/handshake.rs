//! DTLS by itself, in virtual time: `dimpl` clients of each version, over a link that loses, repeats and reorders.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::certificate::{calculate_fingerprint, format_fingerprint, generate_self_signed_certificate};
use dimpl::{Config, Dtls, Output, SrtpProfile};
use relay_core::transport::dtls::{DtlsAction, DtlsSession, DtlsTimers, Fingerprint, Identity};
use relay_core::transport::hello::Version;

use crate::browser::WAITS;

/// One way.
const DELAY: u64 = 20;

/// A client that leaves it to the relay to send again what was lost.
const PATIENT: (Duration, usize) = (Duration::from_secs(20), 1);

/// What the link does to a datagram, in percent of the cases.
#[derive(Clone, Copy, Default)]
struct Link {
    loss: u64,
    repeat: u64,
    /// Delayed by up to twice [`DELAY`] more.
    late: u64,
    /// These datagrams of the server are lost too.
    gone: &'static [u64],
}

type Make = fn(Arc<Config>, dimpl::DtlsCertificate, Instant) -> Dtls;

/// Whether the link loses a datagram: one way, by its number, whatever happens the other way.
fn is_lost(link: Link, seed: u64, to_server: bool, number: u64) -> bool {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number << 1) ^ u64::from(to_server);
    for _ in 0..2 {
        mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (mixed >> 33) % 100 < link.loss || (!to_server && link.gone.contains(&number))
}

/// A client, a server, and the datagrams between them.
struct Pair {
    now: Instant,
    began: Instant,
    client: Dtls,
    server: DtlsSession,
    link: Link,
    seed: u64,
    loses: u64,
    /// Datagrams from the server and from the client.
    sent: [u64; 2],
    /// When, whether to the server, what.
    flights: Vec<(Instant, bool, Vec<u8>)>,
    /// Client: connected at, keys, application data.
    client_connected: Option<Duration>,
    client_keys: Option<(Vec<u8>, SrtpProfile)>,
    client_data: Vec<Vec<u8>>,
    /// Server: the same.
    server_connected: Option<Duration>,
    server_keys: Option<(Vec<u8>, SrtpProfile)>,
    server_data: Vec<Vec<u8>>,
    failed: Option<&'static str>,
    /// Datagrams that the client sent before the server's first.
    first_flight: usize,
    bytes: [usize; 2],
    /// The longest fragment of a `ClientHello`, bytes.
    longest: usize,
}

/// A datagram with one record with a whole `ClientHello` as several with fragments of it (RFC 6347 §4.2.3), in reverse
/// order; others stay as they are.
fn cut(datagram: &[u8], longest: usize) -> Vec<Vec<u8>> {
    let whole = datagram.len() > 25 && datagram[0] == 22 && datagram[13] == 1 && datagram[14..17] == datagram[22..25];
    if !whole {
        return vec![datagram.to_vec()];
    }
    let (header, body) = datagram.split_at(25);
    let fragments = body.chunks(longest).enumerate().map(|(number, fragment)| {
        let mut piece = header.to_vec();
        let bytes = |number: usize| u32::try_from(number).expect("a length").to_be_bytes();
        piece[11..13].copy_from_slice(&bytes(12 + fragment.len())[2..]);
        piece[19..22].copy_from_slice(&bytes(number * longest)[1..]);
        piece[22..25].copy_from_slice(&bytes(fragment.len())[1..]);
        [piece.as_slice(), fragment].concat()
    });
    fragments.rev().collect()
}

impl Pair {
    fn new(make: Make, mtu: usize, link: Link, seed: u64) -> Self {
        Self::with(make, mtu, WAITS, link, seed)
    }

    fn with(make: Make, mtu: usize, (first, retries): (Duration, usize), link: Link, seed: u64) -> Self {
        let now = Instant::now();
        let identity = Identity::generate(DtlsTimers::default()).expect("an identity");
        let config = Config::builder()
            .mtu(mtu)
            .flight_start_rto(first)
            .flight_retries(retries)
            .dangerously_set_rng_seed(seed)
            .build()
            .expect("a configuration");
        let certificate = generate_self_signed_certificate().expect("a certificate");
        let fingerprint = format_fingerprint(&calculate_fingerprint(&certificate.certificate));
        let mut client = make(Arc::new(config), certificate, now);
        client.set_active(true);
        Self {
            now,
            began: now,
            client,
            server: DtlsSession::new(&identity, Fingerprint::parse(&fingerprint).expect("a fingerprint")),
            link,
            seed: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            loses: seed,
            sent: [0; 2],
            flights: Vec::new(),
            client_connected: None,
            client_keys: None,
            client_data: Vec::new(),
            server_connected: None,
            server_keys: None,
            server_data: Vec::new(),
            failed: None,
            first_flight: 0,
            bytes: [0; 2],
            longest: usize::MAX,
        }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 20) % limit
    }

    fn fly(&mut self, to_server: bool, bytes: &[u8]) {
        self.bytes[usize::from(to_server)] += bytes.len();
        if to_server && self.bytes[0] == 0 {
            self.first_flight += 1;
        }
        let number = &mut self.sent[usize::from(to_server)];
        *number += 1;
        if is_lost(self.link, self.loses, to_server, *number - 1) {
            return;
        }
        let copies = 1 + u64::from(self.below(100) < self.link.repeat);
        for _ in 0..copies {
            let late = if self.below(100) < self.link.late { self.below(2 * DELAY) } else { 0 };
            self.flights.push((self.now + Duration::from_millis(DELAY + late), to_server, bytes.to_vec()));
        }
    }

    fn on_server(&mut self, actions: Vec<DtlsAction>) {
        for action in actions {
            match action {
                DtlsAction::Send(datagram) => self.fly(false, &datagram),
                DtlsAction::Connected(keys) => {
                    self.server_connected = Some(self.now - self.began);
                    self.server_keys = keys.map(|keys| (keys.material, keys.profile));
                }
                DtlsAction::Data(data) => self.server_data.push(data),
                DtlsAction::Failed(reason) => self.failed = Some(reason),
                DtlsAction::Closed | DtlsAction::Refused(_) => {}
            }
        }
    }

    fn drain_client(&mut self) {
        let mut buffer = vec![0; 4096];
        loop {
            match self.client.poll_output(&mut buffer) {
                Output::Packet(datagram) => {
                    for datagram in cut(datagram, self.longest) {
                        self.fly(true, &datagram);
                    }
                }
                Output::Timeout(_) => return,
                Output::Connected => self.client_connected = Some(self.now - self.began),
                Output::KeyingMaterial(keys, profile) => self.client_keys = Some((keys.to_vec(), profile)),
                Output::ApplicationData(data) => self.client_data.push(data.to_vec()),
                _ => {}
            }
        }
    }

    /// One millisecond.
    fn step(&mut self) {
        if let Err(error) = self.client.handle_timeout(self.now) {
            panic!("the client gave up after {:?}: {error}", self.now - self.began);
        }
        self.drain_client();
        if self.server.poll_timeout().is_some_and(|at| at <= self.now) {
            let actions = self.server.handle_timeout(self.now);
            self.on_server(actions);
        }
        self.now += Duration::from_millis(1);
        let now = self.now;
        let arrived: Vec<_> = self.flights.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, to_server, bytes) in arrived {
            if to_server {
                let actions = self.server.handle(&bytes, now);
                self.on_server(actions);
            } else {
                self.client.handle_timeout(now).expect("the client's clock");
                self.client.handle_packet(&bytes).expect("the server's datagram");
                self.drain_client();
            }
        }
    }

    fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            assert_eq!(self.failed, None, "after {:?}", self.now - self.began);
            assert!(self.now - self.began < Duration::from_secs(30), "never");
            self.step();
        }
    }

    /// Both connect with the same keys and can talk.
    fn connect(&mut self) {
        self.until(|pair| pair.client_connected.is_some() && pair.server_connected.is_some());
        self.until(|pair| pair.client_keys.is_some());
        assert_eq!(self.client_keys, self.server_keys);
        self.link = Link::default();
        self.client.send_application_data(b"from the client").expect("data");
        let actions = self.server.send(b"from the server", self.now);
        self.on_server(actions);
        self.until(|pair| pair.server_data == [b"from the client"] && pair.client_data == [b"from the server"]);
    }
}

#[test]
fn each_client_gets_the_version_it_offers() {
    for (make, version) in [
        (Dtls::new_12 as fn(_, _, _) -> _, Version::V1_2),
        (Dtls::new_13, Version::V1_3),
        (Dtls::new_auto, Version::V1_3),
    ] {
        let mut pair = Pair::new(make, 1150, Link::default(), 1);
        pair.connect();
        assert_eq!(pair.server.version(), Some(version));
        let (_, profile) = pair.server_keys.as_ref().expect("keys");
        assert_eq!(*profile, SrtpProfile::AEAD_AES_256_GCM);
    }
}

#[test]
fn a_hello_in_several_datagrams_costs_no_round_trip() {
    for (make, round_trips) in [(Dtls::new_12 as fn(_, _, _) -> _, 2), (Dtls::new_13, 1)] {
        let mut pair = Pair::new(make, 1150, Link::default(), 1);
        pair.longest = 60;
        pair.connect();
        assert!(pair.first_flight > 1, "{}", pair.first_flight);
        let connected = pair.client_connected.expect("connected");
        let expected = Duration::from_millis(round_trips * 2 * DELAY);
        assert!(connected.abs_diff(expected) <= Duration::from_millis(4), "{connected:?}");
    }
}

#[test]
fn loss_repetition_and_disorder_do_not_end_a_handshake() {
    for (make, name) in [(Dtls::new_12 as fn(_, _, _) -> _, "1.2"), (Dtls::new_13, "1.3"), (Dtls::new_auto, "both")] {
        for seed in 1..=1000 {
            let link = Link { loss: 30, repeat: 20, late: 30, gone: &[] };
            let mut pair = Pair::new(make, if seed % 2 == 0 { 1150 } else { 300 }, link, seed);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| pair.connect()));
            assert!(result.is_ok(), "DTLS {name}, seed {seed}, loss {}%", link.loss);
        }
    }
}

#[test]
fn a_flight_is_sent_again_at_bounded_waits_for_as_long_as_a_handshake_may_take() {
    for make in [Dtls::new_12 as Make, Dtls::new_13] {
        let mut pair = Pair::with(make, 1150, PATIENT, Link::default(), 1);
        pair.until(|pair| pair.sent[0] > 0);
        // Nothing more comes from the client.
        let (mut now, mut waits) = (pair.now, Vec::new());
        let failed = loop {
            let at = pair.server.poll_timeout().expect("something to do");
            let actions = pair.server.handle_timeout(at);
            match actions[..] {
                [DtlsAction::Failed(reason)] => break (at, reason),
                [] => continue,
                _ => waits.push(at - now),
            }
            now = at;
        };
        assert_eq!(failed, (pair.began + Duration::from_millis(DELAY) + DtlsTimers::default().handshake, "dtls"));
        assert!(waits.iter().all(|wait| *wait <= DtlsTimers::default().longest_retry), "{waits:?}");
        assert!((20..=31).contains(&waits.len()), "{waits:?}");
        assert_eq!(pair.server.poll_timeout(), None);
    }
}

#[test]
fn the_last_flight_of_1_2_is_repeated_until_the_clients_data() {
    // The second of the server's datagrams is its last flight; its repetitions after 100, 300 and 700 ms are lost too.
    let link = Link { gone: &[1, 2, 3, 4], ..Link::default() };
    let mut pair = Pair::with(Dtls::new_12, 1150, PATIENT, link, 1);
    pair.until(|pair| pair.client_connected.is_some());
    let connected = pair.client_connected.expect("connected");
    assert!(connected.abs_diff(Duration::from_millis(4 * DELAY + 1500)) < Duration::from_millis(9), "{connected:?}");
    pair.link = Link::default();
    pair.client.send_application_data(b"here").expect("data");
    pair.until(|pair| pair.server_data == [b"here"]);
    let sent = pair.sent[0];
    let long = pair.now + Duration::from_secs(10);
    pair.until(|pair| pair.now >= long);
    assert_eq!(pair.sent[0], sent, "it has come");
}

#[test]
fn a_last_flight_that_comes_again_is_answered_but_not_each_time() {
    let mut pair = Pair::with(Dtls::new_12, 1150, PATIENT, Link::default(), 1);
    pair.until(|pair| pair.flights.iter().any(|(_, to_server, bytes)| *to_server && bytes[13] == 11));
    let (_, _, flight) = pair.flights[0].clone();
    pair.until(|pair| pair.server_connected.is_some());
    let mut answers = |after: u64| {
        let now = pair.now + Duration::from_millis(after);
        pair.server.handle(&flight, now).into_iter().filter(|action| matches!(action, DtlsAction::Send(_))).count()
    };
    assert_eq!([answers(99), answers(100), answers(199), answers(40_000), answers(40_001)], [0, 1, 0, 1, 0]);
}

#[test]
fn a_finished_that_comes_before_its_keys_counts() {
    let mut pair = Pair::with(Dtls::new_12, 300, PATIENT, Link::default(), 1);
    pair.until(|pair| pair.flights.iter().filter(|(_, to_server, _)| *to_server).count() == 3);
    let arrives = pair.flights[0].0;
    assert!(pair.flights.iter().all(|(at, ..)| *at == arrives));
    pair.flights.reverse();
    pair.until(|pair| pair.server_connected.is_some());
    assert!(pair.now <= arrives + Duration::from_millis(1));
    pair.connect();
}

#[test]
fn half_a_hello_is_forgotten_after_the_handshakes_time() {
    let mut pair = Pair::new(Dtls::new_13, 150, Link::default(), 1);
    pair.drain_client();
    pair.client.handle_timeout(pair.now).expect("a clock");
    pair.drain_client();
    let (_, _, first) = pair.flights.first().expect("a datagram").clone();
    assert!(pair.server.handle(&first, pair.now).is_empty());
    let deadline = pair.server.poll_timeout().expect("a deadline");
    assert_eq!(deadline - pair.now, DtlsTimers::default().handshake);
    assert!(pair.server.handle(&first, pair.now + Duration::from_secs(20)).is_empty(), "it is not put off");
    assert_eq!(pair.server.poll_timeout(), Some(deadline));
    let actions = pair.server.handle_timeout(deadline);
    assert!(matches!(actions[..], [DtlsAction::Failed("dtls")]));
    assert_eq!(pair.server.poll_timeout(), None);
}
