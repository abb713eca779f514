//! ICE-lite (RFC 8445 §2.5) around the crate `is`: answers checks, learns the peer's paths, notices its silence.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceAgentEvent, IceConnectionState, IceCreds};

use crate::drop::Reason;
use crate::wire::{Path, Protocol, Source};

/// Peer addresses one transport may use at a time: a multi-homed client behind several NATs shows fewer than ten.
const MAX_PATHS: usize = 32;
/// A path without a check for so long makes place for another: the client has left that address.
const PATH_STALE: Duration = Duration::from_secs(30);
/// Peer addresses of one ICE generation over its life; a client that wanders further restarts ICE.
const MAX_WANDERINGS: usize = 512;

/// The peer moved when it nominates another path and the selected one was not nominated again for this long.
/// Browsers repeat their nomination every 2.5 s.
const NOMINATION_STALE: Duration = Duration::from_secs(3);

/// Checks that came before `SetRemote` are answered right after it, at most this many at once.
const ANSWER_AT_ONCE: usize = 8;

/// A peer whose checks are all lost is there as long as its media or data come this often. The agent gives up a path without
/// checks for the same time.
const SILENCE: Duration = Duration::from_secs(15);

/// What the agent's owner has to do.
#[derive(Debug, PartialEq, Eq)]
pub enum IceAction {
    /// Send this STUN message.
    Send(Path, Vec<u8>),
    /// Datagrams from this address belong to this transport now.
    Validated(Source),
    /// Media and DTLS go this way from now on.
    Selected(Path),
    /// The peer has been silent for too long.
    Expired,
}

struct KnownPath {
    path: Path,
    heard: Instant,
    nominated_at: Option<Instant>,
}

/// One peer's ICE state.
pub struct Ice {
    agent: IceAgent,
    /// The agent before a restart: goes on answering consent checks until the new one is nominated (RFC 8445 §9).
    previous: Option<IceAgent>,
    /// One nominal local address per socket; the agent must see checks arrive on a candidate it knows.
    locals: Arc<[SocketAddr]>,
    paths: Vec<KnownPath>,
    wanderings: usize,
    selected: Option<Path>,
    /// Since when no check has come on any path in use.
    unchecked: Option<Instant>,
    /// When something else of the peer last came that was authentic.
    heard: Option<Instant>,
}

impl Ice {
    /// A lite agent with our credentials. `locals` holds one specific address per socket.
    #[must_use]
    pub fn new(ufrag: &str, password: &str, locals: Arc<[SocketAddr]>, now: Instant) -> Self {
        let mut agent = IceAgent::new(IceCreds { ufrag: ufrag.into(), pass: password.into() });
        agent.set_ice_lite(true);
        agent.set_controlling(false);
        for address in locals.iter() {
            for protocol in ["udp", "tcp"] {
                if let Ok(candidate) = Candidate::host(*address, protocol) {
                    agent.add_local_candidate(candidate);
                }
            }
        }
        agent.handle_timeout(now);
        Self {
            agent,
            previous: None,
            locals,
            paths: Vec::new(),
            wanderings: 0,
            selected: None,
            unchecked: None,
            heard: None,
        }
    }

    /// The path media goes along, once there is one.
    #[must_use]
    pub const fn selected(&self) -> Option<Path> {
        self.selected
    }

    /// Whether `SetRemote` has been seen (again, after a restart).
    #[must_use]
    pub fn has_remote(&self) -> bool {
        self.agent.remote_credentials().is_some()
    }

    /// The peer's credentials; answers the checks that were waiting for them.
    pub fn set_remote(&mut self, ufrag: &str, password: &str, now: Instant) -> Vec<IceAction> {
        self.agent.set_remote_credentials(IceCreds { ufrag: ufrag.into(), pass: password.into() });
        let mut actions = Vec::new();
        for _ in 0..ANSWER_AT_ONCE {
            self.agent.handle_timeout(now);
            self.drain(None, now, &mut actions);
        }
        actions
    }

    /// Restart with new local credentials, keeping the selected path until the peer nominates one anew.
    pub fn restart(&mut self, ufrag: &str, password: &str, now: Instant) {
        let mut renewed = Self::new(ufrag, password, Arc::clone(&self.locals), now);
        std::mem::swap(&mut self.agent, &mut renewed.agent);
        self.previous = Some(renewed.agent);
        self.paths.retain(|known| Some(known.path) == self.selected);
        self.wanderings = 0;
    }

    /// One STUN message for this transport.
    ///
    /// # Errors
    /// The reason it was refused.
    pub fn handle(&mut self, path: Path, message: StunMessage<'_>, now: Instant) -> Result<Vec<IceAction>, Reason> {
        let known = self.paths.iter().position(|known| known.path == path);
        if known.is_none() && !self.has_place(now) {
            return Err(Reason::StunPaths);
        }
        let nominates = message.use_candidate();
        let local = self.locals.get(usize::from(path.socket)).copied().ok_or(Reason::StunMalformed)?;
        let packet =
            |message| StunPacket { proto: carrier(path.protocol), source: path.remote, destination: local, message };
        let mut actions = Vec::new();
        if self.agent.handle_packet(now, packet(message)) {
            self.agent.handle_timeout(now);
        } else if let Some(previous) = self.previous.as_mut()
            && previous.handle_packet(now, packet(message))
        {
            previous.handle_timeout(now);
        } else {
            return Err(Reason::StunUnauthenticated);
        }
        let known = known.unwrap_or_else(|| {
            self.paths.push(KnownPath { path, heard: now, nominated_at: None });
            self.wanderings += 1;
            actions.push(IceAction::Validated(path.source()));
            self.paths.len() - 1
        });
        self.paths[known].heard = now;
        if nominates {
            self.paths[known].nominated_at = Some(now);
            self.follow_nomination(path, now, &mut actions);
        }
        self.drain(Some(path), now, &mut actions);
        Ok(actions)
    }

    /// The TCP connection of `path` has ended. Media waits for the peer to nominate another path.
    pub fn close_path(&mut self, path: Path) {
        self.paths.retain(|known| known.path != path);
    }

    /// Use `path` for want of a nominated one: the peer sent DTLS along it.
    pub fn prefer(&mut self, path: Path) -> Option<IceAction> {
        let usable = self.selected.is_none() && self.paths.iter().any(|known| known.path == path);
        usable.then(|| self.select(path))
    }

    /// Advance time: liveness, and checks that wait.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<IceAction> {
        let mut actions = Vec::new();
        self.agent.handle_timeout(now);
        if let Some(previous) = self.previous.as_mut() {
            previous.handle_timeout(now);
        }
        self.drain(None, now, &mut actions);
        if self.expires().is_some_and(|at| at <= now) {
            actions.push(IceAction::Expired);
        }
        actions
    }

    /// Media or data of the peer came at `at`, and were authentic.
    pub fn hear(&mut self, at: Instant) {
        self.heard = self.heard.max(Some(at));
    }

    /// When a peer without checks is given up.
    fn expires(&self) -> Option<Instant> {
        let patient = self.heard.map(|at| at + SILENCE);
        self.unchecked.map(|since| patient.map_or(since, |until| until.max(since)))
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let previous = self.previous.as_mut().and_then(IceAgent::poll_timeout);
        self.agent.poll_timeout().into_iter().chain(previous).chain(self.expires()).min()
    }

    /// Whether one more path may be known; forgets one that is no longer in use.
    fn has_place(&mut self, now: Instant) -> bool {
        if self.wanderings >= MAX_WANDERINGS {
            return false;
        }
        if self.paths.len() < MAX_PATHS {
            return true;
        }
        let stale = |known: &KnownPath| now.saturating_duration_since(known.heard) > PATH_STALE;
        let others = self.paths.iter().enumerate().filter(|(_, known)| Some(known.path) != self.selected);
        let oldest = others.filter(|(_, known)| stale(known)).min_by_key(|(_, known)| known.heard);
        let Some((index, _)) = oldest else { return false };
        self.paths.swap_remove(index);
        true
    }

    fn select(&mut self, path: Path) -> IceAction {
        self.selected = Some(path);
        IceAction::Selected(path)
    }

    /// A client that sends its nomination on one path only, as browsers do to a lite peer, moves by nominating another.
    fn follow_nomination(&mut self, path: Path, now: Instant, actions: &mut Vec<IceAction>) {
        let Some(selected) = self.selected.filter(|selected| *selected != path) else { return };
        let current = self.paths.iter().find(|known| known.path == selected).and_then(|known| known.nominated_at);
        if current.is_none_or(|at| now.saturating_duration_since(at) > NOMINATION_STALE) {
            let action = self.select(path);
            actions.push(action);
        }
    }

    fn drain(&mut self, arrived: Option<Path>, now: Instant, actions: &mut Vec<IceAction>) {
        let mut renewed = None;
        for agent in std::iter::once(&mut self.agent).chain(self.previous.as_mut()) {
            while let Some(transmit) = agent.poll_transmit() {
                let known = self.paths.iter().map(|known| known.path);
                let ends = (transmit.proto, transmit.source, transmit.destination);
                let leads = |path: &Path| leads(&self.locals, path, ends);
                if let Some(path) = arrived.into_iter().chain(known).find(leads) {
                    actions.push(IceAction::Send(path, Vec::from(transmit.contents)));
                }
            }
        }
        while let Some(event) = self.agent.poll_event() {
            match event {
                IceAgentEvent::NominatedSend { proto, source, destination } => {
                    renewed = Some((proto, source, destination));
                }
                IceAgentEvent::IceConnectionStateChange(state) => self.note(state, now),
                _ => {}
            }
        }
        while let Some(event) = self.previous.as_mut().and_then(IceAgent::poll_event) {
            if let IceAgentEvent::IceConnectionStateChange(state) = event {
                self.note(state, now);
            }
        }
        if let Some(ends) = renewed {
            self.previous = None;
            self.unchecked = None;
            let path = self.paths.iter().map(|known| known.path).find(|path| leads(&self.locals, path, ends));
            if let Some(path) = path.filter(|path| self.selected != Some(*path)) {
                let action = self.select(path);
                actions.push(action);
            }
        }
    }

    fn note(&mut self, state: IceConnectionState, now: Instant) {
        let given_up = state == IceConnectionState::Disconnected;
        self.unchecked = given_up.then(|| self.unchecked.unwrap_or(now));
    }
}

/// What the agent calls a path: protocol, our nominal address, the peer's.
type Ends = (is::Protocol, SocketAddr, SocketAddr);

fn leads(locals: &[SocketAddr], path: &Path, (protocol, local, remote): Ends) -> bool {
    carrier(path.protocol) == protocol && path.remote == remote && locals.get(usize::from(path.socket)) == Some(&local)
}

const fn carrier(protocol: Protocol) -> is::Protocol {
    match protocol {
        Protocol::Udp => is::Protocol::Udp,
        Protocol::Tcp(_) => is::Protocol::Tcp,
    }
}
