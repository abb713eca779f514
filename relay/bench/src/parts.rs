//! The parts of the limit loop, each alone.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use relay_core::rtp::{ExtensionMap, Header};
use relay_core::srtp::{Opener, Profile, ReplayWindow, from_dtls_client, from_dtls_server};

use crate::limit::{HEADER, PUBLISHED, key, seal, sinks};
use crate::load::Load;
use crate::offload::{Receiver, Sender, socket, wait};
use crate::setting::Setting;
use crate::{Failure, cpu};

/// Bursts received to measure receiving and opening.
const BURSTS: usize = 500;
/// Time between two bursts.
const PAUSE: Duration = Duration::from_micros(100);

/// µs of CPU per packet: of a received one for `receive` and `open`, of a sent one for `seal` and `send`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts {
    /// `poll` and `recvmmsg` with receive offload.
    pub receive: f64,
    /// Parsing the header and AES-GCM.
    pub open: f64,
    /// Writing the header and AES-GCM, out of place.
    pub seal: f64,
    /// `sendmmsg` with segmentation offload.
    pub send: f64,
}

impl Parts {
    /// What a forwarded packet costs at least, with so many subscribers.
    #[must_use]
    pub fn sum(&self, subscribers: usize) -> f64 {
        (self.receive + self.open) / subscribers as f64 + self.seal + self.send
    }
}

/// Measures each part for about `time`.
///
/// # Errors
/// As the socket calls.
pub fn measure(setting: &Setting, run: usize, time: Duration) -> Result<Parts, Failure> {
    let profile = Profile::AeadAes256Gcm;
    let material: Vec<u8> = (0..).take(profile.keying_material_len()).collect();
    let (sealer, _) = from_dtls_client(profile, &material)?;
    let (_, opener) = from_dtls_server(profile, &material)?;
    let inlet = socket(SocketAddr::from(([127, 0, 0, 1], setting.port + 196)), true, 4 << 20)?;
    let outlet = socket(SocketAddr::from(([127, 0, 0, 1], setting.port + 197)), false, 1 << 20)?;
    let mut load = Load::new(sealer, outlet, inlet.local_addr()?, setting.packet);
    let seen = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| -> Result<Parts, Failure> {
            cpu::pin(0, 0);
            let (receive, open) = measure_incoming(&inlet, &opener, &seen)?;
            let (seal, send) = measure_outgoing(setting, &inlet, run, time)?;
            Ok(Parts { receive, open, seal, send })
        });
        for burst in 0..BURSTS {
            load.burst(run, false)?;
            // The receiver goes to sleep between bursts, as it does in the loop.
            let sent = Instant::now();
            while seen.load(Ordering::Acquire) <= burst || sent.elapsed() < PAUSE {
                if worker.is_finished() {
                    break;
                }
                std::hint::spin_loop();
            }
        }
        worker.join().map_err(|_| "the measuring thread panicked")?
    })
}

/// Waits for each burst, so the cost of being woken is in `receive`.
fn measure_incoming(inlet: &UdpSocket, opener: &Opener, seen: &AtomicUsize) -> Result<(f64, f64), Failure> {
    let mut receiver = Receiver::new();
    let (map, mut window) = (ExtensionMap::default(), ReplayWindow::default());
    let (mut receive, mut open, mut packets) = (0.0, 0.0, 0);
    for _ in 0..BURSTS {
        let before = cpu::micros();
        if !wait(inlet, 1000) {
            return Err("a burst was lost".into());
        }
        let messages = receiver.receive(inlet);
        let between = cpu::micros();
        for index in 0..messages {
            let (message, segment) = receiver.message(index);
            for packet in message.chunks_mut(segment) {
                let header = Header::parse(packet, &map)?;
                opener.open_rtp(packet, &header, &mut window)?;
                packets += 1;
            }
        }
        open += cpu::micros() - between;
        receive += between - before;
        seen.fetch_add(1, Ordering::AcqRel);
    }
    let packets = f64::from(packets);
    Ok((receive / packets, open / packets))
}

fn measure_outgoing(setting: &Setting, inlet: &UdpSocket, run: usize, time: Duration) -> Result<(f64, f64), Failure> {
    let sinks = sinks(setting, setting.port + 400)?;
    let addresses = sinks.iter().map(UdpSocket::local_addr).collect::<Result<Vec<_>, _>>()?;
    let keys = (0..setting.subscribers).map(|number| key(number as u8)).collect::<Result<Vec<_>, _>>()?;
    let outgoing = setting.packet - PUBLISHED + HEADER;
    let payload = vec![0x55; setting.packet - PUBLISHED - crate::limit::TAG];
    let mut arena = vec![0; keys.len() * run * outgoing];
    let mut sender = Sender::new(&addresses);
    let (mut sealing, mut sending, mut number, mut packets) = (0.0, 0.0, 0, 0);
    let enough = time.as_secs_f64() * 1e6;
    while sealing + sending < enough {
        let before = cpu::micros();
        for at in 0..run {
            number += 1;
            for (key, share) in keys.iter().zip(arena.chunks_exact_mut(run * outgoing)) {
                seal(key, number, &payload, &mut share[at * outgoing..(at + 1) * outgoing]);
            }
        }
        let between = cpu::micros();
        sender.send(inlet, &arena, outgoing)?;
        sending += cpu::micros() - between;
        sealing += between - before;
        packets += run * keys.len();
    }
    Ok((sealing / packets as f64, sending / packets as f64))
}
