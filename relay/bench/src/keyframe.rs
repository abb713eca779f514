//! From a subscriber's key-frame request to the key frame at the subscriber: what the relay adds to one frame's time.
//!
//! A publisher sends a frame of three packets every 1/30 s and answers a request with its next frame, as an encoder does.
//! The requests come at times that are spread over the frame.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use relay_core::rtcp::{Packet, Writer, packets};
use relay_core::srtp::{Opener, ReplayWindow, Sealer};

use crate::Failure;
use crate::load::{Load, SSRC, drain, media};
use crate::relay::Relay;
use crate::row::{Row, quantile, round, spread};
use crate::setting::Setting;

/// Time between frames.
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);
/// Packets of a frame.
const PACKETS: usize = 3;
/// Requests measured, and the time from one to the next: the relay passes on a few a second only.
const REQUESTS: u32 = 20;
const APART: Duration = Duration::from_millis(1_200);
/// What the relay may add, ms.
const ADDED: f64 = 5.0;
/// SSRC the subscriber speaks as.
const SUBSCRIBER: u32 = 7;
const PATIENCE: Duration = Duration::from_secs(5);

/// The publisher's end: frames on time, and what is asked of it.
struct Publisher<'a> {
    load: &'a mut Load,
    socket: UdpSocket,
    opener: Opener,
    window: ReplayWindow,
    next: Instant,
    wanted: bool,
}

impl Publisher<'_> {
    /// Reads what arrived, and sends a frame if it is time. True when that was a key frame.
    fn step(&mut self) -> Result<bool, Failure> {
        let mut datagram = [0; 2048];
        while let Ok(len) = self.socket.recv(&mut datagram) {
            self.wanted |= self.is_request(&mut datagram[..len]);
        }
        if Instant::now() < self.next {
            return Ok(false);
        }
        self.next += FRAME;
        let key_frame = std::mem::take(&mut self.wanted);
        self.load.burst(PACKETS, key_frame)?;
        Ok(key_frame)
    }

    fn is_request(&mut self, datagram: &mut [u8]) -> bool {
        let is_rtcp = datagram.len() > 2 && datagram[0] >> 6 == 2 && (192..=223).contains(&datagram[1]);
        let opened = is_rtcp.then(|| self.opener.open_rtcp(datagram, &mut self.window).ok()).flatten();
        opened.is_some_and(|compound| {
            packets(compound).any(|part| match part {
                Packet::Pli { ssrc } => ssrc == SSRC,
                Packet::Fir { .. } => true,
                _ => false,
            })
        })
    }
}

/// Asks again and again.
///
/// # Errors
/// When no key frame comes.
pub fn measure(setting: &Setting) -> Result<Row, Failure> {
    let mut relay = Relay::start(&Setting { subscribers: 1, port: setting.port + 200, ..setting.clone() })?;
    let address = relay.address;
    let mut sealer = relay.subscribers[0].sealer.take().ok_or("no keys for the subscriber")?;
    let opener = relay.publisher.opener.take().ok_or("no keys for the publisher")?;
    let subscriber = relay.subscribers[0].socket.try_clone()?;
    let socket = relay.publisher.socket.try_clone()?;
    socket.set_nonblocking(true)?;
    let window = ReplayWindow::default();
    let next = Instant::now();
    let mut publisher = Publisher { load: &mut relay.load, socket, opener, window, next, wanted: false };
    let mut took = Vec::new();
    for number in 0..REQUESTS {
        let until = Instant::now() + APART + FRAME * number / REQUESTS;
        while Instant::now() < until {
            publisher.step()?;
            drain(&subscriber)?;
            std::thread::sleep(Duration::from_micros(200));
        }
        took.push(ask(&mut publisher, &subscriber, &mut sealer, address)?.as_secs_f64() * 1e3);
    }
    relay.close();
    let interval = FRAME.as_secs_f64() * 1e3;
    Ok(Row {
        name: "key_frame_after_request".into(),
        value: round(quantile(&took, 0.95)),
        unit: "ms",
        limit: None,
        ratio: None,
        goal: Some(round(interval + ADDED)),
        spread: round(spread(&took)),
        conditions: BTreeMap::from([
            ("quantile", "p95".into()),
            ("median", format!("{:.1} ms", quantile(&took, 0.5))),
            ("slowest", format!("{:.1} ms", quantile(&took, 1.0))),
            ("frame_interval", format!("{interval:.1} ms")),
            ("requests", REQUESTS.to_string()),
        ]),
    })
}

/// One request: the time until the key frame's first packet is there.
fn ask(
    publisher: &mut Publisher<'_>,
    subscriber: &UdpSocket,
    sealer: &mut Sealer,
    relay: SocketAddr,
) -> Result<Duration, Failure> {
    let mut slot = [0; 128];
    let mut writer = Writer::new(&mut slot[..64], SUBSCRIBER);
    writer.pli(Relay::ssrc(0));
    let len = writer.len();
    let packet = sealer.seal_rtcp(&mut slot, len).ok_or("cannot seal")?;
    let asked = Instant::now();
    subscriber.send_to(&slot[..packet], relay)?;
    while !publisher.step()? {
        if asked.elapsed() > PATIENCE {
            return Err("the publisher was not asked for a key frame".into());
        }
        drain(subscriber)?;
    }
    // What comes now is the key frame: everything before it was read.
    while !media(subscriber)? {
        if asked.elapsed() > PATIENCE {
            return Err("the key frame did not come through".into());
        }
    }
    Ok(asked.elapsed())
}
