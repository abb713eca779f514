//! Data channels (RFC 8831) over the crate `sctp-proto`, one association per transport.
//!
//! The DTLS client opens the association; some peers do so in either role, and where both did, the peer's stands. Channels
//! open both ways by DCEP (RFC 8832), those of the DTLS client with even numbers. Everything a peer can grow is bounded:
//! channels, label length, message size, what waits to be sent, to be complete or to be told to the caller.

mod channel;
mod dcep;
mod early;
mod flow;
mod inbox;
mod intake;
mod opening;
mod pace;
mod packet;
mod receipts;
mod window;

use std::collections::{BTreeMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sctp_proto::{
    Association, AssociationError, AssociationHandle, Chunks, ClientConfig, DatagramEvent, Endpoint, EndpointConfig,
    Event, Payload, PayloadProtocolIdentifier as Protocol, ServerConfig, StreamEvent, TransportConfig,
};

use crate::drop::Reason;
use channel::Channel;
pub use channel::ChannelEvent;
use dcep::Open;
pub use dcep::{MAX_LABEL, Reliability};
use early::Early;
use inbox::Inbox;
use intake::{Intake, Room};
use pace::Pace;
pub use pace::Standing;
use packet::{Kind, Sack};
use receipts::Receipts;
use window::Window;

/// Largest message either way, in bytes.
pub const MAX_MESSAGE: usize = 64 * 1024;
const MAX_MESSAGE_U32: u32 = 64 * 1024;
/// Channels of one transport.
const MAX_CHANNELS: usize = 32;
/// Bytes that may wait on one channel: a slow reader loses messages instead of our memory.
const MAX_BACKLOG: usize = 1024 * 1024;
/// The same of messages whose senders are held back, for a peer that keeps up: those of many who begin, or go on, at once.
const MAX_HELD_BACKLOG: usize = 4 * 1024 * 1024;
/// Bytes that may wait on a channel that need not deliver: late is as good as lost.
const MAX_LOSSY_BACKLOG: usize = 128 * 1024;
/// Received, and not yet complete or not yet told to the caller, in bytes.
const RECEIVE_BUFFER: u32 = 512 * 1024;
/// Keeps a DTLS record with its SCTP packet under 1,200 bytes of UDP payload.
const CHUNK_PAYLOAD: u32 = 1120;

/// Time before what was lost is sent again, ms: at first, and at least and at most later. Nobody waits longer for a person's
/// words; a path that takes longer gets some of them twice.
const RETRY: u64 = 500;
const SHORTEST_RETRY: u64 = 200;
const LONGEST_RETRY: u64 = 2_000;

/// One peer's data channels.
pub struct Sctp {
    endpoint: Endpoint,
    config: Arc<ServerConfig>,
    /// Number of the first channel opened by us (RFC 8832 §6): as DTLS server odd.
    first: u16,
    association: Option<(AssociationHandle, Association)>,
    established: bool,
    channels: BTreeMap<u16, Channel>,
    /// What came of the peer, as far as it can make it grow.
    intake: Intake,
    /// What came of it and the caller was not told, and what it may send meanwhile.
    inbox: Inbox,
    window: Window,
    /// Whether it keeps up with what it is sent.
    pace: Pace,
    /// Who waits for that.
    receipts: Receipts,
    /// The last packet that there was no room for.
    late: Option<Bytes>,
    /// Opened by us before the association was.
    waiting: Vec<Open>,
    /// Sent before their channel was open.
    early: Early,
    events: VecDeque<ChannelEvent>,
    refused: Vec<Reason>,
    /// The last packet sent, and whether the peer has said that it ends the association.
    sent: Bytes,
    ended_by_peer: bool,
    /// Tells the peer that we ended it.
    abort: Option<Bytes>,
}

impl Default for Sctp {
    fn default() -> Self {
        let transport = TransportConfig::default()
            .with_max_receive_buffer_size(RECEIVE_BUFFER)
            .with_max_receive_message_size(u32::MAX) // the receive buffer bounds them, and we drop what is too large
            .with_max_send_message_size(MAX_MESSAGE_U32)
            .with_rto_initial_ms(RETRY)
            .with_rto_min_ms(SHORTEST_RETRY)
            .with_rto_max_ms(LONGEST_RETRY);
        let mut config = ServerConfig::new();
        config.transport = Arc::new(transport);
        let config = Arc::new(config);
        let mut endpoint = EndpointConfig::new();
        endpoint.max_payload_size(CHUNK_PAYLOAD);
        Self {
            endpoint: Endpoint::new(Arc::new(endpoint), Some(Arc::clone(&config))),
            config,
            first: 1,
            association: None,
            established: false,
            channels: BTreeMap::new(),
            intake: Intake::default(),
            inbox: Inbox::default(),
            window: Window::default(),
            pace: Pace::default(),
            receipts: Receipts::default(),
            late: None,
            waiting: Vec::new(),
            early: Early::default(),
            events: VecDeque::new(),
            refused: Vec::new(),
            sent: Bytes::new(),
            ended_by_peer: false,
            abort: None,
        }
    }
}

/// SCTP runs inside DTLS and has no addresses; the crate wants one.
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

impl Sctp {
    /// Open the association, as the DTLS client.
    pub fn connect(&mut self) {
        self.first = 0;
        let mut config = ClientConfig::new();
        config.transport = Arc::clone(&self.config.transport);
        if self.association.is_none() {
            self.association = self.endpoint.connect(config, NOWHERE).ok();
        }
    }

    /// One decrypted SCTP packet.
    pub fn handle(&mut self, packet: Bytes, now: Instant) {
        let packet = match self.admit(packet) {
            Ok(packet) => packet,
            Err(reason) => return self.refused.push(reason),
        };
        let answer = packet::is_init_ack(&packet);
        match self.endpoint.handle(now, NOWHERE, None, None, packet) {
            Some((handle, DatagramEvent::NewAssociation(association))) => {
                self.begin(handle, association);
                self.endpoint.reject_new_associations(); // one at a time: a peer cannot fill the endpoint
            }
            Some((handle, DatagramEvent::AssociationEvent(event))) => {
                if let Some((ours, association)) = self.association.as_mut()
                    && *ours == handle
                {
                    association.handle_event(event);
                    if answer {
                        self.endpoint.reject_new_associations();
                    }
                }
            }
            None => self.refused.push(Reason::SctpMalformed),
        }
        self.after(now);
    }

    /// The peer opens an association. If we had begun one, it goes on with its own: both ask, and ours is not answered to
    /// (RFC 9260 §5.2.1). What came before is of another one, if of any.
    fn begin(&mut self, handle: AssociationHandle, association: Association) {
        self.association = Some((handle, association));
        self.established = false;
        self.channels.clear();
        self.intake = Intake::default();
        self.window = Window::default();
        self.pace = Pace::default();
        self.late = None;
        self.events.extend(self.receipts.begin().map(ChannelEvent::Taken));
    }

    /// What came is told, what was acknowledged is no longer waited for.
    fn after(&mut self, now: Instant) {
        self.pump();
        self.tell(now);
        if self.pace.standing() != Standing::Free || !self.receipts.is_empty() {
            self.observe(now);
        }
    }

    /// What there is room for of a packet that is well formed. What is refused is not acknowledged: it is the sender's
    /// association that stands still.
    fn admit(&mut self, packet: Bytes) -> Result<Bytes, Reason> {
        let chunks = packet::chunks(&packet).ok_or(Reason::SctpMalformed)?;
        let taken = self.intake.admit(&chunks, self.room())?;
        for sack in Sack::all(&packet, &chunks) {
            self.receipts.acknowledged(&sack);
        }
        self.ended_by_peer |= chunks.iter().any(|chunk| chunk.kind == Kind::End);
        if taken.iter().all(|taken| *taken) {
            return Ok(packet);
        }
        let kept = chunks.iter().zip(taken).filter_map(|(chunk, taken)| taken.then_some(chunk));
        let rest = packet::of_chunks(&packet, kept).ok_or(Reason::SctpWindow);
        if self.room() != Room::All {
            self.late = Some(packet.clone());
        }
        let rest = rest?;
        self.refused.push(Reason::SctpWindow);
        Ok(rest)
    }

    /// Retransmit what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some((_, association)) = self.association.as_mut() {
            association.handle_timeout(now);
        }
        self.after(now);
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let association = self.association.as_ref().and_then(|(_, association)| association.poll_timeout());
        association
            .into_iter()
            .chain(self.inbox.poll_timeout())
            .chain(self.pace.poll_timeout())
            .chain(self.window.poll_timeout())
            .min()
    }

    /// The next packet for DTLS.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Vec<Bytes>> {
        if let Some(abort) = self.abort.take() {
            return Some(vec![abort]);
        }
        let association = self.association.as_mut().and_then(|(_, association)| association.poll_transmit(now));
        let Some(transmit) = association.or_else(|| self.endpoint.poll_transmit()) else {
            return self.window.update(self.held(), now).map(|packet| vec![packet]);
        };
        let Payload::RawEncode(packets) = transmit.payload else { return None };
        self.sent = packets.last().cloned().unwrap_or_default();
        let packets = packets.into_iter().filter_map(|packet| match Sack::of(&packet) {
            Some(sack) => {
                self.intake.acknowledged(&sack, RECEIVE_BUFFER);
                self.window.tell(packet, &sack, self.inbox.bytes(), now)
            }
            None => Some(packet),
        });
        Some(packets.collect())
    }

    /// What happened since the last call.
    pub fn poll_event(&mut self) -> Option<ChannelEvent> {
        self.events.pop_front()
    }

    /// What was refused since the last call.
    pub fn take_refused(&mut self) -> Vec<Reason> {
        std::mem::take(&mut self.refused)
    }

    fn pump(&mut self) {
        while let Some((handle, association)) = self.association.as_mut() {
            let mut idle = true;
            while let Some(event) = association.poll_endpoint_event() {
                idle = false;
                if let Some(event) = self.endpoint.handle_event(*handle, event) {
                    association.handle_event(event);
                }
            }
            if let Some(event) = association.poll() {
                idle = false;
                self.on_event(&event);
            }
            self.open_waiting();
            if idle {
                return;
            }
        }
    }

    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Connected => self.established = true,
            Event::HandshakeFailed { .. } => self.lose(Reason::SctpMalformed),
            Event::AssociationLost { reason } => self.lose(match reason {
                AssociationError::ReceiveBufferExhausted => Reason::DataTooLarge,
                _ => Reason::SctpMalformed,
            }),
            Event::Stream(StreamEvent::Readable { id }) => self.read(*id),
            Event::Stream(StreamEvent::Finished { id }) => {
                self.channels.remove(id);
                self.intake.reset(*id);
            }
            Event::Stream(StreamEvent::ResetComplete { .. } | StreamEvent::ResetFailed { .. }) => {
                self.intake.was_reset();
            }
            _ => {}
        }
    }

    /// The association is gone. Its peer is told, unless that ended it: its channels close, and it may connect anew.
    fn lose(&mut self, reason: Reason) {
        self.events.extend(self.receipts.end().map(ChannelEvent::Taken));
        let abort = if self.ended_by_peer { None } else { packet::abort(&self.sent) };
        self.refused.extend(abort.as_ref().map(|_| reason));
        *self = Self {
            abort,
            first: self.first,
            inbox: std::mem::take(&mut self.inbox),
            waiting: std::mem::take(&mut self.waiting),
            events: std::mem::take(&mut self.events),
            refused: std::mem::take(&mut self.refused),
            ..Self::default()
        };
    }

    fn read(&mut self, id: u16) {
        while let Some(chunks) = self.next_message(id) {
            self.intake.read(chunks.chunks.len(), chunks.len());
            let mut message = vec![0; chunks.len().min(MAX_MESSAGE)];
            if chunks.read(&mut message).is_err() {
                self.refused.push(Reason::DataTooLarge);
                continue;
            }
            match chunks.ppi {
                Protocol::Dcep => self.on_dcep(id, &message),
                Protocol::BinaryEmpty | Protocol::StringEmpty => self.on_message(id, Bytes::new()),
                _ => self.on_message(id, message.into()),
            }
        }
    }

    fn next_message(&mut self, id: u16) -> Option<Chunks> {
        let (_, association) = self.association.as_mut()?;
        association.stream(id).ok()?.read_sctp().ok()?
    }

    fn on_message(&mut self, id: u16, message: Bytes) {
        match self.channels.get(&id).map(|channel| &channel.open) {
            Some(open) if open.reliability == Reliability::Reliable => self.inbox.push(open.label.clone(), message),
            Some(open) => {
                let label = open.label.clone();
                self.events.push_back(ChannelEvent::Received { label, payload: message, reliable: false });
            }
            None => self.refused.push(Reason::ChannelUnknown),
        }
    }
}

#[cfg(test)]
mod tests;
