//! What the frames so far say about the next one.

use super::{Frame, MAX_SPATIAL, Point, Points};
use crate::codec::dependency::{Descriptor, Structure};
use crate::codec::{Format, vp9};

/// Frames of which it is remembered who received them; references go back no further in practice.
const FRAMES: usize = 256;
/// A spatial layer that is not part of this many pictures in a row has stopped.
const STOPPED: u8 = 15;
const SPATIAL: u8 = 4;

/// A frame and who received it.
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    number: u16,
    present: Points,
}

/// The picture that packets are coming of, for streams without a dependency descriptor.
#[derive(Clone, Copy, Debug, Default)]
struct Picture {
    timestamp: u32,
    /// Bit per spatial layer seen.
    layers: u8,
    key: bool,
}

/// The layers of one stream.
#[derive(Debug)]
pub struct Frames {
    format: Format,
    structure: Option<Box<Structure>>,
    /// Index of the packet that brought the structure, and of the one that last said what is active.
    since: u64,
    active_since: u64,
    active: Points,
    past: Vec<Past>,
    /// Who received the newest frame of the lowest temporal layer, by spatial layer.
    reach: [Points; MAX_SPATIAL],
    picture: Option<Picture>,
    newest: u64,
    /// Pictures without the layer, by spatial layer.
    absent: [u8; MAX_SPATIAL],
}

/// What a packet changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Packets after this one can be described only now.
    pub structure: bool,
}

impl Frames {
    /// A stream of which nothing was received. `layers` are the spatial layers it was announced with.
    #[must_use]
    pub fn new(format: Format, layers: u8) -> Self {
        Self {
            format,
            structure: None,
            since: 0,
            active_since: 0,
            active: rows(0..layers.clamp(1, SPATIAL)),
            past: Vec::new(),
            reach: [Points::default(); MAX_SPATIAL],
            picture: None,
            newest: 0,
            absent: [0; MAX_SPATIAL],
        }
    }

    /// Forgets everything but what is active: another stream of the same layers begins.
    pub fn restart(&mut self) {
        *self = Self { active: self.active, ..Self::new(self.format, 1) };
    }

    /// Operating points it can be decoded at now.
    #[must_use]
    pub fn active(&self) -> Points {
        self.active
    }

    /// Largest width and height of a spatial layer in pixels, where the stream tells.
    #[must_use]
    pub fn resolution(&self, spatial: u8) -> Option<(u16, u16)> {
        self.structure.as_ref()?.resolution(spatial)
    }

    /// Whether a receiver at `point` can come to `goal` by a key frame only.
    #[must_use]
    pub fn needs_key(&self, point: Option<Point>, goal: Point) -> bool {
        let Some(point) = point else { return true };
        let contained = || self.reach.get(usize::from(goal.spatial)).is_some_and(|reach| reach.has(point));
        goal.spatial > point.spatial || (goal.spatial < point.spatial && !contained())
    }

    /// What a packet is to each operating point; `None` when that cannot be said (yet). `index` is its extended sequence
    /// number.
    pub fn describe(
        &mut self,
        index: u64,
        timestamp: u32,
        payload: &[u8],
        descriptor: &[u8],
    ) -> (Option<Frame>, Change) {
        let mut change = Change::default();
        let frame = if !descriptor.is_empty() {
            self.by_descriptor(index, descriptor, &mut change)
        } else if self.format == Format::Vp9 {
            self.by_payload(index, timestamp, payload)
        } else {
            Some(self.whole(payload))
        };
        self.newest = self.newest.max(index);
        (frame, change)
    }

    fn by_descriptor(&mut self, index: u64, bytes: &[u8], change: &mut Change) -> Option<Frame> {
        if self.structure.is_some() && index < self.since {
            return None;
        }
        let mut seen = Descriptor::read(bytes, self.structure.as_deref())?;
        if let Some(structure) = seen.structure.take() {
            change.structure = true;
            self.since = index;
            self.past.clear();
            match &mut self.structure {
                Some(known) => **known = structure,
                None => self.structure = Some(Box::new(structure)),
            }
        }
        if let Some(active) = seen.active.filter(|active| !active.is_empty() && index >= self.active_since) {
            (self.active, self.active_since) = (active, index);
        }
        let outline = seen.outline;
        let references = seen.references.as_slice().iter();
        let from = references
            .fold(Points::ALL, |from, difference| from & self.received(outline.number.wrapping_sub(*difference)));
        self.remember(outline.number, seen.present);
        self.note_reach(seen.layer, seen.present);
        Some(Frame {
            layer: seen.layer,
            begins: outline.begins,
            ends: outline.ends,
            key: outline.begins && outline.has_structure,
            present: seen.present,
            enter: seen.switch,
            resume: seen.switch,
            from,
        })
    }

    fn by_payload(&mut self, index: u64, timestamp: u32, payload: &[u8]) -> Option<Frame> {
        let seen = vp9::Descriptor::read(payload).filter(|seen| usize::from(seen.layer.spatial) < MAX_SPATIAL)?;
        let Point { spatial, temporal } = seen.layer;
        let key = seen.is_key();
        self.note_picture(index, timestamp, spatial, seen.is_key(), seen.spatial_layers);
        let above = if seen.unused_above { spatial } else { SPATIAL - 1 };
        let present = (spatial..=above).fold(Points::default(), |set, layer| set | Points::of(layer, temporal));
        let own = Points::of(spatial, 0);
        let (enter, from) = if key {
            (Points::ALL, Points::ALL)
        } else if seen.inter_picture {
            let reach = self.reach.get(usize::from(spatial)).copied().unwrap_or_default();
            (if seen.switching_up { Points::of(spatial, temporal) } else { Points::default() }, reach)
        } else {
            // The layer begins anew, from the layer below or from nothing.
            let below = if seen.inter_layer { spatial.saturating_sub(1) } else { 0 };
            (own, rows(below..SPATIAL))
        };
        self.note_reach(seen.layer, present);
        Some(Frame { layer: seen.layer, begins: seen.begins, ends: seen.ends, key, present, enter, resume: own, from })
    }

    /// A stream whose layers cannot be told apart: everyone gets all of it.
    fn whole(&mut self, payload: &[u8]) -> Frame {
        let key = self.format.describe(payload, &[]).key_frame;
        self.active = rows(0..1);
        Frame { begins: key, key, present: Points::ALL, enter: Points::ALL, from: Points::ALL, ..Frame::default() }
    }

    fn received(&self, number: u16) -> Points {
        let past = self.past.get(usize::from(number) % FRAMES).filter(|past| past.number == number);
        past.map_or(Points::default(), |past| past.present)
    }

    fn remember(&mut self, number: u16, present: Points) {
        if self.past.is_empty() {
            self.past.resize(FRAMES, Past::default());
        }
        if let Some(place) = self.past.get_mut(usize::from(number) % FRAMES) {
            *place = Past { number, present };
        }
    }

    fn note_reach(&mut self, layer: Point, present: Points) {
        if let Some(reach) = self.reach.get_mut(usize::from(layer.spatial)).filter(|_| layer.temporal == 0) {
            *reach = present;
        }
    }

    /// Which spatial layers there are, from the pictures they are part of.
    fn note_picture(&mut self, index: u64, timestamp: u32, spatial: u8, key: bool, announced: Option<u8>) {
        if index < self.newest {
            return;
        }
        let before = self.picture.filter(|picture| picture.timestamp != timestamp);
        if let Some(before) = before {
            self.end_picture(before);
        }
        if before.is_some() || self.picture.is_none() {
            self.picture = Some(Picture { timestamp, ..Picture::default() });
        }
        if let Some(picture) = &mut self.picture {
            picture.layers |= 1 << spatial;
            picture.key |= key;
        }
        if let Some(layers) = announced.filter(|_| key) {
            self.active = rows(0..layers.min(SPATIAL));
        }
        self.active = self.active | Points::of(spatial, 0);
    }

    fn end_picture(&mut self, picture: Picture) {
        for (spatial, absent) in (0..).zip(&mut self.absent) {
            let seen = picture.layers >> spatial & 1 == 1;
            *absent = if seen { 0 } else { absent.saturating_add(if picture.key { STOPPED } else { 1 }) };
        }
        let flowing = (0..).zip(&self.absent).filter(|(_, absent)| **absent < STOPPED);
        self.active = flowing.fold(Points::default(), |set, (spatial, _)| {
            let row = Points::of(spatial, 0);
            set | (self.active & row)
        });
    }
}

/// Every operating point of some spatial layers.
fn rows(layers: std::ops::Range<u8>) -> Points {
    layers.fold(Points::default(), |set, spatial| set | Points::of(spatial, 0))
}
