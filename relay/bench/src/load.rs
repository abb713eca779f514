//! The publisher: bursts of sealed packets, the next when the last subscriber has the one before.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use relay_core::srtp::Sealer;

use crate::Failure;
use crate::offload::Sender;

/// Bytes before the payload of a published packet: fixed header, and a block with the transport-wide number.
const HEADER: usize = 20;
const TAG: usize = 16;
/// How long a burst may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// SSRC of the publisher's only layer.
pub const SSRC: u32 = 0x0101_0101;
/// Payload type of the published VP8.
pub const PAYLOAD_TYPE: u8 = 96;
/// Extension id of transport-wide numbers.
pub const TRANSPORT_CC: u8 = 3;

/// One published stream.
pub struct Load {
    sealer: Sealer,
    socket: UdpSocket,
    sender: Sender,
    packet: usize,
    payload: Vec<u8>,
    index: u64,
    transport_cc: u16,
    timestamp: u32,
    arena: Vec<u8>,
}

impl Load {
    /// A stream of packets of `packet` bytes from `socket` to `relay`.
    #[must_use]
    pub fn new(sealer: Sealer, socket: UdpSocket, relay: SocketAddr, packet: usize) -> Self {
        let payload = vec![0x55; packet - HEADER - TAG];
        let sender = Sender::new(&[relay]);
        Self { sealer, socket, sender, packet, payload, index: 1, transport_cc: 0, timestamp: 0, arena: Vec::new() }
    }

    /// Seals a burst and sends it in one call. `key_frame` makes it begin with one.
    ///
    /// # Errors
    /// As `sendmmsg(2)`.
    pub fn burst(&mut self, packets: usize, key_frame: bool) -> io::Result<()> {
        self.timestamp = self.timestamp.wrapping_add(900);
        self.arena.resize(packets * self.packet, 0);
        for (number, slot) in self.arena.chunks_exact_mut(self.packet).enumerate() {
            // VP8 (RFC 7741): X, S on the first; I and L; picture id, TL0PICIDX; then the frame's own first octet.
            let first = 0x80 | if number == 0 { 0x10 } else { 0 };
            let [high, low] = ((self.timestamp / 900) as u16 | 0x8000).to_be_bytes();
            self.payload[..6].copy_from_slice(&[first, 0xc0, high, low, 0, u8::from(!key_frame)]);
            slot[..2].copy_from_slice(&[0x90, PAYLOAD_TYPE]);
            slot[2..4].copy_from_slice(&(self.index as u16).to_be_bytes());
            slot[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
            slot[8..12].copy_from_slice(&SSRC.to_be_bytes());
            slot[12..17].copy_from_slice(&[0xbe, 0xde, 0, 1, TRANSPORT_CC << 4 | 1]);
            slot[17..19].copy_from_slice(&self.transport_cc.to_be_bytes());
            self.sealer.seal_rtp(slot, HEADER, &self.payload, &[], self.index).ok_or(io::ErrorKind::InvalidData)?;
            self.index += 1;
            self.transport_cc = self.transport_cc.wrapping_add(1);
        }
        self.sender.send(&self.socket, &self.arena, self.packet)
    }

    /// Bursts for `time`, each when `last` has received the one before. Returns how many packets were published.
    ///
    /// It never sleeps: waking this thread would be work of the forwarding thread (an interrupt to another core, tens of
    /// microseconds in a virtual machine) that has nothing to do with forwarding.
    ///
    /// # Errors
    /// When a burst does not come through within a second.
    pub fn run(&mut self, burst: usize, time: Duration, last: &UdpSocket) -> Result<usize, Failure> {
        drain(last)?;
        let (begin, mut published) = (Instant::now(), 0);
        while begin.elapsed() < time {
            self.burst(burst, false)?;
            let sent = Instant::now();
            let mut came = 0;
            while came < burst {
                came += usize::from(media(last)?);
                if sent.elapsed() > PATIENCE {
                    return Err(format!("{} of {burst} packets of a burst did not come through", burst - came).into());
                }
            }
            published += burst;
        }
        Ok(published)
    }
}

/// Whether a media packet waits in a socket; takes it. Reports and checks come along the same way.
///
/// # Errors
/// As `recv(2)`.
pub fn media(socket: &UdpSocket) -> io::Result<bool> {
    let mut datagram = [0; 2048];
    match socket.recv(&mut datagram) {
        Ok(len) => Ok(len > 2 && (128..=191).contains(&datagram[0]) && !(192..=223).contains(&datagram[1])),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            std::hint::spin_loop();
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Throws away what waits in a socket.
///
/// # Errors
/// As `fcntl(2)`.
pub fn drain(socket: &UdpSocket) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let mut datagram = [0; 2048];
    while socket.recv(&mut datagram).is_ok() {}
    Ok(())
}
