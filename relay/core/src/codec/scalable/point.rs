//! Operating points, and sets of them.

use std::ops::{BitAnd, BitOr};

/// Spatial layers of one stream.
pub const MAX_SPATIAL: usize = 4;
/// Temporal layers of one stream.
pub const MAX_TEMPORAL: u8 = 8;

/// A spatial and a temporal layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// Spatial layer, lowest 0.
    pub spatial: u8,
    /// Temporal layer, lowest 0.
    pub temporal: u8,
}

impl Point {
    /// The higher of both parts.
    pub(in crate::codec) fn max_of(self, other: Self) -> Self {
        Self { spatial: self.spatial.max(other.spatial), temporal: self.temporal.max(other.temporal) }
    }
}

/// A set of operating points: bit 8 × spatial + temporal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Points(u32);

impl Points {
    /// Every one there is.
    pub const ALL: Self = Self(u32::MAX);

    /// Whether it holds a point.
    #[inline]
    #[must_use]
    pub fn has(self, point: Point) -> bool {
        self.0 & Self::from(point).0 != 0
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of a spatial layer with at least a temporal layer.
    #[must_use]
    pub fn of(spatial: u8, least: u8) -> Self {
        let row = 0xffu32 << u32::from(least.min(MAX_TEMPORAL)) & 0xff;
        Self(row.checked_shl(8 * u32::from(spatial)).unwrap_or(0))
    }

    /// The best of at most these layers: the highest spatial one, of that the highest temporal one. Where no spatial layer
    /// is low enough, the lowest there is.
    #[must_use]
    pub fn best(self, max_spatial: u8, max_temporal: u8) -> Option<Point> {
        let row = |spatial: u8| (self.0 >> (8 * u32::from(spatial)) & 0xff).to_le_bytes()[0];
        let top = (0..MAX_SPATIAL.to_le_bytes()[0]).filter(|spatial| row(*spatial) != 0);
        let spatial = top.clone().rfind(|spatial| *spatial <= max_spatial).or_else(|| top.clone().next())?;
        let temporal = (0..MAX_TEMPORAL).filter(|temporal| row(spatial) >> temporal & 1 == 1);
        let temporal = temporal.clone().rfind(|layer| *layer <= max_temporal).or_else(|| temporal.clone().next())?;
        Some(Point { spatial, temporal })
    }
}

impl From<Point> for Points {
    #[inline]
    fn from(point: Point) -> Self {
        Self(1u32.checked_shl(8 * u32::from(point.spatial) + u32::from(point.temporal & 7)).unwrap_or(0))
    }
}

impl BitAnd for Points {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Points {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Point> for Points {
    fn from_iter<I: IntoIterator<Item = Point>>(points: I) -> Self {
        points.into_iter().fold(Self::default(), |set, point| set | point.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(spatial: u8, temporal: u8) -> Point {
        Point { spatial, temporal }
    }

    #[test]
    fn the_best_of_what_is_allowed() {
        let set: Points = [at(0, 0), at(0, 2), at(1, 0), at(1, 1), at(2, 0)].into_iter().collect();
        assert_eq!(set.best(u8::MAX, u8::MAX), Some(at(2, 0)));
        assert_eq!(set.best(1, u8::MAX), Some(at(1, 1)));
        assert_eq!(set.best(0, 1), Some(at(0, 0)));
        assert_eq!(Points::of(1, 2).best(0, 0), Some(at(1, 2)), "never nothing while there is something");
        assert_eq!(Points::default().best(2, 2), None);
        assert!(Points::of(3, 7).has(at(3, 7)) && !Points::of(3, 7).has(at(3, 6)) && !Points::of(3, 7).has(at(2, 7)));
    }
}
