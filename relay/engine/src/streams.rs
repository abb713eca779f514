//! The TCP side of a shard: its listeners and the connections of its peers (RFC 6544, passive), behind one `epoll`.
//!
//! Bounds: so many connections, so many of one address before they prove themselves, bytes that wait in each direction,
//! time to the first valid check, time for a slow reader. The UDP path knows nothing of all this but one descriptor.

use std::collections::BTreeMap;
use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use relay_core::wire::{Path, Protocol, Source};
use rustix::event::{Timespec, epoll};

use crate::framing::{LENGTH, MAX_FRAME, put};
use crate::socket::{set, tcp_listener};
use crate::stream::{PROOF, Sent, Stream};

/// Connections of one shard.
pub const MAX_STREAMS: usize = 512;
/// Connections of one address (of one /64 in IPv6) that have not proven themselves.
pub const MAX_STRANGERS: usize = 32;
/// Events per look.
const EVENTS: usize = 64;
/// Connections accepted per look.
const ACCEPTS: usize = 32;
/// Between looks at deadlines; also how long a listener rests after the system had no more descriptors.
const SWEEP: Duration = Duration::from_secs(1);
/// Kernel's send buffer of one connection, bytes: what media may be late by, 100 ms round trip at 10 Mbit/s.
const SEND_BUFFER: i32 = 128 * 1024;
/// Epoll data of listeners: this bit with the index of the socket. Others are numbers of connections.
const LISTENER: u64 = 1 << 63;
/// Bytes of a buffer for [`Streams::read`]: a kept beginning, and one read.
pub const SCRATCH: usize = LENGTH + MAX_FRAME + 64 * 1024;

/// Why a connection was closed or a datagram was not sent; the names of statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closed {
    /// The peer or the network ended it.
    Peer,
    /// More connections than there is room for.
    Refused,
    /// No valid STUN check in time, or the transport it belonged to has ended.
    Unowned,
    /// What came first was no STUN, or a frame was too long.
    Protocol,
    /// It did not read what was sent.
    Slow,
}

impl Closed {
    const fn name(self) -> &'static str {
        match self {
            Self::Peer => "stream_ended",
            Self::Refused => "stream_refused",
            Self::Unowned => "stream_unowned",
            Self::Protocol => "stream_protocol",
            Self::Slow => "stream_slow",
        }
    }
}

#[derive(Default)]
struct Slot {
    generation: u16,
    stream: Option<Stream>,
}

struct Listener {
    tcp: TcpListener,
    rests: bool,
}

/// The connections of one shard.
pub struct Streams {
    epoll: OwnedFd,
    listeners: Vec<Listener>,
    slots: Vec<Slot>,
    open: usize,
    frames: Vec<u8>,
    closed: Vec<Path>,
    swept: Instant,
    counts: BTreeMap<&'static str, u64>,
}

impl Streams {
    /// Listen at the addresses of the sockets of a shard.
    ///
    /// # Errors
    /// As `bind(2)` and `epoll_create(2)`.
    pub fn new(listeners: Vec<TcpListener>, now: Instant) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (index, listener) in listeners.iter().enumerate() {
            let data = epoll::EventData::new_u64(LISTENER | index as u64);
            epoll::add(&epoll, listener, data, epoll::EventFlags::IN)?;
        }
        Ok(Self {
            epoll,
            listeners: listeners.into_iter().map(|tcp| Listener { tcp, rests: false }).collect(),
            slots: Vec::new(),
            open: 0,
            frames: Vec::new(),
            closed: Vec::new(),
            swept: now,
            counts: BTreeMap::new(),
        })
    }

    /// Readable when there is something for [`Self::ready`].
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// Accept, send what waits, and tell which connections have something to read.
    pub fn ready(&mut self, now: Instant) -> Vec<u32> {
        let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; EVENTS];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let Ok((events, _)) = epoll::wait(&self.epoll, &mut events[..], Some(&at_once)) else {
            return Vec::new(); // interrupted
        };
        let mut readable = Vec::new();
        for event in events {
            let (data, flags) = (event.data.u64(), event.flags);
            if data & LISTENER != 0 {
                self.accept((data & !LISTENER) as usize, now);
                continue;
            }
            let number = data as u32;
            if flags.contains(epoll::EventFlags::OUT) {
                self.drain(number, now);
            }
            if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
                readable.push(number);
            }
        }
        readable
    }

    /// Read from a connection into a buffer of [`SCRATCH`] bytes; how many there are, `None` when there is nothing.
    pub fn read(&mut self, number: u32, scratch: &mut [u8]) -> Option<usize> {
        let result = self.get(number)?.read(scratch);
        if result.is_err() {
            self.close(number, Closed::Peer);
        }
        result.ok().flatten()
    }

    /// Keep the beginning of a datagram.
    pub fn keep(&mut self, number: u32, rest: &[u8]) {
        if let Some(stream) = self.get(number) {
            stream.keep(rest);
        }
    }

    /// The connection of this number, if it is still open.
    pub fn get(&mut self, number: u32) -> Option<&mut Stream> {
        let slot = self.slots.get_mut(usize::from(number as u16))?;
        slot.stream.as_mut().filter(|_| u32::from(slot.generation) == number >> 16)
    }

    /// Send datagrams along a connection; how many it took.
    pub fn write<'a>(&mut self, number: u32, datagrams: impl Iterator<Item = &'a [u8]>) -> u64 {
        let mut frames = std::mem::take(&mut self.frames);
        frames.clear();
        let (mut taken, mut full) = (0, 0);
        let Some(stream) = self.get(number) else { return 0 };
        for datagram in datagrams {
            if stream.has_room(frames.len() + LENGTH + datagram.len()) {
                put(datagram, &mut frames);
                taken += 1;
            } else {
                full += 1;
            }
        }
        let result = stream.write(&frames, Instant::now());
        self.frames = frames;
        if full > 0 {
            *self.counts.entry("stream_full").or_default() += full;
        }
        match result {
            Ok(Sent::All) => {}
            Ok(Sent::Some) => self.watch(number, epoll::EventFlags::IN | epoll::EventFlags::OUT),
            Err(_) => self.close(number, Closed::Peer),
        }
        taken
    }

    /// End a connection.
    pub fn close(&mut self, number: u32, reason: Closed) {
        let Some(path) = self.get(number).map(|stream| stream.path) else { return };
        let slot = &mut self.slots[usize::from(number as u16)];
        slot.stream = None; // closes it, which takes it out of epoll
        slot.generation = slot.generation.wrapping_add(1);
        self.open -= 1;
        self.closed.push(path);
        self.count(reason);
    }

    /// Connections that ended since the last call, for the core.
    pub fn take_closed(&mut self) -> Vec<Path> {
        std::mem::take(&mut self.closed)
    }

    /// Close, now and then, what is of no use: strangers, readers that do not read, connections of ended transports.
    pub fn sweep(&mut self, now: Instant, owned: impl Fn(Source) -> bool) {
        if now.saturating_duration_since(self.swept) < SWEEP {
            return;
        }
        self.swept = now;
        let judged: Vec<(u32, Closed)> = self
            .open_streams()
            .filter_map(|(number, stream)| {
                let late = stream.proven || now.saturating_duration_since(stream.accepted) > PROOF;
                if late && !owned(stream.path.source()) {
                    return Some((number, Closed::Unowned));
                }
                stream.is_slow(now).then_some((number, Closed::Slow))
            })
            .collect();
        for (number, reason) in judged {
            self.close(number, reason);
        }
        for index in 0..self.listeners.len() {
            self.rest(index, false);
        }
    }

    /// Counts by the names of statistics.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        self.counts.iter().map(|(name, count)| (*name, *count))
    }

    fn count(&mut self, reason: Closed) {
        *self.counts.entry(reason.name()).or_default() += 1;
    }

    fn open_streams(&self) -> impl Iterator<Item = (u32, &Stream)> {
        (0_u32..).zip(&self.slots).filter_map(|(place, slot)| {
            slot.stream.as_ref().map(|stream| (u32::from(slot.generation) << 16 | place, stream))
        })
    }

    fn accept(&mut self, index: usize, now: Instant) {
        for _ in 0..ACCEPTS {
            let Some(listener) = self.listeners.get(index) else { return };
            match listener.tcp.accept() {
                Ok((tcp, remote)) => self.admit(index, tcp, remote, now),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if out_of_descriptors(&error) => return self.rest(index, true),
                Err(_) => {} // that one has gone already
            }
        }
    }

    fn admit(&mut self, index: usize, tcp: TcpStream, remote: SocketAddr, now: Instant) {
        let strangers = self.open_streams().filter(|(_, stream)| !stream.proven);
        let same = strangers.filter(|(_, stream)| origin(stream.remote().ip()) == origin(remote.ip())).count();
        if same >= MAX_STRANGERS || (self.open >= MAX_STREAMS && !self.make_place()) {
            return self.count(Closed::Refused);
        }
        if tcp.set_nonblocking(true).is_err() || tcp.set_nodelay(true).is_err() {
            return self.count(Closed::Peer);
        }
        let _ = set(&tcp, libc::SOL_SOCKET, libc::SO_SNDBUF, SEND_BUFFER); // else more may be late, not lost
        let place = self.slots.iter().position(|slot| slot.stream.is_none()).unwrap_or_else(|| {
            self.slots.push(Slot::default());
            self.slots.len() - 1
        });
        let slot = &mut self.slots[place];
        let number = u32::from(slot.generation) << 16 | place as u32;
        let path = Path { socket: index as u8, protocol: Protocol::Tcp(number), local: None, remote };
        let data = epoll::EventData::new_u64(number.into());
        if epoll::add(&self.epoll, &tcp, data, epoll::EventFlags::IN).is_err() {
            return self.count(Closed::Refused);
        }
        slot.stream = Some(Stream::new(tcp, path, now));
        self.open += 1;
    }

    /// Close the stranger that has been here longest, so that strangers cannot keep others out.
    fn make_place(&mut self) -> bool {
        let strangers = self.open_streams().filter(|(_, stream)| !stream.proven);
        let Some((number, _)) = strangers.min_by_key(|(_, stream)| stream.accepted) else { return false };
        self.close(number, Closed::Refused);
        true
    }

    fn rest(&mut self, index: usize, rests: bool) {
        let Some(listener) = self.listeners.get_mut(index).filter(|listener| listener.rests != rests) else { return };
        let flags = if rests { epoll::EventFlags::empty() } else { epoll::EventFlags::IN };
        let data = epoll::EventData::new_u64(LISTENER | index as u64);
        listener.rests = epoll::modify(&self.epoll, &listener.tcp, data, flags).is_ok() == rests;
    }

    fn drain(&mut self, number: u32, now: Instant) {
        match self.get(number).map(|stream| stream.drain(now)) {
            Some(Ok(Sent::All)) => self.watch(number, epoll::EventFlags::IN),
            Some(Err(_)) => self.close(number, Closed::Peer),
            Some(Ok(Sent::Some)) | None => {}
        }
    }

    fn watch(&mut self, number: u32, flags: epoll::EventFlags) {
        let Some(slot) = self.slots.get(usize::from(number as u16)) else { return };
        if let Some(stream) = &slot.stream {
            let _ = epoll::modify(&self.epoll, stream.tcp(), epoll::EventData::new_u64(number.into()), flags);
        }
    }
}

/// Listen where the UDP sockets of a shard are bound.
///
/// # Errors
/// As `bind(2)`.
pub fn listen(bound: impl Iterator<Item = SocketAddr>) -> io::Result<Vec<TcpListener>> {
    bound.map(tcp_listener).collect()
}

/// Whom an address belongs to: one site has a whole /64 of IPv6.
fn origin(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

#[cfg(test)]
mod tests;
