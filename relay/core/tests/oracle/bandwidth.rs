//! The estimate from `str0m`'s transport-wide feedback, over a link of 1 Mbit/s.

use relay_core::message::Kind;

use crate::media::{play_range, publish, subscribe};
use crate::world::World;

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
