//! The template dependency structure (section A.8.2): what the frames of a coded video sequence have in common.

use super::super::bits::Bits;
use super::super::scalable::{MAX_SPATIAL, MAX_TEMPORAL, Point, Points};
use super::References;

/// Templates of one structure: their ids have six bits.
const MAX_TEMPLATES: usize = 64;
/// Decode targets of one structure: their count has five bits.
const MAX_TARGETS: usize = 32;
/// Indications (table A.1): 0 is not present, 1 discardable, 3 required.
const SWITCH: u32 = 2;

/// What frames of one kind have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Spatial and temporal layer.
    pub layer: Point,
    /// Operating points its frames belong to.
    pub present: Points,
    /// Operating points that can be switched to with its frames.
    pub switch: Points,
    /// Frames its frames refer to.
    pub references: References,
    /// Indications by decode target, before their operating points are known: present, switch.
    indications: (u32, u32),
}

/// A structure. Decode targets are known by their operating point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    offset: u8,
    templates: [Template; MAX_TEMPLATES],
    count: usize,
    /// Decode targets; those over our limits, and second ones of an operating point, have none.
    points: [Option<Point>; MAX_TARGETS],
    targets: u32,
    /// Largest width and height by spatial layer, pixels, where told.
    resolutions: [Option<(u16, u16)>; MAX_SPATIAL],
}

impl Structure {
    /// Reads `template_dependency_structure`.
    pub(super) fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let mut structure = Self {
            offset: bits.small(6)?,
            templates: [Template::default(); MAX_TEMPLATES],
            count: 0,
            points: [None; MAX_TARGETS],
            targets: bits.take(5)? + 1,
            resolutions: [None; MAX_SPATIAL],
        };
        structure.read_layers(bits)?;
        for template in structure.templates.get_mut(..structure.count)? {
            template.indications = indications(bits, structure.targets)?;
        }
        for template in structure.templates.get_mut(..structure.count)? {
            while bits.flag()? {
                template.references.push(u16::from(bits.small(4)?) + 1)?;
            }
        }
        structure.skip_chains(bits)?;
        structure.name_targets();
        if bits.flag()? {
            structure.read_resolutions(bits)?;
        }
        Some(structure)
    }

    /// Decode targets.
    pub(super) fn targets(&self) -> u32 {
        self.targets
    }

    /// All operating points.
    #[must_use]
    pub fn all(&self) -> Points {
        self.points(u32::MAX)
    }

    /// Largest width and height of a spatial layer in pixels, where told.
    #[must_use]
    pub fn resolution(&self, spatial: u8) -> Option<(u16, u16)> {
        self.resolutions.get(usize::from(spatial)).copied().flatten()
    }

    /// The operating points of a mask of decode targets.
    pub(super) fn points(&self, mask: u32) -> Points {
        let chosen = (0..self.targets).zip(&self.points).filter(|(target, _)| mask >> target & 1 == 1);
        chosen.filter_map(|(_, point)| *point).collect()
    }

    /// The template of an id.
    pub(super) fn template(&self, id: u8) -> Option<&Template> {
        let index = usize::from(id.wrapping_sub(self.offset) & 0x3f);
        self.templates.get(..self.count)?.get(index)
    }

    /// `frame_dtis`: present and switch.
    pub(super) fn indications(&self, bits: &mut Bits<'_>) -> Option<(Points, Points)> {
        let (present, switch) = indications(bits, self.targets)?;
        Some((self.points(present), self.points(switch)))
    }

    fn read_layers(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let mut layer = Point::default();
        for (number, template) in (1..).zip(&mut self.templates) {
            template.layer = layer;
            self.count = number;
            match bits.take(2)? {
                0 => {}
                1 => layer.temporal += 1,
                2 => layer = Point { spatial: layer.spatial + 1, temporal: 0 },
                _ => return Some(()),
            }
        }
        None
    }

    fn skip_chains(&self, bits: &mut Bits<'_>) -> Option<()> {
        let chains = bits.below(self.targets + 1)?;
        if chains > 0 {
            for _ in 0..self.targets {
                bits.below(chains)?;
            }
            for _ in 0..self.count {
                for _ in 0..chains {
                    bits.take(4)?;
                }
            }
        }
        Some(())
    }

    /// `decode_target_layers`, and the indications by operating point.
    fn name_targets(&mut self) {
        let templates = self.templates.get(..self.count).unwrap_or_default();
        let mut named = Points::default();
        for (target, place) in (0..self.targets).zip(&mut self.points) {
            let present = templates.iter().filter(|template| template.indications.0 >> target & 1 == 1);
            let point = present.fold(Point::default(), |point, template| point.max_of(template.layer));
            let fits = usize::from(point.spatial) < MAX_SPATIAL && point.temporal < MAX_TEMPORAL;
            if fits && !named.has(point) {
                named = named | point.into();
                *place = Some(point);
            }
        }
        for index in 0..self.count {
            let Some((present, switch)) = self.templates.get(index).map(|template| template.indications) else {
                return;
            };
            let (present, switch) = (self.points(present), self.points(switch));
            if let Some(template) = self.templates.get_mut(index) {
                (template.present, template.switch) = (present, switch);
            }
        }
    }

    fn read_resolutions(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        let top = self.templates.get(self.count.checked_sub(1)?)?.layer.spatial;
        for spatial in 0..=usize::from(top) {
            let (width, height) = (bits.take(16)?, bits.take(16)?);
            if let Some(place) = self.resolutions.get_mut(spatial) {
                let size = |less_one: u32| u16::try_from(less_one + 1).unwrap_or(u16::MAX);
                *place = Some((size(width), size(height)));
            }
        }
        Some(())
    }
}

/// Indications of one frame by decode target: present, switch.
fn indications(bits: &mut Bits<'_>, targets: u32) -> Option<(u32, u32)> {
    let (mut present, mut switch) = (0, 0);
    for target in 0..targets {
        let indication = bits.take(2)?;
        present |= u32::from(indication != 0) << target;
        switch |= u32::from(indication == SWITCH) << target;
    }
    Some((present, switch))
}
