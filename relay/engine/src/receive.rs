//! Receiving: `recvmmsg` into an arena, several datagrams of one peer joined by the kernel (`UDP_GRO`).

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;

use crate::address::{Control, read, read_control};
use crate::socket::Socket;

/// Messages per system call. Each may hold many datagrams.
const BATCH: usize = 16;
/// The largest joined message.
const MESSAGE: usize = 65_536;

/// Buffers for one batch, reused for every socket of a shard.
pub struct Receiver {
    arena: Vec<u8>,
    names: [libc::sockaddr_storage; BATCH],
    controls: [Control; BATCH],
    filled: Vec<Filled>,
}

struct Filled {
    len: usize,
    segment: usize,
    remote: SocketAddr,
    local: Option<IpAddr>,
}

/// One received message: datagrams of `segment` bytes each (the last may be shorter) from one peer.
pub struct Batch<'a> {
    /// The bytes.
    pub data: &'a mut [u8],
    /// Size of each datagram.
    pub segment: usize,
    /// The peer.
    pub remote: SocketAddr,
    /// Our address, on wildcard sockets.
    pub local: Option<IpAddr>,
}

impl Receiver {
    /// Buffers for one shard: 1 MiB of address space, touched only as far as traffic fills it.
    pub fn new() -> Self {
        Self {
            arena: vec![0; BATCH * MESSAGE],
            // SAFETY: sockaddr_storage is plain numbers; all zero is valid.
            names: unsafe { MaybeUninit::zeroed().assume_init() },
            controls: [Control::EMPTY; BATCH],
            filled: Vec::with_capacity(BATCH),
        }
    }

    /// Receive what waits, at most one batch. False when nothing more waits.
    ///
    /// # Errors
    /// As `recvmmsg(2)`, except for "nothing waits".
    pub fn receive(&mut self, socket: &Socket) -> io::Result<bool> {
        self.filled.clear();
        let mut vectors = self.arena.chunks_exact_mut(MESSAGE);
        let mut vectors: [libc::iovec; BATCH] = std::array::from_fn(|_| {
            vectors.next().map_or(libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }, |chunk| libc::iovec {
                iov_base: chunk.as_mut_ptr().cast(),
                iov_len: chunk.len(),
            })
        });
        // SAFETY: mmsghdr is plain numbers and pointers; all zero is valid.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { MaybeUninit::zeroed().assume_init() };
        for (index, header) in headers.iter_mut().enumerate() {
            let header = &mut header.msg_hdr;
            header.msg_name = (&raw mut self.names[index]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_iov = &raw mut vectors[index];
            header.msg_iovlen = 1;
            header.msg_control = (&raw mut self.controls[index]).cast();
            header.msg_controllen = size_of::<Control>() as _;
        }
        // SAFETY: every header points at buffers of ours that live past the call, with their true sizes.
        let count = unsafe {
            libc::recvmmsg(
                socket.udp.as_raw_fd(),
                headers.as_mut_ptr(),
                BATCH as u32,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            let nothing = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted);
            return if nothing { Ok(false) } else { Err(error) };
        };
        for (index, header) in headers.iter().take(count).enumerate() {
            let len = header.msg_len as usize;
            // SAFETY: recvmmsg filled this header and the control buffer is ours.
            let told = unsafe { read_control(&header.msg_hdr) };
            let remote = read(&self.names[index]).unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
            let segment = told.segment.unwrap_or(len).max(1);
            self.filled.push(Filled { len, segment, remote, local: told.local });
        }
        Ok(count == BATCH)
    }

    /// The messages of the last batch.
    pub fn batches(&mut self) -> impl Iterator<Item = Batch<'_>> {
        self.filled.iter().zip(self.arena.chunks_exact_mut(MESSAGE)).map(|(filled, chunk)| Batch {
            data: &mut chunk[..filled.len],
            segment: filled.segment,
            remote: filled.remote,
            local: filled.local,
        })
    }
}
