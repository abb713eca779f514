//! The port to whoever owns the sockets: paths of datagrams and the sending side.

use std::net::{IpAddr, SocketAddr};

use crate::outbox::{Destination, Outbox};

/// What carries datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// The TCP connection of this number, framed as in RFC 4571. A number is not used again while it may be remembered.
    Tcp(u32),
}

impl Protocol {
    /// As SDP writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp(_) => "tcp",
        }
    }
}

/// Who a datagram came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source {
    /// What carried it.
    pub protocol: Protocol,
    /// The peer's address.
    pub remote: SocketAddr,
}

/// Where a datagram came in, and so where its answer goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    /// Index of the socket in the shard's list.
    pub socket: u8,
    /// What carries it.
    pub protocol: Protocol,
    /// Our address it was sent to, where the socket is bound to a wildcard.
    pub local: Option<IpAddr>,
    /// The peer's address.
    pub remote: SocketAddr,
}

impl Path {
    /// The peer's end of it.
    #[must_use]
    pub const fn source(&self) -> Source {
        Source { protocol: self.protocol, remote: self.remote }
    }
}

/// An outbox that can also send at once along a path, and learns the path behind each [`Destination`].
pub trait Wire: Outbox {
    /// Packets for `destination` go along `path` from now on.
    fn bind(&mut self, destination: Destination, path: Path);

    /// Queue one datagram along `path`: for STUN and DTLS, which do not always go to the selected path.
    fn send_to(&mut self, path: Path, datagram: &[u8]);
}
