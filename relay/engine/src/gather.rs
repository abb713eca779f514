//! Statistics of the whole relay: a part from each shard, one event when the last has come.

use std::sync::{Mutex, PoisonError};

use relay_core::message::Stats;

/// One request for statistics on its way through the shards.
pub struct Gather {
    request: u64,
    state: Mutex<(usize, Stats)>,
}

impl Gather {
    /// A request that so many shards answer.
    #[must_use]
    pub fn new(request: u64, shards: usize) -> Self {
        Self { request, state: Mutex::new((shards, Stats { request, ..Stats::default() })) }
    }

    /// Its number.
    #[must_use]
    pub const fn request(&self) -> u64 {
        self.request
    }

    /// One shard's part; the whole, when it was the last.
    pub fn add(&self, part: Stats) -> Option<Stats> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (missing, whole) = &mut *state;
        whole.transports.extend(part.transports);
        whole.tracks.extend(part.tracks);
        whole.subscriptions.extend(part.subscriptions);
        whole.shards.extend(part.shards);
        *missing -= 1;
        if *missing > 0 {
            return None;
        }
        whole.shards.sort_by_key(|shard| shard.shard);
        Some(std::mem::take(whole))
    }
}
