//! A `str0m` client as it would be in a browser: ICE controlling, DTLS client, SCTP client. Or, as `str0m` answers by
//! itself, with the servers' roles.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use relay_core::message::{Command, DtlsRole};
use str0m::channel::{ChannelConfig, ChannelId};
use str0m::crypto::Fingerprint;
use str0m::net::{DatagramRecv, Protocol, Receive};
use str0m::{Candidate, Event, IceCreds, Input, Output, Rtc, RtcConfig};

/// One client with what it saw.
pub struct Client {
    /// Its transport's id at the relay.
    pub id: String,
    /// Its address.
    pub address: SocketAddr,
    /// Where its datagrams seem to come from: its address, unless a NAT maps it anew.
    pub seen: SocketAddr,
    /// The number of its TCP connection, if it uses one.
    pub connection: Option<u32>,
    /// The relay's end of DTLS.
    pub role: DtlsRole,
    /// The stack.
    pub rtc: Rtc,
    /// Connected by ICE and DTLS.
    pub connected: bool,
    /// Channels open, by label.
    pub channels: Vec<(ChannelId, String)>,
    /// Messages received.
    pub messages: Vec<(ChannelId, Vec<u8>)>,
    /// The rest.
    pub events: Vec<Event>,
    /// When it wants to be woken.
    pub timeout: Instant,
}

impl Client {
    /// A client that knows nothing of the relay yet.
    pub fn new(id: &str, address: &str, connection: Option<u32>, config: RtcConfig, now: Instant) -> Self {
        let address: SocketAddr = address.parse().expect("a test address");
        let mut rtc = config.set_crypto_provider(crate::browser::provider()).build(now);
        rtc.add_local_candidate(candidate(address, connection));
        Self {
            id: id.into(),
            address,
            seen: address,
            connection,
            role: DtlsRole::Server,
            rtc,
            connected: false,
            channels: Vec::new(),
            messages: Vec::new(),
            events: Vec::new(),
            timeout: now,
        }
    }

    /// What its SDP would say.
    pub fn set_remote(&mut self) -> Command {
        let api = self.rtc.direct_api();
        let creds = api.local_ice_credentials();
        let bytes = &api.local_dtls_fingerprint().bytes;
        let fingerprint = bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
        let (ufrag, password) = (creds.ufrag, creds.pass);
        Command::SetRemote { transport: self.id.clone(), ufrag, password, fingerprint, role: self.role }
    }

    /// Take the relay's SDP.
    pub fn learn(&mut self, relay: SocketAddr, ufrag: &str, password: &str, fingerprint: &str) {
        let bytes = fingerprint.split(':').map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect();
        self.rtc.add_remote_candidate(candidate(relay, self.connection));
        let mut api = self.rtc.direct_api();
        api.set_ice_controlling(true);
        api.set_remote_ice_credentials(IceCreds { ufrag: ufrag.into(), pass: password.into() });
        api.set_remote_fingerprint(Fingerprint { hash_func: "sha-256".into(), bytes });
        let begins = self.role == DtlsRole::Server;
        api.start_dtls(begins).expect("DTLS starts once");
        api.start_sctp(begins);
    }

    /// Move to another network: the old address is gone, the new one is tried.
    pub fn move_to(&mut self, address: &str) {
        self.rtc.direct_api().invalidate_candidate(&candidate(self.address, self.connection));
        self.address = address.parse().expect("a test address");
        self.seen = self.address;
        self.rtc.add_local_candidate(candidate(self.address, self.connection));
    }

    /// Open a channel from the client's side.
    pub fn open_channel(&mut self, label: &str) -> ChannelId {
        self.rtc.direct_api().create_data_channel(ChannelConfig { label: label.into(), ..ChannelConfig::default() })
    }

    /// The open channel of this label.
    pub fn channel(&self, label: &str) -> Option<ChannelId> {
        self.channels.iter().find(|(_, name)| name == label).map(|(id, _)| *id)
    }

    /// A datagram from the relay.
    pub fn receive(&mut self, from: SocketAddr, datagram: &[u8], now: Instant) {
        let Ok(contents) = DatagramRecv::try_from(datagram) else { return };
        let proto = if self.connection.is_some() { Protocol::Tcp } else { Protocol::Udp };
        let receive = Receive { proto, source: from, destination: self.address, contents };
        let _ = self.rtc.handle_input(Input::Receive(now, receive));
    }

    /// Advance to `now`; what it wants to send.
    pub fn poll(&mut self, now: Instant) -> VecDeque<Vec<u8>> {
        let mut sent = VecDeque::new();
        if self.timeout <= now {
            let _ = self.rtc.handle_input(Input::Timeout(now));
        }
        while self.rtc.is_alive() {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.timeout = at;
                    break;
                }
                Ok(Output::Transmit(transmit)) => sent.push_back(Vec::from(transmit.contents)),
                Ok(Output::Event(event)) => self.on_event(event),
                Err(_) => break,
            }
        }
        sent
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Connected => self.connected = true,
            Event::ChannelOpen(id, label) => self.channels.push((id, label)),
            Event::ChannelData(data) => self.messages.push((data.id, data.data)),
            event => self.events.push(event),
        }
    }
}

fn candidate(address: SocketAddr, connection: Option<u32>) -> Candidate {
    let protocol = if connection.is_some() { "tcp" } else { "udp" };
    Candidate::host(address, protocol).expect("a host candidate")
}
