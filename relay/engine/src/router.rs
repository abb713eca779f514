//! Which shard a command is for: the home shard of the transport it is about.
//!
//! A room's home shard follows from its name; the other commands name a transport, track or subscription, so the router
//! remembers whose each is, and forgets it with what ends it.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use relay_core::message::{Command, Event};
use serde_bytes::ByteBuf;

/// Ids remembered at once; more open than this is a bug of the caller.
const MAX_IDS: usize = 1_000_000;

#[derive(Default)]
struct TransportEntry {
    shard: usize,
    tracks: HashSet<String>,
    subscriptions: HashSet<String>,
}

struct TrackEntry {
    shard: usize,
    transport: String,
    subscriptions: HashSet<String>,
}

struct SubscriptionEntry {
    shard: usize,
    transport: String,
    track: String,
}

/// Where one command goes.
pub enum Target {
    /// To one shard.
    Shard(usize, Command),
    /// Statistics of all shards, with the request's number.
    All(u64),
    /// Nowhere: the answer.
    Refused(Event),
}

/// Who is on which shard.
pub struct Router {
    shards: usize,
    transports: HashMap<String, TransportEntry>,
    tracks: HashMap<String, TrackEntry>,
    subscriptions: HashMap<String, SubscriptionEntry>,
}

/// The home shard of a room: the same for a room as long as the number of shards is.
#[must_use]
pub fn home(room: &str, shards: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    room.hash(&mut hasher);
    usize::try_from(hasher.finish() % shards.max(1) as u64).unwrap_or(0)
}

/// A command that names what does not exist.
pub fn refuse(command: &Command, code: &str) -> Event {
    Event::CommandFailed {
        command: command.name().into(),
        id: command.id(),
        code: code.into(),
        message: code.replace('_', " "),
    }
}

impl Router {
    /// A router over so many shards.
    pub fn new(shards: usize) -> Self {
        Self { shards, transports: HashMap::new(), tracks: HashMap::new(), subscriptions: HashMap::new() }
    }

    /// Where `command` goes, one target per shard it concerns; remembers what it creates.
    pub fn route(&mut self, command: Command) -> Vec<Target> {
        if let Command::SendData { .. } = &command {
            return self.split_data(command);
        }
        if let Command::DropData { transport } | Command::AwaitData { transport, .. } = &command {
            let known = self.transports.get(transport).map(|entry| entry.shard);
            return known.map(|shard| Target::Shard(shard, command)).into_iter().collect();
        }
        if let Command::GetStats { request, room: None } = command {
            return vec![Target::All(request)];
        }
        let shard = self.shard_of(&command);
        vec![match shard {
            Ok(shard) => {
                self.remember(&command, shard);
                Target::Shard(shard, command)
            }
            Err(code) => Target::Refused(match command {
                Command::DumpFlight { request, .. } => Event::Flight { request, payload: ByteBuf::new() },
                command => refuse(&command, code),
            }),
        }]
    }

    fn shard_of(&self, command: &Command) -> Result<usize, &'static str> {
        let transport = |id: &String| self.transports.get(id).map(|entry| entry.shard).ok_or("unknown_transport");
        match command {
            Command::OpenTransport { transport, room, .. } => {
                let count = self.transports.len() + self.tracks.len() + self.subscriptions.len();
                let known = self.transports.get(transport).map(|entry| entry.shard);
                if count >= MAX_IDS { Err("limit") } else { Ok(known.unwrap_or_else(|| home(room, self.shards))) }
            }
            Command::GetStats { room, .. } => Ok(home(room.as_deref().unwrap_or_default(), self.shards)),
            Command::SetRoom { room, .. } => Ok(home(room, self.shards)),
            Command::SetRemote { transport: id, .. }
            | Command::RestartIce { transport: id, .. }
            | Command::CloseTransport { transport: id }
            | Command::DumpFlight { transport: id, .. }
            | Command::AddTrack { transport: id, .. }
            | Command::Subscribe { transport: id, .. }
            | Command::OpenDataChannel { transport: id, .. } => transport(id),
            Command::RemoveTrack { track } | Command::MuteTrack { track, .. } | Command::RequestKeyFrame { track } => {
                self.tracks.get(track).map(|entry| entry.shard).ok_or("unknown_track")
            }
            Command::Unsubscribe { subscription } | Command::SetSubscription { subscription, .. } => {
                self.subscriptions.get(subscription).map(|entry| entry.shard).ok_or("unknown_subscription")
            }
            Command::SendData { .. } | Command::DropData { .. } | Command::AwaitData { .. } => Err("invalid"),
        }
    }

    fn split_data(&self, command: Command) -> Vec<Target> {
        let Command::SendData { transports, label, payload, source } = command else { return Vec::new() };
        let mut by_shard: HashMap<usize, Vec<String>> = HashMap::new();
        for id in transports {
            if let Some(entry) = self.transports.get(&id) {
                by_shard.entry(entry.shard).or_default().push(id);
            }
        }
        // Its source is answered, whoever else is still there.
        if let Some(entry) = source.as_ref().and_then(|id| self.transports.get(id)) {
            by_shard.entry(entry.shard).or_default();
        }
        let (payload, source) = (&payload, &source);
        let command = |transports| Command::SendData {
            transports,
            label: label.clone(),
            payload: payload.clone(),
            source: source.clone(),
        };
        by_shard.into_iter().map(|(shard, transports)| Target::Shard(shard, command(transports))).collect()
    }

    fn remember(&mut self, command: &Command, shard: usize) {
        match command {
            Command::OpenTransport { transport, .. } => {
                self.transports.entry(transport.clone()).or_default().shard = shard;
            }
            Command::AddTrack { transport, track, .. } => self.add_track(transport, track, shard),
            Command::Subscribe { subscription, transport, track, .. } => {
                self.add_subscription(subscription, transport, track, shard);
            }
            Command::CloseTransport { transport } => self.forget_transport(transport),
            Command::RemoveTrack { track } => self.forget_track(track),
            Command::Unsubscribe { subscription } => self.forget_subscription(subscription),
            _ => {}
        }
    }

    fn add_track(&mut self, transport: &str, track: &str, shard: usize) {
        if self.tracks.contains_key(track) {
            return;
        }
        let entry = TrackEntry { shard, transport: transport.into(), subscriptions: HashSet::new() };
        self.tracks.insert(track.into(), entry);
        if let Some(entry) = self.transports.get_mut(transport) {
            entry.tracks.insert(track.into());
        }
    }

    fn add_subscription(&mut self, subscription: &str, transport: &str, track: &str, shard: usize) {
        if self.subscriptions.contains_key(subscription) {
            return;
        }
        let Some(source) = self.tracks.get_mut(track) else { return };
        source.subscriptions.insert(subscription.into());
        if let Some(entry) = self.transports.get_mut(transport) {
            entry.subscriptions.insert(subscription.into());
        }
        let entry = SubscriptionEntry { shard, transport: transport.into(), track: track.into() };
        self.subscriptions.insert(subscription.into(), entry);
    }

    fn forget_transport(&mut self, transport: &str) {
        let Some(entry) = self.transports.remove(transport) else { return };
        for track in entry.tracks {
            self.forget_track(&track);
        }
        for subscription in entry.subscriptions {
            self.forget_subscription(&subscription);
        }
    }

    fn forget_track(&mut self, track: &str) {
        let Some(entry) = self.tracks.remove(track) else { return };
        if let Some(owner) = self.transports.get_mut(&entry.transport) {
            owner.tracks.remove(track);
        }
        for subscription in entry.subscriptions {
            self.forget_subscription(&subscription);
        }
    }

    fn forget_subscription(&mut self, subscription: &str) {
        let Some(entry) = self.subscriptions.remove(subscription) else { return };
        if let Some(owner) = self.transports.get_mut(&entry.transport) {
            owner.subscriptions.remove(subscription);
        }
        if let Some(track) = self.tracks.get_mut(&entry.track) {
            track.subscriptions.remove(subscription);
        }
    }
}

#[cfg(test)]
mod tests;
