//! What of a peer's DATA there is room for.
//!
//! `sctp-proto` keeps each TSN beyond a gap, and each chunk of a message that cannot be read yet, and goes through all of
//! them for each chunk that comes. Its window counts bytes, and only those of messages that were not read: a peer that
//! leaves one TSN out, or one message, and sends bytes alone would take memory and others' time without end. What is
//! refused here is as if it had been lost: the sender sends it again, and slows down.

use std::collections::{BTreeMap, BTreeSet};

use super::packet::{Chunk, Data, Kind, Reset, Sack};
use crate::drop::Reason;

/// Streams a peer may send data on: those of channels, and a few that were refused. `sctp-proto` keeps a state for each
/// number it has seen, of 65,536, and looks at all of them for every chunk: that would be others' time.
pub const MAX_STREAMS: usize = 64;
/// TSNs beyond the first that is missing. Fragments of large messages fill the receive window by some 460.
pub const MAX_AHEAD: u32 = 2_048;
/// Chunks of messages that wait for another, or for the rest of their own. What fills a gap is taken beyond that.
pub const MAX_HELD: usize = 1_024;
/// Blocks of an acknowledgment from which on no new one is begun: with those of one packet more it still fits one packet.
/// Of 460 packets of which every fifth is lost, there are some 75.
pub const MAX_GAPS: usize = 192;
/// Chunks until we acknowledge, which we do for each second packet.
const MAX_FRESH: usize = 256;
/// Fragments of one packet: one ends a message, one begins the next; a few more where small ones are sent again.
const MAX_FRAGMENTS: usize = 16;
/// Chunks held from which on whole messages count as fragments: each is sorted among what is held.
const MANY_HELD: usize = MAX_HELD / 2;

/// Resets of streams that the peer asked for and has not confirmed ours of: `sctp-proto` keeps each until then.
pub const MAX_RESETS: usize = 64;

/// What there is room for of new data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// All of it.
    All,
    /// What fills a gap: what came beyond it waits for that.
    Gaps,
    /// Nothing.
    None,
}

/// TSNs that came without a gap between them: the first and the last.
type Block = (u32, u32);

/// What came of one association, as far as its peer can make it grow.
#[derive(Default)]
pub struct Intake {
    /// What the peer has sent data on.
    streams: BTreeSet<u16>,
    /// Those of them that it resets, and the last TSN sent before; one whose last message is not complete stays so.
    ending: BTreeMap<u16, u32>,
    /// Resets that are under way, and the number of the last request.
    resets: usize,
    requested: Option<u32>,
    /// All up to here came; unknown until we acknowledge for the first time.
    cumulative: Option<u32>,
    /// What came beyond when we last acknowledged; ascending.
    beyond: Vec<Block>,
    /// Chunks since we last acknowledged.
    fresh: usize,
    /// Chunks that came and were not read.
    held: Held,
}

/// Chunks, their bytes, and the bytes of the largest since there were none.
#[derive(Default)]
struct Held {
    chunks: usize,
    bytes: usize,
    largest: usize,
}

impl Held {
    fn add(&mut self, bytes: usize) {
        self.chunks += 1;
        self.bytes += bytes;
        self.largest = self.largest.max(bytes);
    }

    const fn remove(&mut self, chunks: usize, bytes: usize) {
        self.chunks = self.chunks.saturating_sub(chunks);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// So many bytes are truly held: the others were given up by their sender, in as few chunks as that takes.
    fn correct(&mut self, bytes: usize) {
        if bytes == 0 {
            *self = Self::default();
            return;
        }
        let gone = self.bytes.saturating_sub(bytes).div_ceil(self.largest.max(1));
        self.chunks = self.chunks.saturating_sub(gone).min(bytes); // a chunk has a byte at least
        self.bytes = bytes;
    }
}

/// How far `tsn` is beyond `from`, by serial numbers (RFC 1982).
const fn ahead(tsn: u32, from: u32) -> i32 {
    tsn.wrapping_sub(from).cast_signed()
}

impl Intake {
    /// For each chunk of a packet, whether it is taken; of new data what there is `room` for.
    ///
    /// # Errors
    /// `ChannelLimit` where its data are of too many streams: none of it is taken, and the association stands still.
    pub fn admit(&mut self, chunks: &[Chunk], room: Room) -> Result<Vec<bool>, Reason> {
        let new = |chunk: &Chunk| match &chunk.kind {
            // What came before may be of a stream that was reset since: it is acknowledged again, and begins nothing.
            Kind::Data(data) if !self.came(data.tsn) && !self.streams.contains(&data.stream) => Some(data.stream),
            _ => None,
        };
        let added: BTreeSet<u16> = chunks.iter().filter_map(new).collect();
        if self.streams.len() + added.len() > MAX_STREAMS {
            return Err(Reason::ChannelLimit);
        }
        let mut fragments = 0;
        let taken = chunks.iter().map(|chunk| match &chunk.kind {
            Kind::Data(data) => {
                let costly = !data.whole || self.held.chunks > MANY_HELD;
                fragments += usize::from(costly);
                (!costly || fragments <= MAX_FRAGMENTS) && self.take(data, room)
            }
            Kind::Reset(reset) => self.begin_reset(reset),
            Kind::End | Kind::Control => true,
        });
        Ok(taken.collect())
    }

    /// A reset that comes before the last data of its streams waits for them at its sender: `sctp-proto` would keep what
    /// comes after it, and read all of it again for each chunk.
    fn begin_reset(&mut self, reset: &Reset) -> bool {
        let came = self.cumulative.is_some_and(|cumulative| ahead(reset.last, cumulative) <= 0);
        if !came || self.resets >= MAX_RESETS {
            return false;
        }
        // One that is sent again, as its answer was lost, is only answered: its streams may be in use again.
        if self.requested.is_some_and(|requested| ahead(reset.request, requested) <= 0) {
            return true;
        }
        self.requested = Some(reset.request);
        let named = |stream: &&u16| reset.streams.is_empty() || reset.streams.contains(stream);
        self.ending.extend(self.streams.iter().filter(named).map(|stream| (*stream, reset.last)));
        true
    }

    fn take(&mut self, data: &Data, room: Room) -> bool {
        let tsn = data.tsn;
        let ended = self.ending.get(&data.stream).is_some_and(|last| ahead(tsn, *last) > 0);
        if ended || self.fresh >= MAX_FRESH || !self.has_room(tsn, room) {
            return false;
        }
        self.fresh += 1;
        if !self.came(tsn) {
            self.held.add(data.bytes);
            self.streams.insert(data.stream);
        }
        if self.cumulative.is_some_and(|cumulative| ahead(tsn, cumulative) == 1) {
            self.cumulative = Some(tsn);
            self.close_gap();
        }
        true
    }

    fn has_room(&self, tsn: u32, room: Room) -> bool {
        let any = self.held.chunks < MAX_HELD && room == Room::All;
        let Some(cumulative) = self.cumulative else { return any };
        if self.came(tsn) {
            return true; // costs nothing, and is acknowledged again
        }
        let (before, after) = self.beside(tsn);
        let joins = before.is_some_and(|(_, last)| ahead(tsn, last) == 1)
            || after.is_some_and(|(first, _)| ahead(first, tsn) == 1);
        let next = ahead(tsn, cumulative) == 1;
        ahead(tsn, cumulative).cast_unsigned() <= MAX_AHEAD
            && (any || (room != Room::None && after.is_some()))
            && (self.beyond.len() < MAX_GAPS || next || joins)
    }

    fn came(&self, tsn: u32) -> bool {
        self.cumulative.is_some_and(|cumulative| ahead(tsn, cumulative) <= 0)
            || self.beside(tsn).0.is_some_and(|(_, last)| ahead(last, tsn) >= 0)
    }

    /// The last block that begins at or before `tsn`, and the one after it.
    fn beside(&self, tsn: u32) -> (Option<Block>, Option<Block>) {
        let place = self.beyond.partition_point(|(first, _)| ahead(tsn, *first) >= 0);
        (place.checked_sub(1).map(|before| self.beyond[before]), self.beyond.get(place).copied())
    }

    fn close_gap(&mut self) {
        while let (Some(cumulative), Some((first, last))) = (self.cumulative, self.beyond.first().copied())
            && ahead(first, cumulative) <= 1
        {
            self.cumulative = Some(last);
            self.beyond.remove(0);
        }
    }

    /// What we acknowledge is what truly came; `room` is the receive buffer of the association, in bytes.
    pub fn acknowledged(&mut self, sack: &Sack, room: u32) {
        let tsn = |distance: u16| sack.cumulative.wrapping_add(u32::from(distance));
        self.cumulative = Some(sack.cumulative);
        self.beyond = sack.gaps.iter().map(|(first, last)| (tsn(*first), tsn(*last))).collect();
        self.fresh = 0;
        self.held.correct(room.saturating_sub(sack.credit) as usize);
    }

    /// A message of so many chunks and bytes was read.
    pub const fn read(&mut self, chunks: usize, bytes: usize) {
        self.held.remove(chunks, bytes);
    }

    /// Bytes that came and were not read.
    pub const fn bytes(&self) -> usize {
        self.held.bytes
    }

    /// The peer's half of a stream was reset, and ours is being.
    pub fn reset(&mut self, stream: u16) {
        self.streams.remove(&stream);
        self.ending.remove(&stream);
        self.resets += 1;
    }

    /// The peer has confirmed, or let it be.
    pub fn was_reset(&mut self) {
        self.resets = self.resets.saturating_sub(1);
    }

    /// Streams that data came on.
    #[cfg(test)]
    pub fn streams(&self) -> usize {
        self.streams.len()
    }
}
