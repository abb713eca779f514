//! A relay, its clients, and the wire between them, in virtual time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use relay_core::message::{Command, DtlsRole, Event, TransportPhase};
use relay_core::outbox::{Destination, Outbox};
use relay_core::relay::Relay;
use relay_core::relay::demux::Arrival;
use relay_core::transport::dtls::{DtlsTimers, Identity};
use relay_core::wire::{Path, Protocol, Wire};
use str0m::RtcConfig;
use str0m::bwe::Bitrate;
use str0m::config::DtlsVersion;

use crate::client::Client;

/// The relay's address.
pub const RELAY: &str = "10.0.0.1:7882";
/// One way.
const DELAY: Duration = Duration::from_millis(5);
/// Of a hundred datagrams on a rough wire: so many come twice, and so many later, by up to so many milliseconds.
const DOUBLED: u64 = 3;
const LATE: u64 = 10;
const LATENESS: u64 = 40;

/// Where the relay's datagrams go.
#[derive(Default)]
pub struct Outgoing {
    paths: Vec<Option<Path>>,
    slot: Vec<u8>,
    to: Option<Path>,
    sent: Vec<(SocketAddr, Vec<u8>)>,
}

impl Outbox for Outgoing {
    fn packet(&mut self, destination: Destination, max_len: usize) -> &mut [u8] {
        self.to = self.paths.get(destination.0 as usize).copied().flatten();
        self.slot = vec![0; max_len];
        &mut self.slot
    }

    fn commit(&mut self, len: usize) {
        let to = self.to.take().expect("a packet for a transport without a path");
        self.sent.push((to.remote, self.slot[..len].to_vec()));
    }
}

impl Wire for Outgoing {
    fn bind(&mut self, destination: Destination, path: Path) {
        let index = destination.0 as usize;
        self.paths.resize(self.paths.len().max(index + 1), None);
        self.paths[index] = Some(path);
    }

    fn send_to(&mut self, path: Path, datagram: &[u8]) {
        self.sent.push((path.remote, datagram.to_vec()));
    }
}

/// A datagram on its way.
struct Flight {
    arrives: Instant,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// Everything.
pub struct World {
    /// Virtual time.
    pub now: Instant,
    /// The relay.
    pub relay: Relay,
    /// The clients.
    pub clients: Vec<Client>,
    /// What the relay told.
    pub events: Vec<Event>,
    /// One datagram of so many is lost, 0 for none.
    pub loss: u64,
    /// Whether datagrams also come twice, and late, so that others overtake them.
    pub rough: bool,
    /// A client whose DTLS records do not reach the relay any more: it acknowledges nothing.
    pub deaf: Option<usize>,
    /// A client whose STUN does not reach the relay any more.
    pub unchecked: Option<usize>,
    /// A client of whose datagrams a damaged copy arrives too.
    pub damage: Option<usize>,
    /// A client's link from the relay: its address, its rate in bit/s, and when it is free again.
    pub narrow: Option<(SocketAddr, u64, Instant)>,
    /// What new clients offer.
    pub dtls: DtlsVersion,
    /// Whether new clients put frames together from packets.
    pub whole: bool,
    /// The rate from which new clients estimate their way up by the relay's feedback, bit/s; none: they do not.
    pub estimating: Option<u64>,
    /// The relay's end of DTLS with new clients.
    pub role: DtlsRole,
    fingerprint: String,
    outgoing: Outgoing,
    flights: Vec<Flight>,
    seed: u64,
}

impl World {
    /// An empty relay.
    pub fn new() -> Self {
        let now = Instant::now();
        let identity = Identity::generate(DtlsTimers::default()).expect("an identity");
        let fingerprint = identity.fingerprint();
        let locals: Arc<[SocketAddr]> = Arc::new([relay_address()]);
        Self {
            now,
            relay: Relay::new(identity, locals, now),
            clients: Vec::new(),
            events: Vec::new(),
            loss: 0,
            rough: false,
            deaf: None,
            unchecked: None,
            damage: None,
            narrow: None,
            dtls: DtlsVersion::Dtls12,
            whole: false,
            estimating: None,
            role: DtlsRole::Server,
            fingerprint,
            outgoing: Outgoing::default(),
            flights: Vec::new(),
            seed: 0x5eed,
        }
    }

    /// Do a command.
    pub fn command(&mut self, command: Command) {
        self.relay.command(command, self.now, &mut self.outgoing);
    }

    /// A new client with its transport open, which has not told its own SDP; its index.
    pub fn open(&mut self, id: &str) -> usize {
        self.open_by(id, None)
    }

    fn open_by(&mut self, id: &str, connection: Option<u32>) -> usize {
        let index = self.clients.len();
        let config = RtcConfig::new().set_rtp_mode(!self.whole).set_dtls_version(self.dtls);
        let config = config.enable_bwe(self.estimating.map(Bitrate::from));
        let mut client = Client::new(id, &format!("10.0.1.{}:5000", index + 1), connection, config, self.now);
        client.role = self.role;
        let (ufrag, password) = (format!("ufrag-{id}"), "0123456789012345678901".to_owned());
        client.learn(relay_address(), &ufrag, &password, &self.fingerprint);
        self.clients.push(client);
        self.command(Command::OpenTransport { transport: id.into(), room: "room".into(), ufrag, password });
        index
    }

    /// A new connected client; its index.
    pub fn join(&mut self, id: &str) -> usize {
        self.join_by(id, None)
    }

    /// A new client connected along the TCP connection of this number, or by UDP; its index.
    pub fn join_by(&mut self, id: &str, connection: Option<u32>) -> usize {
        let index = self.open_by(id, connection);
        let remote = self.clients[index].set_remote();
        self.command(remote);
        self.until(30_000, |world| {
            world.clients[index].connected && world.phase(id) == Some(TransportPhase::Connected)
        });
        index
    }

    /// The last phase told of a transport.
    pub fn phase(&self, id: &str) -> Option<TransportPhase> {
        self.events.iter().rev().find_map(|event| match event {
            Event::TransportState { transport, phase, .. } if transport == id => Some(*phase),
            _ => None,
        })
    }

    /// Why a transport failed.
    pub fn reason(&self, id: &str) -> Option<&str> {
        self.events.iter().rev().find_map(|event| match event {
            Event::TransportState { transport, reason: Some(reason), .. } if transport == id => Some(reason.as_str()),
            _ => None,
        })
    }

    /// Packets of a transport dropped for a reason.
    pub fn dropped(&self, id: &str, reason: &str) -> u64 {
        let stats = self.relay.stats(0, None, self.now);
        let transport = stats.transports.iter().find(|transport| transport.transport == id).expect("a transport");
        transport.dropped.get(reason).copied().unwrap_or(0)
    }

    /// Give the relay a datagram from anyone.
    pub fn inject(&mut self, from: SocketAddr, bytes: &mut [u8]) {
        let segment = bytes.len();
        let path = self.path(from);
        let arrival = Arrival { socket: 0, protocol: path.protocol, local: None, remote: from, data: bytes, segment };
        self.relay.receive(arrival, self.now, &mut self.outgoing);
    }

    /// The path from an address.
    pub fn path(&self, from: SocketAddr) -> Path {
        let connection = self.clients.iter().find(|client| client.seen == from).and_then(|client| client.connection);
        let protocol = connection.map_or(Protocol::Udp, Protocol::Tcp);
        Path { socket: 0, protocol, local: None, remote: from }
    }

    /// Whether the relay has just sent a datagram that begins with `first`.
    pub fn sends(&self, first: u8) -> bool {
        self.outgoing.sent.iter().any(|(_, bytes)| bytes.first() == Some(&first))
    }

    /// Run until it holds; panics after so many virtual milliseconds.
    pub fn until(&mut self, ms: u64, holds: impl Fn(&Self) -> bool) {
        let deadline = self.now + Duration::from_millis(ms);
        while !holds(self) {
            assert!(self.now < deadline, "not within {ms} ms; events: {:?}", self.events);
            self.step();
        }
    }

    /// Run for so many virtual milliseconds.
    pub fn run(&mut self, ms: u64) {
        let end = self.now + Duration::from_millis(ms);
        while self.now < end {
            self.step();
        }
    }

    /// The next pseudo-random number (xorshift; the seed is fixed).
    pub fn random(&mut self) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed
    }

    /// One millisecond.
    pub fn step(&mut self) {
        self.now += Duration::from_millis(1);
        self.turn();
    }

    /// Straight to when something happens, or to `end` if that is before.
    pub fn leap(&mut self, end: Instant) {
        let arrivals = self.flights.iter().map(|flight| flight.arrives);
        let clients = self.clients.iter().map(|client| client.timeout);
        let next = arrivals.chain(clients).fold(self.relay.poll_timeout(), Instant::min);
        self.now = next.max(self.now + Duration::from_millis(1)).min(end.max(self.now));
        self.turn();
    }

    /// What is due now.
    fn turn(&mut self) {
        let due = |flight: &mut Flight, now| flight.arrives <= now;
        let now = self.now;
        let arrived: Vec<Flight> = self.flights.extract_if(.., |flight| due(flight, now)).collect();
        for mut flight in arrived {
            if flight.to == relay_address() {
                self.inject(flight.from, &mut flight.bytes);
            } else if let Some(client) = self.clients.iter_mut().find(|client| client.seen == flight.to) {
                client.receive(flight.from, &flight.bytes, now);
            }
        }
        if self.relay.poll_timeout() <= now {
            self.relay.handle_timeout(now, &mut self.outgoing);
        }
        for (to, bytes) in std::mem::take(&mut self.outgoing.sent) {
            self.fly(relay_address(), to, bytes);
        }
        for index in 0..self.clients.len() {
            for bytes in self.clients[index].poll(now) {
                let lost = |whose: Option<usize>, firsts: std::ops::Range<u8>| {
                    whose == Some(index) && bytes.first().is_some_and(|first| firsts.contains(first))
                };
                if lost(self.deaf, 20..64) || lost(self.unchecked, 0..4) {
                    continue;
                }
                if self.damage == Some(index) {
                    let mut damaged = bytes.clone();
                    let place = usize::try_from(self.random()).unwrap_or(0) % damaged.len();
                    damaged[place] ^= 1 << (self.random() >> 61);
                    self.fly(self.clients[index].seen, relay_address(), damaged);
                }
                self.fly(self.clients[index].seen, relay_address(), bytes);
            }
        }
        self.events.extend(self.relay.take_events());
    }

    fn fly(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        if self.rough && self.percent() < DOUBLED {
            self.fly_once(from, to, bytes.clone());
        }
        self.fly_once(from, to, bytes);
    }

    fn percent(&mut self) -> u64 {
        (self.random() >> 33) % 100
    }

    fn fly_once(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        if self.loss > 0 && (self.random() >> 33).is_multiple_of(self.loss) {
            return;
        }
        let mut arrives = self.now + DELAY;
        if let Some((_, rate, free)) = self.narrow.as_mut().filter(|(client, ..)| *client == to) {
            let begins = self.now.max(*free);
            // A queue of 300 ms, then the end of it.
            if begins > self.now + Duration::from_millis(300) {
                return;
            }
            *free = begins + Duration::from_micros(bytes.len() as u64 * 8_000_000 / *rate);
            arrives = *free + DELAY;
        }
        if self.rough && self.percent() < LATE {
            arrives += Duration::from_millis((self.random() >> 33) % LATENESS);
        }
        self.flights.push(Flight { arrives, from, to, bytes });
    }
}

/// Where the relay listens.
pub fn relay_address() -> SocketAddr {
    RELAY.parse().expect("a test address")
}
