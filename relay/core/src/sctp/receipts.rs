//! Who wants to know when the peer has taken all that it was sent reliably so far.

use std::collections::VecDeque;

/// Requests that wait; of more the first is answered as if all were taken.
const MAX_REQUESTS: usize = 512;

/// Such requests, in order.
#[derive(Default)]
pub struct Receipts {
    /// Bytes written by then, and the request.
    due: VecDeque<(u64, String)>,
}

impl Receipts {
    /// To be told once so many bytes are taken; the request that makes place, if any.
    pub fn add(&mut self, written: u64, request: String) -> Option<String> {
        self.due.push_back((written, request));
        if self.due.len() > MAX_REQUESTS { self.due.pop_front().map(|(_, request)| request) } else { None }
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }

    /// The next that may be told, as so many bytes are taken.
    pub fn pop(&mut self, taken: u64) -> Option<String> {
        if self.due.front().is_none_or(|(written, _)| *written > taken) {
            return None;
        }
        self.due.pop_front().map(|(_, request)| request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_as_what_was_written_by_then_is_taken() {
        let mut receipts = Receipts::default();
        assert!(receipts.add(10, "a".into()).is_none() && receipts.add(20, "b".into()).is_none());
        assert_eq!([receipts.pop(9), receipts.pop(10), receipts.pop(19)], [None, Some("a".into()), None]);
        assert_eq!((receipts.pop(25), receipts.is_empty()), (Some("b".into()), true));
    }

    #[test]
    fn the_first_makes_place() {
        let mut receipts = Receipts::default();
        let made: Vec<String> = (0..600).filter_map(|number| receipts.add(1, number.to_string())).collect();
        assert_eq!((made.len(), made[0].as_str()), (600 - MAX_REQUESTS, "0"));
    }
}
