//! DTLS server (RFC 5763, RFC 5764) around the crate `dimpl`: handshake, certificate pinning, SRTP keys, SCTP's records.
//!
//! The version is chosen by each `ClientHello` ([`super::hello`]): in DTLS 1.2 `dimpl` takes AES-256-GCM, then
//! AES-128-GCM, and `AES_CM_128_HMAC_SHA1_80` for the clients that offer nothing else; in 1.3 it takes the client's first.

use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use dimpl::certificate::{calculate_fingerprint, format_fingerprint, generate_self_signed_certificate};
use dimpl::{Dtls, DtlsCertificate, Output};

use super::early::EarlyFinished;
use super::first_flight::FirstFlight;
use super::hello::Version;
use super::records::{APPLICATION_DATA, is_plain_handshake, is_records, is_unified};
use super::retry::{LastFlight, Pace, RETRIES, UNBOUNDED};
use crate::drop::Reason;

pub use super::retry::DtlsTimers;
pub use dimpl::SrtpProfile;

/// Records larger than this are not sent by us; the buffer grows if `dimpl` asks for more.
const RECORD: usize = 2048;
/// Records waiting in `dimpl`: one 64 KiB message is some sixty records, and each is taken out at once.
const QUEUE: usize = 128;

/// The relay's certificate with its configuration: one for all transports.
#[derive(Clone)]
pub struct Identity {
    certificate: DtlsCertificate,
    config: Arc<dimpl::Config>,
    timers: DtlsTimers,
}

impl Identity {
    /// A new self-signed ECDSA certificate.
    ///
    /// # Errors
    /// In words, where the timers make no sense or the system has no randomness.
    pub fn generate(timers: DtlsTimers) -> Result<Self, String> {
        let config = dimpl::Config::builder()
            .use_server_cookie(false) // only ICE-validated addresses reach DTLS: the cookie's job is done
            .max_queue_tx(QUEUE)
            .flight_start_rto(timers.first_retry)
            .flight_retries(RETRIES)
            .handshake_timeout(UNBOUNDED)
            .build()
            .map_err(|error| error.to_string())?;
        let certificate = generate_self_signed_certificate().map_err(|error| error.to_string())?;
        Ok(Self { certificate, config: Arc::new(config), timers })
    }

    /// SHA-256 of the certificate, `AB:CD:…`, for our SDP.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format_fingerprint(&self.certificate.fingerprint())
    }
}

/// SHA-256 of a peer's certificate as its SDP gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Read `AB:CD:…`; `None` unless it is 32 bytes of hex.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let mut parts = text.trim().split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2 && part.is_ascii())?;
            *byte = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(Self(bytes))
    }
}

/// Keying material of RFC 5764 §4.2: client key, server key, client salt, server salt.
pub struct SrtpKeys {
    /// Which ciphers.
    pub profile: SrtpProfile,
    /// The exported bytes.
    pub material: Vec<u8>,
}

/// What came out of the session.
pub enum DtlsAction {
    /// Send this datagram.
    Send(Vec<u8>),
    /// The handshake is done and the certificate is the peer's: media may flow, if it negotiated SRTP.
    Connected(Option<SrtpKeys>),
    /// Decrypted application data (SCTP).
    Data(Vec<u8>),
    /// The peer closed.
    Closed,
    /// The session is of no more use.
    Failed(&'static str),
    /// A datagram was dropped.
    Refused(Reason),
}

/// Before and after the client's first message.
enum Stage {
    /// For the whole of it, at most until the deadline once a part has come.
    Awaiting { flight: FirstFlight, identity: Identity, deadline: Option<Instant> },
    /// The version is chosen.
    Chosen { version: Version, dtls: Box<Dtls>, pace: Pace, timers: DtlsTimers },
}

/// One DTLS session.
pub struct DtlsSession {
    stage: Stage,
    expected: Fingerprint,
    verified: bool,
    connected: bool,
    failed: bool,
    wake: Option<Instant>,
    /// In 1.2, until connected.
    early: EarlyFinished,
    /// In 1.2, once connected and until the peer's first data.
    last: Option<LastFlight>,
    record: Vec<u8>,
}

impl DtlsSession {
    /// A server that waits for the peer whose certificate is `expected`.
    #[must_use]
    pub fn new(identity: &Identity, expected: Fingerprint) -> Self {
        let stage = Stage::Awaiting { flight: FirstFlight::default(), identity: identity.clone(), deadline: None };
        let (verified, connected, failed) = (false, false, false);
        let (wake, early, last, record) = (None, EarlyFinished::default(), None, Vec::new());
        Self { stage, expected, verified, connected, failed, wake, early, last, record }
    }

    /// The version, once chosen.
    #[must_use]
    pub const fn version(&self) -> Option<Version> {
        match &self.stage {
            Stage::Awaiting { .. } => None,
            Stage::Chosen { version, .. } => Some(*version),
        }
    }

    /// Whether the handshake is done.
    #[must_use]
    pub const fn connected(&self) -> bool {
        self.connected
    }

    /// The fingerprint the peer is held to.
    #[must_use]
    pub const fn expected(&self) -> Fingerprint {
        self.expected
    }

    /// One datagram from an ICE-validated address.
    pub fn handle(&mut self, datagram: &[u8], now: Instant) -> Vec<DtlsAction> {
        match self.await_hello(datagram, now) {
            Some(Ok(record)) => self.step(now, |dtls| dtls.handle_packet(&record)),
            Some(Err(reason)) => vec![DtlsAction::Refused(reason)],
            None => self.take(datagram, now),
        }
    }

    /// A datagram after the first flight: refused where it is no sequence of records, or, after the handshake, data that
    /// come to nothing. Before its end `dimpl` takes what does not fit as fatal.
    fn take(&mut self, datagram: &[u8], now: Instant) -> Vec<DtlsAction> {
        let unified = self.version() == Some(Version::V1_3);
        if !is_records(datagram, unified) {
            return vec![DtlsAction::Refused(Reason::DtlsRefused)];
        }
        if let Some(last) = self.last.as_mut().filter(|_| is_plain_handshake(datagram)) {
            let actions = send(last.answer(now));
            self.rest();
            return actions;
        }
        let mut actions = self.step(now, |dtls| dtls.handle_packet(datagram));
        if self.version() == Some(Version::V1_2) && !self.connected {
            actions.extend(self.take_early(datagram, now));
        }
        let data = datagram.first().is_some_and(|first| *first == APPLICATION_DATA || is_unified(*first));
        if data && actions.is_empty() && self.connected && !self.failed {
            return vec![DtlsAction::Refused(Reason::DtlsRefused)];
        }
        actions
    }

    /// Try the `Finished` again that may have come before what it needs.
    fn take_early(&mut self, datagram: &[u8], now: Instant) -> Vec<DtlsAction> {
        let mut early = std::mem::take(&mut self.early);
        early.note(datagram);
        let actions = early.record().map(|record| self.step(now, |dtls| dtls.handle_packet(record)));
        self.early = early;
        actions.unwrap_or_default()
    }

    /// Retransmit what is due.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<DtlsAction> {
        let mut actions = Vec::new();
        let over = match &mut self.stage {
            Stage::Awaiting { deadline, .. } => deadline.is_some_and(|deadline| deadline <= now),
            Stage::Chosen { pace, .. } if !self.connected => {
                pace.hurry(now);
                pace.is_over(now)
            }
            Stage::Chosen { .. } => false,
        };
        if over && !self.failed {
            self.fail("dtls", &mut actions);
            return actions;
        }
        actions.extend(self.step(now, |_| Ok(())));
        if let Some(last) = &mut self.last {
            actions.extend(send(last.repeat(now)));
        }
        self.rest();
        actions
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.wake
    }

    /// Encrypt one SCTP packet.
    pub fn send(&mut self, data: &[u8], now: Instant) -> Vec<DtlsAction> {
        self.step(now, |dtls| dtls.send_application_data(data).map(|_| ()))
    }

    /// Say goodbye to the peer.
    pub fn close(&mut self, now: Instant) -> Vec<DtlsAction> {
        self.step(now, Dtls::close)
    }

    /// Choose the version once the first message is whole; then the record to begin with. `None` after that, and while
    /// parts are missing.
    fn await_hello(&mut self, datagram: &[u8], now: Instant) -> Option<Result<Vec<u8>, Reason>> {
        let Stage::Awaiting { flight, identity, deadline } = &mut self.stage else { return None };
        let hello = match flight.push(datagram) {
            Ok(hello) => hello,
            Err(reason) => return Some(Err(reason)),
        };
        let timers = identity.timers;
        let deadline = *deadline.get_or_insert(now + timers.handshake);
        self.wake = Some(deadline);
        let hello = hello?;
        let (config, certificate) = (Arc::clone(&identity.config), identity.certificate.clone());
        let dtls = match hello.version {
            Version::V1_2 => Dtls::new_12(config, certificate, now),
            Version::V1_3 => Dtls::new_13(config, certificate, now),
        };
        let pace = Pace::new(timers.longest_retry, deadline, now);
        self.stage = Stage::Chosen { version: hello.version, dtls: Box::new(dtls), pace, timers };
        self.record = vec![0; RECORD];
        Some(Ok(hello.record))
    }

    /// After a failure `dimpl` must not be used again, and before the handshake ends every error is one. Afterwards a
    /// record that does not fit is dropped: it must not end a call.
    fn step(&mut self, now: Instant, action: impl FnOnce(&mut Dtls) -> Result<(), dimpl::Error>) -> Vec<DtlsAction> {
        let mut actions = Vec::new();
        let mut result = Ok(());
        if let (Stage::Chosen { dtls, pace, .. }, false) = (&mut self.stage, self.failed) {
            result = dtls.handle_timeout(pace.clock(now));
            // What is due goes out by itself: `dimpl` drops a datagram as a whole whose first message is an old one.
            actions = self.drain(now);
        }
        if let (Stage::Chosen { dtls, .. }, false, Ok(())) = (&mut self.stage, self.failed, &result) {
            result = action(dtls);
            actions.extend(self.drain(now));
        }
        self.rest();
        if result.is_err() && !self.connected {
            self.fail("dtls", &mut actions);
        }
        actions
    }

    fn fail(&mut self, reason: &'static str, actions: &mut Vec<DtlsAction>) {
        self.failed = true;
        self.wake = None;
        actions.push(DtlsAction::Failed(reason));
    }

    /// Set the next wake-up.
    fn rest(&mut self) {
        let Stage::Chosen { pace, .. } = &self.stage else { return };
        self.wake = match (&self.last, self.connected) {
            _ if self.failed => None,
            (_, false) => Some(pace.wake()),
            (None, true) => Some(pace.wake_connected()),
            (Some(last), true) => last.wake().into_iter().chain([pace.wake_connected()]).min(),
        };
    }

    /// Connected: what was sent with that is, in 1.2, the last flight.
    fn connect(&mut self, keys: Option<SrtpKeys>, actions: &mut Vec<DtlsAction>, now: Instant) {
        self.connected = true;
        let datagrams = actions.iter().filter_map(|action| match action {
            DtlsAction::Send(datagram) => Some(datagram.clone()),
            _ => None,
        });
        if let Stage::Chosen { version: Version::V1_2, timers, .. } = &self.stage {
            self.last = Some(LastFlight::new(datagrams.collect(), *timers, now + timers.handshake, now));
        }
        actions.insert(0, DtlsAction::Connected(keys));
    }

    fn drain(&mut self, now: Instant) -> Vec<DtlsAction> {
        let mut actions = Vec::new();
        let (mut finished, mut keys) = (false, None);
        loop {
            let Stage::Chosen { dtls, pace, .. } = &mut self.stage else { return actions };
            match dtls.poll_output(&mut self.record) {
                Output::Packet(datagram) => {
                    pace.note_sent(now);
                    actions.push(DtlsAction::Send(datagram.to_vec()));
                }
                Output::BufferTooSmall { needed } => self.record.resize(needed, 0),
                Output::Timeout(at) => {
                    pace.note_due(at);
                    if finished {
                        self.connect(keys, &mut actions, now);
                    }
                    return actions;
                }
                Output::PeerCert(der) => {
                    self.verified = verify_slices_are_equal(&calculate_fingerprint(der), &self.expected.0).is_ok();
                    if !self.verified {
                        self.fail("fingerprint", &mut actions);
                        return actions;
                    }
                }
                Output::Connected => finished = self.verified,
                Output::KeyingMaterial(material, profile) if self.verified => {
                    keys = Some(SrtpKeys { profile, material: material.to_vec() });
                }
                Output::ApplicationData(data) if self.verified => {
                    self.last = None;
                    actions.push(DtlsAction::Data(data.to_vec()));
                }
                Output::CloseNotify => {
                    self.last = None;
                    actions.push(DtlsAction::Closed);
                }
                _ => {}
            }
        }
    }
}

fn send(datagrams: &[Vec<u8>]) -> Vec<DtlsAction> {
    datagrams.iter().cloned().map(DtlsAction::Send).collect()
}
