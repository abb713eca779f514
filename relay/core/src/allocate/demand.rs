//! Dynacast: which layers of a published track anybody could be shown.

use std::time::{Duration, Instant};

use super::LAYERS;

/// A layer nobody wants is told of after this long, for people come back.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a publisher was told of its layers.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// How many layers there are.
    all: u8,
    /// Layers told to be wanted, counted from the lowest.
    told: u8,
    wanted: u8,
    /// When fewer are to be told.
    due: Option<Instant>,
}

impl Demand {
    /// Nothing is told yet: a publisher sends all its layers. 0 layers are never told of.
    #[must_use]
    pub fn new(layers: usize, now: Instant) -> Self {
        let all = u8::try_from(layers.min(LAYERS)).unwrap_or_default();
        Self { all, told: all, wanted: 0, due: (all > 0).then(|| now + PATIENCE) }
    }

    /// Takes in how many layers are wanted, counted from the lowest. True when more are to be told at once.
    pub fn want(&mut self, layers: u8, now: Instant) -> bool {
        let layers = layers.min(self.all);
        self.wanted = layers;
        if layers >= self.told {
            self.due = None;
        } else {
            self.due.get_or_insert(now + PATIENCE);
        }
        let before = self.told;
        self.told = before.max(layers);
        layers > before
    }

    /// True once when fewer are to be told.
    pub fn fell(&mut self, now: Instant) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            (self.told, self.due) = (self.wanted, None);
        }
        due
    }

    /// When to ask [`Demand::fell`].
    #[must_use]
    pub const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// How many layers there are.
    #[must_use]
    pub const fn all(&self) -> u8 {
        self.all
    }

    /// Layers to be told, counted from the lowest.
    #[must_use]
    pub const fn layers(&self) -> u8 {
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_at_once_down_later() {
        let start = Instant::now();
        let mut demand = Demand::new(3, start);
        assert!(!demand.want(3, start) && demand.due().is_none(), "all are sent anyway");
        assert!(!demand.want(1, start));
        assert!(!demand.want(2, start + PATIENCE / 2));
        assert!(!demand.fell(start + PATIENCE / 2));
        assert!(demand.fell(start + PATIENCE) && !demand.fell(start + PATIENCE * 2));
        assert_eq!(demand.layers(), 2);
        assert!(demand.want(3, start + PATIENCE) && demand.layers() == 3);
        demand.want(0, start + PATIENCE);
        assert!(!demand.want(3, start + PATIENCE + PATIENCE / 2) && demand.due().is_none(), "came back in time");
    }
}
