//! A link that for a moment carries less than the lowest layers of all it shows, and one that does for good.

use super::allocation::Meeting;
use super::*;
use crate::allocate::Withheld;

/// bit/s that four cameras at their lowest layers and four voices fit into, and that they do not.
const ENOUGH: u64 = 1_100_000;
const LITTLE: u64 = 800_000;
/// Bytes that pictures may take at once, and those of a tenth of a second until it is decided anew.
const AT_ONCE: u64 = 12_000 + 20_000;

/// Four people over a link of ENOUGH.
fn settled() -> Meeting {
    let mut meeting = Meeting::new(4);
    meeting.run(1_000);
    meeting.link(ENOUGH);
    meeting.run(6_000);
    meeting.run(1_000);
    assert_eq!(meeting.seen(), [Some(0); 4]);
    meeting.withheld();
    meeting
}

#[test]
fn a_dip_pauses_nothing_and_freezes_nobody() {
    let mut meeting = settled();
    for dip in [200, 400, 600] {
        meeting.link(LITTLE);
        let mut longest = meeting.longest_gaps(dip);
        meeting.link(ENOUGH);
        for (longest, after) in longest.iter_mut().zip(meeting.longest_gaps(2_000)) {
            *longest = after.max(*longest);
        }
        assert_eq!(meeting.withheld(), [], "of {dip} ms");
        assert!(longest.iter().all(|gap| *gap <= 240), "of {dip} ms: {longest:?}");
        assert_eq!(meeting.seen(), [Some(0); 4]);
    }
}

#[test]
fn a_shortage_that_lasts_pauses_within_a_second_and_is_borne_by_pictures() {
    let mut meeting = settled();
    let before = meeting.sent();
    meeting.link(LITTLE);
    meeting.run(600);
    assert_eq!(meeting.withheld(), []);
    assert_eq!(meeting.seen(), [Some(0); 4]);
    let sent = meeting.sent() - before;
    assert!(sent < LITTLE / 8 * 6 / 10 + AT_ONCE, "{sent} bytes in 600 ms");
    for voice in 0..4u32 {
        assert_eq!(meeting.packets.get(&(905 + voice * 10)), Some(&30), "sound waits for nothing");
    }
    meeting.run(400);
    assert_eq!(meeting.withheld(), [(3, Some(Withheld::Bandwidth))], "the least important");
    meeting.run(2_000);
    assert_eq!(meeting.withheld(), []);
}

#[test]
fn a_picture_larger_than_the_link_goes_in_the_end_and_does_not_fill_it_until_then() {
    let mut meeting = Meeting::new(2);
    meeting.people[0].on = [false, false, true];
    meeting.wish(0, Wishes { screen: true, ..Wishes::default() });
    meeting.run(1_000);
    meeting.link(4_000_000);
    meeting.run(6_000);
    assert_eq!(meeting.seen(), [Some(2), Some(2)]);
    meeting.withheld();
    let before = meeting.sent();
    meeting.link(500_000);
    meeting.run(600);
    assert_eq!(meeting.withheld(), []);
    let sent = meeting.sent() - before;
    assert!(sent < 500_000 / 8 * 6 / 10 + AT_ONCE, "{sent} bytes in 600 ms");
    meeting.run(400);
    assert_eq!(meeting.withheld(), [(0, Some(Withheld::Bandwidth))]);
    meeting.run(1_000);
    meeting.run(1_000);
    assert_eq!(meeting.seen(), [None, Some(0)]);
}

/// A camera that did not fit for a moment, and was then not there for a while, is as patient as any when it is back: `away`
/// takes it away and brings it back.
fn comes_back_patient(away: impl Fn(&mut Meeting, bool)) {
    let mut meeting = settled();
    meeting.link(LITTLE);
    meeting.run(400);
    away(&mut meeting, true);
    meeting.link(ENOUGH);
    meeting.run(2_000);
    meeting.withheld();
    meeting.link(LITTLE);
    meeting.run(400);
    away(&mut meeting, false);
    let paused = |meeting: &mut Meeting| meeting.withheld().contains(&(3, Some(Withheld::Bandwidth)));
    meeting.run(600);
    assert!(!paused(&mut meeting));
    assert_eq!(meeting.seen(), [Some(0); 4]);
    meeting.run(400);
    assert!(paused(&mut meeting), "but no more patient");
}

#[test]
fn a_camera_turned_off_while_it_did_not_fit_comes_back_patient() {
    comes_back_patient(|meeting, away| {
        let track = meeting.people[3].track;
        meeting.scene.switch.mute_track(track, away, meeting.scene.now);
    });
}

#[test]
fn a_camera_nobody_looked_at_while_it_did_not_fit_comes_back_patient() {
    comes_back_patient(|meeting, away| {
        let key = meeting.subscriptions[3];
        meeting.scene.switch.set_subscription(key, away, None, None, meeting.scene.now);
    });
}

#[test]
fn a_camera_hidden_by_last_n_while_it_did_not_fit_comes_back_patient() {
    comes_back_patient(|meeting, away| {
        meeting.scene.switch.set_room(meeting.scene.room, None, away.then_some(3));
    });
}

#[test]
fn who_made_room_for_a_screen_in_vain_goes_up_again_at_once() {
    let mut meeting = Meeting::new(3);
    meeting.people[0].on = [false, false, true];
    meeting.wish(0, Wishes { screen: true, ..Wishes::default() });
    meeting.run(1_000);
    meeting.link(8_000_000);
    meeting.run(6_000);
    assert_eq!(meeting.seen(), [Some(2); 3]);
    meeting.withheld();
    meeting.link(1_000_000);
    meeting.run(600);
    assert_eq!(meeting.withheld(), []);
    meeting.run(100);
    assert_eq!(meeting.seen(), [Some(2), Some(0), Some(0)], "while the screen is borne");
    meeting.run(300);
    assert_eq!(meeting.withheld(), [(0, Some(Withheld::Bandwidth))]);
    meeting.run(700);
    meeting.run(200);
    assert_eq!(meeting.seen(), [None, Some(1), Some(0)], "what there is room for without it");
}
