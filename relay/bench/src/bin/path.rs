//! What the relay's own part of forwarding costs, without sockets: the switch against sealing alone.
//!
//! `cargo run --release -p relay-bench --bin path [-- 16]`: ns of CPU time per forwarded packet at bursts of 1, 4 and 16
//! packets (or of as many as named) to 50 subscribers, in turns, each into an arena as large as the engine's. With
//! `valgrind --tool=callgrind --toggle-collect='*take_in*'` the instructions are counted, whatever else the machine does.
#![allow(clippy::cast_precision_loss, reason = "small counts")]

#[path = "../cpu.rs"]
#[allow(dead_code, reason = "the other measurements use the rest")]
mod cpu;

use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use relay_core::message::{Codec, Encoding, Extensions, Kind};
use relay_core::outbox::{Destination, Outbox};
use relay_core::srtp::{Profile, Sealer, from_dtls_client, from_dtls_server};
use relay_core::switch::{PeerKey, SubscriptionConfig, Switch, TrackConfig};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const SUBSCRIBERS: u8 = 50;
/// Bytes of a published packet, of its header, and of a forwarded header.
const PACKET: usize = 1100;
const PUBLISHED: usize = 20;
const HEADER: usize = 28;
const TAG: usize = 16;
/// Bytes of the arena that packets are written to, as the engine's.
const ARENA: usize = 1024 * 1024;
const PROFILE: Profile = Profile::AeadAes256Gcm;
const SSRC: u32 = 7;
const TURNS: usize = 15;
/// Packets forwarded in a turn.
const FORWARDED: usize = 160_000;

/// An arena that begins anew where the engine would send.
struct Arena {
    bytes: Vec<u8>,
    used: usize,
    packets: usize,
}

impl Outbox for Arena {
    fn packet(&mut self, _: Destination, max_len: usize) -> &mut [u8] {
        if self.used + max_len > ARENA {
            self.used = 0;
        }
        self.bytes.get_mut(self.used..self.used + max_len).unwrap_or_default()
    }

    fn commit(&mut self, len: usize) {
        self.used += len;
        self.packets += 1;
    }
}

/// The switch with everybody in it.
struct Path {
    switch: Switch,
    publisher: PeerKey,
    sealer: Sealer,
    arena: Arena,
    index: u64,
    now: Instant,
}

fn codec() -> Codec {
    Codec {
        mime: "video/VP8".into(),
        payload_type: 96,
        clock_rate: 90_000,
        channels: 1,
        rtx_payload_type: None,
        red_payload_type: None,
        fmtp: String::new(),
    }
}

impl Path {
    fn new() -> Result<Self, Failure> {
        let now = Instant::now();
        let mut switch = Switch::new(now);
        let room = switch.add_room();
        let mut peer = |number: u8| -> Result<(PeerKey, Sealer), Failure> {
            let material = vec![number; PROFILE.keying_material_len()];
            let key = switch.add_peer(room, now).map_err(|_| "no peer")?;
            let (sealer, opener) = from_dtls_server(PROFILE, &material)?;
            switch.set_keys(key, sealer, opener);
            switch.set_destination(key, Some(Destination(number.into())));
            Ok((key, from_dtls_client(PROFILE, &material)?.0))
        };
        let (publisher, sealer) = peer(200)?;
        let peers = (0..SUBSCRIBERS).map(|number| Ok(peer(number)?.0)).collect::<Result<Vec<_>, Failure>>()?;
        let config = TrackConfig {
            kind: Kind::Video,
            codec: codec(),
            encodings: vec![Encoding { ssrc: Some(SSRC), ..Encoding::default() }],
            extensions: Extensions { transport_cc: Some(3), ..Extensions::default() },
            mid: Some("0".into()),
            scalability: None,
        };
        let track = switch.add_track(publisher, &config, now).map_err(|_| "no track")?;
        for (ssrc, peer) in (1_000..).step_by(2).zip(peers) {
            let config = SubscriptionConfig {
                ssrc,
                payload_type: 102,
                extensions: Extensions {
                    mid: Some(1),
                    transport_cc: Some(3),
                    abs_send_time: Some(2),
                    ..Extensions::default()
                },
                rtx_ssrc: Some(ssrc + 1),
                rtx_payload_type: Some(103),
                red_payload_type: None,
                mid: Some("0".into()),
            };
            switch.subscribe(peer, track, &config, now).map_err(|_| "no subscription")?;
        }
        let arena = Arena { bytes: vec![0; ARENA], used: 0, packets: 0 };
        Ok(Self { switch, publisher, sealer, arena, index: 1, now })
    }

    /// The next packets of the publisher, sealed.
    fn published(&mut self, run: usize) -> Result<Vec<Vec<u8>>, Failure> {
        let mut packets = Vec::new();
        for number in 0..run {
            let mut payload = vec![0x55; PACKET - PUBLISHED - TAG];
            let low = self.index.to_le_bytes();
            payload[..6].copy_from_slice(&[
                if number == 0 { 0x90 } else { 0x80 },
                0xc0,
                low[1] | 0x80,
                low[0],
                0,
                u8::from(self.index > 1),
            ]);
            let mut slot = vec![0; PACKET];
            slot[..2].copy_from_slice(&[0x90, 96]);
            slot[2..4].copy_from_slice(&[low[1], low[0]]);
            slot[4..8].copy_from_slice(&[0, low[2], low[1], low[0]]);
            slot[8..12].copy_from_slice(&SSRC.to_be_bytes());
            slot[12..20].copy_from_slice(&[0xbe, 0xde, 0, 1, 3 << 4 | 1, low[1], low[0], 0]);
            self.sealer.seal_rtp(&mut slot, PUBLISHED, &payload, &[], self.index).ok_or("cannot seal")?;
            self.index += 1;
            packets.push(slot);
        }
        Ok(packets)
    }

    /// µs of CPU time for a burst.
    fn burst(&mut self, mut packets: Vec<Vec<u8>>) -> f64 {
        self.now += Duration::from_micros(500);
        let before = cpu::micros();
        for packet in &mut packets {
            self.switch.take_in(self.publisher, packet, self.now, &mut self.arena);
        }
        self.switch.release(&mut self.arena);
        let spent = cpu::micros() - before;
        if self.switch.next_timeout() <= self.now {
            self.switch.poll(self.now, &mut self.arena);
        }
        spent
    }
}

/// Sealing alone.
struct Bare {
    keys: Vec<LessSafeKey>,
    arena: Vec<u8>,
    number: u64,
}

impl Bare {
    fn new() -> Result<Self, Failure> {
        let key = |number| Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[number; 32])?));
        let keys = (0..SUBSCRIBERS).map(key).collect::<Result<Vec<_>, Failure>>()?;
        Ok(Self { keys, arena: vec![0; ARENA], number: 0 })
    }

    fn burst(&mut self, run: usize) -> f64 {
        let payload = [0x55; PACKET - PUBLISHED - TAG];
        let outgoing = HEADER + payload.len() + TAG;
        let before = cpu::micros();
        for at in 0..run {
            self.number += 1;
            for (key, share) in self.keys.iter().zip(self.arena.chunks_exact_mut(run * outgoing)) {
                let (header, body) = share[at * outgoing..(at + 1) * outgoing].split_at_mut(HEADER);
                header.copy_from_slice(&[0x90; HEADER]);
                let (text, tag) = body.split_at_mut(payload.len());
                let mut nonce = [0; 12];
                nonce[4..].copy_from_slice(&self.number.to_be_bytes());
                let nonce = Nonce::assume_unique_for_key(nonce);
                let _ = key.seal_out_of_place_scatter(nonce, Aad::from(&*header), &payload, text, &[], tag);
            }
        }
        cpu::micros() - before
    }
}

fn main() -> Result<(), Failure> {
    cpu::pin(0, 0);
    let named: Option<usize> = std::env::args().nth(1).map(|run| run.parse()).transpose()?;
    let (mut path, mut bare) = (Path::new()?, Bare::new()?);
    for run in named.map_or(vec![1, 4, 16], |run| vec![run]) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let bursts = FORWARDED / usize::from(SUBSCRIBERS) / run;
        for _ in 0..TURNS {
            let (mut spent, mut least) = (0.0, 0.0);
            let before = path.arena.packets;
            for _ in 0..bursts {
                let packets = path.published(run)?;
                spent += path.burst(packets);
                least += bare.burst(run);
            }
            let forwarded = bursts * run * usize::from(SUBSCRIBERS);
            if path.arena.packets < before + forwarded {
                return Err("not everything was forwarded".into());
            }
            ours.push(spent * 1e3 / forwarded as f64);
            theirs.push(least * 1e3 / forwarded as f64);
        }
        let median = |values: &mut Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        println!("bursts of {run}: {:.0} ns, sealing alone {:.0} ns", median(&mut ours), median(&mut theirs));
    }
    Ok(())
}
