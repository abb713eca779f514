//! What subscribers get out of what their links carry.

mod properties;
mod scenarios;

use super::*;

/// A video nobody was shown yet.
fn video(key: u32, rank: Rank, layers: &[u64]) -> Video<u32> {
    let mut rates = [None; LAYERS];
    for (place, rate) in rates.iter_mut().zip(layers) {
        *place = Some(*rate);
    }
    let (layers, ceiling) = (rates, Ceiling::Free);
    Video { key, rank, keep: false, patient: false, layers, shown: None, ceiling, granted: None, short: false }
}

/// The layer granted to each video, by key.
fn granted(videos: &[Video<u32>]) -> Vec<Option<u8>> {
    let mut by_key: Vec<_> = videos.iter().map(|video| (video.key, video.granted)).collect();
    by_key.sort_unstable();
    by_key.into_iter().map(|(_, granted)| granted).collect()
}

/// Decides, and takes the decision as shown.
fn decide(budget: u64, videos: &mut [Video<u32>]) -> Vec<Option<u8>> {
    allocate(Some(budget), videos);
    for video in videos.iter_mut() {
        video.shown = video.granted;
    }
    granted(videos)
}
