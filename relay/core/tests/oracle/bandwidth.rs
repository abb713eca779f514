//! Transport-wide feedback both ways: our estimate from `str0m`'s, over a link of 1 Mbit/s, and `str0m`'s from ours.

use relay_core::message::Kind;
use str0m::Event;
use str0m::bwe::{Bitrate, BweKind};

use crate::media::{play_range, publish, subscribe};
use crate::world::{World, relay_address};

const LINK: u64 = 1_000_000;

fn estimate(world: &World) -> Option<u64> {
    let stats = world.relay.stats(0, None, world.now);
    stats.transports.iter().find(|transport| transport.transport == "viewer").and_then(|viewer| viewer.estimate)
}

#[test]
fn the_estimate_settles_below_a_narrow_link() {
    let mut world = World::new();
    let publisher = world.join("publisher");
    let viewer = world.join("viewer");
    publish(&mut world, publisher, Kind::Video, "vid");
    subscribe(&mut world, viewer, Kind::Video, "vid");
    world.clients[viewer].rtc.direct_api().enable_twcc_feedback();
    world.narrow = Some((world.clients[viewer].address, LINK, world.now));
    let mut estimates = Vec::new();
    // 720 kbit/s: 900 bytes each 10 ms.
    for second in 0..20 {
        play_range(&mut world, publisher, Kind::Video, "vid", second * 100..second * 100 + 100, 10);
        estimates.extend(estimate(&world));
    }
    println!("{estimates:?}");
    let settled = &estimates[estimates.len() - 10..];
    assert!(settled.iter().all(|estimate| (LINK * 6 / 10..=LINK).contains(estimate)), "{estimates:?}");
}

/// What the publisher's own estimator made of the relay's feedback, bit/s.
fn told(world: &World, publisher: usize) -> Vec<u64> {
    let events = world.clients[publisher].events.iter();
    let estimates = events.filter_map(|event| match event {
        Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }) => Some(estimate.as_u64()),
        _ => None,
    });
    estimates.collect()
}

#[test]
fn a_publisher_knows_its_way_up_by_our_feedback() {
    for (link, expected) in [(None, 900_000..=u64::MAX), (Some(400_000), 0..=400_000)] {
        let mut world = World::new();
        world.estimating = Some(300_000);
        let publisher = world.join("publisher");
        publish(&mut world, publisher, Kind::Video, "vid");
        world.clients[publisher].rtc.bwe().set_bitrate(Bitrate::ZERO, Bitrate::from(2_000_000));
        world.narrow = link.map(|rate| (relay_address(), rate, world.now));
        for second in 0..20 {
            play_range(&mut world, publisher, Kind::Video, "vid", second * 100..second * 100 + 100, 10);
        }
        let told = told(&world, publisher);
        println!("{link:?}: {told:?}");
        assert!(told.len() > 1 && expected.contains(&told[told.len() - 1]), "{link:?}: {told:?}");
    }
}
