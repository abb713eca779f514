//! One `sendmmsg`. Unsafe: the C structures and the call.

use std::io;
use std::os::fd::AsRawFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Run, Segment};
use crate::address::{Control, write, write_control};
use crate::socket::Socket;

/// Messages per system call.
pub const BATCH: usize = 64;
/// How long a full socket buffer is waited for, before a datagram is lost as on a full link.
const FULL_WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 1_000_000 };

/// The C structures, reused from call to call.
pub struct Call {
    names: [libc::sockaddr_storage; BATCH],
    controls: [Control; BATCH],
    headers: [libc::mmsghdr; BATCH],
    vectors: Vec<libc::iovec>,
    /// How many of the vectors are each message's.
    counts: [usize; BATCH],
}

impl Call {
    /// Empty structures.
    pub fn new() -> Box<Self> {
        // SAFETY: addresses and headers are plain numbers and pointers; all zero is valid.
        let (names, headers) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        Box::new(Self { names, controls: [Control::EMPTY; BATCH], headers, vectors: Vec::new(), counts: [0; BATCH] })
    }

    /// Send at most [`BATCH`] runs along one socket; returns how many the kernel took. A full buffer is waited for once.
    ///
    /// # Errors
    /// As `sendmmsg(2)` where it took none.
    pub fn send(&mut self, socket: &Socket, runs: &[Run], segments: &[Segment], arena: &[u8]) -> io::Result<usize> {
        let count = self.fill(runs, segments, arena);
        match self.submit(socket, count) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut waited = [PollFd::new(&socket.udp, PollFlags::OUT)];
                let _ = poll(&mut waited, Some(&FULL_WAIT));
                self.submit(socket, count)
            }
            result => result,
        }
    }

    fn fill(&mut self, runs: &[Run], segments: &[Segment], arena: &[u8]) -> u32 {
        self.vectors.clear();
        for (run, count) in runs.iter().take(BATCH).zip(&mut self.counts) {
            let before = self.vectors.len();
            let mut ranges = run.ranges(segments);
            let mut joined = ranges.next().unwrap_or_default();
            for range in ranges.map(Some).chain([None]) {
                match range {
                    Some(range) if range.start == joined.end => joined.end = range.end,
                    other => {
                        let bytes = &arena[std::mem::replace(&mut joined, other.unwrap_or_default())];
                        let iov_base = bytes.as_ptr().cast_mut().cast();
                        self.vectors.push(libc::iovec { iov_base, iov_len: bytes.len() });
                    }
                }
            }
            *count = self.vectors.len() - before;
        }
        let mut vectors = &mut self.vectors[..]; // complete: it does not move any more
        let mut count = 0;
        for (index, run) in runs.iter().take(BATCH).enumerate() {
            let (own, rest) = std::mem::take(&mut vectors).split_at_mut(self.counts[index]);
            vectors = rest;
            let size = if run.count > 1 { u16::try_from(run.size).ok() } else { None };
            let name_len = write(run.path.remote, &mut self.names[index]);
            let control_len = write_control(&mut self.controls[index], size, run.path.local);
            let header = &mut self.headers[index].msg_hdr;
            header.msg_name = (&raw mut self.names[index]).cast();
            header.msg_namelen = name_len;
            header.msg_iov = own.as_mut_ptr();
            header.msg_iovlen = own.len() as _;
            let control = (&raw mut self.controls[index]).cast();
            header.msg_control = if control_len == 0 { std::ptr::null_mut() } else { control };
            header.msg_controllen = control_len as _;
            count += 1;
        }
        count
    }

    /// Lengths of the pieces of memory that the first run is gathered from.
    #[cfg(test)]
    pub fn pieces(&mut self, runs: &[Run], segments: &[Segment], arena: &[u8]) -> Vec<usize> {
        self.fill(runs, segments, arena);
        self.vectors[..self.counts[0]].iter().map(|vector| vector.iov_len).collect()
    }

    fn submit(&mut self, socket: &Socket, count: u32) -> io::Result<usize> {
        // SAFETY: `fill` pointed the first `count` headers at memory that outlives the call: fields of this boxed struct,
        // which nothing moved or resized since, and the arena, which the caller holds and the kernel only reads.
        let sent = unsafe {
            libc::sendmmsg(socket.udp.as_raw_fd(), self.headers.as_mut_ptr(), count, libc::MSG_DONTWAIT as _)
        };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}
