//! A `dimpl` peer and our session, each in either role, in virtual time, over a link that loses, repeats and reorders.

use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::certificate::{calculate_fingerprint, format_fingerprint, generate_self_signed_certificate};
use dimpl::{Config, Dtls, Output, SrtpProfile};
use relay_core::message::DtlsRole;
use relay_core::transport::dtls::{DtlsAction, DtlsSession, DtlsTimers, Fingerprint, Identity};

use crate::browser::WAITS;

/// One way.
pub const DELAY: u64 = 20;

/// What the link does to a datagram, in percent of the cases.
#[derive(Clone, Copy, Default)]
pub struct Link {
    pub loss: u64,
    pub repeat: u64,
    /// Delayed by up to twice [`DELAY`] more.
    pub late: u64,
    /// These datagrams of ours are lost too.
    pub gone: &'static [u64],
}

pub type Make = fn(Arc<Config>, dimpl::DtlsCertificate, Instant) -> Dtls;

/// Whether the link loses a datagram: one way, by its number, whatever happens the other way.
pub fn is_lost(link: Link, seed: u64, to_relay: bool, number: u64) -> bool {
    let mut mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number << 1) ^ u64::from(to_relay);
    for _ in 0..2 {
        mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (mixed >> 33) % 100 < link.loss || (!to_relay && link.gone.contains(&number))
}

/// A peer, our session, and the datagrams between them.
pub struct Pair {
    pub now: Instant,
    pub began: Instant,
    pub peer: Dtls,
    pub relay: DtlsSession,
    pub link: Link,
    pub seed: u64,
    pub loses: u64,
    /// Datagrams from the relay and from the peer.
    pub sent: [u64; 2],
    /// Every datagram: when, whether to the relay, whether it was lost, its [`records`].
    pub trace: Vec<(Duration, bool, bool, Vec<u8>)>,
    /// When, whether to the relay, what.
    pub flights: Vec<(Instant, bool, Vec<u8>)>,
    /// Peer: connected at, keys, application data.
    pub peer_connected: Option<Duration>,
    pub peer_keys: Option<(Vec<u8>, SrtpProfile)>,
    pub peer_data: Vec<Vec<u8>>,
    /// Relay: the same.
    pub relay_connected: Option<Duration>,
    pub relay_keys: Option<(Vec<u8>, SrtpProfile)>,
    pub relay_data: Vec<Vec<u8>>,
    pub failed: Option<&'static str>,
    /// Datagrams that the peer sent before the relay's first.
    pub first_flight: usize,
    pub bytes: [usize; 2],
    /// The longest fragment of a `ClientHello`, bytes.
    pub longest: usize,
}

/// A datagram with one record with a whole `ClientHello` as several with fragments of it (RFC 6347 §4.2.3), in reverse
/// order; others stay as they are.
pub fn cut(datagram: &[u8], longest: usize) -> Vec<Vec<u8>> {
    let whole = datagram.len() > 25
        && (datagram[0], datagram[13]) == (22, 1)
        && datagram[14..17] == datagram[22..25]
        && usize::from(u16::from_be_bytes([datagram[11], datagram[12]])) == datagram.len() - 13;
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

/// Content type, epoch and, where it can be read, kind of message of each record before the first of DTLS 1.3.
pub fn records(mut datagram: &[u8]) -> Vec<u8> {
    let mut seen = Vec::new();
    while let Some(header) = datagram.first_chunk::<14>().filter(|header| header[0] >> 5 == 0) {
        seen.extend([header[0], header[4], if header[4] == 0 { header[13] } else { 0 }]);
        let length = 13 + usize::from(u16::from_be_bytes([header[11], header[12]]));
        datagram = datagram.get(length..).unwrap_or_default();
    }
    seen.extend(datagram.first());
    seen
}

impl Pair {
    pub fn new(make: Make, mtu: usize, link: Link, seed: u64) -> Self {
        Self::with(make, mtu, WAITS, link, seed)
    }

    /// The relay is the server.
    pub fn with(make: Make, mtu: usize, waits: (Duration, usize), link: Link, seed: u64) -> Self {
        Self::of(DtlsRole::Server, make, mtu, waits, link, seed)
    }

    pub fn of(
        role: DtlsRole,
        make: Make,
        mtu: usize,
        (first, retries): (Duration, usize),
        link: Link,
        seed: u64,
    ) -> Self {
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
        let mut peer = make(Arc::new(config), certificate, now);
        peer.set_active(role == DtlsRole::Server);
        let fingerprint = Fingerprint::parse(&fingerprint).expect("a fingerprint");
        let mut pair = Self {
            now,
            began: now,
            peer,
            relay: DtlsSession::new(role, &identity, fingerprint),
            link,
            seed: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            loses: seed,
            sent: [0; 2],
            trace: Vec::new(),
            flights: Vec::new(),
            peer_connected: None,
            peer_keys: None,
            peer_data: Vec::new(),
            relay_connected: None,
            relay_keys: None,
            relay_data: Vec::new(),
            failed: None,
            first_flight: 0,
            bytes: [0; 2],
            longest: usize::MAX,
        };
        let actions = pair.relay.start(now);
        pair.on_relay(actions);
        pair
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 20) % limit
    }

    pub fn fly(&mut self, to_relay: bool, bytes: &[u8]) {
        self.bytes[usize::from(to_relay)] += bytes.len();
        if to_relay && self.bytes[0] == 0 {
            self.first_flight += 1;
        }
        let number = &mut self.sent[usize::from(to_relay)];
        *number += 1;
        let lost = is_lost(self.link, self.loses, to_relay, *number - 1);
        self.trace.push((self.now - self.began, to_relay, lost, records(bytes)));
        if lost {
            return;
        }
        let copies = 1 + u64::from(self.below(100) < self.link.repeat);
        for _ in 0..copies {
            let late = if self.below(100) < self.link.late { self.below(2 * DELAY) } else { 0 };
            self.flights.push((self.now + Duration::from_millis(DELAY + late), to_relay, bytes.to_vec()));
        }
    }

    pub fn on_relay(&mut self, actions: Vec<DtlsAction>) {
        for action in actions {
            match action {
                DtlsAction::Send(datagram) => self.fly(false, &datagram),
                DtlsAction::Connected(keys) => {
                    self.relay_connected = Some(self.now - self.began);
                    self.relay_keys = keys.map(|keys| (keys.material, keys.profile));
                }
                DtlsAction::Data(data) => self.relay_data.push(data),
                DtlsAction::Failed(reason) => self.failed = Some(reason),
                DtlsAction::Closed | DtlsAction::Refused(_) => {}
            }
        }
    }

    pub fn drain_peer(&mut self) {
        let mut buffer = vec![0; 4096];
        loop {
            match self.peer.poll_output(&mut buffer) {
                Output::Packet(datagram) => {
                    for datagram in cut(datagram, self.longest) {
                        self.fly(true, &datagram);
                    }
                }
                Output::Timeout(_) => return,
                Output::Connected => self.peer_connected = Some(self.now - self.began),
                Output::KeyingMaterial(keys, profile) => self.peer_keys = Some((keys.to_vec(), profile)),
                Output::ApplicationData(data) => self.peer_data.push(data.to_vec()),
                _ => {}
            }
        }
    }

    /// One millisecond.
    pub fn step(&mut self) {
        if let Err(error) = self.peer.handle_timeout(self.now) {
            panic!("the peer gave up after {:?}: {error}", self.now - self.began);
        }
        self.drain_peer();
        if self.relay.poll_timeout().is_some_and(|at| at <= self.now) {
            let actions = self.relay.handle_timeout(self.now);
            self.on_relay(actions);
        }
        self.now += Duration::from_millis(1);
        let now = self.now;
        let arrived: Vec<_> = self.flights.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, to_relay, bytes) in arrived {
            if to_relay {
                let actions = self.relay.handle(&bytes, now);
                self.on_relay(actions);
            } else {
                self.peer.handle_timeout(now).expect("the peer's clock");
                self.peer.handle_packet(&bytes).expect("our datagram");
                self.drain_peer();
            }
        }
    }

    pub fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            assert_eq!(self.failed, None, "after {:?}", self.now - self.began);
            assert!(self.now - self.began < Duration::from_secs(30), "never: {:?}", self.trace);
            self.step();
        }
    }

    /// However long that takes.
    pub fn until_late(&mut self, end: Instant) {
        while self.now < end {
            self.step();
        }
    }

    /// Both connect with the same keys and can talk.
    pub fn connect(&mut self) {
        self.until(|pair| pair.peer_connected.is_some() && pair.relay_connected.is_some());
        self.until(|pair| pair.peer_keys.is_some());
        assert_eq!(self.peer_keys, self.relay_keys);
        self.link = Link::default();
        self.peer.send_application_data(b"from the peer").expect("data");
        let actions = self.relay.send(b"from the relay", self.now);
        self.on_relay(actions);
        self.until(|pair| pair.relay_data == [b"from the peer"] && pair.peer_data == [b"from the relay"]);
    }
}
