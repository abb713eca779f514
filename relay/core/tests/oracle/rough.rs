//! An hour of sound and pictures from one client to another over two links that lose, double and delay datagrams of every
//! kind: every fifth packet is lost on its way. `str0m` puts whole frames together, and pictures hardly ever stand still.
//!
//! `str0m` asks for a packet again every 100 to 250 ms and five times at most, so pictures are shown a second later.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use relay_core::message::Kind;
use str0m::Event;
use str0m::media::{KeyframeRequestKind, MediaData, Mid};
use str0m::rtp::{ExtensionValues, RtpWrite};

use crate::media::{OPUS, VP8, publish, subscribe};
use crate::world::World;

const LASTS: Duration = Duration::from_secs(3_600);
/// One of so many datagrams is lost on each link.
const LOSS: u64 = 9;
/// Between two frames of sound, and of pictures; ms.
const SOUND: u64 = 20;
const PICTURE: u64 = 40;
/// Bytes of a packet's frame data, and packets of a picture.
const PART: usize = 600;
const PARTS: usize = 2;
/// Pictures are shown so long after they were taken, or as soon as they are there.
const PLAYOUT: Duration = Duration::from_secs(1);
/// A pause between two pictures that counts as a freeze (webrtc-stats: the mean and 150 ms).
const FREEZE: Duration = Duration::from_millis(PICTURE + 150);
/// Most of the time that pictures may stand still, percent.
const FROZEN: u128 = 2;
/// Of what nobody sends again two links leave 79 %; percent.
const HEARD: u32 = 75;

/// The data of a picture: its number, and bytes that depend on it. The lowest bit of a key frame's first byte is clear
/// (RFC 6386 section 9.1).
fn picture(number: u32, key: bool) -> Vec<u8> {
    let mut data = vec![u8::from(!key), 0, 0, 0x9d, 0x01, 0x2a, 64, 1, 240, 0];
    data.extend(number.to_be_bytes());
    data.extend((data.len()..PART * PARTS).map(|place| (number as usize * 31 + place * 7).to_le_bytes()[0]));
    data
}

/// The data of a frame of sound.
fn sound(number: u32) -> Vec<u8> {
    let mut data = vec![0xfc];
    data.extend(number.to_be_bytes());
    data.resize(80, number.to_le_bytes()[0]);
    data
}

/// Who shows and speaks.
#[derive(Default)]
struct Publisher {
    pictures: u32,
    sounds: u32,
    packets: u64,
    key: bool,
}

impl Publisher {
    /// Sends the next frame of a kind.
    fn send(&mut self, world: &mut World, place: usize, kind: Kind) {
        let client = &mut world.clients[place];
        for event in std::mem::take(&mut client.events) {
            self.key |= matches!(event, Event::KeyframeRequest(_));
        }
        let (mid, payload_type) = if kind == Kind::Audio { ("aud", OPUS) } else { ("vid", VP8) };
        let mut api = client.rtc.direct_api();
        let stream = api.stream_tx_by_mid(Mid::from(mid), None).expect("a declared stream");
        let values = ExtensionValues { mid: Some(Mid::from(mid)), ..ExtensionValues::default() };
        let mut write = |sequence: u64, timestamp: u32, payload: Vec<u8>, last: bool| {
            let write = RtpWrite::new(payload_type.into(), (sequence + 65_000).into(), timestamp, world.now, payload);
            stream.write_rtp(write.marker(last).nackable(kind == Kind::Video).ext_vals(values.clone()));
        };
        if kind == Kind::Audio {
            write(self.sounds.into(), self.sounds * 960, sound(self.sounds), false);
            self.sounds += 1;
            return;
        }
        let key = std::mem::take(&mut self.key) || self.pictures == 0;
        for (part, data) in picture(self.pictures, key).chunks(PART).enumerate() {
            // RFC 7741 section 4.2: a picture's number of 15 bits.
            let [.., high, low] = (self.pictures | 0x8000).to_be_bytes();
            let mut payload = vec![0x80 | if part == 0 { 0x10 } else { 0 }, 0x80, high, low];
            payload.extend(data);
            write(self.packets, self.pictures * 3_600, payload, part + 1 == PARTS);
            self.packets += 1;
        }
        self.pictures += 1;
    }
}

/// Who sees and hears it.
struct Viewer {
    /// When pictures were taken, from `next` on.
    taken: VecDeque<Instant>,
    first_taken: u32,
    /// The next picture that can be decoded without a key frame.
    next: Option<u32>,
    shown: Option<Instant>,
    pictures: u32,
    frozen: Duration,
    freezes: u32,
    sounds: u32,
    last_sound: Option<u32>,
}

impl Viewer {
    /// Takes a frame; whether the decoder needs a key frame.
    fn take(&mut self, data: &MediaData, now: Instant) -> bool {
        if data.pt == OPUS.into() {
            self.hear(data);
            return false;
        }
        let number = u32::from_be_bytes(*data.data[10..].first_chunk().expect("a whole picture"));
        let key = data.is_keyframe();
        assert!(data.data[..] == picture(number, key)[..], "picture {number} is another");
        assert_eq!(data.time.numer(), u64::from(number) * 3_600, "when picture {number} was taken");
        if self.next != Some(number) && !key {
            return true;
        }
        assert!(self.next.is_none_or(|next| number >= next), "picture {number} after {:?}", self.next);
        self.next = Some(number + 1);
        let at = (self.taken[(number - self.first_taken) as usize] + PLAYOUT).max(now);
        self.taken.drain(..(number - self.first_taken) as usize);
        self.first_taken = number;
        let pause = self.shown.map_or(Duration::ZERO, |shown| at.saturating_duration_since(shown));
        if pause > FREEZE {
            (self.frozen, self.freezes) = (self.frozen + pause, self.freezes + 1);
        }
        self.shown = Some(at);
        self.pictures += 1;
        false
    }

    fn hear(&mut self, data: &MediaData) {
        let number = u32::from_be_bytes(*data.data[1..].first_chunk().expect("a frame of sound"));
        assert!(data.data[..] == sound(number)[..], "sound {number} is another");
        assert_eq!(data.time.numer(), u64::from(number) * 960, "when sound {number} was made");
        assert!(self.last_sound.replace(number).is_none_or(|last| number > last), "in order, once");
        self.sounds += 1;
    }
}

/// A call of so long, where each link loses one of so many datagrams; `counts`: the viewer tells which packets arrived, and
/// not only how many.
fn call(lasts: Duration, loss: u64, counts: bool) -> (World, Publisher, Viewer) {
    let mut world = World::new();
    let publisher = world.join("publisher");
    world.whole = true;
    let viewer = world.join("viewer");
    for (kind, track) in [(Kind::Audio, "aud"), (Kind::Video, "vid")] {
        publish(&mut world, publisher, kind, track);
        subscribe(&mut world, viewer, kind, track);
    }
    if counts {
        world.clients[viewer].rtc.direct_api().enable_twcc_feedback();
    }
    (world.loss, world.rough) = (loss, true);
    // By itself it answers for no more than 15 % of its packets.
    let mut api = world.clients[publisher].rtc.direct_api();
    let stream = api.stream_tx_by_mid(Mid::from("vid"), None).expect("a declared stream");
    stream.set_rtx_cache(1_024, Duration::from_secs(3), None);
    let mut from = Publisher::default();
    let mut to = Viewer {
        taken: VecDeque::new(),
        first_taken: 0,
        next: None,
        shown: None,
        pictures: 0,
        frozen: Duration::ZERO,
        freezes: 0,
        sounds: 0,
        last_sound: None,
    };
    let (begun, mut step) = (world.now, 0);
    while world.now < begun + lasts {
        let due = begun + Duration::from_millis(step * SOUND);
        if due <= world.now {
            from.send(&mut world, publisher, Kind::Audio);
            if (step * SOUND).is_multiple_of(PICTURE) {
                from.send(&mut world, publisher, Kind::Video);
                to.taken.push_back(world.now);
            }
            step += 1;
        }
        world.leap(begun + Duration::from_millis(step * SOUND));
        for event in std::mem::take(&mut world.clients[viewer].events) {
            let Event::MediaData(data) = event else { continue };
            if to.take(&data, world.now) {
                let mut api = world.clients[viewer].rtc.direct_api();
                let stream = api.stream_rx_by_mid(Mid::from("vid"), None).expect("a declared stream");
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        }
    }
    (world, from, to)
}

#[test]
fn an_hour_of_loss_freezes_no_picture_for_long_and_spoils_none() {
    let (world, from, to) = call(LASTS, LOSS, true);
    assert!(to.frozen.as_millis() * 100 <= LASTS.as_millis() * FROZEN, "{:?} in {} freezes", to.frozen, to.freezes);
    assert_eq!(world.dropped("viewer", "nack_flood"), 0);
    assert!(to.pictures * 100 >= from.pictures * 99, "{} of {} pictures", to.pictures, from.pictures);
    assert!(to.sounds * 100 >= from.sounds * HEARD, "{} of {} sounds", to.sounds, from.sounds);
}

#[test]
fn what_a_publisher_loses_is_not_taken_for_the_viewers_link() {
    let (world, ..) = call(Duration::from_secs(120), 5, false);
    let stats = world.relay.stats(0, None, world.now);
    let sound = stats.subscriptions.iter().find(|subscription| subscription.track == "aud").expect("sound");
    assert!((0.2..0.5).contains(&sound.lost), "a fifth, and a fifth of the rest: {}", sound.lost);
    assert!((0.05..0.35).contains(&sound.link_lost), "a fifth: {}", sound.link_lost);
    let picture = stats.subscriptions.iter().find(|subscription| subscription.track == "vid").expect("a picture");
    assert_eq!(picture.paused, None, "{:?}", stats.transports);
}
