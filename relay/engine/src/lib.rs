//! Shards: threads with sockets, timers and batched UDP that drive `relay-core`. The only Rust here that does I/O, and the
//! only one with `unsafe`: for the socket calls that move many datagrams at once.
#![deny(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_lossless,
    reason = "lengths and constants of C structures, which fit by construction"
)]

mod address;
mod config;
mod events;
mod framing;
mod gather;
mod receive;
mod router;
mod send;
mod shard;
mod socket;
mod stream;
mod streams;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use relay_core::message::{Command, Event, decode_commands, encode_events};
use relay_core::transport::dtls::Identity;

pub use config::{Announced, EngineConfig, Gso};
use events::EventQueue;
use gather::Gather;
use router::{Router, Target, home, refuse};
use shard::{Order, Plan, ShardHandle};
use socket::Socket;
use streams::{Streams, listen};

/// Free ports tried until one is free for UDP and TCP.
const PORT_TRIES: u32 = 16;

struct Running {
    handle: Arc<ShardHandle>,
    thread: Option<JoinHandle<()>>,
    candidates: Vec<Announced>,
}

/// A running relay. Every method may be called from any thread and returns at once, but [`Engine::close`].
pub struct Engine {
    shards: Mutex<Vec<Running>>,
    count: usize,
    router: Mutex<Router>,
    events: Arc<EventQueue>,
    fingerprint: String,
}

impl Engine {
    /// Bind all sockets and start the shards.
    ///
    /// # Errors
    /// As `bind(2)`, or `InvalidInput` where the settings make no sense.
    pub fn start(config: &EngineConfig) -> io::Result<Self> {
        let identity = Identity::generate(config.dtls()).map_err(|error| invalid(&error))?;
        let events = Arc::new(EventQueue::new()?);
        let sockets = (0..config.shards).map(|shard| open(config, shard)).collect::<io::Result<Vec<_>>>()?;
        let mut shards = Vec::new();
        for (index, (sockets, listeners)) in sockets.into_iter().enumerate() {
            shards.push(launch(config, index, sockets, listeners, &identity, &events)?);
        }
        Ok(Self {
            count: shards.len(),
            router: Mutex::new(Router::new(shards.len())),
            shards: Mutex::new(shards),
            events,
            fingerprint: identity.fingerprint(),
        })
    }

    /// SHA-256 of the DTLS certificate, `AB:CD:…`.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Addresses to announce for transports of `room`, those for UDP first.
    #[must_use]
    pub fn candidates(&self, room: &str) -> Vec<Announced> {
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        shards.get(home(room, self.count)).map(|shard| shard.candidates.clone()).unwrap_or_default()
    }

    /// Queue a msgpack array of commands.
    ///
    /// # Errors
    /// What is wrong, in words, where they cannot be decoded; then none is done.
    pub fn submit(&self, commands: &[u8]) -> Result<(), String> {
        self.command(decode_commands(commands)?);
        Ok(())
    }

    /// Queue commands.
    pub fn command(&self, commands: Vec<Command>) {
        let shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        if shards.is_empty() {
            return; // closed
        }
        let mut router = self.router.lock().unwrap_or_else(PoisonError::into_inner);
        let mut orders: Vec<Vec<Order>> = shards.iter().map(|_| Vec::new()).collect();
        let mut refused = Vec::new();
        for command in commands {
            for target in router.route(command) {
                match target {
                    Target::Shard(shard, command) => orders[shard].push(Order::Command(command)),
                    Target::All(request) => {
                        let gather = Arc::new(Gather::new(request, shards.len()));
                        for orders in &mut orders {
                            orders.push(Order::Report(Arc::clone(&gather)));
                        }
                    }
                    Target::Refused(event) => refused.push(event),
                }
            }
        }
        drop(router);
        for (shard, orders) in shards.iter().zip(orders).filter(|(_, orders)| !orders.is_empty()) {
            refused.extend(shard.handle.submit(orders).into_iter().filter_map(overflow));
        }
        self.events.push(refused);
    }

    /// An eventfd that is readable while events wait.
    #[must_use]
    pub fn event_fd(&self) -> RawFd {
        self.events.bell().raw()
    }

    /// Take all waiting events; resets the eventfd.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.events.drain()
    }

    /// Take all waiting events as one msgpack array; resets the eventfd.
    ///
    /// # Errors
    /// In words; does not happen with the relay's own types.
    pub fn drain(&self) -> Result<Vec<u8>, String> {
        encode_events(&self.events())
    }

    /// Stop the threads and close the sockets; waits for them.
    pub fn close(&self) {
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        for shard in shards.iter() {
            shard.handle.stop();
        }
        for thread in shards.iter_mut().filter_map(|shard| shard.thread.take()) {
            let _ = thread.join();
        }
        shards.clear();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

/// The UDP sockets of a shard, and the TCP listeners on the same ports. A free port for UDP may be taken for TCP: then
/// others are tried.
fn open(config: &EngineConfig, shard: u16) -> io::Result<(Arc<[Socket]>, Vec<TcpListener>)> {
    let mut tries = PORT_TRIES;
    loop {
        let sockets = open_udp(config, shard)?;
        if !config.tcp {
            return Ok((sockets, Vec::new()));
        }
        match listen(sockets.iter().map(|socket| socket.bound)) {
            Ok(listeners) => return Ok((sockets, listeners)),
            Err(error) if tries == 0 || config.bind.iter().all(|address| address.port() != 0) => return Err(error),
            Err(_) => tries -= 1,
        }
    }
}

fn open_udp(config: &EngineConfig, shard: u16) -> io::Result<Arc<[Socket]>> {
    let shifted = |address: &SocketAddr| {
        let port = if address.port() == 0 { 0 } else { address.port() + shard };
        Socket::open(SocketAddr::new(address.ip(), port), config.receive_buffer, config.send_buffer)
    };
    config.bind.iter().map(shifted).collect()
}

fn launch(
    config: &EngineConfig,
    index: usize,
    sockets: Arc<[Socket]>,
    listeners: Vec<TcpListener>,
    identity: &Identity,
    events: &Arc<EventQueue>,
) -> io::Result<Running> {
    let handle = Arc::new(ShardHandle::new()?);
    let candidates = config.announced(sockets.iter().map(|socket| socket.bound));
    let plan = Plan {
        shard: index as u32,
        sockets,
        streams: Streams::new(listeners, Instant::now())?,
        identity: identity.clone(),
        gso: config.gso == Gso::Auto,
        handle: Arc::clone(&handle),
        events: Arc::clone(events),
    };
    let thread = std::thread::Builder::new().name(format!("relay-{index}")).spawn(move || shard::run(plan))?;
    Ok(Running { handle, thread: Some(thread), candidates })
}

/// What an order that found the queue full is answered with.
fn overflow(order: Order) -> Option<Event> {
    match order {
        Order::Command(command) => Some(refuse(&command, "limit")),
        Order::Report(_) => None,
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests;
