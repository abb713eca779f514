//! An hour of messages between three clients whose links lose every fifth datagram, double some and deliver some late:
//! every reliable message arrives, once, whole, and in the order of its sender.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use relay_core::message::{Command, Event, Kind};

use crate::media::{play_range, publish};
use crate::world::World;

const PEOPLE: usize = 3;
const IDS: [&str; PEOPLE] = ["a", "b", "c"];
const LABEL: &str = "_reliable";
const HOUR: Duration = Duration::from_secs(3_600);
/// The longest message.
const LONGEST: usize = 64 * 1024;
/// Sender, addressee and number.
const HEAD: usize = 6;
/// An addressee: everybody else.
const ALL: u8 = u8::MAX;
/// Of ten messages, so many are for everybody else.
const BROADCAST: u64 = 4;
/// A pause of a sender, ms, at most.
const PAUSE: u64 = 12_000;
/// How long the last messages may take: a client waits up to 60 s before it tries again, each time.
const END: Duration = Duration::from_secs(600);
/// Steps of sound, ms: what is left of it in a pause (RFC 7587 section 3.1.3). A client that neither speaks nor is heard to
/// be there by its checks is given up after 15 s.
const PULSE: u64 = 400;

/// What a client has said, and what it is yet to hear.
#[derive(Default)]
struct Person {
    number: u32,
    /// When it says the next one, and what that is.
    due: Option<(Instant, Vec<u8>)>,
    /// By sender: number and length.
    expected: [VecDeque<(u32, usize)>; PEOPLE],
    /// Messages heard: addressed, and to all.
    heard: [u64; 2],
}

/// The message of this head: its bytes depend on its number and their place.
fn message(from: u8, to: u8, number: u32, length: usize) -> Vec<u8> {
    let mut bytes = vec![from, to];
    bytes.extend(number.to_be_bytes());
    let place =
        |place: usize| (number as usize).wrapping_mul(31).wrapping_add(place * 7 + place / 251).to_le_bytes()[0];
    bytes.extend((HEAD..length).map(place));
    bytes
}

/// Of a length where each power of two is as likely as the next; every tenth is the longest.
fn length(world: &mut World) -> usize {
    if (world.random() >> 33).is_multiple_of(10) {
        return LONGEST;
    }
    let scale = (world.random() >> 33) % 17;
    let spread = 1_usize << scale;
    (HEAD + spread + usize::try_from(world.random() >> 33).expect("31 bits") % spread).min(LONGEST)
}

impl Person {
    /// Says what is due.
    fn speak(world: &mut World, people: &mut [Self; PEOPLE], from: usize, last: Instant) {
        let now = world.now;
        let Some((at, bytes)) = people[from].due.take() else { return };
        let id = world.clients[from].channel(LABEL).expect("open");
        let mut channel = world.clients[from].rtc.channel(id).expect("a channel");
        if at > now || !channel.write(true, &bytes).expect("a channel that is open") {
            people[from].due = Some((at, bytes));
            return;
        }
        let (to, number) = (bytes[1], people[from].number);
        for (place, person) in people.iter_mut().enumerate() {
            if place != from && (to == ALL || usize::from(to) == place) {
                person.expected[from].push_back((number, bytes.len()));
            }
        }
        people[from].number += 1;
        people[from].plan(world, from, last);
    }

    /// Thinks of the next one.
    fn plan(&mut self, world: &mut World, from: usize, last: Instant) {
        let at = world.now + Duration::from_millis((world.random() >> 33) % PAUSE);
        let other = (from + 1 + usize::from(world.random() >> 63 == 1)) % PEOPLE;
        let to = if (world.random() >> 33) % 10 < BROADCAST { ALL } else { u8::try_from(other).expect("few") };
        let bytes = message(u8::try_from(from).expect("few"), to, self.number, length(world));
        self.due = (at < last).then_some((at, bytes));
    }

    fn hear(&mut self, bytes: &[u8]) {
        let from = usize::from(bytes[0]);
        let number = u32::from_be_bytes(bytes[2..HEAD].try_into().expect("a head"));
        let (expected, length) = self.expected[from].pop_front().expect("nothing more was said");
        assert_eq!((number, bytes.len()), (expected, length), "of {from}: in order, once, whole");
        assert!(bytes == message(bytes[0], bytes[1], number, length), "message {number} of {from} is another");
        self.heard[usize::from(bytes[1] == ALL)] += 1;
    }
}

/// Does what the server does: hands messages on to those they are for.
fn pass_on(world: &mut World) {
    for event in std::mem::take(&mut world.events) {
        let Event::DataReceived { transport, label, payload, .. } = event else { continue };
        let for_us = |place: usize| payload[1] == ALL || usize::from(payload[1]) == place;
        let ids = world.clients.iter().enumerate().filter(|(place, client)| for_us(*place) && client.id != transport);
        let transports = ids.map(|(_, client)| client.id.clone()).collect();
        world.command(Command::SendData { transports, label, payload, source: Some(transport) });
    }
}

#[test]
fn an_hour_of_loss_delivers_every_reliable_message() {
    let mut world = World::new();
    for id in IDS {
        let place = world.join(id);
        world.clients[place].open_channel(LABEL);
        publish(&mut world, place, Kind::Audio, id);
        world.until(5_000, |world| world.clients[place].channel(LABEL).is_some());
    }
    (world.loss, world.rough) = (5, true);
    let mut people: [Person; PEOPLE] = Default::default();
    let begun = world.now;
    let last = begun + HOUR;
    for (place, person) in people.iter_mut().enumerate() {
        person.plan(&mut world, place, last);
    }
    let mut pulses = 0;
    let waits = |person: &Person| person.due.is_some() || person.expected.iter().any(|queue| !queue.is_empty());
    while people.iter().any(waits) {
        assert!(
            world.now < last + END,
            "so many are missing: {:?}",
            people.map(|person| person.expected.map(|queue| queue.len()))
        );
        let pulse = begun + Duration::from_millis(u64::from(pulses) * PULSE);
        if pulse <= world.now {
            for (place, id) in IDS.into_iter().enumerate() {
                play_range(&mut world, place, Kind::Audio, id, pulses..pulses + 1, 0);
            }
            pulses += 1;
            continue;
        }
        let due = people.iter().filter_map(|person| person.due.as_ref()).map(|(at, _)| *at);
        let end = due.filter(|at| *at > world.now).fold(pulse, Instant::min);
        world.leap(end);
        pass_on(&mut world);
        for place in 0..PEOPLE {
            Person::speak(&mut world, &mut people, place, last);
            for (_, bytes) in std::mem::take(&mut world.clients[place].messages) {
                people[place].hear(&bytes);
            }
        }
    }
    for (person, client) in people.iter().zip(&world.clients) {
        assert!(client.rtc.is_alive());
        assert!(person.heard.iter().all(|heard| *heard > 100), "{:?}", person.heard);
        assert_eq!(world.dropped(&client.id, "data_backlog"), 0);
    }
}
