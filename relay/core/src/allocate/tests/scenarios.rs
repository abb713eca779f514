//! Meetings as people know them.

use std::time::{Duration, Instant};

use super::*;
use crate::noise::Noise;

const CAMERA: [u64; 3] = [150_000, 500_000, 1_500_000];
const STEP: Duration = Duration::from_millis(100);

fn visible(pixels: u32) -> Rank {
    Rank { visible: pixels, ..Rank::default() }
}

/// A screen, a speaker, a large and a small tile.
fn stage() -> Vec<Video<u32>> {
    vec![
        video(0, visible(10_000), &CAMERA),
        video(1, visible(90_000), &CAMERA),
        video(2, Rank { speaker: true, ..visible(10_000) }, &CAMERA),
        video(3, Rank { screen: true, ..Rank::default() }, &[300_000, 2_000_000]),
    ]
}

#[test]
fn a_link_that_shrinks_takes_layers_first_then_small_pictures_then_large_ones() {
    let expected = [
        (9_000_000, [Some(2), Some(2), Some(2), Some(1)]),
        (5_000_000, [Some(1), Some(1), Some(2), Some(1)]),
        (4_000_000, [Some(0), Some(0), Some(2), Some(1)]),
        (3_000_000, [Some(0), Some(0), Some(1), Some(1)]),
        (2_000_000, [Some(0), Some(1), Some(1), Some(0)]),
        (800_000, [Some(0), Some(0), Some(0), Some(0)]),
        (700_000, [None, Some(0), Some(0), Some(0)]),
        (500_000, [None, None, Some(0), Some(0)]),
        (310_000, [None, None, None, Some(0)]),
        (200_000, [None, None, Some(0), None]),
        (10_000, [None; 4]),
    ];
    let mut videos = stage();
    for (budget, layers) in expected {
        assert_eq!(decide(budget, &mut videos), layers, "{budget} bit/s");
    }
    assert_eq!(decide(9_000_000, &mut videos), [Some(2), Some(2), Some(2), Some(1)], "and all comes back");
}

#[test]
fn who_is_pinned_comes_before_all() {
    let mut videos = stage();
    videos[0].rank.priority = 1;
    assert_eq!(decide(200_000, &mut videos), [Some(0), None, None, None]);
    assert_eq!(decide(2_900_000, &mut videos), [Some(2), Some(0), Some(1), Some(0)]);
}

#[test]
fn what_is_kept_is_never_paused() {
    let mut videos = stage();
    for video in &mut videos {
        (video.keep, video.ceiling) = (true, Ceiling::Paused);
    }
    assert_eq!(decide(0, &mut videos), [Some(0); 4], "nor after a way down");
    for video in &mut videos {
        video.ceiling = Ceiling::Free;
    }
    let mut any: Vec<_> = videos.iter().map(|video| Video { keep: false, ..*video }).collect();
    assert_eq!(decide(4_000_000, &mut videos), decide(4_000_000, &mut any), "where all fit as any other");
    assert_eq!(decide(10_000, &mut videos), [Some(0); 4]);
    for video in &mut videos {
        video.keep = video.key != 3;
    }
    assert_eq!(decide(400_000, &mut videos), [Some(0), Some(0), Some(0), Some(0)]);
    assert_eq!(decide(200_000, &mut videos), [Some(0), Some(0), Some(0), None], "what may be is");
}

#[test]
fn who_may_not_come_back_yet_keeps_its_place_before_others() {
    let mut videos = stage();
    for video in &mut videos {
        video.shown = (video.key == 3).then_some(0);
        video.ceiling = if video.key == 2 { Ceiling::Paused } else { Ceiling::Free };
    }
    assert_eq!(decide(600_000, &mut videos), [None, None, None, Some(0)], "room for one: it is the speaker's");
    assert_eq!(decide(720_000, &mut videos), [None, Some(0), None, Some(0)], "room for two");
    videos[1].shown = Some(0);
    assert_eq!(decide(600_000, &mut videos), [None, Some(0), None, Some(0)], "what is shown stays");
}

#[test]
fn the_floor_takes_the_quality_along() {
    let mut videos: Vec<_> = (0..5).map(|key| video(key, visible(1), &CAMERA)).collect();
    for speaker in [0, 4] {
        for video in &mut videos {
            video.rank.speaker = video.key == speaker;
        }
        let layers = decide(2_400_000, &mut videos);
        for (key, layer) in (0..).zip(layers) {
            assert_eq!(layer, Some(if key == speaker { 2 } else { 0 }));
        }
    }
}

/// One minute of decisions, ten a second, about five cameras over a link whose estimate is `budget`; returns how often
/// any layer changed.
fn changes(budget: impl Fn(u64) -> u64, rate: impl Fn(u64) -> u64) -> usize {
    let mut now = Instant::now();
    let mut videos: Vec<_> = (0..5).map(|key| video(key, visible(1), &CAMERA)).collect();
    let mut holds = [Hold::default(); 5];
    let mut before = Vec::new();
    let mut changes = 0;
    for step in 0..600 {
        for video in &mut videos {
            let hold = &holds[video.key as usize];
            (video.shown, video.ceiling) = (hold.granted(), hold.ceiling(now));
            video.layers =
                CAMERA.map(|bits| Some(bits * rate(step) / 100)).into_iter().chain([None]).collect::<Vec<_>>()[..]
                    .try_into()
                    .unwrap();
        }
        allocate(Some(budget(step)), &mut videos);
        for video in &videos {
            holds[video.key as usize].decide(video.granted, true, now);
        }
        let after = granted(&videos);
        changes += before.iter().zip(&after).filter(|(before, after)| before != after).count();
        before = after;
        now += STEP;
    }
    changes
}

#[test]
fn noise_does_not_make_it_flap() {
    for centre in [700_000, 1_150_000, 1_500_000, 2_500_000, 4_100_000] {
        let few = changes(|step| centre - centre / 20 + Noise::new(step).below(centre / 10), |_| 100);
        assert!(few <= 6, "an estimate that trembles by 5 %, around {centre}: {few}");
        let few = changes(|_| centre, |step| 96 + Noise::new(step).below(9));
        assert!(few <= 6, "rates that tremble by 4 %, around {centre}: {few}");
    }
}

#[test]
fn a_link_that_swings_costs_ever_fewer_changes() {
    // Three seconds of 4 Mbit/s, three of 1 Mbit/s, and so on: going up does not last, so it is tried less and less.
    let swinging = changes(|step| if step / 30 % 2 == 0 { 4_000_000 } else { 1_000_000 }, |_| 100);
    assert!(swinging <= 60, "{swinging} in 20 swings of up to 5 cameras");
}

#[test]
fn a_paused_video_resumes_soon() {
    let mut now = Instant::now();
    let mut hold = Hold::default();
    let mut camera = [video(0, Rank::default(), &CAMERA)];
    let mut run = |budget: u64, now: Instant| {
        (camera[0].shown, camera[0].ceiling) = (hold.granted(), hold.ceiling(now));
        allocate(Some(budget), &mut camera);
        hold.decide(camera[0].granted, true, now);
        camera[0].granted
    };
    let mut first = true;
    for _ in 0..5 {
        assert!(run(1_000_000, now).is_some());
        now += Duration::from_secs(if first { 10 } else { 1 });
        assert_eq!(run(100_000, now), None);
        let paused = now;
        while run(1_000_000, now).is_none() {
            now += STEP;
        }
        let waited = (now - paused).as_millis();
        assert!(waited <= if first { 600 } else { 4_100 }, "{waited} ms");
        first = false;
    }
}

#[test]
fn what_is_hardly_too_much_is_left_as_it_is() {
    let mut videos = [video(0, Rank::default(), &CAMERA)];
    let shown = |videos: &mut [Video<u32>], budget| {
        reallocate(Some(budget), videos);
        for video in videos.iter_mut() {
            video.shown = video.granted;
        }
        granted(videos)
    };
    let highest = CAMERA[CAMERA.len() - 1];
    assert_eq!(shown(&mut videos, 2 * highest), [Some(2)]);
    assert_eq!(shown(&mut videos, highest - highest / 20), [Some(2)]);
    assert_eq!(shown(&mut videos, highest - highest / 10), [Some(1)]);
    assert_eq!(shown(&mut videos, highest + highest / 20), [Some(1)], "to go up takes more");
}

/// Five cameras of one layer over a link that carries `budget` of the ms since it began to dip: when each was first
/// paused, in ms. `draining`: a queue has yet to drain.
fn pauses(draining: bool, budget: impl Fn(u64) -> u64) -> Vec<Option<u64>> {
    let begin = Instant::now();
    let mut videos: Vec<_> = (0..5).map(|key| video(key, visible(5 - key), &CAMERA[..1])).collect();
    let mut holds = [Hold::default(); 5];
    let mut paused = vec![None; 5];
    reallocate(Some(1_000_000), &mut videos);
    for video in &videos {
        holds[video.key as usize].decide(video.granted, true, begin);
    }
    for at in (0..5_000).step_by(100) {
        let now = begin + Duration::from_millis(at);
        for video in &mut videos {
            let hold = &holds[video.key as usize];
            (video.shown, video.ceiling, video.patient) =
                (hold.granted(), hold.ceiling(now), hold.is_patient(draining, now));
        }
        reallocate(Some(budget(at)), &mut videos);
        for video in &videos {
            let hold = &mut holds[video.key as usize];
            hold.lack(video.short, now);
            hold.decide(video.granted, true, now);
            if video.granted.is_none() {
                paused[video.key as usize].get_or_insert(at);
            }
        }
    }
    paused
}

#[test]
fn a_dip_pauses_nothing_and_a_shortage_does() {
    assert_eq!(pauses(false, |at| if at < 600 { 100_000 } else { 900_000 }), [None; 5]);
    let dips = |at: u64| if at % 1_000 < 600 { 100_000 } else { 900_000 };
    assert_eq!(pauses(false, dips), [None; 5], "nor do many of them");
    let lasting = pauses(false, |_| 500_000);
    assert_eq!(lasting[..3], [None; 3]);
    assert!(lasting[3..].iter().all(|at| at.is_some_and(|at| (700..=900).contains(&at))), "{lasting:?}");
    assert_eq!(pauses(true, |at| if at < 1_500 { 100_000 } else { 900_000 }), [None; 5], "while a queue drains");
    let lasting = pauses(true, |_| 500_000);
    assert!(
        lasting[3..].iter().all(|at| at.is_some_and(|at| (1_500..=1_700).contains(&at))),
        "nor for ever: {lasting:?}"
    );
}

#[test]
fn what_is_borne_for_a_while_takes_layers_and_not_pictures() {
    // A screen that no longer fits at all, and two cameras that do.
    let mut videos = vec![
        video(0, Rank { screen: true, ..Rank::default() }, &[400_000]),
        video(1, visible(2), &CAMERA),
        video(2, visible(1), &CAMERA),
    ];
    for video in &mut videos {
        (video.shown, video.patient) = (Some(u8::from(video.key > 0)), true);
    }
    reallocate(Some(350_000), &mut videos);
    assert_eq!(granted(&videos), [Some(0), Some(0), Some(0)]);
    assert_eq!(videos.iter().map(|video| video.short).collect::<Vec<_>>(), [true, false, false]);
    for video in &mut videos {
        (video.shown, video.patient) = (video.granted, video.key > 0);
    }
    reallocate(Some(350_000), &mut videos);
    assert_eq!(granted(&videos), [None, Some(0), Some(0)], "in the end what does not fit is paused");
}
