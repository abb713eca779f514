//! A room: who speaks, who has the floor, who is heard and seen where not all can be.

use std::time::Instant;

use super::{RoomKey, Switch, SwitchEvent, TrackKey};
use crate::allocate::{Change, Floor, Loudest};
use crate::arena::Key;
use crate::speaker::Speakers;

/// One room.
#[derive(Debug, Default)]
pub(super) struct Room {
    speakers: Speakers<TrackKey>,
    floor: Floor<Key>,
    loudest: Option<Loudest<TrackKey>>,
    /// Cameras of this many publishers are shown.
    pub last_video: Option<usize>,
    /// Publishers who spoke at the last look, and how often somebody began to.
    speaking: Vec<Key>,
    spoke: u64,
}

impl Room {
    /// The publisher who has the floor.
    pub const fn floor(&self) -> Option<Key> {
        self.floor.holder()
    }

    /// When speakers are to be looked at.
    pub fn next_change(&self) -> Option<Instant> {
        self.speakers.next_change()
    }

    /// Notes the level of a packet (-dBov) and says who is heard or not because of it.
    pub fn observe(&mut self, track: TrackKey, level: u8, now: Instant) -> [Option<Change<TrackKey>>; 2] {
        self.speakers.observe(track, level, now);
        self.loudest.as_mut().map_or([None; 2], |loudest| loudest.observe(track, level, now))
    }

    /// Forgets a track.
    pub fn end(&mut self, track: TrackKey, now: Instant) {
        self.speakers.remove(track, now);
        if let Some(loudest) = &mut self.loudest {
            loudest.remove(track);
        }
    }

    /// Forgets a publisher.
    pub fn leave(&mut self, peer: Key) {
        self.floor.remove(peer);
        self.speaking.retain(|speaking| *speaking != peer);
    }
}

impl Switch {
    /// Forwards only the sound of the `loudest` voices, and only the cameras of the `last` who spoke; `None`: of all.
    pub fn set_room(&mut self, room: RoomKey, loudest: Option<usize>, last: Option<usize>) {
        let Some(state) = self.rooms.get_mut(room.0) else { return };
        state.last_video = last;
        let before = std::mem::replace(&mut state.loudest, loudest.map(Loudest::new));
        // Who is still too quiet is found out with the next packet of each.
        let known: Vec<_> = before.iter().flat_map(Loudest::keys).collect();
        self.set_heard(known.into_iter().map(|key| Change { key, heard: true }));
        self.touch_room(room.0);
    }

    /// Lets voices be heard, or not.
    pub(super) fn set_heard(&mut self, changes: impl Iterator<Item = Change<TrackKey>>) {
        for change in changes {
            if let Some(published) = self.tracks.get_mut(change.key.0) {
                published.track.set_heard(change.heard);
            }
        }
    }

    /// Tells who speaks in each room where that is due.
    pub(super) fn tell_speakers(&mut self, now: Instant) {
        let rooms: Vec<_> = self.rooms.keys().collect();
        for key in rooms {
            let Some(room) = self.rooms.get_mut(key) else { continue };
            if room.next_change().is_some_and(|due| due <= now) {
                if let Some(active) = room.speakers.changed(now) {
                    let speakers = active.iter().map(|speaker| (speaker.key, speaker.level)).collect();
                    self.events.push_back(SwitchEvent::Speakers { room: RoomKey(key), speakers });
                }
                self.note_speakers(key, now);
            }
            if let Some(due) = self.rooms.get(key).and_then(Room::next_change) {
                self.due = self.due.min(due);
            }
        }
    }

    /// Remembers who speaks, has the floor, and began to speak when.
    fn note_speakers(&mut self, key: Key, now: Instant) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let publishers = room.speakers.active().filter_map(|track| Some(self.tracks.get(track.0)?.peer));
        let speaking: Vec<_> = publishers.collect();
        let mut changed = room.floor.observe(speaking.iter().copied(), now);
        let before = std::mem::replace(&mut room.speaking, speaking.clone());
        // The loudest counts as the last of those who began together.
        for speaker in speaking.into_iter().rev().filter(|speaker| !before.contains(speaker)) {
            if let Some(peer) = self.peers.get_mut(speaker) {
                room.spoke += 1;
                peer.spoke = room.spoke;
                changed |= room.last_video.is_some();
            }
        }
        if changed {
            self.touch_room(key);
        }
    }
}
