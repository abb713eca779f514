//! One shard's relay as a whole: commands and datagrams in, datagrams and events out, time as an argument.
//!
//! It owns the transports and the maps from ids to keys; [`Switch`] owns the media. Every datagram is given to one
//! transport: STUN by the user fragment in it, the rest by the source address that a valid STUN check came from.

mod commands;
mod data;
pub mod demux;
pub mod report;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::{Duration, Instant};

use data::Holds;
use slab::Slab;

use crate::drop::Drops;
use crate::message::{DtlsRole, Event, Kind, TransportPhase};
use crate::sctp::ChannelEvent;
use crate::srtp::{Profile, from_dtls_client, from_dtls_server};
use crate::switch::{PeerKey, RoomKey, SubscriptionKey, Switch, TrackKey};
use crate::transport::dtls::{Identity, SrtpKeys, SrtpProfile};
use crate::transport::{Locals, Signal, Transport};
use crate::wire::{Path, Source, Wire};

/// Transports of one shard.
const MAX_TRANSPORTS: usize = 8192;
/// An address belongs to the transport that validated it first, as long as that one is heard from this often: another
/// one cannot take it over by checks with a forged source. Browsers check every 2.5 s, aiortc every 5 s.
const ADDRESS_HELD: Duration = Duration::from_secs(7);
/// Addresses that lead to one transport; an older one that it does not use makes place.
const MAX_ADDRESSES: usize = 64;

/// A transport with what the relay keeps about it.
struct Member {
    id: String,
    room: String,
    transport: Transport,
    peer: PeerKey,
    profile: Option<Profile>,
    /// When it wants to be woken; entries of the heap that differ are stale.
    wake: Option<Instant>,
    addresses: Vec<Source>,
    ufrags: Vec<String>,
}

struct Room {
    key: RoomKey,
    members: usize,
}

struct Track {
    key: TrackKey,
    member: usize,
    room: String,
    kind: Kind,
    muted: bool,
}

struct Subscription {
    key: SubscriptionKey,
    member: usize,
    track: String,
    ssrc: u32,
}

struct Owner {
    member: usize,
    heard: Instant,
}

/// One shard's relay.
pub struct Relay {
    identity: Identity,
    locals: Locals,
    switch: Switch,
    members: Slab<Member>,
    member_ids: HashMap<String, usize>,
    ufrags: HashMap<String, usize>,
    addresses: HashMap<Source, Owner>,
    rooms: HashMap<String, Room>,
    room_names: HashMap<RoomKey, String>,
    tracks: HashMap<String, Track>,
    track_ids: HashMap<TrackKey, String>,
    subscriptions: HashMap<String, Subscription>,
    subscription_ids: HashMap<SubscriptionKey, String>,
    holds: Holds,
    wakes: BinaryHeap<Reverse<(Instant, usize)>>,
    events: Vec<Event>,
    drops: Drops,
    retired: Retired,
}

/// What transports that have gone counted besides media: STUN and DTLS.
#[derive(Clone, Copy, Default)]
struct Retired {
    received: (u64, u64),
    sent: (u64, u64),
    drops: Drops,
}

impl Retired {
    fn add(&mut self, transport: &Transport) {
        let (received, sent) = (transport.received, transport.sent);
        self.received = (self.received.0 + received.packets, self.received.1 + received.bytes);
        self.sent = (self.sent.0 + sent.packets, self.sent.1 + sent.bytes);
        self.drops.add(&transport.drops);
    }
}

impl Relay {
    /// An empty relay. `locals` holds one specific local address per socket of the shard, for ICE.
    #[must_use]
    pub fn new(identity: Identity, locals: Locals, now: Instant) -> Self {
        Self {
            identity,
            locals,
            switch: Switch::new(now),
            members: Slab::new(),
            member_ids: HashMap::new(),
            ufrags: HashMap::new(),
            addresses: HashMap::new(),
            rooms: HashMap::new(),
            room_names: HashMap::new(),
            tracks: HashMap::new(),
            track_ids: HashMap::new(),
            subscriptions: HashMap::new(),
            subscription_ids: HashMap::new(),
            holds: Holds::default(),
            wakes: BinaryHeap::new(),
            events: Vec::new(),
            drops: Drops::default(),
            retired: Retired::default(),
        }
    }

    /// Datagrams that belonged to no transport, by reason.
    #[must_use]
    pub const fn drops(&self) -> &Drops {
        &self.drops
    }

    /// What happened since the last call.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.report_media();
        std::mem::take(&mut self.events)
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        let media = self.switch.next_timeout();
        self.wakes.peek().map_or(media, |Reverse((at, _))| media.min(*at))
    }

    /// Do what is due: retransmissions, feedback, reports, liveness.
    pub fn handle_timeout(&mut self, now: Instant, wire: &mut impl Wire) {
        while let Some(Reverse((at, index))) = self.wakes.peek().copied() {
            if at > now {
                break;
            }
            self.wakes.pop();
            if let Some(member) = self.members.get_mut(index).filter(|member| member.wake == Some(at)) {
                member.wake = None;
                if let Some(heard) = self.switch.heard(member.peer) {
                    member.transport.hear(heard);
                }
                member.transport.handle_timeout(now, wire);
                self.settle(index, now);
                self.let_go(index, now, wire);
            }
        }
        if self.switch.next_timeout() <= now {
            self.switch.poll(now, wire);
        }
    }

    /// After anything happened to a transport: act on what it says, and see when it wants to be woken.
    fn settle(&mut self, index: usize, now: Instant) {
        let Some(member) = self.members.get_mut(index) else { return };
        for signal in member.transport.take_signals() {
            match signal {
                Signal::Validated(address) => self.learn_address(index, address, now),
                Signal::Keys(keys) => self.use_keys(index, &keys),
                Signal::Phase(phase, reason) => self.enter(index, phase, reason),
                Signal::Channel(event) => self.report_channel(index, event),
            }
        }
        self.schedule(index);
    }

    fn schedule(&mut self, index: usize) {
        let Some(member) = self.members.get_mut(index) else { return };
        let Some(at) = member.transport.poll_timeout() else { return };
        if member.wake.is_none_or(|wake| at < wake) {
            member.wake = Some(at);
            self.wakes.push(Reverse((at, index)));
        }
    }

    fn learn_address(&mut self, index: usize, address: Source, now: Instant) {
        if let Some(owner) = self.addresses.get(&address) {
            let alive = |member: &Member| member.transport.phase() != TransportPhase::Failed;
            let held = now.saturating_duration_since(owner.heard) < ADDRESS_HELD;
            if owner.member != index && held && self.members.get(owner.member).is_some_and(alive) {
                return;
            }
        }
        self.addresses.insert(address, Owner { member: index, heard: now });
        let Some(member) = self.members.get_mut(index).filter(|member| !member.addresses.contains(&address)) else {
            return;
        };
        if member.addresses.len() >= MAX_ADDRESSES {
            let selected = member.transport.selected().map(|path| path.source());
            let unused = member.addresses.iter().position(|known| Some(*known) != selected).unwrap_or(0);
            let forgotten = member.addresses.remove(unused);
            if self.addresses.get(&forgotten).is_some_and(|owner| owner.member == index) {
                self.addresses.remove(&forgotten);
            }
        }
        member.addresses.push(address);
    }

    /// Whether a transport that is not over has validated this source.
    #[must_use]
    pub fn owns(&self, source: Source) -> bool {
        self.addresses.contains_key(&source)
    }

    /// The TCP connection of `path` has ended: nothing comes or goes along it any more.
    pub fn close_path(&mut self, path: Path) {
        let Some(owner) = self.addresses.remove(&path.source()) else { return };
        if let Some(member) = self.members.get_mut(owner.member) {
            member.addresses.retain(|address| *address != path.source());
            member.transport.close_path(path);
        }
    }

    fn use_keys(&mut self, index: usize, keys: &SrtpKeys) {
        let Some(member) = self.members.get_mut(index) else { return };
        let profile = match keys.profile {
            SrtpProfile::AEAD_AES_256_GCM => Profile::AeadAes256Gcm,
            SrtpProfile::AEAD_AES_128_GCM => Profile::AeadAes128Gcm,
            _ => Profile::Aes128CmSha1_80,
        };
        let contexts = match keys.role {
            DtlsRole::Server => from_dtls_server(profile, &keys.material),
            DtlsRole::Client => from_dtls_client(profile, &keys.material),
        };
        if let Ok((sealer, opener)) = contexts {
            member.profile = Some(profile);
            self.switch.set_keys(member.peer, sealer, opener);
            self.switch.set_destination(member.peer, Some(member.transport.destination()));
        }
    }

    fn enter(&mut self, index: usize, phase: TransportPhase, reason: Option<&'static str>) {
        let Some(member) = self.members.get(index) else { return };
        if matches!(phase, TransportPhase::Failed | TransportPhase::Closed) {
            self.switch.set_destination(member.peer, None);
        }
        let connected = phase == TransportPhase::Connected;
        let profile = member.profile.filter(|_| connected).map(|profile| profile.name().into());
        let path = member.transport.selected().filter(|_| connected);
        self.events.push(Event::TransportState {
            transport: member.id.clone(),
            phase,
            remote: path.map(|path| path.remote.to_string()),
            protocol: path.map(|path| path.protocol.name().into()),
            srtp_profile: profile,
            dtls: member.transport.dtls_version().filter(|_| connected).map(|version| version.name().into()),
            reason: reason.map(Into::into),
        });
    }

    fn report_channel(&mut self, index: usize, event: ChannelEvent) {
        let Some(member) = self.members.get(index) else { return };
        let transport = member.id.clone();
        self.events.push(match event {
            ChannelEvent::Opened(label) => Event::DataChannelOpened { transport, label },
            ChannelEvent::Taken(request) => Event::DataTaken { request, transport },
            ChannelEvent::Received { label, payload, reliable } => {
                Event::DataReceived { transport, label, payload: Vec::from(payload).into(), reliable }
            }
        });
    }
}
