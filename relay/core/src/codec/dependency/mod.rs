//! The dependency descriptor (RTP Payload Format For AV1, appendix A), which Chromium attaches to AV1 and VP9: what a
//! packet's frame is to each decode target, without a look at the payload.

mod structure;

pub use structure::{Structure, Template};

use super::bits::Bits;
use super::scalable::{Point, Points};

/// Frames one frame may refer to; AV1 itself has seven references.
pub const MAX_REFERENCES: usize = 8;

/// The frames a frame refers to, as differences of `frame_number` (1..=4096).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct References {
    count: u8,
    differences: [u16; MAX_REFERENCES],
}

impl References {
    /// Adds one; `None` when there are too many.
    pub(super) fn push(&mut self, difference: u16) -> Option<()> {
        *self.differences.get_mut(usize::from(self.count))? = difference;
        self.count += 1;
        Some(())
    }

    /// The differences.
    #[must_use]
    pub fn as_slice(&self) -> &[u16] {
        self.differences.get(..usize::from(self.count)).unwrap_or_default()
    }
}

/// The part of a descriptor that can be read without the stream's structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outline {
    /// First packet of a frame.
    pub begins: bool,
    /// Last packet of a frame.
    pub ends: bool,
    /// `frame_dependency_template_id`.
    pub template: u8,
    /// `frame_number`.
    pub number: u16,
    /// A structure follows: a coded video sequence begins.
    pub has_structure: bool,
}

impl Outline {
    /// Reads the mandatory fields; `None` when there are none.
    #[must_use]
    pub fn read(descriptor: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(descriptor);
        let (begins, ends) = (bits.flag()?, bits.flag()?);
        let (template, number) = (bits.small(6)?, bits.take(16)?.to_le_bytes());
        let number = u16::from_le_bytes([number[0], number[1]]);
        let has_structure = bits.flag().unwrap_or(false);
        Some(Self { begins, ends, template, number, has_structure })
    }
}

/// A descriptor read in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Its mandatory fields.
    pub outline: Outline,
    /// The structure it brings.
    pub structure: Option<Structure>,
    /// The operating points that can be decoded from now on, where it says so.
    pub active: Option<Points>,
    /// Spatial and temporal layer of the frame.
    pub layer: Point,
    /// Operating points the frame belongs to.
    pub present: Points,
    /// Operating points that can be switched to with it.
    pub switch: Points,
    /// Frames it refers to.
    pub references: References,
}

impl Descriptor {
    /// Reads a descriptor against the structure last seen. `None` when malformed, or of another structure.
    #[must_use]
    pub fn read(bytes: &[u8], known: Option<&Structure>) -> Option<Self> {
        let outline = Outline::read(bytes)?;
        let mut bits = Bits::new(bytes);
        bits.take(24)?;
        let [mut active_follows, mut custom_indications, mut custom_references] = [false; 3];
        let mut structure = None;
        let mut active = None;
        if bytes.len() > 3 {
            bits.flag()?;
            active_follows = bits.flag()?;
            custom_indications = bits.flag()?;
            custom_references = bits.flag()?;
            bits.flag()?;
            if outline.has_structure {
                structure = Some(Structure::read(&mut bits)?);
            }
        }
        let used = structure.as_ref().or(known)?;
        if active_follows {
            active = Some(used.points(bits.take(used.targets())?));
        } else if structure.is_some() {
            active = Some(used.all());
        }
        let template = used.template(outline.template)?;
        let (mut present, mut switch) = (template.present, template.switch);
        if custom_indications {
            (present, switch) = used.indications(&mut bits)?;
        }
        // Chains come last and are not needed: who refers to what says more.
        let references = if custom_references { custom(&mut bits)? } else { template.references };
        Some(Self { outline, active, layer: template.layer, present, switch, references, structure })
    }
}

/// `frame_fdiffs`.
fn custom(bits: &mut Bits<'_>) -> Option<References> {
    let mut references = References::default();
    loop {
        let size = bits.take(2)?;
        if size == 0 {
            return Some(references);
        }
        let difference = bits.take(4 * size)? + 1;
        references.push(u16::try_from(difference).ok()?)?;
    }
}

#[cfg(test)]
pub(crate) mod pen;
#[cfg(test)]
mod tests;
