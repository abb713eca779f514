//! Who wants to know when the peer has taken all that it was sent reliably so far.

use std::collections::VecDeque;

use super::packet::Sack;

/// Requests that wait; of more the first is answered as if all were taken.
const MAX_REQUESTS: usize = 512;

/// Such requests, in order.
#[derive(Default)]
pub struct Receipts {
    /// Bytes written by then, and the request. None: some of them wait for their channel to open, and are written then.
    due: VecDeque<(Option<u64>, String)>,
    /// All up to this transmission sequence number came to the peer, and the highest that did: between them some did not.
    came: Option<(u32, u32)>,
}

impl Receipts {
    /// To be told once so many bytes are taken; None: not before [`Self::opened`]. Returns the request that makes place, if any.
    pub fn add(&mut self, written: Option<u64>, request: String) -> Option<String> {
        self.due.push_back((written, request));
        if self.due.len() > MAX_REQUESTS { self.due.pop_front().map(|(_, request)| request) } else { None }
    }

    /// Nothing waits for a channel to open any more; so much is written with it.
    pub fn opened(&mut self, written: u64) {
        for (due, _) in &mut self.due {
            due.get_or_insert(written);
        }
    }

    /// Another association begins: what was written to the last is over, what waits for a channel waits on. The former requests.
    pub fn begin(&mut self) -> impl Iterator<Item = String> {
        self.came = None;
        let written = self.due.iter().take_while(|(due, _)| due.is_some()).count();
        self.due.drain(..written).map(|(_, request)| request)
    }

    /// All is over: every request.
    pub fn end(&mut self) -> impl Iterator<Item = String> {
        self.due.drain(..).map(|(_, request)| request)
    }

    /// The peer acknowledged this. One that was overtaken by a later one changes nothing.
    pub fn acknowledged(&mut self, sack: &Sack) {
        let last = sack.cumulative.wrapping_add(sack.gaps.last().map_or(0, |(_, last)| u32::from(*last)));
        let (cumulative, highest) = self.came.unwrap_or((sack.cumulative, last));
        self.came = Some((later(cumulative, sack.cumulative), later(highest, last)));
    }

    /// Chunks that may have been acknowledged beyond one that has yet to come.
    pub fn beyond_gaps(&self) -> u32 {
        self.came.map_or(0, |(cumulative, highest)| later(cumulative, highest).wrapping_sub(cumulative))
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// The next that may be told, as so many bytes are taken.
    pub fn pop(&mut self, taken: u64) -> Option<String> {
        let (due, _) = self.due.front()?;
        if due.is_none_or(|written| written > taken) {
            return None;
        }
        self.due.pop_front().map(|(_, request)| request)
    }
}

/// The later of two transmission sequence numbers (RFC 9260 section 1.6).
const fn later(one: u32, other: u32) -> u32 {
    if other.wrapping_sub(one) < 1 << 31 { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_as_what_was_written_by_then_is_taken() {
        let mut receipts = Receipts::default();
        assert!(receipts.add(Some(10), "a".into()).is_none() && receipts.add(Some(20), "b".into()).is_none());
        assert_eq!([receipts.pop(9), receipts.pop(10), receipts.pop(19)], [None, Some("a".into()), None]);
        assert_eq!((receipts.pop(25), receipts.is_empty()), (Some("b".into()), true));
    }

    #[test]
    fn what_came_beyond_a_gap_is_known_whatever_comes_late() {
        let mut receipts = Receipts::default();
        let mut told = |cumulative: u32, gaps: &[(u16, u16)]| {
            receipts.acknowledged(&Sack { cumulative, credit: 0, gaps: gaps.to_vec() });
            receipts.beyond_gaps()
        };
        assert_eq!(told(u32::MAX - 2, &[]), 0);
        assert_eq!(told(u32::MAX - 2, &[(2, 3), (5, 9)]), 9);
        assert_eq!(told(u32::MAX - 2, &[(2, 3)]), 9, "an older one");
        assert_eq!(told(u32::MAX - 7, &[]), 9, "another");
        assert_eq!(told(1, &[(2, 3)]), 5);
        assert_eq!(told(8, &[]), 0);
    }

    #[test]
    fn the_first_makes_place() {
        let mut receipts = Receipts::default();
        let made: Vec<String> = (0..600).filter_map(|number| receipts.add(Some(1), number.to_string())).collect();
        assert_eq!((made.len(), made[0].as_str()), (600 - MAX_REQUESTS, "0"));
    }
}
