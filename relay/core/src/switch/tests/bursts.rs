//! Packets that are taken in together reach every subscriber as if they had come one by one.

use super::*;

/// A publisher of two layers and of sound, its subscribers, and how packets are handed to the switch.
struct Stage {
    scene: Scene,
    publisher: Client,
    video: TrackKey,
    audience: Vec<Client>,
    seen: Vec<Vec<String>>,
}

impl Stage {
    fn new() -> Self {
        let mut scene = Scene::new();
        let publisher = scene.client();
        let video = scene.switch.add_track(publisher.key, &video(2), scene.now).unwrap();
        let sound = scene.switch.add_track(publisher.key, &audio(), scene.now).unwrap();
        let mut stage = Self { scene, publisher, video, audience: Vec::new(), seen: Vec::new() };
        for _ in 0..3 {
            let subscriber = stage.join();
            stage.scene.switch.subscribe(subscriber, sound, &shown(900, false), stage.scene.now).unwrap();
        }
        stage
    }

    fn join(&mut self) -> PeerKey {
        let subscriber = self.scene.client();
        let key = subscriber.key;
        self.scene.switch.subscribe(key, self.video, &shown(500, true), self.scene.now).unwrap();
        self.audience.push(subscriber);
        self.seen.push(Vec::new());
        key
    }

    fn take_in(&mut self, from: PeerKey, datagrams: &[Vec<u8>], together: bool) -> Vec<Destination> {
        let Scene { switch, now, out, .. } = &mut self.scene;
        for datagram in datagrams {
            if together {
                switch.take_in(from, &mut datagram.clone(), *now, out);
            } else {
                switch.receive(from, &mut datagram.clone(), *now, out);
            }
        }
        switch.release(out);
        let packets = std::mem::take(&mut self.scene.out.packets);
        for (client, seen) in self.audience.iter_mut().zip(&mut self.seen) {
            seen.extend(client.open(packets.clone()).0.iter().map(|packet| format!("{packet:?}")));
        }
        packets.into_iter().map(|(destination, _)| destination).collect()
    }
}

/// `count` packets of `layer`, the first of which begins a frame.
fn frame(publisher: &mut Client, layer: u32, picture: u16, count: u8, key: bool) -> Vec<Vec<u8>> {
    let packet = |number: u8| {
        let payload = vp8(key, number == 0, picture, picture as u8, number);
        let timestamp = u32::from(picture) * 3_000;
        let marker = number + 1 == count;
        publisher.next(Sent { ssrc: 100 + layer, payload_type: 96, timestamp, marker, payload: &payload })
    };
    (0..count).map(packet).collect()
}

/// Rounds of datagrams with everything that may come between the packets of a frame.
fn rounds(publisher: &mut Client) -> Vec<Vec<Vec<u8>>> {
    let mut rounds = vec![
        frame(publisher, 0, 1, 5, true),
        frame(publisher, 0, 2, 70, false),
        frame(publisher, 1, 3, 4, false),
        [frame(publisher, 0, 4, 3, false), frame(publisher, 1, 4, 3, true), frame(publisher, 0, 5, 3, false)].concat(),
    ];
    let mut mixed = frame(publisher, 1, 6, 12, false);
    let sound = Sent { ssrc: 300, payload_type: 111, timestamp: 960, marker: false, payload: &[1; 40] };
    mixed.insert(4, publisher.next(sound));
    mixed.insert(7, publisher.rtcp(|writer| assert!(writer.pli(500))));
    let late = mixed.remove(2);
    mixed.push(late.clone());
    mixed.push(late);
    rounds.push(mixed);
    rounds.push([frame(publisher, 1, 7, 3, false), frame(publisher, 1, 8, 6, true)].concat());
    rounds.push(frame(publisher, 1, 9, 9, false));
    // A key frame that is whole only in the middle of the next round, and who begins with it then.
    let mut key = frame(publisher, 1, 10, 6, true);
    let lost = key.remove(3);
    let next = [frame(publisher, 1, 11, 3, false), vec![lost], frame(publisher, 1, 12, 3, false)].concat();
    rounds.extend([key, next]);
    rounds
}

#[test]
fn together_is_as_one_by_one() {
    let (mut apart, mut together) = (Stage::new(), Stage::new());
    let rounds = rounds(&mut apart.publisher);
    for (number, round) in rounds.iter().enumerate() {
        if number == 5 || number == 8 {
            apart.join();
            together.join();
        }
        apart.take_in(apart.publisher.key, round, false);
        let order = together.take_in(together.publisher.key, round, true);
        assert_eq!(apart.seen, together.seen, "round {number}");
        if number == 6 {
            assert_eq!(order.len(), 4 * 9);
            let changes = order.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert_eq!(changes, 3, "one subscriber after the other");
        }
    }
    assert_eq!(apart.seen[4].len(), 6 + 6, "the key frame, and what came after it");
    assert!(apart.seen.iter().all(|seen| seen.len() > 10));
    let stats = |stage: &Stage| format!("{:?}", stage.scene.switch.peer_stats(stage.publisher.key).unwrap().dropped);
    assert_eq!(stats(&apart), stats(&together));
}
