//! What a DTLS handshake costs the relay in each version, and what sealing a packet costs by each SRTP profile.
//!
//! `cargo run --release -p relay-bench --bin handshake`: µs of CPU time of the relay's side alone, with a `dimpl` client in
//! the same thread, no network and no lost time.
#![allow(clippy::cast_precision_loss, reason = "small counts")]

#[path = "../cpu.rs"]
#[allow(dead_code, reason = "the other measurements use the rest")]
mod cpu;

use std::sync::Arc;
use std::time::Instant;

use dimpl::certificate::{format_fingerprint, generate_self_signed_certificate};
use dimpl::{Config, Dtls, DtlsCertificate, Output};
use relay_core::message::DtlsRole;
use relay_core::srtp::{Profile, from_dtls_client};
use relay_core::transport::dtls::{DtlsAction, DtlsSession, DtlsTimers, Fingerprint, Identity};

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Make = fn(Arc<Config>, DtlsCertificate, Instant) -> Dtls;

/// Handshakes of each version; packets of each profile.
const HANDSHAKES: usize = 500;
const PACKETS: u64 = 200_000;
/// RTP header and payload of a packet, bytes.
const HEADER: usize = 12;
const PACKET: usize = 1100;

fn main() -> Result<(), Failure> {
    cpu::pin(0, 0);
    let identity = Identity::generate(DtlsTimers::default())?;
    for (name, make) in [("1.2", Dtls::new_12 as Make), ("1.3", Dtls::new_13)] {
        let mut micros = Vec::new();
        for _ in 0..HANDSHAKES {
            micros.push(handshake(&identity, make)?);
        }
        micros.sort_by(f64::total_cmp);
        println!("DTLS {name}: {:.0} µs per handshake (median)", micros[HANDSHAKES / 2]);
    }
    for profile in [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::Aes128CmSha1_80] {
        println!("{}: {:.3} µs per packet of {PACKET} bytes", profile.name(), seal(profile)?);
    }
    Ok(())
}

/// CPU time of the server of one handshake, in µs.
fn handshake(identity: &Identity, make: Make) -> Result<f64, Failure> {
    let now = Instant::now();
    let certificate = generate_self_signed_certificate().map_err(|error| error.to_string())?;
    let fingerprint = Fingerprint::parse(&format_fingerprint(&certificate.fingerprint())).ok_or("no fingerprint")?;
    let config = Config::builder().build().map_err(|error| error.to_string())?;
    let mut client = make(Arc::new(config), certificate, now);
    client.set_active(true);
    client.handle_timeout(now).map_err(|error| error.to_string())?;
    let before = cpu::micros();
    let mut server = DtlsSession::new(DtlsRole::Server, identity, fingerprint);
    let mut cost = cpu::micros() - before;
    let mut buffer = vec![0; 4096];
    for _ in 0..10 {
        let mut flight = Vec::new();
        loop {
            match client.poll_output(&mut buffer) {
                Output::Packet(packet) => flight.push(packet.to_vec()),
                Output::Timeout(_) => break,
                _ => {}
            }
        }
        for datagram in flight {
            let before = cpu::micros();
            let actions = server.handle(&datagram, now);
            cost += cpu::micros() - before;
            for action in actions {
                if let DtlsAction::Send(datagram) = action {
                    client.handle_packet(&datagram).map_err(|error| error.to_string())?;
                }
            }
        }
        if server.connected() {
            return Ok(cost);
        }
    }
    Err("no handshake".into())
}

/// CPU time of sealing one packet, in µs.
fn seal(profile: Profile) -> Result<f64, Failure> {
    let material: Vec<u8> = (0..).take(profile.keying_material_len()).collect();
    let (sealer, _) = from_dtls_client(profile, &material)?;
    let payload = vec![0x55; PACKET - HEADER];
    let mut header = [0; HEADER];
    header[0] = 0x80;
    let mut slot = vec![0; PACKET + 32];
    let before = cpu::micros();
    for number in 0..PACKETS {
        header[2..4].copy_from_slice(&number.to_be_bytes()[6..]);
        slot[..HEADER].copy_from_slice(&header);
        sealer.seal_rtp(&mut slot, HEADER, &payload, &[], number).ok_or("no room")?;
    }
    Ok((cpu::micros() - before) / PACKETS as f64)
}
