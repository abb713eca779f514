//! DTLS (RFC 5763, RFC 5764) around the crate `dimpl`: handshake, certificate pinning, SRTP keys, SCTP's records.
//!
//! As server the version is chosen by each `ClientHello` ([`super::hello`]): in DTLS 1.2 `dimpl` takes AES-256-GCM, then
//! AES-128-GCM, and `AES_CM_128_HMAC_SHA1_80` for the clients that offer nothing else; in 1.3 it takes the client's first.
//! As client, for a peer that answers `a=setup:passive` (RFC 8842 §5.3), both versions are offered and the peer chooses.

use std::sync::Arc;
use std::time::Instant;

use dimpl::{Dtls, Output, ProtocolVersion};

use super::early::EarlyFinished;
use super::first_flight::FirstFlight;
use super::hello::Version;
use super::records::{APPLICATION_DATA, is_plain_handshake, is_records, is_server_hello, is_unified, split_unified};
use super::retry::{LastFlight, Pace};
use crate::drop::Reason;
use crate::message::DtlsRole;

pub use super::identity::{Fingerprint, Identity};
pub use super::retry::DtlsTimers;
pub use dimpl::SrtpProfile;

/// Records larger than this are not sent by us; the buffer grows if `dimpl` asks for more.
const RECORD: usize = 2048;

/// Keying material of RFC 5764 §4.2: client key, server key, client salt, server salt.
pub struct SrtpKeys {
    /// Which of them are ours.
    pub role: DtlsRole,
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

/// Before and after `dimpl` has something to do.
enum Stage {
    /// As server: for the whole of the client's first message, at most until the deadline once a part has come.
    Awaiting { flight: FirstFlight, identity: Identity, deadline: Option<Instant> },
    /// As client: for a path to the peer.
    Pathless { identity: Identity },
    /// The handshake has begun.
    Begun { dtls: Box<Dtls>, pace: Pace, timers: DtlsTimers },
}

/// How far the handshake is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Handshaking,
    /// As client of 1.3: the keys are there, but our last flight is not acknowledged (RFC 9147 §5.8.1).
    Unacknowledged,
    Connected,
    Failed,
}

impl State {
    const fn may_become(self, next: Self) -> bool {
        use State::{Connected, Failed, Handshaking, Unacknowledged};
        matches!(
            (self, next),
            (Handshaking, Unacknowledged | Connected | Failed)
                | (Unacknowledged, Connected | Failed)
                | (Connected, Failed)
        )
    }
}

/// One DTLS session.
pub struct DtlsSession {
    role: DtlsRole,
    stage: Stage,
    state: State,
    expected: Fingerprint,
    verified: bool,
    wake: Option<Instant>,
    /// In 1.2, until connected.
    early: EarlyFinished,
    /// As server of 1.2, once connected and until the peer's first data.
    last: Option<LastFlight>,
    record: Vec<u8>,
}

impl DtlsSession {
    /// A server that waits for the peer whose certificate is `expected`, or a client that waits for [`Self::start`].
    #[must_use]
    pub fn new(role: DtlsRole, identity: &Identity, expected: Fingerprint) -> Self {
        let identity = identity.clone();
        let stage = match role {
            DtlsRole::Server => Stage::Awaiting { flight: FirstFlight::default(), identity, deadline: None },
            DtlsRole::Client => Stage::Pathless { identity },
        };
        let early = EarlyFinished::default();
        let (verified, wake, last, record) = (false, None, None, Vec::new());
        Self { role, stage, state: State::Handshaking, expected, verified, wake, early, last, record }
    }

    /// Ours.
    #[must_use]
    pub const fn role(&self) -> DtlsRole {
        self.role
    }

    /// The version, once chosen.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        let Stage::Begun { dtls, .. } = &self.stage else { return None };
        dtls.protocol_version().map(|version| match version {
            ProtocolVersion::DTLS1_3 => Version::V1_3,
            _ => Version::V1_2,
        })
    }

    /// Whether the handshake is done.
    #[must_use]
    pub const fn connected(&self) -> bool {
        matches!(self.state, State::Unacknowledged | State::Connected)
    }

    /// The fingerprint the peer is held to.
    #[must_use]
    pub const fn expected(&self) -> Fingerprint {
        self.expected
    }

    /// There is a path to the peer: a client that has not begun does.
    pub fn start(&mut self, now: Instant) -> Vec<DtlsAction> {
        let Stage::Pathless { identity } = &self.stage else { return Vec::new() };
        let (config, certificate, timers) =
            (Arc::clone(&identity.config), identity.certificate.clone(), identity.timers);
        let mut dtls = Dtls::new_auto(config, certificate, now);
        dtls.set_active(true);
        self.begin(dtls, timers, now + timers.handshake, now);
        self.step(now, |_| Ok(()))
    }

    /// One datagram from an ICE-validated address.
    pub fn handle(&mut self, datagram: &[u8], now: Instant) -> Vec<DtlsAction> {
        match self.await_hello(datagram, now) {
            Some(Ok(record)) => self.step(now, |dtls| dtls.handle_packet(&record)),
            Some(Err(reason)) => vec![DtlsAction::Refused(reason)],
            None if matches!(self.stage, Stage::Begun { .. }) => self.take(datagram, now),
            None if matches!(self.stage, Stage::Pathless { .. }) => vec![DtlsAction::Refused(Reason::DtlsEarly)],
            None => Vec::new(),
        }
    }

    /// A datagram after the first flight: refused where it is no sequence of records, or, after the handshake, data that
    /// come to nothing. Before its end `dimpl` takes what does not fit as fatal.
    fn take(&mut self, datagram: &[u8], now: Instant) -> Vec<DtlsAction> {
        let version = self.version();
        if !is_records(datagram, version != Some(Version::V1_2)) {
            return vec![DtlsAction::Refused(Reason::DtlsRefused)];
        }
        if version.is_none() && !is_server_hello(datagram) {
            return vec![DtlsAction::Refused(Reason::DtlsHello)]; // `dimpl` would end the handshake
        }
        if let Some(last) = self.last.as_mut().filter(|_| is_plain_handshake(datagram)) {
            let actions = send(last.answer(now));
            self.rest();
            return actions;
        }
        let mut actions = Vec::new();
        let (plain, unified) = split_unified(datagram);
        for part in [plain, unified].into_iter().filter(|part| !part.is_empty()) {
            actions.extend(self.step(now, |dtls| dtls.handle_packet(part)));
        }
        if self.version() == Some(Version::V1_2) && self.state == State::Handshaking {
            actions.extend(self.take_early(datagram, now));
        }
        let data = datagram.first().is_some_and(|first| *first == APPLICATION_DATA || is_unified(*first));
        if data && actions.is_empty() && self.connected() {
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
            Stage::Begun { pace, .. } if matches!(self.state, State::Handshaking | State::Unacknowledged) => {
                pace.hurry(now);
                pace.is_over(now)
            }
            Stage::Begun { .. } | Stage::Pathless { .. } => false,
        };
        if over && self.state != State::Failed {
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
        self.begin(dtls, timers, deadline, now);
        Some(Ok(hello.record))
    }

    fn begin(&mut self, dtls: Dtls, timers: DtlsTimers, deadline: Instant, now: Instant) {
        let pace = Pace::new(timers.longest_retry, deadline, now);
        self.stage = Stage::Begun { dtls: Box::new(dtls), pace, timers };
        self.record = vec![0; RECORD];
    }

    /// After a failure `dimpl` must not be used again, and before the handshake ends every error is one. Afterwards a
    /// record that does not fit is dropped: it must not end a call.
    fn step(&mut self, now: Instant, action: impl FnOnce(&mut Dtls) -> Result<(), dimpl::Error>) -> Vec<DtlsAction> {
        let mut actions = Vec::new();
        let mut result = Ok(());
        if let Stage::Begun { dtls, pace, .. } = &mut self.stage
            && self.state != State::Failed
        {
            result = dtls.handle_timeout(pace.clock(now));
            // What is due goes out by itself: `dimpl` drops a datagram as a whole whose first message is an old one.
            actions = self.drain(now);
        }
        if let (Stage::Begun { dtls, .. }, Ok(())) = (&mut self.stage, &result)
            && self.state != State::Failed
        {
            result = action(dtls);
            actions.extend(self.drain(now));
        }
        self.rest();
        if result.is_err() && self.state == State::Handshaking {
            self.fail("dtls", &mut actions);
        }
        actions
    }

    fn enter(&mut self, next: State) {
        if self.state.may_become(next) {
            self.state = next;
        }
    }

    fn fail(&mut self, reason: &'static str, actions: &mut Vec<DtlsAction>) {
        self.enter(State::Failed);
        self.wake = None;
        actions.push(DtlsAction::Failed(reason));
    }

    /// Set the next wake-up.
    fn rest(&mut self) {
        let Stage::Begun { pace, .. } = &self.stage else { return };
        self.wake = match self.state {
            State::Failed => None,
            State::Handshaking | State::Unacknowledged => Some(pace.wake()),
            State::Connected => {
                let last = self.last.as_ref().and_then(LastFlight::wake);
                last.into_iter().chain([pace.wake_connected()]).min()
            }
        };
    }

    /// Connected: what was sent with that is, as server of 1.2, the last flight.
    fn connect(&mut self, keys: Option<SrtpKeys>, actions: &mut Vec<DtlsAction>, now: Instant) {
        match (&self.stage, self.role, self.version()) {
            (Stage::Begun { timers, .. }, DtlsRole::Server, Some(Version::V1_2)) => {
                let datagrams = actions.iter().filter_map(|action| match action {
                    DtlsAction::Send(datagram) => Some(datagram.clone()),
                    _ => None,
                });
                self.last = Some(LastFlight::new(datagrams.collect(), *timers, now + timers.handshake, now));
                self.enter(State::Connected);
            }
            (_, DtlsRole::Client, Some(Version::V1_3)) => self.enter(State::Unacknowledged),
            _ => self.enter(State::Connected),
        }
        actions.insert(0, DtlsAction::Connected(keys));
    }

    fn drain(&mut self, now: Instant) -> Vec<DtlsAction> {
        let mut actions = Vec::new();
        let (mut finished, mut keys) = (false, None);
        loop {
            let Stage::Begun { dtls, pace, .. } = &mut self.stage else { return actions };
            match dtls.poll_output(&mut self.record) {
                Output::Packet(datagram) => {
                    if self.state == State::Handshaking {
                        pace.note_sent(now);
                    }
                    actions.push(DtlsAction::Send(datagram.to_vec()));
                }
                Output::BufferTooSmall { needed } => self.record.resize(needed, 0),
                Output::Timeout(at) => {
                    pace.note_due(at);
                    let acknowledged = pace.is_idle();
                    if finished {
                        self.connect(keys, &mut actions, now);
                    } else if acknowledged && self.state == State::Unacknowledged {
                        self.enter(State::Connected);
                    }
                    return actions;
                }
                Output::PeerCert(der) => {
                    self.verified = self.expected.is_of(der);
                    if !self.verified {
                        self.fail("fingerprint", &mut actions);
                        return actions;
                    }
                }
                Output::Connected => finished = self.verified,
                Output::KeyingMaterial(material, profile) if self.verified => {
                    keys = Some(SrtpKeys { role: self.role, profile, material: material.to_vec() });
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
