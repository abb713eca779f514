//! One peer's transport: ICE-lite, then DTLS, as server unless the peer is, then SCTP within it. Media keys come out,
//! datagrams go in.

mod data;
pub mod dtls;
pub mod early;
pub mod first_flight;
pub mod hello;
pub mod ice;
pub mod identity;
pub mod phase;
pub mod records;
pub mod retry;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use is::stun::StunMessage;

use crate::drop::{Drops, Reason};
use crate::flight::{Direction, Tape};
use crate::message::{DtlsRole, TransportPhase};
use crate::outbox::Destination;
use crate::sctp::{ChannelEvent, Sctp};
use crate::wire::{Path, Source, Wire};
use dtls::{DtlsAction, DtlsSession, Fingerprint, Identity, SrtpKeys};
use hello::Version;
use ice::{Ice, IceAction};

/// Cells of the recorder of STUN and DTLS.
const TAPE: usize = 256;
/// Bytes recorded of each: the header of STUN with the first attribute, the record header of DTLS.
const HEAD: usize = 32;

/// What a peer's SDP says of its end.
#[derive(Debug, Clone)]
pub struct Remote {
    /// ICE user fragment.
    pub ufrag: String,
    /// ICE password.
    pub password: String,
    /// SHA-256 of its certificate.
    pub fingerprint: Fingerprint,
    /// What that leaves us: the client's where it answered `a=setup:passive`.
    pub role: DtlsRole,
}

/// What a transport tells its owner.
pub enum Signal {
    /// The phase changed; the reason where it failed.
    Phase(TransportPhase, Option<&'static str>),
    /// Datagrams from this address are this transport's.
    Validated(Source),
    /// SRTP keys: media may flow.
    Keys(SrtpKeys),
    /// Data channel event.
    Channel(ChannelEvent),
}

/// Datagrams and bytes since the transport opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traffic {
    /// Datagrams.
    pub packets: u64,
    /// UDP payload bytes.
    pub bytes: u64,
}

impl Traffic {
    /// Count one datagram.
    pub const fn count(&mut self, bytes: usize) {
        self.packets += 1;
        self.bytes += bytes as u64;
    }
}

/// One peer.
pub struct Transport {
    phase: TransportPhase,
    destination: Destination,
    identity: Identity,
    ice: Ice,
    dtls: Option<DtlsSession>,
    sctp: Sctp,
    signals: Vec<Signal>,
    tape: Tape,
    /// Refused packets by reason.
    pub drops: Drops,
    /// Received.
    pub received: Traffic,
    /// Sent.
    pub sent: Traffic,
}

impl Transport {
    /// A transport that waits for its peer. `destination` is what its media packets are addressed with.
    #[must_use]
    pub fn new(ice: Ice, identity: Identity, destination: Destination) -> Self {
        Self {
            phase: TransportPhase::New,
            destination,
            identity,
            ice,
            dtls: None,
            sctp: Sctp::default(),
            signals: Vec::new(),
            tape: Tape::new(TAPE),
            drops: Drops::default(),
            received: Traffic::default(),
            sent: Traffic::default(),
        }
    }

    /// Where it is in its life.
    #[must_use]
    pub const fn phase(&self) -> TransportPhase {
        self.phase
    }

    /// What its media packets are addressed with.
    #[must_use]
    pub const fn destination(&self) -> Destination {
        self.destination
    }

    /// The path media goes along.
    #[must_use]
    pub const fn selected(&self) -> Option<Path> {
        self.ice.selected()
    }

    /// The DTLS version, once chosen.
    #[must_use]
    pub fn dtls_version(&self) -> Option<Version> {
        self.dtls.as_ref().and_then(DtlsSession::version)
    }

    /// The heads of the last STUN and DTLS packets.
    #[must_use]
    pub const fn tape(&self) -> &Tape {
        &self.tape
    }

    /// What happened since the last call.
    pub fn take_signals(&mut self) -> Vec<Signal> {
        std::mem::take(&mut self.signals)
    }

    /// What the peer's SDP said.
    ///
    /// # Errors
    /// `invalid` where a certificate is already in use and another one is named, or the roles are changed (RFC 8842 §5.5:
    /// that would be another association).
    pub fn set_remote(&mut self, remote: &Remote, now: Instant, wire: &mut impl Wire) -> Result<(), &'static str> {
        match &self.dtls {
            Some(session) if session.expected() != remote.fingerprint => return Err("the certificate may not change"),
            Some(session) if session.role() != remote.role => return Err("the DTLS role may not change"),
            Some(_) => {}
            None => self.dtls = Some(DtlsSession::new(remote.role, &self.identity, remote.fingerprint)),
        }
        let actions = self.ice.set_remote(&remote.ufrag, &remote.password, now);
        self.on_ice(actions, now, wire);
        Ok(())
    }

    /// New local ICE credentials.
    pub fn restart_ice(&mut self, ufrag: &str, password: &str, now: Instant) {
        self.ice.restart(ufrag, password, now);
    }

    /// Record the head of a STUN or DTLS packet.
    pub fn note(&mut self, direction: Direction, datagram: &[u8], now: Instant) {
        let head = datagram.get(..datagram.len().min(HEAD)).unwrap_or_default();
        self.tape.record(direction, now, datagram.len(), head);
    }

    /// A STUN message of `len` bytes whose user name names this transport. True when it is authentic.
    pub fn handle_stun(
        &mut self,
        path: Path,
        message: StunMessage<'_>,
        len: usize,
        now: Instant,
        wire: &mut impl Wire,
    ) -> bool {
        if self.ended() {
            self.drops.count(Reason::Ended); // unanswered, the peer learns that it has to come anew
            return false;
        }
        match self.ice.handle(path, message, now) {
            Ok(actions) => {
                self.received.count(len);
                if self.phase == TransportPhase::New {
                    self.enter(TransportPhase::Connecting, None);
                }
                self.on_ice(actions, now, wire);
                true
            }
            Err(reason) => {
                self.drops.count(reason);
                false
            }
        }
    }

    /// The peer's media came at `at`, and were authentic.
    pub fn hear(&mut self, at: Instant) {
        self.ice.hear(at);
    }

    /// The TCP connection of `path` has ended.
    pub fn close_path(&mut self, path: Path) {
        self.ice.close_path(path);
    }

    /// A DTLS datagram from a validated address of this transport.
    pub fn handle_dtls(&mut self, path: Path, datagram: &[u8], now: Instant, wire: &mut impl Wire) {
        if self.ended() {
            return self.drops.count(Reason::Ended);
        }
        self.received.count(datagram.len());
        if let Some(action) = self.ice.prefer(path) {
            self.on_ice(vec![action], now, wire);
        }
        let Some(session) = self.dtls.as_mut() else {
            self.drops.count(Reason::DtlsEarly);
            return;
        };
        let actions = session.handle(datagram, now);
        self.on_dtls(actions, now, wire);
    }

    /// Advance time.
    pub fn handle_timeout(&mut self, now: Instant, wire: &mut impl Wire) {
        if self.ice.poll_timeout().is_some_and(|at| at <= now) {
            let actions = self.ice.handle_timeout(now);
            self.on_ice(actions, now, wire);
        }
        if let Some(session) = self.dtls.as_mut()
            && session.poll_timeout().is_some_and(|at| at <= now)
        {
            let actions = session.handle_timeout(now);
            self.on_dtls(actions, now, wire);
        }
        if self.sctp.poll_timeout().is_some_and(|at| at <= now) {
            self.sctp.handle_timeout(now);
            self.pump_sctp(now, wire);
        }
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        if self.ended() {
            return None;
        }
        let dtls = self.dtls.as_ref().and_then(DtlsSession::poll_timeout);
        self.ice.poll_timeout().into_iter().chain(dtls).chain(self.sctp.poll_timeout()).min()
    }

    /// Say goodbye to the peer.
    pub fn close(&mut self, now: Instant, wire: &mut impl Wire) {
        if let Some(session) = self.dtls.as_mut().filter(|session| session.connected()) {
            let actions = session.close(now);
            self.on_dtls(actions, now, wire);
        }
        self.enter(TransportPhase::Closed, None);
    }

    const fn ended(&self) -> bool {
        matches!(self.phase, TransportPhase::Failed | TransportPhase::Closed)
    }

    fn enter(&mut self, phase: TransportPhase, reason: Option<&'static str>) {
        if phase::allowed(self.phase, phase) {
            self.phase = phase;
            if self.ended() {
                self.sctp.flush();
                self.take_channel_events();
            }
            self.signals.push(Signal::Phase(phase, reason));
        }
    }

    fn on_ice(&mut self, actions: Vec<IceAction>, now: Instant, wire: &mut impl Wire) {
        for action in actions {
            match action {
                IceAction::Send(path, datagram) => {
                    self.sent.count(datagram.len());
                    self.note(Direction::Out, &datagram, now);
                    wire.send_to(path, &datagram);
                }
                IceAction::Validated(source) => self.signals.push(Signal::Validated(source)),
                IceAction::Selected(path) => wire.bind(self.destination, path),
                IceAction::Expired => self.enter(TransportPhase::Failed, Some("ice_timeout")),
            }
        }
        if self.ice.selected().is_some()
            && let Some(session) = self.dtls.as_mut()
        {
            let actions = session.start(now);
            self.on_dtls(actions, now, wire);
        }
    }

    fn on_dtls(&mut self, actions: Vec<DtlsAction>, now: Instant, wire: &mut impl Wire) {
        let mut data = false;
        for action in actions {
            match action {
                DtlsAction::Send(datagram) => self.send_selected(&datagram, now, wire),
                DtlsAction::Connected(keys) => {
                    self.signals.extend(keys.map(Signal::Keys));
                    self.enter(TransportPhase::Connected, None);
                    if self.dtls.as_ref().is_some_and(|session| session.role() == DtlsRole::Client) {
                        self.sctp.connect();
                        data = true;
                    }
                }
                DtlsAction::Data(packet) => {
                    self.ice.hear(now);
                    self.sctp.handle(Bytes::from(packet), now);
                    data = true;
                }
                DtlsAction::Closed => self.enter(TransportPhase::Closed, Some("close_notify")),
                DtlsAction::Failed(reason) => self.enter(TransportPhase::Failed, Some(reason)),
                DtlsAction::Refused(reason) => self.drops.count(reason),
            }
        }
        if data {
            self.pump_sctp(now, wire);
        }
    }

    fn send_selected(&mut self, datagram: &[u8], now: Instant, wire: &mut impl Wire) {
        if let Some(path) = self.ice.selected() {
            self.sent.count(datagram.len());
            self.note(Direction::Out, datagram, now);
            wire.send_to(path, datagram);
        }
    }
}

/// Nominal local addresses shared by all transports of a shard.
pub type Locals = Arc<[std::net::SocketAddr]>;
