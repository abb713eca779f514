//! A ring of packet heads.

use std::time::{Duration, Instant};

/// Bytes of a packet's head in one cell: an RTP header with the extensions we send, or the start of a longer record.
pub const HEAD: usize = 32;
/// Cells one record may span; what is longer is cut.
const MAX_CELLS: usize = 8;
/// Cells of a tape unless said otherwise: 10 s of 800 packets a second in 320 KiB.
const DEFAULT: usize = 8_192;
/// Cells gathered before they are written to the ring, together: a ring is larger than what a core's caches keep of all
/// peers, and a line that has to be fetched to be written to holds up everything written after it.
const STAGE: usize = 8;
/// Cells a tape begins with.
const FIRST: usize = 512;
/// How far back a tape is asked.
pub const SPAN: Duration = Duration::from_secs(10);
/// The same in µs: a tape that is full sooner grows, up to its bound.
const WANTED: u64 = SPAN.as_secs() * 1_000_000;
/// A unit of recorded time is 2^4 µs: 32 bits then last 19 hours.
const TIME_SHIFT: u32 = 4;

/// Which way a packet went, seen from the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the peer.
    In,
    /// To the peer.
    Out,
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    /// Nothing yet.
    #[default]
    Empty,
    /// The first cell of a packet that came in.
    In,
    /// The first cell of a packet that went out.
    Out,
    /// More of the packet before.
    More,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    time: u32,
    /// Bytes of the packet on the wire.
    len: u16,
    /// Bytes of `head` in use.
    kept: u8,
    part: Part,
    head: [u8; HEAD],
}

/// A packet as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// How long ago, µs.
    pub age: u64,
    /// Which way it went.
    pub direction: Direction,
    /// Bytes on the wire.
    pub len: usize,
    /// Its first bytes.
    pub head: Vec<u8>,
}

/// A ring of records in bounded memory, oldest forgotten first.
#[derive(Debug)]
pub struct Tape {
    /// Empty, or a power of two.
    cells: Vec<Cell>,
    capacity: usize,
    next: usize,
    /// The last `staged` cells, each at its place modulo [`STAGE`].
    stage: [Cell; STAGE],
    staged: usize,
    /// What times count from: the first record.
    began: Option<Instant>,
    /// The instant recorded last, and what it is here: packets come and go many at a time.
    latest: Option<(Instant, u32)>,
}

impl Default for Tape {
    fn default() -> Self {
        Self::new(DEFAULT)
    }
}

impl Tape {
    /// A ring of at most `capacity` cells of 40 bytes, rounded up to a power of two. It begins with few, at its first
    /// record, and grows while it is full before 10 s have passed.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            cells: Vec::new(),
            capacity: capacity.max(MAX_CELLS).next_power_of_two(),
            next: 0,
            stage: [Cell::default(); STAGE],
            staged: 0,
            began: None,
            latest: None,
        }
    }

    /// Begins the record of an RTP packet of `len` bytes that goes out: where its header of `header` bytes is to be written.
    /// `None` when that does not fit one cell, or at the end of the ring: see [`Tape::record`].
    ///
    /// Written here, not copied from the packet: reading what was written a moment ago would wait until all of it has
    /// reached the cache.
    #[inline]
    pub fn begin(&mut self, now: Instant, len: usize, header: usize) -> Option<&mut [u8; HEAD]> {
        let at = self.next & self.cells.len().wrapping_sub(1);
        let (Ok(kept), Ok(len)) = (u8::try_from(header), u16::try_from(len)) else { return None };
        if header > HEAD || at == 0 {
            return None;
        }
        let time = self.time(now);
        let cell = self.stage(at);
        (cell.time, cell.len, cell.kept, cell.part) = (time, len, kept, Part::Out);
        Some(&mut cell.head)
    }

    /// The next cell, whose place in the ring is `at`.
    #[inline]
    fn stage(&mut self, at: usize) -> &mut Cell {
        self.write_back();
        self.next = self.next.wrapping_add(1);
        self.staged += 1;
        &mut self.stage[at % STAGE]
    }

    /// Writes the cells gathered to the ring, once there are enough.
    #[inline]
    fn write_back(&mut self) {
        if self.staged == STAGE {
            let first = self.next.wrapping_sub(STAGE) & self.cells.len().wrapping_sub(1);
            if let Some(cells) = self.cells.get_mut(first..first + STAGE) {
                cells.copy_from_slice(&self.stage);
            }
            self.staged = 0;
        }
    }

    /// The cell at a place in the ring.
    fn cell(&self, at: usize) -> Option<&Cell> {
        let back = self.next.wrapping_sub(at) & self.cells.len().wrapping_sub(1);
        if (1..=self.staged).contains(&back) { self.stage.get(at % STAGE) } else { self.cells.get(at) }
    }

    #[inline]
    fn time(&mut self, now: Instant) -> u32 {
        match self.latest {
            Some((latest, time)) if latest == now => time,
            _ => {
                let time = units(*self.began.get_or_insert(now), now);
                self.latest = Some((now, time));
                time
            }
        }
    }

    /// Keep the head of a packet of `len` bytes.
    #[inline]
    pub fn record(&mut self, direction: Direction, now: Instant, len: usize, head: &[u8]) {
        let time = self.time(now);
        let len = u16::try_from(len).unwrap_or(u16::MAX);
        let mut part = if direction == Direction::In { Part::In } else { Part::Out };
        for piece in head.chunks(HEAD).take(MAX_CELLS) {
            let mut at = self.next & self.cells.len().wrapping_sub(1);
            if at == 0 {
                self.write_back();
                at = self.turn(time);
            }
            let cell = self.stage(at);
            cell.time = time;
            cell.len = len;
            cell.kept = u8::try_from(piece.len()).unwrap_or(0);
            cell.part = part;
            if let Some(place) = cell.head.get_mut(..piece.len()) {
                place.copy_from_slice(piece);
            }
            part = Part::More;
        }
    }

    /// At the end of the cells, where the oldest is the first: more of them, if it is still young. Where to go on.
    #[cold]
    fn turn(&mut self, time: u32) -> usize {
        let len = self.cells.len();
        let young = self.cells.first().is_none_or(|cell| age(time, cell.time) < WANTED);
        if self.next > 0 && young && len < self.capacity {
            self.next = len;
            self.cells.resize((len * 4).min(self.capacity), Cell::default());
            return len;
        }
        if len == 0 {
            self.cells.resize(FIRST.min(self.capacity), Cell::default());
        }
        0
    }

    /// What was recorded in the last `span` before `now`, oldest first.
    #[must_use]
    pub fn records(&self, now: Instant, span: Duration) -> Vec<Record> {
        let Some(began) = self.began else { return Vec::new() };
        let (now, span) = (units(began, now), u64::try_from(span.as_micros()).unwrap_or(u64::MAX));
        let mut records: Vec<Record> = Vec::new();
        let mut open = false;
        for step in 0..self.cells.len() {
            let at = (self.next + step) & (self.cells.len() - 1);
            let Some(cell) = self.cell(at) else { continue };
            let head = cell.head.get(..usize::from(cell.kept)).unwrap_or_default();
            let direction = match cell.part {
                Part::Empty => continue,
                Part::More => {
                    if let Some(last) = records.last_mut().filter(|_| open) {
                        last.head.extend_from_slice(head);
                    }
                    continue;
                }
                Part::In => Direction::In,
                Part::Out => Direction::Out,
            };
            let age = age(now, cell.time);
            open = age <= span;
            if open {
                records.push(Record { age, direction, len: usize::from(cell.len), head: head.to_vec() });
            }
        }
        records
    }
}

const fn age(now: u32, then: u32) -> u64 {
    (now.wrapping_sub(then) as u64) << TIME_SHIFT
}

#[allow(clippy::cast_possible_truncation, reason = "time goes round after 19 hours")]
fn units(began: Instant, now: Instant) -> u32 {
    (now.saturating_duration_since(began).as_micros() >> TIME_SHIFT) as u32
}
