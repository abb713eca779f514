//! Streams that hold several layers in one: which operating points a frame belongs to, and who may begin with it.
//!
//! An **operating point** is a spatial and a temporal layer a stream can be decoded at (a decode target of AV1). Both
//! formats come to the same few bit masks, so that forwarding to one more subscriber costs two tests of a bit:
//! the dependency descriptor says them outright; VP9's payload descriptor is translated.

mod history;
mod point;

pub use history::{Change, Frames};
pub use point::{MAX_SPATIAL, MAX_TEMPORAL, Point, Points};

/// What a packet's frame is to each operating point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Its spatial and temporal layer.
    pub layer: Point,
    /// First packet of the frame.
    pub begins: bool,
    /// Last packet of the frame.
    pub ends: bool,
    /// Everything can begin with it.
    pub key: bool,
    /// Operating points it is needed for.
    pub present: Points,
    /// Operating points that all later frames of can be decoded after it, if it can be.
    pub enter: Points,
    /// The same, for who had all temporal layers of that operating point before.
    pub resume: Points,
    /// Operating points whose receivers can decode it.
    pub from: Points,
}

impl Frame {
    /// Whether a receiver at `point` (`None`: of nothing) may be moved to `goal` with this packet.
    #[inline]
    #[must_use]
    pub fn admits(&self, point: Option<Point>, goal: Point) -> bool {
        if !self.begins {
            return false;
        }
        let Some(point) = point else { return self.key && self.enter.has(goal) };
        let fewer = goal.temporal <= point.temporal;
        if goal.spatial == point.spatial && fewer {
            return true;
        }
        let reachable = self.enter.has(goal) || (fewer && self.resume.has(goal));
        reachable && (self.key || self.from.has(point))
    }

    /// Whether a receiver at `point` gets it.
    #[inline]
    #[must_use]
    pub fn is_for(&self, point: Point) -> bool {
        self.present.has(point)
    }

    /// Whether this packet is the last of its picture for a receiver at `point`. `marker` is what its publisher says.
    #[inline]
    #[must_use]
    pub fn marks(&self, point: Point, marker: bool) -> bool {
        marker || (self.ends && self.layer.spatial == point.spatial)
    }
}
