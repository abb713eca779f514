//! One TCP connection of a peer: what has come of the next datagram, what waits to be sent, and since when.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use relay_core::wire::Path;

use crate::framing::{LENGTH, MAX_FRAME};

/// Bytes that wait for a reader that does not keep up; datagrams beyond are lost, as on a full link.
pub const MAX_BACKLOG: usize = 128 * 1024;
/// A reader that takes longer for one full backlog is cut off: media so late is of no use.
pub const MAX_DELAY: Duration = Duration::from_secs(10);
/// A connection whose peer does not prove itself by a valid STUN check in this time is closed.
pub const PROOF: Duration = Duration::from_secs(10);

/// A point in the stream of sent bytes, to see whether the reader gets on.
struct Mark {
    set: Instant,
    bytes: u64,
}

/// One connection.
pub struct Stream {
    tcp: TcpStream,
    /// How the core calls it.
    pub path: Path,
    /// When it was accepted.
    pub accepted: Instant,
    /// Whether a valid STUN check has come along it.
    pub proven: bool,
    /// Whether the first datagram has come.
    pub spoken: bool,
    partial: Vec<u8>,
    backlog: Vec<u8>,
    written: usize,
    /// Bytes given to the kernel and waiting, since the beginning.
    taken: u64,
    mark: Option<Mark>,
}

/// What became of bytes to send.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent {
    /// The kernel has them.
    All,
    /// Some wait.
    Some,
}

impl Stream {
    /// A fresh connection, which does not block.
    pub const fn new(tcp: TcpStream, path: Path, now: Instant) -> Self {
        Self {
            tcp,
            path,
            accepted: now,
            proven: false,
            spoken: false,
            partial: Vec::new(),
            backlog: Vec::new(),
            written: 0,
            taken: 0,
            mark: None,
        }
    }

    /// The socket.
    pub const fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// The peer.
    pub const fn remote(&self) -> SocketAddr {
        self.path.remote
    }

    /// Read what waits behind what was kept; the number of bytes in `scratch`, `None` when nothing came.
    ///
    /// # Errors
    /// As `recv(2)`; `UnexpectedEof` when the peer closed.
    pub fn read(&mut self, scratch: &mut [u8]) -> io::Result<Option<usize>> {
        let kept = self.partial.len();
        scratch[..kept].copy_from_slice(&self.partial);
        match self.tcp.read(&mut scratch[kept..]) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.partial.clear();
                Ok(Some(kept + count))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keep the beginning of a datagram until the rest comes.
    pub fn keep(&mut self, rest: &[u8]) {
        debug_assert!(rest.len() < LENGTH + MAX_FRAME, "a whole frame was left");
        self.partial.extend_from_slice(rest);
    }

    /// Room for so many bytes more.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.waiting() + bytes <= MAX_BACKLOG
    }

    /// Send, behind what waits.
    ///
    /// # Errors
    /// As `send(2)`.
    pub fn write(&mut self, bytes: &[u8], now: Instant) -> io::Result<Sent> {
        self.taken += bytes.len() as u64;
        let sent = if self.waiting() == 0 { self.give(bytes)? } else { 0 };
        if sent == bytes.len() {
            return Ok(Sent::All);
        }
        self.backlog.extend_from_slice(&bytes[sent..]);
        self.mark.get_or_insert(Mark { set: now, bytes: self.taken });
        Ok(Sent::Some)
    }

    /// Send what waits.
    ///
    /// # Errors
    /// As `send(2)`.
    pub fn drain(&mut self, now: Instant) -> io::Result<Sent> {
        let waiting = std::mem::take(&mut self.backlog);
        let sent = self.give(&waiting[self.written..]);
        self.backlog = waiting;
        self.written += sent?;
        if self.waiting() == 0 {
            (self.backlog, self.written, self.mark) = (Vec::new(), 0, None);
            return Ok(Sent::All);
        }
        if self.written >= MAX_BACKLOG {
            self.backlog.drain(..self.written);
            self.written = 0;
        }
        let passed = self.taken - self.waiting() as u64;
        if self.mark.as_ref().is_some_and(|mark| passed >= mark.bytes) {
            self.mark = Some(Mark { set: now, bytes: self.taken });
        }
        Ok(Sent::Some)
    }

    /// Whether bytes have waited for too long.
    pub fn is_slow(&self, now: Instant) -> bool {
        self.mark.as_ref().is_some_and(|mark| now.saturating_duration_since(mark.set) > MAX_DELAY)
    }

    const fn waiting(&self) -> usize {
        self.backlog.len() - self.written
    }

    fn give(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.tcp.write(bytes) {
            Ok(count) => Ok(count),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(0),
            Err(error) => Err(error),
        }
    }
}
