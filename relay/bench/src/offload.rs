//! Many datagrams per system call: the bare calls, for IPv4. Unsafe: the C structures.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

/// Messages per system call.
const BATCH: usize = 64;
/// The largest joined message.
const MESSAGE: usize = 65_536;
const CONTROL: usize = 64;

/// Room for control messages, aligned as the kernel wants it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

/// A loopback socket with receive offload if wanted.
pub fn socket(address: SocketAddr, joined: bool, buffer: i32) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    set(&socket, libc::SOL_SOCKET, libc::SO_RCVBUF, buffer)?;
    set(&socket, libc::SOL_SOCKET, libc::SO_SNDBUF, 4 << 20)?;
    if joined {
        set(&socket, libc::SOL_UDP, libc::UDP_GRO, 1)?;
    }
    Ok(socket)
}

fn set(socket: &UdpSocket, level: i32, option: i32, value: i32) -> io::Result<()> {
    // SAFETY: a live c_int with its size.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), 4) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn name_of(address: SocketAddr) -> libc::sockaddr_in {
    let SocketAddr::V4(address) = address else { unreachable!("loopback is IPv4 here") };
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
        sin_zero: [0; 8],
    }
}

/// Sends runs of equal segments: one message each, many messages per call.
pub struct Sender {
    names: Vec<libc::sockaddr_in>,
    vectors: Vec<libc::iovec>,
    controls: Vec<Control>,
    headers: Vec<libc::mmsghdr>,
}

impl Sender {
    /// To these destinations, in this order.
    #[must_use]
    pub fn new(destinations: &[SocketAddr]) -> Self {
        let count = destinations.len();
        // SAFETY: all-zero C structures of numbers and pointers are valid.
        let (vector, header) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        Self {
            names: destinations.iter().copied().map(name_of).collect(),
            vectors: vec![vector; count],
            controls: vec![Control([0; CONTROL]); count],
            headers: vec![header; count],
        }
    }

    /// Sends to each destination its equal share of `arena`, cut into segments.
    ///
    /// # Errors
    /// As `sendmmsg(2)`.
    pub fn send(&mut self, socket: &UdpSocket, arena: &[u8], segment: usize) -> io::Result<()> {
        let count = self.names.len();
        let share = arena.len() / count;
        for (index, part) in arena.chunks_exact(share).enumerate() {
            self.vectors[index] = libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: share };
            let header = &mut self.headers[index].msg_hdr;
            header.msg_name = (&raw mut self.names[index]).cast();
            header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            header.msg_iov = &raw mut self.vectors[index];
            header.msg_iovlen = 1;
            if share > segment {
                header.msg_control = (&raw mut self.controls[index]).cast();
                // SAFETY: the control buffer is larger than one 16-bit message and belongs to this header.
                unsafe {
                    header.msg_controllen = libc::CMSG_SPACE(2) as _;
                    let control = libc::CMSG_FIRSTHDR(header);
                    (*control).cmsg_level = libc::SOL_UDP;
                    (*control).cmsg_type = libc::UDP_SEGMENT;
                    (*control).cmsg_len = libc::CMSG_LEN(2) as _;
                    libc::CMSG_DATA(control).cast::<u16>().write_unaligned(segment as u16);
                }
            } else {
                header.msg_control = std::ptr::null_mut();
                header.msg_controllen = 0;
            }
        }
        let mut sent = 0;
        while sent < count {
            let batch = (count - sent).min(BATCH) as u32;
            // SAFETY: the headers from `sent` on point at memory of ours that lives past the call.
            let taken = unsafe { libc::sendmmsg(socket.as_raw_fd(), self.headers[sent..].as_mut_ptr(), batch, 0) };
            sent += usize::try_from(taken).map_err(|_| io::Error::last_os_error())?;
        }
        Ok(())
    }
}

/// Receives joined datagrams.
pub struct Receiver {
    arena: Vec<u8>,
    vectors: Vec<libc::iovec>,
    controls: Vec<Control>,
    headers: Vec<libc::mmsghdr>,
}

impl Receiver {
    /// Buffers for up to 16 messages a call.
    #[must_use]
    pub fn new() -> Self {
        // SAFETY: all-zero C structures of numbers and pointers are valid.
        let (vector, header) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        Self {
            arena: vec![0; 16 * MESSAGE],
            vectors: vec![vector; 16],
            controls: vec![Control([0; CONTROL]); 16],
            headers: vec![header; 16],
        }
    }

    /// Receives what waits; how many messages.
    pub fn receive(&mut self, socket: &UdpSocket) -> usize {
        for (index, part) in self.arena.chunks_exact_mut(MESSAGE).enumerate() {
            self.vectors[index] = libc::iovec { iov_base: part.as_mut_ptr().cast(), iov_len: part.len() };
            let header = &mut self.headers[index].msg_hdr;
            header.msg_iov = &raw mut self.vectors[index];
            header.msg_iovlen = 1;
            header.msg_control = (&raw mut self.controls[index]).cast();
            header.msg_controllen = CONTROL as _;
        }
        // SAFETY: every header points at buffers of ours with their true sizes.
        let count = unsafe {
            let flags = libc::MSG_DONTWAIT as _;
            libc::recvmmsg(socket.as_raw_fd(), self.headers.as_mut_ptr(), 16, flags, std::ptr::null_mut())
        };
        usize::try_from(count).unwrap_or(0)
    }

    /// The bytes of a received message and the size of its segments.
    pub fn message(&mut self, index: usize) -> (&mut [u8], usize) {
        let header = &self.headers[index];
        let len = header.msg_len as usize;
        let mut segment = len;
        // SAFETY: the kernel filled this header's control buffer, which is ours.
        unsafe {
            let mut control = libc::CMSG_FIRSTHDR(&raw const header.msg_hdr);
            while !control.is_null() {
                if (*control).cmsg_level == libc::SOL_UDP && (*control).cmsg_type == libc::UDP_GRO {
                    segment = libc::CMSG_DATA(control).cast::<i32>().read_unaligned() as usize;
                }
                control = libc::CMSG_NXTHDR(&raw const header.msg_hdr, control);
            }
        }
        (&mut self.arena[index * MESSAGE..index * MESSAGE + len], segment.max(1))
    }
}

/// Sleeps until the socket has something, at most `millis`.
pub fn wait(socket: &UdpSocket, millis: i32) -> bool {
    let mut waited = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one live pollfd.
    unsafe { libc::poll(&raw mut waited, 1, millis) > 0 }
}
