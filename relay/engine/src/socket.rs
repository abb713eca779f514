//! Sockets with the options the relay needs. Unsafe: raw `setsockopt`.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, ipproto, listen, socket_with, sockopt};

/// Connections that wait to be accepted.
const QUEUE: i32 = 128;

/// One bound socket.
pub struct Socket {
    /// The socket.
    pub udp: UdpSocket,
    /// What it is bound to, with its real port.
    pub bound: SocketAddr,
}

impl Socket {
    /// Bind to `address`, with receive offload, and packet information where the address is a wildcard.
    ///
    /// # Errors
    /// As `bind(2)`.
    pub fn open(address: SocketAddr, receive_buffer: u32, send_buffer: u32) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let fd: OwnedFd = socket_with(family, SocketType::DGRAM, flags, Some(ipproto::UDP))?;
        if address.is_ipv6() {
            sockopt::set_ipv6_v6only(&fd, true)?;
        }
        bind(&fd, &address)?;
        let udp = UdpSocket::from(fd);
        let bound = udp.local_addr()?;
        // The forced variants go beyond the system's limit where we may; the kernel doubles and caps the others.
        enlarge(&udp, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, receive_buffer);
        enlarge(&udp, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, send_buffer);
        let _ = set(&udp, libc::SOL_UDP, libc::UDP_GRO, 1); // without it every datagram comes alone: slower, not wrong
        if address.ip().is_unspecified() {
            let (level, option) = if address.is_ipv4() {
                (libc::IPPROTO_IP, libc::IP_PKTINFO)
            } else {
                (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO)
            };
            set(&udp, level, option, 1)?;
        }
        Ok(Self { udp, bound })
    }
}

/// Listen for TCP connections, of one family only.
///
/// # Errors
/// As `bind(2)`.
pub fn tcp_listener(address: SocketAddr) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd: OwnedFd = socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&fd, true)?;
    }
    sockopt::set_socket_reuseaddr(&fd, true)?; // connections of a relay that has just ended do not hold the port
    bind(&fd, &address)?;
    listen(&fd, QUEUE)?;
    Ok(fd.into())
}

fn enlarge(socket: &UdpSocket, forced: i32, plain: i32, bytes: u32) {
    let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
    if set(socket, libc::SOL_SOCKET, forced, bytes).is_err() {
        let _ = set(socket, libc::SOL_SOCKET, plain, bytes);
    }
}

/// Set an integer socket option.
pub fn set(socket: &impl AsRawFd, level: i32, option: i32, value: i32) -> io::Result<()> {
    // SAFETY: the option value is a live c_int and its true size is passed; the descriptor is open while borrowed.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
