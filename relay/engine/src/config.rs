//! What a relay is started with: the twin of `relay/config.py`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use relay_core::transport::dtls::DtlsTimers;
use serde::Deserialize;

/// Shards one relay may have.
const MAX_SHARDS: u16 = 64;
/// Addresses one shard may bind.
pub const MAX_BIND: usize = 8;

/// Whether to use UDP segmentation offload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gso {
    /// Until the kernel refuses it.
    Auto,
    /// Never.
    Off,
}

/// A relay's settings.
#[derive(Debug, Clone, Deserialize)]
pub struct EngineConfig {
    /// `ip:port` of the first shard; shard i uses port + i.
    pub bind: Vec<SocketAddr>,
    /// Addresses peers reach us at, instead of the bound ones.
    #[serde(default)]
    pub announce: Vec<IpAddr>,
    /// Whether to listen for TCP connections on the same ports.
    #[serde(default = "yes")]
    pub tcp: bool,
    /// Threads.
    pub shards: u16,
    /// Wanted socket receive buffer, bytes.
    pub receive_buffer: u32,
    /// Wanted socket send buffer, bytes.
    pub send_buffer: u32,
    /// Segmentation offload.
    pub gso: Gso,
    /// First DTLS retransmission, ms.
    pub dtls_retry_ms: u32,
    /// The longest wait for a further one, ms.
    pub dtls_longest_retry_ms: u32,
    /// DTLS handshake as a whole, ms.
    pub dtls_handshake_ms: u32,
}

const fn yes() -> bool {
    true
}

/// An address to announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Where peers reach us.
    pub address: SocketAddr,
    /// By TCP (RFC 6544, passive) rather than UDP.
    pub tcp: bool,
}

impl EngineConfig {
    /// Read and check a msgpack map.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut reader = rmp_serde::Deserializer::new(bytes).with_human_readable(); // addresses are text
        let config = Self::deserialize(&mut reader).map_err(|error| error.to_string())?;
        if config.bind.is_empty() || config.bind.len() > MAX_BIND {
            return Err(format!("bind: between 1 and {MAX_BIND} addresses"));
        }
        if config.shards == 0 || config.shards > MAX_SHARDS {
            return Err(format!("shards: between 1 and {MAX_SHARDS}"));
        }
        let last = config.shards - 1;
        if config.bind.iter().any(|address| address.port() != 0 && address.port().checked_add(last).is_none()) {
            return Err("bind: the last shard's port is over 65535".into());
        }
        Ok(config)
    }

    /// DTLS retransmission.
    #[must_use]
    pub fn dtls(&self) -> DtlsTimers {
        DtlsTimers {
            first_retry: Duration::from_millis(self.dtls_retry_ms.into()),
            longest_retry: Duration::from_millis(self.dtls_longest_retry_ms.into()),
            handshake: Duration::from_millis(self.dtls_handshake_ms.into()),
        }
    }

    /// What to announce for the sockets of a shard: each address once, those for UDP first.
    #[must_use]
    pub fn announced(&self, bound: impl Iterator<Item = SocketAddr>) -> Vec<Announced> {
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for address in bound.flat_map(|bound| self.candidates(bound)) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let protocols: &[bool] = if self.tcp { &[false, true] } else { &[false] };
        protocols
            .iter()
            .flat_map(|tcp| addresses.iter().map(|address| Announced { address: *address, tcp: *tcp }))
            .collect()
    }

    /// What to announce for a socket bound to `bound`: the announced addresses of its family, else itself, else (for a
    /// wildcard) the address of the default route.
    fn candidates(&self, bound: SocketAddr) -> Vec<SocketAddr> {
        let same_family = |ip: &&IpAddr| ip.is_ipv4() == bound.is_ipv4();
        let mut addresses: Vec<IpAddr> = self.announce.iter().filter(same_family).copied().collect();
        if addresses.is_empty() {
            addresses.push(if bound.ip().is_unspecified() { outward(bound.is_ipv4()) } else { bound.ip() });
        }
        addresses.into_iter().map(|ip| SocketAddr::new(ip, bound.port())).collect()
    }
}

/// The source address the kernel would use towards the world; nothing is sent.
fn outward(v4: bool) -> IpAddr {
    let (any, far, loopback): (&str, &str, IpAddr) = if v4 {
        ("0.0.0.0:0", "192.0.2.1:9", Ipv4Addr::LOCALHOST.into())
    } else {
        ("[::]:0", "[2001:db8::1]:9", std::net::Ipv6Addr::LOCALHOST.into())
    };
    UdpSocket::bind(any)
        .and_then(|socket| socket.connect(far).and_then(|()| socket.local_addr()))
        .map_or(loopback, |address| address.ip())
}
