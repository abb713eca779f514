//! The port to whoever owns the sockets: paths of datagrams and the sending side.

use std::net::{IpAddr, SocketAddr};

use crate::outbox::{Destination, Outbox};

/// Where a datagram came in, and so where its answer goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    /// Index of the socket in the shard's list.
    pub socket: u8,
    /// Our address it was sent to, where the socket is bound to a wildcard.
    pub local: Option<IpAddr>,
    /// The peer's address.
    pub remote: SocketAddr,
}

/// An outbox that can also send at once along a path, and learns the path behind each [`Destination`].
pub trait Wire: Outbox {
    /// Packets for `destination` go along `path` from now on.
    fn bind(&mut self, destination: Destination, path: Path);

    /// Queue one datagram along `path`: for STUN and DTLS, which do not always go to the selected path.
    fn send_to(&mut self, path: Path, datagram: &[u8]);
}
