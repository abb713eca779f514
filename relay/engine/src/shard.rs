//! A shard: one thread with its sockets and its share of the rooms. Shards share nothing but the two queues.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use relay_core::message::{Command, Event, ShardStats, Stats};
use relay_core::relay::Relay;
use relay_core::relay::demux::Arrival;
use relay_core::relay::report::by_reason;
use relay_core::transport::dtls::Identity;
use relay_core::wire::{Path, Protocol};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::config::MAX_BIND;
use crate::events::{Bell, EventQueue};
use crate::framing::{Frame, is_stun, next};
use crate::gather::Gather;
use crate::receive::Receiver;
use crate::send::Sender;
use crate::socket::Socket;
use crate::streams::{Closed, SCRATCH, Streams};

/// Commands that wait for a shard before more are refused.
const MAX_COMMANDS: usize = 65_536;
/// Batches received from one socket before timers and commands have their turn.
const ROUNDS: usize = 8;
/// Timers run at most this often.
const RESOLUTION: Duration = Duration::from_millis(1);
/// The longest sleep.
const IDLE: Duration = Duration::from_secs(1);

/// What waits for a shard.
pub enum Order {
    /// A command for the core.
    Command(Command),
    /// Its part of statistics that are gathered from all shards.
    Report(Arc<Gather>),
}

/// The side of a shard that other threads hold.
pub struct ShardHandle {
    orders: Mutex<Vec<Order>>,
    bell: Bell,
    stop: AtomicBool,
}

impl ShardHandle {
    /// A handle of a shard that has not started.
    ///
    /// # Errors
    /// As `eventfd(2)`.
    pub fn new() -> io::Result<Self> {
        Ok(Self { orders: Mutex::default(), bell: Bell::new()?, stop: AtomicBool::new(false) })
    }

    /// Queue orders; those that find it full come back.
    pub fn submit(&self, new: Vec<Order>) -> Vec<Order> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = orders.is_empty();
        let mut new = new.into_iter();
        let room = MAX_COMMANDS.saturating_sub(orders.len());
        orders.extend(new.by_ref().take(room));
        drop(orders);
        if was_empty {
            self.bell.ring();
        }
        new.collect()
    }

    /// Ask the thread to end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.bell.ring();
    }

    fn take(&self) -> Vec<Order> {
        self.bell.hush();
        std::mem::take(&mut *self.orders.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a shard's thread starts with.
pub struct Plan {
    /// Index.
    pub shard: u32,
    /// Its sockets.
    pub sockets: Arc<[Socket]>,
    /// Its TCP connections.
    pub streams: Streams,
    /// The relay's certificate.
    pub identity: Identity,
    /// Whether to try segmentation offload.
    pub gso: bool,
    /// Its handle.
    pub handle: Arc<ShardHandle>,
    /// Where its events go.
    pub events: Arc<EventQueue>,
}

/// Run a shard until it is stopped.
pub fn run(plan: Plan) {
    Shard::new(plan).run();
}

struct Shard {
    index: u32,
    sockets: Arc<[Socket]>,
    handle: Arc<ShardHandle>,
    events: Arc<EventQueue>,
    relay: Relay,
    receiver: Receiver,
    scratch: Vec<u8>,
    sender: Sender,
    received: u64,
    timers_ran: Instant,
}

impl Shard {
    fn new(plan: Plan) -> Self {
        let locals = plan.sockets.iter().map(|socket| nominal(socket.bound)).collect();
        Self {
            index: plan.shard,
            relay: Relay::new(plan.identity, locals, Instant::now()),
            sender: Sender::new(Arc::clone(&plan.sockets), plan.streams, plan.gso),
            sockets: plan.sockets,
            handle: plan.handle,
            events: plan.events,
            receiver: Receiver::new(),
            scratch: vec![0; SCRATCH],
            received: 0,
            timers_ran: Instant::now(),
        }
    }

    fn run(&mut self) {
        while !self.handle.stop.load(Ordering::Acquire) {
            self.guarded(Self::turn);
        }
    }

    fn turn(&mut self) {
        let ready = self.wait();
        if ready[0] {
            self.obey();
        }
        if ready[1] {
            self.receive_streams();
        }
        for (index, _) in ready[2..].iter().enumerate().filter(|(_, ready)| **ready) {
            self.receive(index);
        }
        let now = Instant::now();
        if self.due() <= now {
            self.timers_ran = now;
            self.guarded(|shard| shard.relay.handle_timeout(now, &mut shard.sender));
        }
        self.sender.flush();
        let Self { relay, sender, .. } = self;
        sender.streams.sweep(now, |source| relay.owns(source));
        for path in sender.streams.take_closed() {
            relay.close_path(path);
        }
        self.events.push(self.relay.take_events());
    }

    fn due(&self) -> Instant {
        self.relay.poll_timeout().max(self.timers_ran + RESOLUTION)
    }

    /// Sleep until the bell, a datagram or a timer; which of the bell, the streams and the sockets, in order, is ready.
    fn wait(&self) -> [bool; 2 + MAX_BIND] {
        let sleep = self.due().saturating_duration_since(Instant::now()).min(IDLE);
        let sleep = Timespec { tv_sec: sleep.as_secs().cast_signed(), tv_nsec: sleep.subsec_nanos().into() };
        let streams = self.sender.streams.bell();
        let mut waited: [PollFd<'_>; 2 + MAX_BIND] =
            std::array::from_fn(|index| match index.checked_sub(2).and_then(|index| self.sockets.get(index)) {
                Some(socket) => PollFd::new(&socket.udp, PollFlags::IN),
                None if index == 1 => PollFd::from_borrowed_fd(streams, PollFlags::IN),
                None => PollFd::new(&self.handle.bell, PollFlags::IN),
            });
        let count = 2 + self.sockets.len();
        let woken = poll(&mut waited[..count], Some(&sleep)).is_ok(); // else interrupted
        std::array::from_fn(|index| woken && index < count && !waited[index].revents().is_empty())
    }

    fn obey(&mut self) {
        for order in self.handle.take() {
            match order {
                Order::Command(Command::GetStats { request, room }) => {
                    let stats = self.report(request, room.as_deref());
                    self.events.push(vec![Event::Stats(stats)]);
                }
                Order::Command(command) => {
                    self.guarded(|shard| shard.relay.command(command, Instant::now(), &mut shard.sender));
                }
                Order::Report(gather) => {
                    let part = self.report(gather.request(), None);
                    self.events.push(gather.add(part).map(Event::Stats).into_iter().collect());
                }
            }
        }
    }

    fn receive(&mut self, index: usize) {
        let sockets = Arc::clone(&self.sockets);
        for _ in 0..ROUNDS {
            let more = self.receiver.receive(&sockets[index]).unwrap_or(false); // an ICMP error of some peer: no matter
            let now = Instant::now();
            let Self { receiver, relay, sender, received, .. } = self;
            for batch in receiver.batches() {
                *received += batch.data.len().div_ceil(batch.segment) as u64;
                let arrival = Arrival {
                    socket: u8::try_from(index).unwrap_or(u8::MAX),
                    protocol: Protocol::Udp,
                    local: batch.local,
                    remote: batch.remote,
                    data: batch.data,
                    segment: batch.segment,
                };
                let handled = catch_unwind(AssertUnwindSafe(|| relay.receive(arrival, now, sender)));
                if handled.is_err() {
                    relay.count_panic();
                }
            }
            self.sender.flush();
            if !more {
                return;
            }
        }
    }

    fn receive_streams(&mut self) {
        let now = Instant::now();
        for number in self.sender.streams.ready(now) {
            let mut scratch = std::mem::take(&mut self.scratch);
            if let Some(length) = self.sender.streams.read(number, &mut scratch) {
                self.receive_frames(number, &mut scratch[..length], now);
            }
            self.scratch = scratch;
        }
        self.sender.flush();
    }

    /// The datagrams in what was read from one connection. Reading goes on in the next turn: others come first.
    fn receive_frames(&mut self, number: u32, bytes: &mut [u8], now: Instant) {
        let mut at = 0;
        loop {
            let Some(stream) = self.sender.streams.get(number) else { return };
            let range = match next(bytes, at) {
                Frame::Whole(range) => range,
                Frame::Partial => return self.sender.streams.keep(number, &bytes[at..]),
                Frame::TooLong => return self.sender.streams.close(number, Closed::Protocol),
            };
            if !stream.spoken && !is_stun(&bytes[range.clone()]) {
                return self.sender.streams.close(number, Closed::Protocol);
            }
            stream.spoken = true;
            let (path, proven) = (stream.path, stream.proven);
            at = range.end;
            if !range.is_empty() {
                self.receive_frame(path, &mut bytes[range], now);
            }
            if !proven
                && self.relay.owns(path.source())
                && let Some(stream) = self.sender.streams.get(number)
            {
                stream.proven = true;
            }
        }
    }

    fn receive_frame(&mut self, path: Path, data: &mut [u8], now: Instant) {
        let Path { socket, protocol, local, remote } = path;
        self.received += 1;
        self.guarded(|shard| {
            let segment = data.len();
            shard.relay.receive(Arrival { socket, protocol, local, remote, data, segment }, now, &mut shard.sender);
        });
    }

    /// One bad packet or command never ends the shard: what it broke is its own transport's.
    fn guarded(&mut self, action: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| action(self))).is_err() {
            self.relay.count_panic();
        }
    }

    fn report(&mut self, request: u64, room: Option<&str>) -> Stats {
        let mut stats = self.relay.stats(request, room, Instant::now());
        let mut dropped = by_reason(self.relay.drops());
        let own = [("send_failed", self.sender.counters.failed), ("events_refused", self.events.refused())];
        for (reason, count) in own.into_iter().chain(self.sender.streams.counts()) {
            if count > 0 {
                dropped.insert(reason.into(), count);
            }
        }
        stats.shards.push(ShardStats {
            shard: self.index,
            gso: self.sender.gso(),
            datagrams_received: self.received,
            datagrams_sent: self.sender.counters.datagrams,
            send_calls: self.sender.counters.calls,
            cpu_seconds: thread_cpu(),
            dropped,
            totals: self.relay.totals(Instant::now()),
        });
        stats
    }
}

fn thread_cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0)).as_secs_f64()
}

/// The address ICE knows a socket by: its own, or for a wildcard one of the documentation range, as all checks on the
/// socket count as sent to the same candidate.
fn nominal(bound: SocketAddr) -> SocketAddr {
    match bound {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::new(192, 0, 2, 1), v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), v6.port()).into()
        }
        bound => bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_core::transport::dtls::DtlsTimers;

    #[test]
    fn orders_beyond_the_bound_come_back() {
        let handle = ShardHandle::new().unwrap();
        let orders = |count| (0..count).map(|_| Order::Command(Command::RemoveTrack { track: "t".into() })).collect();
        assert!(handle.submit(orders(MAX_COMMANDS - 5)).is_empty());
        assert_eq!(handle.submit(orders(12)).len(), 7);
        assert_eq!(handle.take().len(), MAX_COMMANDS);
        assert!(handle.submit(orders(12)).is_empty());
    }

    #[test]
    fn a_panic_is_counted_and_the_shard_goes_on() {
        let socket = Socket::open("127.0.0.1:0".parse().unwrap(), 1 << 16, 1 << 16).unwrap();
        let mut shard = Shard::new(Plan {
            shard: 0,
            sockets: Arc::new([socket]),
            streams: Streams::new(Vec::new(), Instant::now()).unwrap(),
            identity: Identity::generate(DtlsTimers::default()).unwrap(),
            gso: true,
            handle: Arc::new(ShardHandle::new().unwrap()),
            events: Arc::new(EventQueue::new().unwrap()),
        });
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| ())); // quiet: this one is meant
        shard.guarded(|_| panic!("a bug"));
        std::panic::set_hook(hook);
        shard.handle.submit(vec![Order::Command(Command::RemoveTrack { track: "t".into() })]);
        shard.guarded(Shard::turn);
        assert!(matches!(&shard.events.drain()[..], [Event::CommandFailed { .. }]));
        assert_eq!(shard.report(1, None).shards[0].dropped["panicked"], 1);
    }
}
