//! The spatial layers of one stream that holds several: what each carries.

use std::time::Instant;

use super::Bitrate;
use crate::codec::scalable::{Frame, Frames, MAX_SPATIAL, Point};
use crate::message::LayerStats;

/// Counters of one spatial layer.
#[derive(Debug)]
struct Counted {
    packets: u64,
    bytes: u64,
    key_frames: u64,
    own: Bitrate,
    /// Of what a subscriber of the layer gets: this one, and those below where it needs them.
    whole: Bitrate,
}

/// The layers of one stream.
#[derive(Debug)]
pub struct Spatial {
    /// What its packets are to each operating point.
    pub frames: Frames,
    /// Packets read again because a structure came after them.
    pub(super) read_again: u64,
    counted: [Counted; MAX_SPATIAL],
}

impl Spatial {
    /// Nothing received yet.
    #[must_use]
    pub fn new(frames: Frames, now: Instant) -> Self {
        let counted = std::array::from_fn(|_| Counted {
            packets: 0,
            bytes: 0,
            key_frames: 0,
            own: Bitrate::new(now),
            whole: Bitrate::new(now),
        });
        Self { frames, read_again: 0, counted }
    }

    /// Counts a packet.
    pub fn count(&mut self, frame: &Frame, bytes: usize, now: Instant) {
        let active = self.frames.active();
        for (spatial, counted) in (0..).zip(&mut self.counted) {
            let full = active.best(spatial, u8::MAX).filter(|point| point.spatial == spatial);
            if full.is_some_and(|point| frame.is_for(point)) {
                counted.whole.add(bytes, now);
            }
        }
        if let Some(counted) = self.counted.get_mut(usize::from(frame.layer.spatial)) {
            counted.packets += 1;
            counted.bytes += bytes as u64;
            counted.own.add(bytes, now);
            counted.key_frames += u64::from(frame.key);
        }
    }

    /// How many layers there are, from the lowest to the highest one in use.
    #[must_use]
    pub fn layers(&self) -> u8 {
        self.frames.active().best(u8::MAX, 0).map_or(1, |Point { spatial, .. }| spatial + 1)
    }

    /// Whether a layer is in use.
    #[must_use]
    pub fn is_active(&self, spatial: u8) -> bool {
        self.frames.active().best(spatial, 0).is_some_and(|point| point.spatial == spatial)
    }

    /// bit/s a subscriber of a layer gets.
    #[must_use]
    pub fn bits_per_second(&self, spatial: u8, now: Instant) -> u64 {
        self.counted.get(usize::from(spatial)).map_or(0, |counted| counted.whole.bits_per_second(now))
    }

    /// Counters by spatial layer. What is counted of the stream as a whole (`whole`) stands with the lowest.
    #[must_use]
    pub fn stats(&self, whole: &LayerStats, now: Instant) -> Vec<LayerStats> {
        let counted = (0..self.layers()).zip(&self.counted).map(|(spatial, counted)| LayerStats {
            live: whole.live && self.is_active(spatial),
            packets: counted.packets,
            bytes: counted.bytes,
            bitrate: counted.own.bits_per_second(now),
            key_frames: counted.key_frames,
            lost: if spatial == 0 { whole.lost } else { 0 },
            nacks_sent: if spatial == 0 { whole.nacks_sent } else { 0 },
            plis_sent: if spatial == 0 { whole.plis_sent } else { 0 },
            ..whole.clone()
        });
        counted.collect()
    }
}
