//! Which layer of each video a subscriber gets, out of the bit/s its link carries.
//!
//! Sound is never dropped: the caller takes it off the budget first. Then, in this order:
//!
//! 1. the lowest layer of every video, the most important first; who does not fit is paused, and the next is tried; who
//!    may not come back yet is waited for by who is less important and not shown;
//! 2. screens, what the subscriber pinned, and the active speaker go up, each as far as it fits before the next;
//! 3. the others go up in turn, one layer each.
//!
//! So nobody goes up while somebody else could still have a picture, and layers go down before a video is paused.
//! Everything is decided anew each time, from rates measured; what keeps it from flapping is a margin on all that is not
//! shown already ([`Video::shown`]) and a pause after a way down ([`Hold`]). An estimate dips while a queue drains: what is
//! shown is not paused at once, but shown at its lowest layer for a while ([`Video::patient`]).
//!
//! Everything here is pure: numbers in, layers out. `switch::allocation` feeds it.

mod demand;
mod floor;
mod grant;
mod hold;
mod last;
mod loudest;
mod rates;
mod sound;

pub use demand::Demand;
pub use floor::Floor;
pub use grant::{Grant, Withheld};
pub use hold::{Ceiling, Hold};
pub use last::{Camera, latest};
pub use loudest::{Change, Loudest};
pub use rates::Rates;
pub use sound::Sound;

use std::cmp::Reverse;

/// Layers of one video, lowest first.
pub const LAYERS: usize = 4;
/// What is not shown yet has to leave this share of the budget over: estimates and rates tremble.
const MARGIN: u64 = 8;

/// What is shown is left alone while it is more than the budget by less than this share.
const KEEPS: u64 = 12;

/// How a subscriber shows a video; larger is more important.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// What the subscriber says; above 0 it is pinned.
    pub priority: i32,
    /// A shared screen, which has to be readable.
    pub screen: bool,
    /// The active speaker's.
    pub speaker: bool,
    /// Pixels it is shown at; 0 where unknown.
    pub visible: u32,
}

impl Rank {
    /// Whether it goes up before the others begin to.
    const fn leads(self) -> bool {
        self.priority > 0 || self.screen || self.speaker
    }
}

/// One video a subscriber wants.
#[derive(Clone, Copy, Debug)]
pub struct Video<K> {
    /// The caller's name of it.
    pub key: K,
    /// Its importance; of equals the earlier `key` wins.
    pub rank: Rank,
    /// Never paused: its lowest layer is given whatever the budget.
    pub keep: bool,
    /// Not paused yet: while it does not fit its lowest layer is given all the same, if it is shown.
    pub patient: bool,
    /// bit/s of each layer that may be shown and flows.
    pub layers: [Option<u64>; LAYERS],
    /// The layer given the last time.
    pub shown: Option<u8>,
    /// How far it may go up now.
    pub ceiling: Ceiling,
    /// The decision: `None` is paused.
    pub granted: Option<u8>,
    /// Whether it is shown and does not fit.
    pub short: bool,
}

impl<K> Video<K> {
    /// bit/s of a layer.
    fn cost(&self, layer: u8) -> u64 {
        self.layers.get(usize::from(layer)).copied().flatten().unwrap_or_default()
    }

    /// What has to be left over for a layer: nothing where the video is there already.
    fn spare(&self, layer: u8, reserve: u64) -> u64 {
        if self.shown.is_some_and(|shown| layer <= shown) { 0 } else { reserve }
    }

    /// The lowest layer above `layer`, or of all.
    fn above(&self, layer: Option<u8>) -> Option<u8> {
        let from = layer.map_or(0, |layer| usize::from(layer) + 1);
        let mut flowing = (0u8..).zip(&self.layers).skip(from);
        flowing.find(|(_, rate)| rate.is_some()).map(|(layer, _)| layer)
    }

    /// The highest layer there is.
    #[must_use]
    pub fn highest(&self) -> Option<u8> {
        (0u8..).zip(&self.layers).filter(|(_, rate)| rate.is_some()).map(|(layer, _)| layer).last()
    }

    /// bit/s of the layer granted.
    #[must_use]
    pub fn rate(&self) -> u64 {
        self.granted.map_or(0, |layer| self.cost(layer))
    }

    /// bit/s of its highest layer beyond the one granted.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.highest().map_or(0, |layer| self.cost(layer)).saturating_sub(self.rate())
    }

    /// Goes one layer up if that fits.
    fn raise(&mut self, left: &mut u64, reserve: u64) -> bool {
        let Some(granted) = self.granted else { return false };
        let Some(next) = self.above(Some(granted)).filter(|next| self.ceiling.admits(*next)) else { return false };
        let room = left.saturating_add(self.cost(granted)).checked_sub(self.cost(next));
        let Some(room) = room.filter(|room| *room >= self.spare(next, reserve)) else { return false };
        *left = room;
        self.granted = Some(next);
        true
    }
}

/// The least budget of which videos of `sum` bit/s that are not shown yet are all given: what is left over included.
#[must_use]
pub const fn enough(sum: u64) -> u64 {
    (sum + 1).saturating_mul(MARGIN).div_ceil(MARGIN - 1)
}

/// Decides what each video gets of `budget` bit/s (`None`: no limit is known, everything gets its highest layer).
///
/// Puts the videos in order of importance, and returns what is left of the budget.
pub fn allocate<K: Copy + Ord>(budget: Option<u64>, videos: &mut [Video<K>]) -> u64 {
    let Some(mut left) = budget else {
        for video in videos.iter_mut() {
            video.granted = video.highest();
        }
        return 0;
    };
    let reserve = left / MARGIN;
    videos.sort_unstable_by_key(|video| (Reverse(video.rank), video.key));
    let mut any = false;
    let mut held = 0; // bit/s kept for more important ones, which may not come back yet
    for video in videos.iter_mut() {
        let lowest = video.above(None);
        if !video.keep && video.ceiling == Ceiling::Paused {
            held += lowest.map_or(0, |layer| video.cost(layer));
            video.granted = None;
            continue;
        }
        let spare = |layer| video.spare(layer, reserve + held);
        // One picture is better than none: the first needs no margin.
        let fits = |layer: &u8| left >= video.cost(*layer) + if any { spare(*layer) } else { 0 };
        video.granted = lowest.filter(|layer| video.keep || fits(layer));
        any |= video.granted.is_some();
        left = left.saturating_sub(video.rate());
    }
    for video in videos.iter_mut().filter(|video| video.rank.leads()) {
        while video.raise(&mut left, reserve) {}
    }
    loop {
        let others = videos.iter_mut().filter(|video| !video.rank.leads());
        let raised = others.map(|video| video.raise(&mut left, reserve)).filter(|raised| *raised).count();
        if raised == 0 {
            return left;
        }
    }
}

/// Decides as [`allocate`] does, but leaves everything as shown where that is hardly more than the budget: an estimate
/// that trembles costs nobody a layer, and trains of packets are drawn out to it. What is shown and does not fit is told
/// ([`Video::short`]), and while it is patient everything shown goes down to its lowest layer before that is paused.
pub fn reallocate<K: Copy + Ord>(budget: Option<u64>, videos: &mut [Video<K>]) -> u64 {
    let left = allocate(budget, videos);
    for video in videos.iter_mut() {
        video.short = false;
    }
    let Some(budget) = budget else { return left };
    let shown = |video: &Video<K>| video.shown.map_or(0, |layer| video.cost(layer));
    let sum: u64 = videos.iter().map(shown).sum();
    let whole = |video: &Video<K>| video.granted == video.shown || shown(video) > 0;
    let lower = videos.iter().any(|video| video.granted < video.shown);
    if !lower || sum <= budget || sum > budget + budget / KEEPS || !videos.iter().all(whole) {
        return bear(budget, left, videos);
    }
    for video in videos.iter_mut() {
        video.granted = video.shown;
    }
    0
}

/// Pauses nothing that is patient: it stays at its lowest layer, and so does all else that is shown and has to make room.
fn bear<K: Copy + Ord>(budget: u64, left: u64, videos: &mut [Video<K>]) -> u64 {
    for video in videos.iter_mut() {
        video.short = video.shown.is_some() && video.granted.is_none() && video.highest().is_some();
    }
    if !videos.iter().any(|video| video.short && video.patient) {
        return left;
    }
    let stays = |video: &Video<K>| video.shown.is_some() && (video.granted.is_some() || video.patient);
    let mut borne: Vec<_> = videos.iter().map(|video| Video { keep: video.keep || stays(video), ..*video }).collect();
    let left = allocate(Some(budget), &mut borne);
    for (video, borne) in videos.iter_mut().zip(&borne) {
        video.granted = borne.granted;
    }
    left
}

#[cfg(test)]
mod tests;
