//! How much a peer is sent a second time.

use std::time::Instant;

/// Packets that may be sent again in a second, and at once, to one peer for all its subscriptions: a third of what the
/// largest estimate carries. Beyond, a peer would have the shard work for nothing.
const REPEATS: f64 = 1_024.0;
/// Share of what a link carries that packets sent again may take, and for how long it may be saved up, s. With more,
/// what was lost on a full link keeps it full.
const REPEATED_SHARE: f64 = 0.5;
const REPEATED_SAVED: f64 = 0.4;
/// Bytes of them that may always go at once.
const REPEATED_LEAST: f64 = 15_000.0;

/// What may be sent again to one peer. It fills up with time.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Packets, bytes of them, and as of when.
    left: Option<(f64, f64, Instant)>,
}

impl Repeats {
    /// Whether one more packet of so many bytes may be sent again over a link that carries `estimate` bit/s (`None`: that is
    /// not known); counts it.
    #[allow(clippy::cast_precision_loss, reason = "bytes")]
    pub(super) fn allow(&mut self, bytes: usize, estimate: Option<u64>, now: Instant) -> bool {
        let share = estimate.map_or(f64::INFINITY, |rate| rate as f64 / 8.0 * REPEATED_SHARE);
        let most = (share * REPEATED_SAVED).max(REPEATED_LEAST);
        let (packets, saved, at) = self.left.unwrap_or((REPEATS, most, now));
        let elapsed = now.saturating_duration_since(at).as_secs_f64();
        let packets = (packets + elapsed * REPEATS).min(REPEATS);
        let saved = if share.is_finite() { (saved + elapsed * share).min(most) } else { most };
        let may = packets >= 1.0 && saved > 0.0;
        let (packet, bytes) = if may { (1.0, bytes as f64) } else { (0.0, 0.0) };
        self.left = Some((packets - packet, saved - bytes, now));
        may
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_peer_is_sent_so_much_again_and_no_more() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        let granted = |repeats: &mut Repeats, now| (0..5_000).filter(|_| repeats.allow(1_200, None, now)).count();
        assert_eq!(granted(&mut repeats, start), 1_024);
        assert_eq!(granted(&mut repeats, start + Duration::from_millis(500)), 512);
        assert_eq!(granted(&mut repeats, start + Duration::from_secs(60)), 1_024);
    }

    #[test]
    fn what_is_sent_again_takes_no_more_than_a_share_of_what_a_link_carries() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        let granted =
            |repeats: &mut Repeats, now| (0..500).filter(|_| repeats.allow(1_000, Some(1_000_000), now)).count();
        assert_eq!(granted(&mut repeats, start), 25, "what half of the rate is in 400 ms");
        let later = |ms| start + Duration::from_millis(ms);
        assert_eq!([100, 200, 300].map(|ms| granted(&mut repeats, later(ms))), [7, 6, 6]);
    }
}
