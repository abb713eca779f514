//! Messages for channels that are not open yet: a client counts as connected some round trips before its channels are.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::MAX_MESSAGE;
use crate::drop::Reason;

/// Bytes that may wait for one channel to open.
const MAX_WAITING: usize = 4 * MAX_MESSAGE;
/// What a message counts besides its payload, so that empty ones are bounded, too.
const OVERHEAD: usize = 64;
/// Channels waited for.
const MAX_LABELS: usize = 4;

/// What waits, by label.
#[derive(Debug, Default)]
pub(super) struct Early {
    waiting: BTreeMap<String, (usize, Vec<Bytes>)>,
}

impl Early {
    /// Keeps a message until the channel opens.
    ///
    /// # Errors
    /// `DataBacklog` where too much waits.
    pub(super) fn keep(&mut self, label: &str, payload: &[u8]) -> Result<(), Reason> {
        if self.waiting.len() >= MAX_LABELS && !self.waiting.contains_key(label) {
            return Err(Reason::DataBacklog);
        }
        let (bytes, messages) = self.waiting.entry(label.into()).or_default();
        if *bytes + payload.len() + OVERHEAD > MAX_WAITING {
            return Err(Reason::DataBacklog);
        }
        *bytes += payload.len() + OVERHEAD;
        messages.push(Bytes::copy_from_slice(payload));
        Ok(())
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The channel is open: what waited for it, in order.
    pub(super) fn take(&mut self, label: &str) -> Vec<Bytes> {
        self.waiting.remove(label).map(|(_, messages)| messages).unwrap_or_default()
    }
}
