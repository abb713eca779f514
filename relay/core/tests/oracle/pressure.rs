//! A document sent at once: whole to all who keep up, at the pace of the slowest of them; who does not loses of it alone.

use std::time::{Duration, Instant};

use relay_core::message::{Command, Event};
use str0m::channel::ChannelId;

use crate::world::World;

/// Messages of a document, and bytes of each: 4.5 MB.
const COUNT: u32 = 300;
const SIZE: usize = 15_000;
const LABEL: &str = "_reliable";

/// A meeting: the first says something, the server passes it on to all others.
struct Meeting {
    world: World,
    /// Of each client.
    channels: Vec<ChannelId>,
    /// Those before get nothing.
    first: usize,
    /// What is to be said, by whom.
    said: Vec<(usize, u32)>,
    began: Instant,
    /// A client that the server itself tells something all the time, in bytes each 20 ms.
    babbled: Option<(usize, usize)>,
    /// Answers to `AwaitData`, and how many messages each client had by then.
    taken: Vec<(String, String, Vec<usize>)>,
}

impl Meeting {
    fn of(count: usize) -> Self {
        let world = World::new();
        let began = world.now;
        let mut meeting =
            Self { world, channels: Vec::new(), first: 0, said: Vec::new(), began, babbled: None, taken: Vec::new() };
        for number in 0..count {
            let index = meeting.world.join(&format!("client-{number}"));
            meeting.world.clients[index].open_channel(LABEL);
            meeting.world.until(5_000, |world| world.clients[index].channel(LABEL).is_some());
            let id = meeting.world.clients[index].channel(LABEL).expect("open");
            meeting.channels.push(id);
        }
        meeting.world.run(100);
        meeting
    }

    fn narrow(&mut self, client: usize, rate: u64) {
        self.world.narrow = Some((self.world.clients[client].address, rate, self.world.now));
    }

    /// Sends a document as fast as the first client's stack takes it, until `done`; how long that took.
    fn send_until(&mut self, done: impl Fn(&Self) -> bool, limit: Duration) -> Duration {
        self.said.extend((0..COUNT).map(|number| (0, number)));
        self.go_until(done, limit)
    }

    fn go_until(&mut self, done: impl Fn(&Self) -> bool, limit: Duration) -> Duration {
        let began = self.world.now;
        while !done(self) {
            assert!(self.world.now - began < limit, "{:?}, lost {:?}", self.numbers(), self.lost());
            self.step();
        }
        self.world.now - began
    }

    fn step(&mut self) {
        for client in 0..self.channels.len() {
            while let Some(place) = self.said.iter().position(|(who, _)| *who == client) {
                let number = self.said[place].1;
                let message = number.to_be_bytes().repeat(if number < COUNT { SIZE / 4 } else { 25 });
                let channel = self.world.clients[client].rtc.channel(self.channels[client]);
                if !channel.expect("a channel").write(true, &message).expect("accepted") {
                    break;
                }
                self.said.remove(place);
            }
        }
        self.world.step();
        if let Some((client, size)) = self.babbled
            && (self.world.now - self.began).as_millis().is_multiple_of(20)
        {
            let transports = vec![self.world.clients[client].id.clone()];
            self.world.command(Command::SendData {
                transports,
                label: LABEL.into(),
                payload: vec![255_u8; size].into(),
                source: None,
            });
        }
        for event in std::mem::take(&mut self.world.events) {
            if let Event::DataTaken { request, transport } = event {
                self.taken.push((request, transport, self.numbers()));
                continue;
            }
            let Event::DataReceived { transport, label, payload, reliable } = event else { continue };
            let all = self.world.clients.iter().skip(self.first);
            let others = all.filter(|client| client.id != transport);
            let transports = others.map(|client| client.id.clone()).collect();
            self.world.command(Command::SendData { transports, label, payload, source: reliable.then_some(transport) });
        }
    }

    /// How many messages each client got.
    fn numbers(&self) -> Vec<usize> {
        self.world.clients.iter().map(|client| client.messages.len()).collect()
    }

    /// How many messages to each client were dropped.
    fn lost(&mut self) -> Vec<u64> {
        let ids: Vec<String> = self.world.clients.iter().map(|client| client.id.clone()).collect();
        ids.iter().map(|id| self.world.dropped(id, "data_backlog")).collect()
    }

    fn got(&self, client: usize) -> Vec<u32> {
        let number = |message: &Vec<u8>| u32::from_be_bytes(message[..4].try_into().expect("a number"));
        self.world.clients[client].messages.iter().map(|(_, message)| number(message)).collect()
    }

    fn has_all(&self, client: usize) -> bool {
        self.world.clients[client].messages.len() == COUNT as usize
    }

    fn assert_whole(&self, client: usize) {
        assert!(self.got(client).into_iter().eq(0..COUNT), "in order, once");
    }
}

#[test]
fn a_document_arrives_whole_over_a_link_slower_than_its_senders() {
    let mut meeting = Meeting::of(2);
    meeting.narrow(1, 8_000_000);
    let took = meeting.send_until(|meeting| meeting.has_all(1), Duration::from_secs(30));
    meeting.assert_whole(1);
    assert_eq!(meeting.lost(), [0, 0]);
    assert!(took < Duration::from_millis(7_500), "4.5 s at that rate: {took:?}");
}

#[test]
fn who_stalls_holds_a_document_back_for_two_seconds_and_loses_of_it_alone() {
    let mut meeting = Meeting::of(3);
    meeting.world.deaf = Some(2);
    let took = meeting.send_until(|meeting| meeting.has_all(1), Duration::from_secs(30));
    meeting.assert_whole(1);
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(5), "{took:?}");
    let [0, 0, lost] = meeting.lost()[..] else { panic!("{:?}", meeting.lost()) };
    let kept = (u64::from(COUNT) - lost) * SIZE as u64;
    assert!((512 * 1024..=1024 * 1024).contains(&kept), "{kept}");
}

#[test]
fn who_is_slow_but_takes_enough_gets_it_whole_and_the_others_wait() {
    let mut meeting = Meeting::of(3);
    meeting.narrow(2, 600_000);
    let all = |meeting: &Meeting| meeting.has_all(1) && meeting.has_all(2);
    let took = meeting.send_until(all, Duration::from_secs(150));
    meeting.assert_whole(1);
    meeting.assert_whole(2);
    assert_eq!(meeting.lost(), [0; 3]);
    assert!(took > Duration::from_secs(55), "60 s at that rate: {took:?}");
}

#[test]
fn who_is_slower_than_that_loses_of_it_alone() {
    let mut meeting = Meeting::of(3);
    meeting.narrow(2, 150_000);
    let took = meeting.send_until(|meeting| meeting.has_all(1), Duration::from_secs(60));
    meeting.assert_whole(1);
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(meeting.lost()[2] > 100, "{:?}", meeting.lost());
    assert_eq!(meeting.lost()[..2], [0, 0]);
}

#[test]
fn who_is_told_more_than_it_takes_for_ever_is_waited_for_no_longer_than_thirty_seconds() {
    let mut meeting = Meeting::of(3);
    meeting.narrow(2, 400_000);
    meeting.babbled = Some((2, 1_000)); // as much as that rate, headers not counted
    let took = meeting.send_until(|meeting| meeting.numbers()[1] > 40, Duration::from_secs(60));
    assert!(took > Duration::from_secs(30) && took < Duration::from_millis(30_500), "{took:?}");
    // It was held back for so long that its tries were refused, and it tries seldom: it goes on all the same.
    let before = meeting.numbers()[1];
    meeting.go_until(|meeting| meeting.numbers()[1] > before + 45, Duration::from_millis(500));
    meeting.go_until(|meeting| meeting.has_all(1), Duration::from_secs(5));
    meeting.assert_whole(1);
    assert_eq!(meeting.lost()[..2], [0, 0]);
}

#[test]
fn words_of_others_pass_a_document_that_is_held_back() {
    let mut meeting = Meeting::of(4);
    meeting.narrow(2, 600_000);
    meeting.send_until(|meeting| meeting.numbers()[1] > 40, Duration::from_secs(10));
    for word in 0..10 {
        let before = meeting.numbers()[1];
        meeting.said.push((3, COUNT + word));
        let heard = |meeting: &Meeting| meeting.got(1).contains(&(COUNT + word));
        let took = meeting.go_until(heard, Duration::from_millis(100));
        assert!(meeting.numbers()[1] - before < 10, "the document is held back: {took:?}");
    }
}

#[test]
fn seven_documents_at_once_arrive_whole() {
    let mut meeting = Meeting::of(8);
    meeting.narrow(7, 8_000_000);
    meeting.said.extend((0..7).flat_map(|client| (0..60).map(move |number| (client, number))));
    meeting.go_until(|meeting| meeting.numbers() == [360, 360, 360, 360, 360, 360, 360, 420], Duration::from_secs(60));
    assert_eq!(meeting.lost(), [0; 8]);
}

#[test]
fn of_twenty_who_send_a_document_at_once_nothing_is_lost() {
    let mut meeting = Meeting::of(21);
    meeting.first = 20;
    meeting.narrow(20, 8_000_000);
    meeting.said.extend((0..20).flat_map(|client| (0..20).map(move |number| (client, number))));
    meeting.go_until(|meeting| meeting.numbers()[20] == 400, Duration::from_secs(60));
    assert_eq!(meeting.lost(), [0; 21]);
}

#[test]
fn what_a_peer_that_goes_was_told_we_have_is_told_before_its_end() {
    let mut meeting = Meeting::of(3);
    meeting.world.deaf = Some(2);
    meeting.send_until(|meeting| meeting.numbers()[1] > 10, Duration::from_secs(10));
    for _ in 0..1_000 {
        meeting.step(); // all that the window takes has come
    }
    meeting.world.command(Command::CloseTransport { transport: "client-0".into() });
    let before = meeting.numbers()[1];
    let events = meeting.world.relay.take_events();
    let told = events.iter().filter(|event| matches!(event, Event::DataReceived { .. })).count();
    assert!(told * SIZE > 400 * 1024, "{told} after {before}");
}

#[test]
fn who_asks_is_told_when_each_has_taken_what_it_was_sent() {
    let mut meeting = Meeting::of(4);
    meeting.narrow(1, 2_000_000);
    meeting.world.deaf = Some(3);
    meeting.said.extend((0..20).map(|number| (0, number)));
    meeting.go_until(|meeting| meeting.numbers()[2] == 20, Duration::from_secs(1));
    assert!(meeting.numbers()[1] < 20, "{:?}", meeting.numbers());
    let ask = |meeting: &mut Meeting, request: &str| {
        for transport in ["client-1", "client-2", "client-3", "nobody"] {
            meeting.world.command(Command::AwaitData { request: request.into(), transport: transport.into() });
        }
    };
    ask(&mut meeting, "first");
    meeting.said.extend((20..40).map(|number| (0, number)));
    meeting.go_until(|meeting| meeting.numbers()[1] == 40, Duration::from_secs(10));
    let told = |client: &str| meeting.taken.iter().find(|(_, transport, _)| transport == client);
    assert!(told("client-1").is_some_and(|(_, _, numbers)| (20..40).contains(&numbers[1])), "{:?}", meeting.taken);
    assert!(told("client-2").is_some_and(|(_, _, numbers)| (20..22).contains(&numbers[2])), "{:?}", meeting.taken);
    assert_eq!(told("client-3"), None, "it takes nothing");
    ask(&mut meeting, "second");
    meeting.go_until(|meeting| meeting.taken.len() == 4, Duration::from_millis(500));
}

#[test]
fn what_several_said_who_leave_together_waits_as_if_they_were_there() {
    let mut meeting = Meeting::of(7);
    meeting.first = 6;
    meeting.narrow(6, 4_000_000);
    meeting.said.extend((0..6).flat_map(|client| (0..40).map(move |number| (client, number))));
    while meeting.world.now - meeting.began < Duration::from_secs(2) {
        meeting.step(); // all that the windows take has come
    }
    assert!(meeting.numbers()[6] < 120, "most is on its way: {:?}", meeting.numbers());
    for client in 0..6 {
        meeting.world.command(Command::CloseTransport { transport: format!("client-{client}") });
    }
    meeting.go_until(|meeting| meeting.numbers()[6] == 240, Duration::from_secs(10));
}
