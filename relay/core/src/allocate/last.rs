//! Last-N video: only the cameras of those who spoke last are shown.

use std::cmp::Reverse;

/// One camera a subscriber wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Camera<P> {
    /// Whose it is. Several cameras of one publisher count once.
    pub publisher: P,
    /// When its publisher began to speak last, as a count of such beginnings; 0 is never.
    pub spoke: u64,
}

/// The publishers among `cameras` who spoke last, at most `limit`; of equals the earlier. The rest stays hidden.
pub fn latest<P: Copy + Ord>(limit: usize, cameras: &[Camera<P>], publishers: &mut Vec<P>) {
    let mut order: Vec<_> = cameras.iter().map(|camera| (Reverse(camera.spoke), camera.publisher)).collect();
    order.sort_unstable();
    order.dedup_by_key(|(_, publisher)| *publisher);
    publishers.clear();
    publishers.extend(order.into_iter().take(limit).map(|(_, publisher)| publisher));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_spoke_last_then_who_came_first() {
        let camera = |publisher, spoke| Camera { publisher, spoke };
        let cameras = [camera(5, 0), camera(1, 0), camera(3, 9), camera(4, 2), camera(3, 9), camera(2, 0)];
        let mut shown = Vec::new();
        for (limit, expected) in [(0, vec![]), (1, vec![3]), (3, vec![3, 4, 1]), (9, vec![3, 4, 1, 2, 5])] {
            latest(limit, &cameras, &mut shown);
            assert_eq!(shown, expected);
        }
    }
}
