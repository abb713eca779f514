//! The relay in its own engine: one publisher, many subscribers, all behind ICE, DTLS and SRTP.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use relay_core::message::{Codec, Command, Encoding, Event, Extensions, Kind, ShardStats};
use relay_engine::{Engine, EngineConfig, Gso};

use crate::limit::sinks;
use crate::load::{Load, PAYLOAD_TYPE, SSRC, TRANSPORT_CC, drain};
use crate::peer::Peer;
use crate::setting::Setting;
use crate::{Failure, cpu, offload};

const ROOM: &str = "bench";
const TRACK: &str = "track";

/// A relay with its load.
pub struct Relay {
    engine: Engine,
    /// Where it is reached.
    pub address: SocketAddr,
    /// Who sends.
    pub publisher: Peer,
    /// Who receives.
    pub subscribers: Vec<Peer>,
    /// What is sent.
    pub load: Load,
    /// What was negotiated.
    pub profile: String,
}

/// One turn's result.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// µs of CPU per forwarded packet.
    pub cost: f64,
    /// Datagrams per send call.
    pub per_call: f64,
}

impl Relay {
    /// Starts the engine, connects everyone, and lets the first key frame through.
    ///
    /// # Errors
    /// In words, what did not work.
    pub fn start(setting: &Setting) -> Result<Self, Failure> {
        let engine = Engine::start(&EngineConfig {
            bind: vec![SocketAddr::from(([127, 0, 0, 1], setting.port))],
            announce: Vec::new(),
            tcp: false,
            shards: 1,
            receive_buffer: 4 << 20,
            send_buffer: 4 << 20,
            gso: Gso::Auto,
            dtls_retry_ms: 100,
            dtls_longest_retry_ms: 1600,
            dtls_handshake_ms: 30_000,
        })?;
        let address = engine.candidates(ROOM)[0].address;
        let outlet = offload::socket(SocketAddr::from(([127, 0, 0, 1], setting.port + 1)), false, 1 << 20)?;
        let mut publisher = Peer::connect(&engine, address, "publisher", ROOM, outlet)?;
        // Running by now, so it has its name.
        cpu::pin(cpu::find("relay-0").ok_or("no thread of the relay")?, 0);
        engine.command(vec![add_track()]);
        let mut subscribers = Vec::new();
        for (number, socket) in (0..).zip(sinks(setting, setting.port + 2)?) {
            let id = format!("subscriber-{number}");
            subscribers.push(Peer::connect(&engine, address, &id, ROOM, socket)?);
            engine.command(vec![subscribe(&id, number)]);
        }
        let sealer = publisher.sealer.take().ok_or("no keys for the publisher")?;
        let load = Load::new(sealer, publisher.socket.try_clone()?, address, setting.packet);
        let profile = publisher.profile.clone();
        let mut relay = Self { engine, address, publisher, subscribers, load, profile };
        relay.begin()?;
        Ok(relay)
    }

    /// Sends key frames until every subscriber is shown the track.
    fn begin(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut shown = 0;
        while shown < self.subscribers.len() {
            if Instant::now() > deadline {
                return Err(format!("{shown} of {} subscribers are shown the track", self.subscribers.len()).into());
            }
            self.load.burst(1, true)?;
            std::thread::sleep(Duration::from_millis(20));
            let changed = |event: &Event| matches!(event, Event::LayerChanged { layer: Some(_), .. });
            shown += self.engine.events().iter().filter(|event| changed(event)).count();
        }
        Ok(())
    }

    /// One turn.
    ///
    /// # Errors
    /// When packets are lost.
    pub fn turn(&mut self, run: usize, time: Duration) -> Result<Turn, Failure> {
        self.stay()?;
        let last = self.subscribers.last().ok_or("no subscribers")?;
        self.load.run(run, time / 10, &last.socket)?;
        let before = shard(&self.engine)?;
        let published = self.load.run(run, time, &last.socket)?;
        let after = shard(&self.engine)?;
        let sent = after.datagrams_sent - before.datagrams_sent;
        let forwarded = published * self.subscribers.len();
        // Reports and feedback are sent besides; a lost burst would show here.
        if sent < forwarded as u64 || sent > forwarded as u64 * 11 / 10 + 1000 {
            return Err(format!("{forwarded} packets to forward, {sent} sent").into());
        }
        Ok(Turn {
            cost: (after.cpu_seconds - before.cpu_seconds) * 1e6 / forwarded as f64,
            per_call: sent as f64 / (after.send_calls - before.send_calls) as f64,
        })
    }

    /// Empties the sockets and answers for consent.
    fn stay(&mut self) -> Result<(), Failure> {
        for peer in self.subscribers.iter_mut().chain([&mut self.publisher]) {
            drain(&peer.socket)?;
            peer.consent()?;
        }
        Ok(())
    }

    /// SSRC of what a subscriber gets.
    #[must_use]
    pub fn ssrc(subscriber: u32) -> u32 {
        10_000 + 2 * subscriber
    }

    /// Ends it.
    pub fn close(&self) {
        self.engine.close();
    }
}

fn shard(engine: &Engine) -> Result<ShardStats, Failure> {
    engine.command(vec![Command::GetStats { request: 1, room: Some("nowhere".into()) }]);
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        for event in engine.events() {
            if let Event::Stats(stats) = event {
                return stats.shards.into_iter().next().ok_or_else(|| "no shard".into());
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err("no statistics".into())
}

fn add_track() -> Command {
    Command::AddTrack {
        transport: "publisher".into(),
        track: TRACK.into(),
        kind: Kind::Video,
        codec: Codec {
            mime: "video/VP8".into(),
            payload_type: PAYLOAD_TYPE,
            clock_rate: 90_000,
            channels: 1,
            rtx_payload_type: None,
            red_payload_type: None,
            fmtp: String::new(),
        },
        encodings: vec![Encoding { ssrc: Some(SSRC), ..Encoding::default() }],
        extensions: Extensions { transport_cc: Some(TRANSPORT_CC), ..Extensions::default() },
        mid: Some("0".into()),
        scalability: None,
    }
}

fn subscribe(transport: &str, number: u32) -> Command {
    Command::Subscribe {
        subscription: format!("to-{transport}"),
        transport: transport.into(),
        track: TRACK.into(),
        ssrc: Relay::ssrc(number),
        payload_type: 102,
        extensions: Extensions { mid: Some(1), transport_cc: Some(3), abs_send_time: Some(2), ..Extensions::default() },
        rtx_ssrc: Some(Relay::ssrc(number) + 1),
        rtx_payload_type: Some(103),
        red_payload_type: None,
        mid: Some("0".into()),
    }
}
