//! The limit loop: receive, open, seal, send, and nothing else.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use relay_core::srtp::{Profile, from_dtls_client};

use crate::load::Load;
use crate::offload::{Receiver, Sender, socket, wait};
use crate::setting::Setting;
use crate::{Failure, cpu};

/// Bytes of a forwarded header: fixed part and a block of 12 bytes, as the relay writes for a browser.
pub const HEADER: usize = 28;
/// Bytes of a published header.
pub const PUBLISHED: usize = 20;
/// Bytes of an authentication tag.
pub const TAG: usize = 16;

/// A key that seals or opens.
pub fn key(number: u8) -> Result<LessSafeKey, Failure> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[number; 32])?))
}

/// The nonce of a packet number.
pub fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// What the loop's thread shares.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// CPU time in ns, and packets forwarded, up to the last burst.
    spent: AtomicU64,
    forwarded: AtomicU64,
}

/// The running loop with its load.
pub struct Limit {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
    load: Load,
    sinks: Vec<UdpSocket>,
}

/// Receive buffer of a subscriber's socket: small, so that it is soon full and every packet costs the same, but for the
/// last one's, which is read.
pub fn buffer(setting: &Setting, number: u16) -> i32 {
    if usize::from(number) + 1 == setting.subscribers { 1 << 20 } else { 32 << 10 }
}

/// Sockets that take packets, with a small buffer: what is not read is dropped after the kernel segmented it.
pub fn sinks(setting: &Setting, first: u16) -> std::io::Result<Vec<UdpSocket>> {
    (0..setting.subscribers as u16)
        .map(|number| socket(SocketAddr::from(([127, 0, 0, 1], first + number)), false, buffer(setting, number)))
        .collect()
}

impl Limit {
    /// Starts the loop.
    ///
    /// # Errors
    /// As `bind(2)`.
    pub fn start(setting: &Setting) -> Result<Self, Failure> {
        let sinks = sinks(setting, setting.port + 200)?;
        let inlet = socket(SocketAddr::from(([127, 0, 0, 1], setting.port + 198)), true, 4 << 20)?;
        let relay = inlet.local_addr()?;
        let outlet = socket(SocketAddr::from(([127, 0, 0, 1], setting.port + 199)), false, 1 << 20)?;
        // The loop opens with the publisher's own session key, derived as SRTP does.
        let material: Vec<u8> = (0..).take(Profile::AeadAes256Gcm.keying_material_len()).collect();
        let (sealer, _) = from_dtls_client(Profile::AeadAes256Gcm, &material)?;
        let (_, opener) = relay_core::srtp::from_dtls_server(Profile::AeadAes256Gcm, &material)?;
        let addresses = sinks.iter().map(UdpSocket::local_addr).collect::<Result<Vec<_>, _>>()?;
        let shared = Arc::new(Shared::default());
        let (seen, packet) = (Arc::clone(&shared), setting.packet);
        let keys = (0..setting.subscribers).map(|number| key(number as u8)).collect::<Result<Vec<_>, _>>()?;
        let work = Work { inlet, addresses, keys, opener, packet };
        let thread = std::thread::Builder::new().name("limit".into()).spawn(move || work.run(&seen))?;
        Ok(Self { shared, thread: Some(thread), load: Load::new(sealer, outlet, relay, setting.packet), sinks })
    }

    /// One turn: µs of CPU per forwarded packet.
    ///
    /// # Errors
    /// When packets are lost.
    pub fn turn(&mut self, run: usize, time: Duration) -> Result<f64, Failure> {
        let last = self.sinks.last().ok_or("no subscribers")?;
        self.load.run(run, time / 10, last)?;
        let before = self.told();
        self.load.run(run, time, last)?;
        let after = self.told();
        for sink in &self.sinks {
            crate::load::drain(sink)?;
        }
        Ok((after.0 - before.0) as f64 / 1000.0 / (after.1 - before.1) as f64)
    }

    fn told(&self) -> (u64, u64) {
        // The last burst has been received, but its thread may still be on the way to say so.
        std::thread::sleep(Duration::from_millis(5));
        (self.shared.spent.load(Ordering::Acquire), self.shared.forwarded.load(Ordering::Acquire))
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    inlet: UdpSocket,
    addresses: Vec<SocketAddr>,
    keys: Vec<LessSafeKey>,
    opener: relay_core::srtp::Opener,
    packet: usize,
}

impl Work {
    fn run(self, shared: &Shared) {
        cpu::pin(0, 0);
        let (mut receiver, mut sender) = (Receiver::new(), Sender::new(&self.addresses));
        let outgoing = self.packet - PUBLISHED + HEADER;
        let (mut arena, mut number, mut window) = (Vec::new(), 0, relay_core::srtp::ReplayWindow::default());
        let map = relay_core::rtp::ExtensionMap::default();
        while !shared.stop.load(Ordering::Acquire) {
            if !wait(&self.inlet, 100) {
                continue;
            }
            for index in 0..receiver.receive(&self.inlet) {
                let (message, segment) = receiver.message(index);
                let run = message.len() / segment;
                arena.resize(self.keys.len() * run * outgoing, 0);
                for (at, packet) in message.chunks_exact_mut(segment).enumerate() {
                    let Ok(header) = relay_core::rtp::Header::parse(packet, &map) else { continue };
                    let Ok(payload) = self.opener.open_rtp(packet, &header, &mut window) else { continue };
                    number += 1;
                    for (key, share) in self.keys.iter().zip(arena.chunks_exact_mut(run * outgoing)) {
                        seal(key, number, payload, &mut share[at * outgoing..(at + 1) * outgoing]);
                    }
                }
                let _ = sender.send(&self.inlet, &arena, outgoing);
                shared.forwarded.fetch_add((run * self.keys.len()) as u64, Ordering::AcqRel);
            }
            shared.spent.store((cpu::micros() * 1000.0) as u64, Ordering::Release);
        }
    }
}

/// Writes a header and seals the payload behind it.
pub fn seal(key: &LessSafeKey, number: u64, payload: &[u8], slot: &mut [u8]) {
    let (header, body) = slot.split_at_mut(HEADER);
    header.copy_from_slice(&[0x90; HEADER]);
    let (text, tag) = body.split_at_mut(payload.len());
    let _ = key.seal_out_of_place_scatter(nonce(number), Aad::from(&*header), payload, text, &[], tag);
}
