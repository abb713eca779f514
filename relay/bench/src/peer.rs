//! A client as far as the bench needs one: ICE (controlling), DTLS as client, SRTP keys.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::certificate::{format_fingerprint, generate_self_signed_certificate};
use dimpl::{Dtls, Output, SrtpProfile};
use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceCreds, Protocol};
use relay_core::message::{Command, DtlsRole};
use relay_core::srtp::{Opener, Profile, Sealer, from_dtls_client};
use relay_engine::Engine;

use crate::Failure;

/// A connected client.
pub struct Peer {
    /// Its socket. What is not read is dropped by the kernel.
    pub socket: UdpSocket,
    /// Seals what it publishes.
    pub sealer: Option<Sealer>,
    /// Opens what it is sent.
    pub opener: Option<Opener>,
    /// The negotiated profile.
    pub profile: String,
    agent: IceAgent,
    local: SocketAddr,
    dtls: Dtls,
}

impl Peer {
    /// Opens a transport at the relay and connects to it from `socket`.
    ///
    /// # Errors
    /// In words, what did not work within ten seconds.
    pub fn connect(
        engine: &Engine,
        relay: SocketAddr,
        id: &str,
        room: &str,
        socket: UdpSocket,
    ) -> Result<Self, Failure> {
        let now = Instant::now();
        let local = socket.local_addr()?;
        let certificate = generate_self_signed_certificate().map_err(|error| error.to_string())?;
        let fingerprint = format_fingerprint(&certificate.fingerprint());
        let config = dimpl::Config::builder().build().map_err(|error| error.to_string())?;
        let mut dtls = Dtls::new_12(Arc::new(config), certificate, now);
        dtls.set_active(true);
        let mut agent = IceAgent::new(IceCreds { ufrag: format!("c-{id}"), pass: "c".repeat(24) });
        agent.set_controlling(true);
        agent.add_local_candidate(Candidate::host(local, "udp")?);
        agent.add_remote_candidate(Candidate::host(relay, "udp")?);
        let ours = IceCreds { ufrag: format!("r-{id}"), pass: "r".repeat(24) };
        agent.set_remote_credentials(ours.clone());
        let (transport, creds) = (id.to_owned(), agent.local_credentials().clone());
        engine.command(vec![
            Command::OpenTransport {
                transport: transport.clone(),
                room: room.into(),
                ufrag: ours.ufrag,
                password: ours.pass,
            },
            Command::SetRemote {
                transport,
                ufrag: creds.ufrag,
                password: creds.pass,
                fingerprint,
                role: DtlsRole::Server,
            },
        ]);
        let mut peer = Self { socket, sealer: None, opener: None, profile: String::new(), agent, local, dtls };
        let deadline = now + Duration::from_secs(10);
        while peer.sealer.is_none() || !peer.agent.state().is_connected() {
            if Instant::now() > deadline {
                return Err(format!("{id} did not connect").into());
            }
            peer.step(relay)?;
        }
        Ok(peer)
    }

    /// Keeps the relay's consent: a check and its answer.
    ///
    /// # Errors
    /// As the socket calls.
    pub fn consent(&mut self) -> Result<(), Failure> {
        self.agent.handle_timeout(Instant::now());
        while let Some(transmit) = self.agent.poll_transmit() {
            self.socket.send_to(&transmit.contents, transmit.destination)?;
        }
        self.socket.set_nonblocking(true)?;
        let mut datagram = [0; 2048];
        while let Ok((len, from)) = self.socket.recv_from(&mut datagram) {
            self.receive(&datagram[..len], from);
        }
        Ok(())
    }

    fn step(&mut self, relay: SocketAddr) -> Result<(), Failure> {
        let now = Instant::now();
        self.agent.handle_timeout(now);
        while let Some(transmit) = self.agent.poll_transmit() {
            self.socket.send_to(&transmit.contents, transmit.destination)?;
        }
        while self.agent.poll_event().is_some() {}
        if self.agent.state().is_connected() {
            self.dtls.handle_timeout(now).map_err(|error| error.to_string())?;
            self.flush(relay)?;
        }
        self.socket.set_nonblocking(false)?;
        self.socket.set_read_timeout(Some(Duration::from_millis(5)))?;
        let mut datagram = [0; 2048];
        if let Ok((len, from)) = self.socket.recv_from(&mut datagram) {
            self.receive(&datagram[..len], from);
            if self.agent.state().is_connected() {
                self.flush(relay)?;
            }
        }
        Ok(())
    }

    fn receive(&mut self, datagram: &[u8], from: SocketAddr) {
        match datagram.first() {
            Some(0..=3) => {
                if let Ok(message) = StunMessage::parse(datagram) {
                    let packet = StunPacket { proto: Protocol::Udp, source: from, destination: self.local, message };
                    self.agent.handle_packet(Instant::now(), packet);
                }
            }
            Some(20..=63) => {
                let _ = self.dtls.handle_packet(datagram);
            }
            _ => {}
        }
    }

    fn flush(&mut self, relay: SocketAddr) -> Result<(), Failure> {
        let mut record = [0; 2048];
        loop {
            match self.dtls.poll_output(&mut record) {
                Output::Packet(datagram) => {
                    self.socket.send_to(datagram, relay)?;
                }
                Output::KeyingMaterial(material, profile) => {
                    let profile = match profile {
                        SrtpProfile::AEAD_AES_256_GCM => Profile::AeadAes256Gcm,
                        SrtpProfile::AEAD_AES_128_GCM => Profile::AeadAes128Gcm,
                        _ => Profile::Aes128CmSha1_80,
                    };
                    profile.name().clone_into(&mut self.profile);
                    let (sealer, opener) = from_dtls_client(profile, &material)?;
                    (self.sealer, self.opener) = (Some(sealer), Some(opener));
                }
                Output::Timeout(_) => return Ok(()),
                _ => {}
            }
        }
    }
}
