//! Sending: packets are encrypted straight into an arena, gathered into runs of one destination, and sent by `sendmmsg`
//! with `UDP_SEGMENT`. Where the kernel or a container refuses segmentation, it is not tried again.
//!
//! A packet for many subscribers comes once per subscriber, so the packets of one destination may lie scattered in the
//! arena; the kernel gathers them by their vectors, and nothing is copied again. Those that lie side by side share one.

mod call;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use relay_core::outbox::{Destination, Outbox};
use relay_core::wire::{Path, Protocol, Wire};

use crate::socket::Socket;
use crate::streams::Streams;
use call::{BATCH, Call};

/// Bytes gathered before they are sent in any case.
const ARENA: usize = 1024 * 1024;
/// Datagrams per run: the kernel's `UDP_MAX_SEGMENTS` was 64 before it became 128.
const MAX_SEGMENTS: usize = 64;
/// Bytes per run: one IP packet before it is segmented.
const MAX_RUN: usize = 65_000;
/// Runs gathered before they are sent in any case.
const MAX_RUNS: usize = 512;
/// A run refused with segments up to this size was refused for segmentation itself, not for the path's MTU.
const SURE_SEGMENT: usize = 1232;

/// No further segment.
const LAST: u32 = u32::MAX;

/// One datagram in the arena.
#[derive(Clone, Copy)]
struct Segment {
    start: u32,
    len: u32,
    /// The next one of the same run, [`LAST`] for none.
    next: u32,
}

impl Segment {
    fn range(&self) -> Range<usize> {
        self.start as usize..(self.start + self.len) as usize
    }
}

/// Datagrams for one path, all of `size` bytes but the last, which may be shorter.
#[derive(Clone, Copy)]
struct Run {
    path: Path,
    destination: Option<usize>,
    first: usize,
    last: usize,
    count: usize,
    size: usize,
    len: usize,
}

impl Run {
    fn one(path: Path, destination: Option<usize>, segment: usize, len: usize) -> Self {
        Self { path, destination, first: segment, last: segment, count: 1, size: len, len }
    }

    fn takes(&self, len: usize) -> bool {
        let unbroken = self.len == self.size * self.count;
        unbroken && len <= self.size && self.count < MAX_SEGMENTS && self.len + len <= MAX_RUN
    }

    /// The bytes of its datagrams, in order.
    fn ranges(&self, segments: &[Segment]) -> impl Iterator<Item = Range<usize>> {
        let first = segments.get(self.first);
        std::iter::successors(first, move |segment| segments.get(segment.next as usize))
            .take(self.count)
            .map(Segment::range)
    }
}

/// Where a destination leads, and its run that still takes packets.
#[derive(Clone, Copy, Default)]
struct Route {
    path: Option<Path>,
    run: Option<usize>,
}

/// Who the slot lent last is for.
#[derive(Clone, Copy)]
enum Lent {
    /// Whoever this destination leads to.
    To(usize),
    /// The end of this path.
    Along(Path),
}

/// Counters since the start.
#[derive(Debug, Clone, Copy, Default)]
pub struct SendCounters {
    /// Datagrams.
    pub datagrams: u64,
    /// System calls.
    pub calls: u64,
    /// Datagrams the kernel did not take.
    pub failed: u64,
}

/// The send arena of one shard.
pub struct Sender {
    sockets: Arc<[Socket]>,
    /// The TCP connections, which are written to instead where a path leads along one.
    pub streams: Streams,
    gso: bool,
    arena: Vec<u8>,
    used: usize,
    lent: Option<Lent>,
    segments: Vec<Segment>,
    runs: Vec<Run>,
    routes: Vec<Route>,
    call: Box<Call>,
    /// What was sent.
    pub counters: SendCounters,
}

impl Sender {
    /// An empty arena for these sockets.
    pub fn new(sockets: Arc<[Socket]>, streams: Streams, gso: bool) -> Self {
        Self {
            sockets,
            streams,
            gso,
            arena: vec![0; ARENA],
            used: 0,
            lent: None,
            segments: Vec::new(),
            runs: Vec::with_capacity(MAX_RUNS),
            routes: Vec::new(),
            call: Call::new(),
            counters: SendCounters::default(),
        }
    }

    /// Whether segmentation offload is in use.
    pub const fn gso(&self) -> bool {
        self.gso
    }

    /// Send everything gathered.
    pub fn flush(&mut self) {
        if self.runs.is_empty() {
            return;
        }
        let mut runs = std::mem::take(&mut self.runs);
        for run in &runs {
            if let Some(route) = run.destination.and_then(|index| self.routes.get_mut(index)) {
                route.run = None;
            }
        }
        if self.gso {
            self.send_all(&runs);
        } else {
            let apart: Vec<Run> = runs.iter().flat_map(|run| self.apart(run)).collect();
            self.send_all(&apart);
        }
        runs.clear();
        self.runs = runs;
        self.segments.clear();
        self.used = 0;
    }

    /// The datagrams of a run as runs of one.
    fn apart(&self, run: &Run) -> Vec<Run> {
        let next = |at: &usize| self.segments.get(*at).map(|segment| segment.next as usize);
        let segments = std::iter::successors(Some(run.first), next).take(run.count);
        segments.map(|at| Run::one(run.path, None, at, self.segments[at].len as usize)).collect()
    }

    /// Send runs in order; returns how many the kernel took.
    fn send_all(&mut self, runs: &[Run]) -> usize {
        let (mut at, mut taken) = (0, 0);
        while let Some(first) = runs.get(at).copied() {
            if let Protocol::Tcp(number) = first.path.protocol {
                self.send_stream(number, &first);
                at += 1;
                continue;
            }
            match self.send_batch(&runs[at..]) {
                Ok(sent) => {
                    at += sent.max(1);
                    taken += sent;
                }
                Err(error) => {
                    at += 1;
                    if first.count > 1 && refuses_segments(&error) {
                        let apart = self.apart(&first);
                        let worked = self.send_all(&apart) > 0;
                        self.gso &= !(worked && first.size <= SURE_SEGMENT);
                    } else {
                        self.counters.failed += first.count as u64;
                    }
                }
            }
        }
        taken
    }

    /// One system call for the first runs of one socket.
    fn send_batch(&mut self, runs: &[Run]) -> io::Result<usize> {
        let index = runs[0].path.socket;
        let Some(socket) = self.sockets.get(usize::from(index)) else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        let here = |run: &&Run| run.path.socket == index && run.path.protocol == Protocol::Udp;
        let same = runs.iter().take(BATCH).take_while(here).count();
        let runs = &runs[..same];
        self.counters.calls += 1;
        let sent = self.call.send(socket, runs, &self.segments, &self.arena)?;
        self.counters.datagrams += runs[..sent].iter().map(|run| run.count as u64).sum::<u64>();
        Ok(sent)
    }

    /// A run along a TCP connection, in one write.
    fn send_stream(&mut self, number: u32, run: &Run) {
        let (segments, arena) = (&self.segments, &self.arena);
        let bytes = run.ranges(segments).map(|range| &arena[range]);
        self.counters.calls += 1;
        self.counters.datagrams += self.streams.write(number, bytes);
    }

    fn lend(&mut self, to: Lent, max_len: usize) -> &mut [u8] {
        if self.used + max_len > ARENA || self.runs.len() >= MAX_RUNS {
            self.flush();
        }
        self.lent = Some(to);
        self.arena.get_mut(self.used..self.used + max_len).unwrap_or_default()
    }

    fn append(&mut self, to: Lent, segment: usize, len: usize) {
        let (path, destination) = match to {
            Lent::Along(path) => (path, None),
            Lent::To(index) => {
                let Some(route) = self.routes.get_mut(index) else { return };
                // An open run goes along the route's path: it is closed when that changes.
                if let Some(run) = route.run.and_then(|run| self.runs.get_mut(run)).filter(|run| run.takes(len)) {
                    self.segments[run.last].next = u32::try_from(segment).unwrap_or(LAST);
                    run.last = segment;
                    run.count += 1;
                    run.len += len;
                    return;
                }
                let Some(path) = route.path else { return };
                route.run = Some(self.runs.len());
                (path, Some(index))
            }
        };
        self.runs.push(Run::one(path, destination, segment, len));
    }
}

/// What kernels, network cards and containers say when they do not segment.
fn refuses_segments(error: &io::Error) -> bool {
    let codes = [libc::EIO, libc::EINVAL, libc::EOPNOTSUPP, libc::ENOPROTOOPT, libc::EMSGSIZE];
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

impl Outbox for Sender {
    fn packet(&mut self, destination: Destination, max_len: usize) -> &mut [u8] {
        let index = destination.0 as usize;
        self.lent = None;
        if self.routes.get(index).is_none_or(|route| route.path.is_none()) {
            return &mut [];
        }
        self.lend(Lent::To(index), max_len)
    }

    fn commit(&mut self, len: usize) {
        let Some(to) = self.lent.take().filter(|_| len > 0) else { return };
        #[allow(clippy::cast_possible_truncation, reason = "places in the arena")]
        let segment = Segment { start: self.used as u32, len: len as u32, next: LAST };
        self.segments.push(segment);
        self.append(to, self.segments.len() - 1, len);
        self.used += len;
    }
}

impl Wire for Sender {
    fn bind(&mut self, destination: Destination, path: Path) {
        let index = destination.0 as usize;
        if self.routes.len() <= index {
            self.routes.resize(index + 1, Route::default());
        }
        self.routes[index] = Route { path: Some(path), run: None };
    }

    fn send_to(&mut self, path: Path, datagram: &[u8]) {
        let slot = self.lend(Lent::Along(path), datagram.len());
        if slot.len() == datagram.len() {
            slot.copy_from_slice(datagram);
            self.commit(datagram.len());
        }
    }
}

#[cfg(test)]
mod tests;
