//! The decrypted packets of one published layer, kept in fixed memory: forwarded from here, and sent again from here to
//! every subscriber that lost one.

use std::time::Instant;

use crate::codec::Picture;
use crate::codec::scalable::Frame;
use crate::rtp::AudioLevel;

/// Longest payload kept; a UDP datagram on a path of 1,500 bytes holds less.
pub const MAX_PAYLOAD: usize = 1_500;

/// How much a ring holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Packets, a power of two.
    pub packets: usize,
    /// Payload bytes.
    pub bytes: usize,
}

impl Capacity {
    /// About two seconds of 2 Mbit/s, more of less.
    pub const VIDEO: Self = Self { packets: 512, bytes: 512 * 1024 };
    /// A second of 20 ms packets.
    pub const AUDIO: Self = Self { packets: 64, bytes: 32 * 1024 };
}

/// What is known of a stored packet besides its payload.
#[derive(Clone, Copy, Debug)]
pub struct Stored {
    /// Extended sequence number of the layer.
    pub index: u64,
    /// RTP timestamp as published.
    pub timestamp: u32,
    /// When it arrived.
    pub arrival: Instant,
    /// Marker bit.
    pub marker: bool,
    /// Decoding can begin here.
    pub key_frame: bool,
    /// Picture numbers.
    pub picture: Picture,
    /// What it is to each operating point of a stream with several layers, where that can be said.
    pub frame: Option<Frame>,
    /// Bytes of the dependency descriptor, which are kept before the payload.
    pub descriptor: u8,
    /// Where the packet proper begins in redundant audio (RFC 2198), `None` for a packet without.
    pub red: Option<u16>,
    /// Audio level.
    pub audio_level: Option<AudioLevel>,
}

impl Stored {
    /// Dependency descriptor (empty without one) and payload of the bytes kept.
    #[inline]
    #[must_use]
    pub fn split<'a>(&self, bytes: &'a mut [u8]) -> (&'a mut [u8], &'a mut [u8]) {
        let at = usize::from(self.descriptor).min(bytes.len());
        bytes.split_at_mut(at)
    }
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    packet: Stored,
    /// Position in the endless stream of stored bytes; the ring holds the last `bytes` of it.
    at: u64,
    /// The same within the ring.
    offset: usize,
    len: usize,
}

/// A ring of packets. Its memory is taken when the first packet comes, and does not grow.
#[derive(Debug)]
pub struct Ring {
    capacity: Capacity,
    slots: Vec<Option<Slot>>,
    bytes: Vec<u8>,
    /// Where the next payload goes in the endless stream.
    head: u64,
}

impl Ring {
    /// An empty ring.
    #[must_use]
    pub fn new(capacity: Capacity) -> Self {
        Self { capacity, slots: Vec::new(), bytes: Vec::new(), head: 0 }
    }

    /// Packets it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity.packets
    }

    /// Packets it can hold.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.capacity.packets as u64
    }

    /// Whether a packet of this index was stored and its slot not yet taken by a newer one.
    #[must_use]
    pub fn knows(&self, index: u64) -> bool {
        self.slot(index).is_some()
    }

    /// Forgets everything, keeping its memory.
    pub fn clear(&mut self) {
        self.slots.fill(None);
    }

    /// Stores a packet over the oldest. False when the payload is longer than [`MAX_PAYLOAD`].
    pub fn store(&mut self, packet: Stored, descriptor: &[u8], payload: &[u8]) -> bool {
        if payload.len() > MAX_PAYLOAD {
            return false;
        }
        if self.bytes.is_empty() {
            self.slots.resize(self.capacity.packets, None);
            self.bytes.resize(self.capacity.bytes, 0);
        }
        // A payload never wraps: what is left before the end is skipped when too short.
        let offset = self.offset(self.head);
        let len = descriptor.len() + payload.len();
        if offset + len > self.bytes.len() {
            self.head += (self.bytes.len() - offset) as u64;
        }
        let at = self.head;
        let offset = self.offset(at);
        if let Some((first, rest)) =
            self.bytes.get_mut(offset..offset + len).and_then(|place| place.split_at_mut_checked(descriptor.len()))
        {
            first.copy_from_slice(descriptor);
            rest.copy_from_slice(payload);
        }
        self.head += len as u64;
        let place = self.place(packet.index);
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = Some(Slot { packet, at, offset, len });
        }
        true
    }

    /// A stored packet and its bytes: dependency descriptor and payload, see [`Stored::split`]. They may be patched in place
    /// ([`Picture::write`]).
    #[inline]
    pub fn get(&mut self, index: u64) -> Option<(Stored, &mut [u8])> {
        self.view(index).map(|(packet, bytes)| (*packet, bytes))
    }

    /// As [`Ring::get`], without a copy.
    #[inline]
    pub fn view(&mut self, index: u64) -> Option<(&Stored, &mut [u8])> {
        let slot = self.slots.get(self.place(index))?.as_ref().filter(|slot| slot.packet.index == index)?;
        if slot.at + (self.bytes.len() as u64) < self.head {
            return None;
        }
        let payload = self.bytes.get_mut(slot.offset..slot.offset + slot.len)?;
        Some((&slot.packet, payload))
    }

    /// Says what a packet is to each operating point, once that is known.
    pub fn explain(&mut self, index: u64, frame: Frame) {
        let place = self.place(index);
        if let Some(slot) = self.slots.get_mut(place).and_then(Option::as_mut).filter(|slot| slot.packet.index == index)
        {
            slot.packet.frame = Some(frame);
        }
    }

    fn slot(&self, index: u64) -> Option<&Slot> {
        self.slots.get(self.place(index))?.as_ref().filter(|slot| slot.packet.index == index)
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "reduced modulo a power of two")]
    fn place(&self, index: u64) -> usize {
        index as usize & (self.capacity.packets - 1)
    }

    #[allow(clippy::cast_possible_truncation, reason = "reduced modulo a usize")]
    fn offset(&self, at: u64) -> usize {
        (at % self.capacity.bytes as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(index: u64) -> Stored {
        Stored {
            index,
            timestamp: 0,
            arrival: Instant::now(),
            marker: false,
            key_frame: false,
            picture: Picture::default(),
            frame: None,
            descriptor: 0,
            red: None,
            audio_level: None,
        }
    }

    #[test]
    fn keeps_the_last_packets() {
        let mut ring = Ring::new(Capacity { packets: 8, bytes: 100_000 });
        assert!(ring.get(1).is_none() && !ring.knows(1));
        for index in 0..20u8 {
            assert!(ring.store(stored(u64::from(index)), &[], &[index; 10]));
        }
        assert!(ring.get(11).is_none());
        for index in 12..20u8 {
            assert_eq!(ring.get(u64::from(index)).unwrap().1, [index; 10]);
        }
        assert!(!ring.store(stored(20), &[], &[0; MAX_PAYLOAD + 1]));
    }

    #[test]
    fn takes_its_memory_once() {
        for (capacity, most) in [(Capacity::VIDEO, 640), (Capacity::AUDIO, 48)] {
            let mut ring = Ring::new(capacity);
            assert_eq!((ring.slots.capacity(), ring.bytes.capacity()), (0, 0));
            for index in 0..5_000 {
                assert!(ring.store(stored(index), &[], &[0; MAX_PAYLOAD]));
            }
            let taken = ring.slots.capacity() * size_of::<Option<Slot>>() + ring.bytes.capacity();
            assert!(taken > capacity.bytes && taken <= most * 1024, "{taken}");
        }
    }

    #[test]
    fn never_hands_out_overwritten_bytes() {
        let mut ring = Ring::new(Capacity { packets: 64, bytes: 4_000 });
        let mut noise = crate::noise::Noise::new(11);
        let mut sizes = Vec::new();
        for index in 0..5_000u64 {
            let len = noise.below(1_200) as usize;
            sizes.push(len);
            ring.store(stored(index), &[index as u8; 3][..len.min(3)], &vec![index as u8; len - len.min(3)]);
            for back in 0..64.min(index) {
                let seen = index - back;
                if let Some((packet, payload)) = ring.get(seen) {
                    assert_eq!(packet.index, seen);
                    assert_eq!(payload.len(), sizes[seen as usize]);
                    assert!(payload.iter().all(|byte| *byte == seen as u8));
                } else {
                    assert!(back > 0, "the newest is always there");
                }
            }
        }
    }
}
