//! What each command does.

use std::time::Instant;

use slab::Slab;

use super::{MAX_TRANSPORTS, Member, Relay, Room, Subscription, Track};
use crate::message::{Codec, Command, Encoding, Event, Extensions, Kind};
use crate::outbox::Destination;
use crate::sctp::Reliability;
use crate::switch::{Refusal, SubscriptionConfig, TrackConfig, Wishes};
use crate::transport::dtls::Fingerprint;
use crate::transport::ice::Ice;
use crate::transport::{Remote, Transport};
use crate::wire::Wire;

/// Shortest ICE user fragment and password (RFC 8839 §5.4), and the longest, in characters.
const UFRAG: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD: std::ops::RangeInclusive<usize> = 22..=256;

/// Why a command was not done.
struct Refused {
    code: &'static str,
    message: String,
}

impl Refused {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn unknown(code: &'static str, id: &str) -> Self {
        Self::new(code, format!("there is no {id}"))
    }

    fn duplicate(id: &str) -> Self {
        Self::new("duplicate_id", format!("{id} exists already"))
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code(), refusal.code().replace('_', " "))
    }
}

type Outcome = Result<(), Refused>;

/// The fields of `AddTrack`.
struct NewTrack {
    transport: String,
    track: String,
    kind: Kind,
    codec: Codec,
    encodings: Vec<Encoding>,
    extensions: Extensions,
    mid: Option<String>,
    scalability: Option<String>,
}

impl Relay {
    /// Do one command; what cannot be done is answered by `CommandFailed`.
    pub fn command(&mut self, command: Command, now: Instant, wire: &mut impl Wire) {
        let (name, id) = (command.name(), command.id());
        if let Err(Refused { code, message }) = self.dispatch(command, now, wire) {
            self.events.push(Event::CommandFailed { command: name.into(), id, code: code.into(), message });
        }
    }

    fn dispatch(&mut self, command: Command, now: Instant, wire: &mut impl Wire) -> Outcome {
        match command {
            Command::OpenTransport { transport, room, ufrag, password } => {
                self.open_transport(transport, room, &ufrag, &password, now)
            }
            Command::SetRemote { .. } => self.set_remote(command, now, wire),
            Command::RestartIce { transport, ufrag, password } => self.restart_ice(&transport, ufrag, &password, now),
            Command::CloseTransport { transport } => self.close_transport(&transport, now, wire),
            Command::AddTrack { transport, track, kind, codec, encodings, extensions, mid, scalability } => {
                let new = NewTrack { transport, track, kind, codec, encodings, extensions, mid, scalability };
                self.add_track(new, now)
            }
            Command::RemoveTrack { track } => self.remove_track(&track),
            Command::MuteTrack { track, muted } => self.mute_track(&track, muted, now),
            Command::Subscribe { .. } => self.subscribe(command, now),
            Command::Unsubscribe { subscription } => self.unsubscribe(&subscription),
            Command::SetSubscription {
                subscription,
                paused,
                max_layer,
                max_temporal,
                screen,
                visible,
                priority,
                keep,
            } => {
                let key = self.subscription(&subscription)?.key;
                self.switch.set_wishes(key, Wishes { screen, visible, priority, keep });
                self.switch.set_subscription(key, paused, max_layer, max_temporal, now);
                Ok(())
            }
            Command::SetRoom { room, loudest_audio, last_video } => {
                let key = self.rooms.get(&room).ok_or_else(|| Refused::unknown("unknown_room", &room))?.key;
                self.switch.set_room(key, loudest_audio.map(usize::from), last_video.map(usize::from));
                Ok(())
            }
            Command::RequestKeyFrame { track } => {
                let key = self.track(&track)?.key;
                self.switch.request_key_frame(key, now);
                Ok(())
            }
            Command::OpenDataChannel { transport, label, ordered, max_retransmits } => {
                self.open_channel(&transport, &label, ordered, max_retransmits, now, wire)
            }
            Command::SendData { transports, label, payload, source } => {
                self.send_data(&transports, &label, &payload, source.as_deref(), now, wire);
                Ok(())
            }
            Command::DropData { transport } => {
                self.answer_data(&transport, now, wire);
                Ok(())
            }
            Command::AwaitData { request, transport } => {
                self.await_data(request, &transport, now);
                Ok(())
            }
            Command::DumpFlight { request, transport, unix } => {
                let member = self.member_ids.get(&transport).copied();
                let payload = member.map(|member| self.flight(member, unix, now)).unwrap_or_default().into();
                self.events.push(Event::Flight { request, payload });
                Ok(())
            }
            Command::GetStats { request, room } => {
                let stats = self.stats(request, room.as_deref(), now);
                self.events.push(Event::Stats(stats));
                Ok(())
            }
        }
    }

    fn member(&self, id: &str) -> Result<usize, Refused> {
        self.member_ids.get(id).copied().ok_or_else(|| Refused::unknown("unknown_transport", id))
    }

    fn track(&mut self, id: &str) -> Result<&mut Track, Refused> {
        self.tracks.get_mut(id).ok_or_else(|| Refused::unknown("unknown_track", id))
    }

    fn subscription(&self, id: &str) -> Result<&Subscription, Refused> {
        self.subscriptions.get(id).ok_or_else(|| Refused::unknown("unknown_subscription", id))
    }

    fn check_credentials(&self, ufrag: &str, password: &str) -> Outcome {
        if !UFRAG.contains(&ufrag.len()) || !PASSWORD.contains(&password.len()) {
            return Err(Refused::new("invalid", "ufrag or password is too short or too long"));
        }
        if self.ufrags.contains_key(ufrag) {
            return Err(Refused::new("duplicate_id", "the ufrag is in use"));
        }
        Ok(())
    }

    fn open_transport(&mut self, id: String, room: String, ufrag: &str, password: &str, now: Instant) -> Outcome {
        if self.member_ids.contains_key(&id) {
            return Err(Refused::duplicate(&id));
        }
        self.check_credentials(ufrag, password)?;
        if self.members.len() >= MAX_TRANSPORTS {
            return Err(Refused::new("limit", "the shard is full"));
        }
        let peer = self.enter_room(&room, now)?;
        let ice = Ice::new(ufrag, password, self.locals.clone(), now);
        let destination = Destination(u32::try_from(self.members.vacant_key()).unwrap_or(u32::MAX));
        let index = self.members.insert(Member {
            id: id.clone(),
            room,
            transport: Transport::new(ice, self.identity.clone(), destination),
            peer,
            profile: None,
            wake: None,
            addresses: Vec::new(),
            ufrags: vec![ufrag.into()],
        });
        self.member_ids.insert(id, index);
        self.ufrags.insert(ufrag.into(), index);
        self.schedule(index);
        Ok(())
    }

    fn enter_room(&mut self, name: &str, now: Instant) -> Result<crate::switch::PeerKey, Refused> {
        if !self.rooms.contains_key(name) {
            let key = self.switch.add_room();
            self.room_names.insert(key, name.into());
            self.rooms.insert(name.into(), Room { key, members: 0 });
        }
        let Some(room) = self.rooms.get_mut(name) else { return Err(Refusal::UnknownRoom.into()) };
        let peer = self.switch.add_peer(room.key, now)?;
        room.members += 1;
        Ok(peer)
    }

    fn leave_room(&mut self, name: &str) {
        let Some(room) = self.rooms.get_mut(name) else { return };
        room.members -= 1;
        if room.members == 0 {
            self.switch.remove_room(room.key);
            self.room_names.remove(&room.key);
            self.rooms.remove(name);
        }
    }

    fn set_remote(&mut self, command: Command, now: Instant, wire: &mut impl Wire) -> Outcome {
        let Command::SetRemote { transport, ufrag, password, fingerprint, role } = command else { return Ok(()) };
        let index = self.member(&transport)?;
        if !UFRAG.contains(&ufrag.len()) || !PASSWORD.contains(&password.len()) {
            return Err(Refused::new("invalid", "ufrag or password is too short or too long"));
        }
        let fingerprint = Fingerprint::parse(&fingerprint)
            .ok_or_else(|| Refused::new("invalid", "the fingerprint is not SHA-256 as AB:CD:…"))?;
        let remote = Remote { ufrag, password, fingerprint, role };
        let outcome = in_slab(&mut self.members, index, |member| member.transport.set_remote(&remote, now, wire));
        self.settle(index, now);
        outcome.unwrap_or(Ok(())).map_err(|message| Refused::new("invalid", message))
    }

    fn restart_ice(&mut self, id: &str, ufrag: String, password: &str, now: Instant) -> Outcome {
        let index = self.member(id)?;
        self.check_credentials(&ufrag, password)?;
        let forgotten = in_slab(&mut self.members, index, |member| {
            member.transport.restart_ice(&ufrag, password, now);
            member.ufrags.push(ufrag.clone());
            // The one before the last still answers checks; older ones do not.
            if member.ufrags.len() > 2 { Some(member.ufrags.remove(0)) } else { None }
        });
        if let Some(old) = forgotten.flatten() {
            self.ufrags.remove(&old);
        }
        self.ufrags.insert(ufrag, index);
        self.settle(index, now);
        Ok(())
    }

    fn close_transport(&mut self, id: &str, now: Instant, wire: &mut impl Wire) -> Outcome {
        let index = self.member(id)?;
        in_slab(&mut self.members, index, |member| member.transport.close(now, wire));
        self.settle(index, now);
        self.forget_holds(index, now, wire);
        self.member_ids.remove(id);
        let member = self.members.remove(index);
        self.retired.add(&member.transport);
        self.switch.remove_peer(member.peer);
        self.forget_tracks(|track| track.member == index);
        self.forget_subscriptions(|subscription| subscription.member == index);
        for address in member.addresses {
            if self.addresses.get(&address).is_some_and(|owner| owner.member == index) {
                self.addresses.remove(&address);
            }
        }
        for ufrag in member.ufrags {
            self.ufrags.remove(&ufrag);
        }
        self.leave_room(&member.room);
        Ok(())
    }

    fn add_track(&mut self, new: NewTrack, now: Instant) -> Outcome {
        let index = self.member(&new.transport)?;
        if self.tracks.contains_key(&new.track) {
            return Err(Refused::duplicate(&new.track));
        }
        let Some(member) = self.members.get(index) else { return Err(Refusal::UnknownPeer.into()) };
        let NewTrack { kind, codec, encodings, extensions, mid, scalability, .. } = new;
        let config = TrackConfig { kind, codec, encodings, extensions, mid, scalability };
        let key = self.switch.add_track(member.peer, &config, now)?;
        let track = Track { key, member: index, room: member.room.clone(), kind, muted: false };
        self.track_ids.insert(key, new.track.clone());
        self.tracks.insert(new.track, track);
        Ok(())
    }

    fn remove_track(&mut self, id: &str) -> Outcome {
        let key = self.track(id)?.key;
        self.switch.remove_track(key);
        self.forget_tracks(|track| track.key == key);
        Ok(())
    }

    fn mute_track(&mut self, id: &str, muted: bool, now: Instant) -> Outcome {
        let track = self.track(id)?;
        track.muted = muted;
        let key = track.key;
        self.switch.mute_track(key, muted, now);
        Ok(())
    }

    fn subscribe(&mut self, command: Command, now: Instant) -> Outcome {
        let Command::Subscribe {
            subscription,
            transport,
            track,
            ssrc,
            payload_type,
            extensions,
            rtx_ssrc,
            rtx_payload_type,
            red_payload_type,
            mid,
        } = command
        else {
            return Ok(());
        };
        let index = self.member(&transport)?;
        if self.subscriptions.contains_key(&subscription) {
            return Err(Refused::duplicate(&subscription));
        }
        let source = self.track(&track)?.key;
        let Some(member) = self.members.get(index) else { return Err(Refusal::UnknownPeer.into()) };
        let config =
            SubscriptionConfig { ssrc, payload_type, extensions, rtx_ssrc, rtx_payload_type, red_payload_type, mid };
        let key = self.switch.subscribe(member.peer, source, &config, now)?;
        self.subscription_ids.insert(key, subscription.clone());
        self.subscriptions.insert(subscription, Subscription { key, member: index, track, ssrc });
        Ok(())
    }

    fn unsubscribe(&mut self, id: &str) -> Outcome {
        let key = self.subscription(id)?.key;
        self.switch.unsubscribe(key);
        self.forget_subscriptions(|subscription| subscription.key == key);
        Ok(())
    }

    fn open_channel(
        &mut self,
        id: &str,
        label: &str,
        ordered: bool,
        max_retransmits: Option<u16>,
        now: Instant,
        wire: &mut impl Wire,
    ) -> Outcome {
        let index = self.member(id)?;
        let reliability = max_retransmits.map_or(Reliability::Reliable, |count| Reliability::Retransmits(count.into()));
        let outcome = in_slab(&mut self.members, index, |member| {
            member.transport.open_channel(label, ordered, reliability, now, wire)
        });
        self.settle(index, now);
        outcome.unwrap_or(Ok(())).map_err(|reason| Refused::new("limit", reason.name()))
    }

    fn forget_tracks(&mut self, ends: impl Fn(&Track) -> bool) {
        let ended: Vec<String> = self
            .tracks
            .extract_if(|_, track| ends(track))
            .map(|(id, track)| {
                self.track_ids.remove(&track.key);
                id
            })
            .collect();
        self.forget_subscriptions(|subscription| ended.contains(&subscription.track));
    }

    fn forget_subscriptions(&mut self, ends: impl Fn(&Subscription) -> bool) {
        for (_, subscription) in self.subscriptions.extract_if(|_, subscription| ends(subscription)) {
            self.subscription_ids.remove(&subscription.key);
        }
    }
}

pub(super) fn in_slab<T>(members: &mut Slab<Member>, index: usize, action: impl FnOnce(&mut Member) -> T) -> Option<T> {
    members.get_mut(index).map(action)
}
