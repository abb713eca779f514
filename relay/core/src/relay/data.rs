//! Who holds whom back: data goes through the caller, so that the relay learns only by its commands who sends to whom.
//!
//! A transport is held back while one that it sends to reliably takes what it is sent ([`Standing::Holding`]) and a good part
//! of what waits there is of it. Its messages wait at the relay then, its window closes, and it slows down by itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use super::Relay;
use super::commands::in_slab;
use crate::sctp::Standing;
use crate::wire::Wire;

/// Bytes that one may add to what waits for another before it is held back: a few words pass beside a document.
const SHARE: usize = 32 * 1024;

/// Indices of members: who is sent to, and who sends.
type Pair = (usize, usize);

/// Who fills whose backlog, and who is held back for it.
#[derive(Default)]
pub struct Holds {
    /// Bytes since the backlog began.
    shares: BTreeMap<Pair, usize>,
    holding: BTreeSet<Pair>,
    /// By how many each is held back.
    held: HashMap<usize, usize>,
}

impl Holds {
    /// One was sent so much by another and stands like that; true where the other is to be held back from now on.
    fn add(&mut self, pair: Pair, bytes: usize, standing: Standing) -> bool {
        if matches!(standing, Standing::Free | Standing::Behind) {
            return false;
        }
        let share = self.shares.entry(pair).or_default();
        *share += bytes;
        if *share <= SHARE || standing != Standing::Holding || !self.holding.insert(pair) {
            return false;
        }
        let holders = self.held.entry(pair.1).or_default();
        *holders += 1;
        *holders == 1
    }

    /// Nothing of a member's backlog counts any more; who is held back by nobody from now on.
    fn release(&mut self, receiver: usize) -> Vec<usize> {
        let all = (receiver, 0)..=(receiver, usize::MAX);
        let pairs: Vec<Pair> = self.shares.range(all).map(|(pair, _)| *pair).collect();
        pairs.into_iter().filter(|pair| self.remove(*pair)).map(|(_, sender)| sender).collect()
    }

    /// A member is gone; who is held back by nobody from now on.
    fn forget(&mut self, index: usize) -> Vec<usize> {
        let sent: Vec<Pair> = self.shares.keys().copied().filter(|(_, sender)| *sender == index).collect();
        for pair in sent {
            self.remove(pair);
        }
        self.release(index)
    }

    fn remove(&mut self, pair: Pair) -> bool {
        self.shares.remove(&pair);
        if !self.holding.remove(&pair) {
            return false;
        }
        let Some(holders) = self.held.get_mut(&pair.1) else { return false };
        *holders -= 1;
        let free = *holders == 0;
        if free {
            self.held.remove(&pair.1);
        }
        free
    }
}

impl Relay {
    /// Send a message on; its source is held back if those who get it do not keep up, and may send the next.
    pub(super) fn send_data(
        &mut self,
        transports: &[String],
        label: &str,
        payload: &[u8],
        source: Option<&str>,
        now: Instant,
        wire: &mut impl Wire,
    ) {
        let sender = source.and_then(|id| self.member_ids.get(id).copied());
        for id in transports {
            let Some(index) = self.member_ids.get(id).copied() else { continue };
            let standing = in_slab(&mut self.members, index, |member| {
                member.transport.send_data(label, payload, source.is_some(), now, wire);
                member.transport.standing()
            });
            if let (Some(sender), Some(standing)) = (sender, standing)
                && self.holds.add((index, sender), payload.len(), standing)
            {
                in_slab(&mut self.members, sender, |member| member.transport.hold_data(true, now, wire));
            }
            self.settle(index, now);
            self.let_go(index, now, wire);
        }
        if let Some(source) = source {
            self.answer_data(source, now, wire);
        }
    }

    /// The caller has dealt with a reliable message of this transport, if that is still there.
    pub(super) fn answer_data(&mut self, id: &str, now: Instant, wire: &mut impl Wire) {
        if let Some(index) = self.member_ids.get(id).copied() {
            in_slab(&mut self.members, index, |member| member.transport.answer_data(now, wire));
            self.settle(index, now);
        }
    }

    /// The caller wants to know when this transport, if it is still there, has taken all that it was sent.
    pub(super) fn await_data(&mut self, request: String, id: &str, now: Instant) {
        if let Some(index) = self.member_ids.get(id).copied() {
            in_slab(&mut self.members, index, |member| member.transport.await_data(request, now));
            self.settle(index, now);
        }
    }

    /// A member keeps up again, or lost its claim: who was held back for it goes on.
    pub(super) fn let_go(&mut self, index: usize, now: Instant, wire: &mut impl Wire) {
        if self.holds.shares.is_empty() {
            return;
        }
        let standing = self.members.get(index).map(|member| member.transport.standing());
        if !matches!(standing, Some(Standing::Filling | Standing::Holding)) {
            let freed = self.holds.release(index);
            self.go_on(freed, now, wire);
        }
    }

    /// A member is gone.
    pub(super) fn forget_holds(&mut self, index: usize, now: Instant, wire: &mut impl Wire) {
        let freed = self.holds.forget(index);
        self.go_on(freed, now, wire);
    }

    fn go_on(&mut self, freed: Vec<usize>, now: Instant, wire: &mut impl Wire) {
        for sender in freed {
            in_slab(&mut self.members, sender, |member| member.transport.hold_data(false, now, wire));
            self.settle(sender, now);
        }
    }
}
