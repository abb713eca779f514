//! What holds for any subscriber: seeded random meetings.

use super::*;
use crate::noise::Noise;

const CASES: u64 = 3_000;

/// A meeting of up to twelve videos, with gaps in their layers and ceilings where `held`.
fn meeting(noise: &mut Noise, held: bool) -> Vec<Video<u32>> {
    (0..noise.below(12) as u32)
        .map(|key| {
            let rank = Rank {
                priority: if noise.chance(10) { noise.below(3) as i32 } else { 0 },
                screen: noise.chance(15),
                speaker: noise.chance(15),
                visible: noise.below(4) as u32 * 100_000,
            };
            let mut layers = [None; LAYERS];
            let mut rate = 20_000 + noise.below(300_000);
            for layer in layers.iter_mut().take(1 + noise.below(4) as usize) {
                // A still screen's upper layer may cost less than its lower one.
                *layer = noise.chance(85).then_some(rate);
                rate = if noise.chance(10) { rate / 2 } else { rate * (2 + noise.below(3)) };
            }
            let shown = noise.chance(50).then(|| noise.below(4) as u8);
            let ceiling = match noise.below(4) {
                0 if held => Ceiling::Paused,
                1 if held => Ceiling::Layer(noise.below(4) as u8),
                _ => Ceiling::Free,
            };
            let patient = noise.chance(50);
            Video { key, rank, keep: false, patient, layers, shown, ceiling, granted: Some(77), short: false }
        })
        .collect()
}

fn cases(held: bool, check: impl Fn(&mut Noise, Vec<Video<u32>>)) {
    for seed in 0..CASES {
        let mut noise = Noise::new(seed);
        let videos = meeting(&mut noise, held);
        check(&mut noise, videos);
    }
}

fn sum(videos: &[Video<u32>]) -> u64 {
    videos.iter().map(Video::rate).sum()
}

#[test]
fn never_more_than_the_budget_and_only_what_flows() {
    cases(true, |noise, mut videos| {
        let budget = noise.below(6_000_000);
        let left = allocate(Some(budget), &mut videos);
        assert!(sum(&videos) + left <= budget);
        for video in &videos {
            assert!(video.granted.is_none_or(|layer| video.layers[usize::from(layer)].is_some()));
            assert!(video.ceiling != Ceiling::Paused || video.granted.is_none());
        }
    });
}

#[test]
fn more_bandwidth_is_never_worse_for_the_most_important_that_gains() {
    cases(true, |noise, mut videos| {
        let budget = noise.below(4_000_000);
        allocate(Some(budget), &mut videos);
        let less = videos.clone();
        allocate(Some(budget + noise.below(2_000_000)), &mut videos);
        // Pictures come first: the first video whose having one differs has one with more.
        let differs = less.iter().zip(&videos).find(|(less, more)| less.granted.is_some() != more.granted.is_some());
        if let Some((less, more)) = differs {
            assert!(less.granted.is_none(), "{less:?} {more:?}");
            return;
        }
        // With the same pictures, the first of the important ones that differs is better.
        let leads = less.iter().zip(&videos).filter(|(video, _)| video.rank.leads());
        if let Some((less, more)) = leads.into_iter().find(|(less, more)| less.granted != more.granted) {
            assert!(less.granted < more.granted, "{less:?} {more:?}");
        }
    });
}

#[test]
fn with_equal_layers_more_bandwidth_is_never_worse_for_anybody() {
    cases(false, |noise, mut videos| {
        for video in &mut videos {
            (video.layers, video.shown) = ([Some(100_000), Some(300_000), Some(900_000), None], None);
            video.rank = Rank { visible: video.rank.visible, ..Rank::default() };
        }
        let budget = noise.below(4_000_000);
        allocate(Some(budget), &mut videos);
        let less = videos.clone();
        allocate(Some(budget + noise.below(2_000_000)), &mut videos);
        assert!(less.iter().zip(&videos).filter(|(less, more)| less.granted > more.granted).count() <= 1);
        let lowest = |videos: &[Video<u32>]| videos.iter().map(|video| video.granted).min();
        assert!(lowest(&less) <= lowest(&videos), "the worst off is never worse off");
        assert!(sum(&less) <= sum(&videos));
    });
}

#[test]
fn the_same_again_changes_nothing() {
    cases(false, |noise, mut videos| {
        let budget = noise.below(6_000_000);
        let mut before = decide(budget, &mut videos);
        for _ in 0..8 {
            let after = decide(budget, &mut videos);
            if after == before {
                return;
            }
            before = after;
        }
        panic!("{videos:?}");
    });
}

#[test]
fn nobody_goes_up_while_a_picture_is_missing_that_would_fit() {
    cases(false, |noise, mut videos| {
        let budget = noise.below(3_000_000);
        let lowest: u64 = videos.iter().filter_map(|video| Some(video.cost(video.above(None)?))).sum();
        allocate(Some(budget), &mut videos);
        if lowest <= budget - budget.div_ceil(MARGIN) {
            assert!(videos.iter().all(|video| video.granted.is_some() || video.highest().is_none()));
        }
        // A video without a picture is one that did not fit beside the lowest layers of the more important.
        let mut taken = 0;
        for video in &videos {
            let Some(layer) = video.above(None) else { continue };
            let cost = video.cost(layer);
            assert!(video.granted.is_some() || taken + cost + budget / MARGIN > budget);
            taken += video.granted.map_or(0, |_| cost);
        }
    });
}

#[test]
fn never_less_than_everything_when_bandwidth_is_fine() {
    cases(false, |_, mut videos| {
        let everything: u64 = videos.iter().map(|video| video.layers.iter().flatten().max().unwrap_or(&0)).sum();
        allocate(Some(everything.div_ceil(MARGIN - 1) * MARGIN), &mut videos);
        assert!(videos.iter().all(|video| video.granted == video.highest()));
        assert_eq!(videos.iter().map(Video::missing).sum::<u64>(), 0);
        allocate(None, &mut videos);
        assert!(videos.iter().all(|video| video.granted == video.highest()));
    });
}

#[test]
fn enough_is_enough_to_go_all_the_way_up() {
    cases(false, |_, mut videos| {
        let ascending = |video: &Video<u32>| video.layers.iter().flatten().is_sorted();
        videos.retain(ascending);
        for video in &mut videos {
            video.shown = None;
        }
        let highest: Vec<_> = videos.iter().map(|video| (video.key, video.highest())).collect();
        let all = videos.iter().filter_map(|video| Some(video.cost(video.highest()?))).sum();
        allocate(Some(enough(all)), &mut videos);
        for video in &videos {
            assert!(highest.contains(&(video.key, video.granted)), "{all}: {videos:?}");
        }
    });
}
