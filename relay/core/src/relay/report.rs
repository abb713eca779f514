//! Events of the media plane with ids for keys, and statistics.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use super::{Member, Relay, Subscription, Track};
use crate::allocate::Withheld;
use crate::drop::Drops;
use crate::flight::{Ends, SPAN, pcapng};
use crate::message::{Event, PauseReason, SpeakerLevel, Stats, SubscriptionStats, Totals, TrackStats, TransportStats};
use crate::switch::SwitchEvent;

impl Relay {
    /// Give the media plane's events the caller's ids.
    pub(super) fn report_media(&mut self) {
        while let Some(event) = self.switch.poll_event() {
            let told = match event {
                SwitchEvent::Live { track, layer, live } => {
                    self.track_ids.get(&track).cloned().map(|track| Event::TrackLive { track, layer, live })
                }
                SwitchEvent::LayerChanged { subscription, layer } => {
                    let id = self.subscription_ids.get(&subscription).cloned();
                    id.map(|subscription| Event::LayerChanged { subscription, layer })
                }
                SwitchEvent::Withheld { subscription, reason } => {
                    let id = self.subscription_ids.get(&subscription).cloned();
                    let reason = reason.map(pause_reason);
                    let paused = reason.is_some();
                    id.map(|subscription| Event::SubscriptionPaused { subscription, paused, reason })
                }
                SwitchEvent::LayersWanted { track, layers, of } => self
                    .track_ids
                    .get(&track)
                    .cloned()
                    .map(|track| Event::LayersWanted { track, layers: (0..of).map(|layer| layer < layers).collect() }),
                SwitchEvent::Speakers { room, speakers } => {
                    let levels = speakers.into_iter().filter_map(|(track, level)| {
                        let track = self.track_ids.get(&track)?.clone();
                        Some(SpeakerLevel { track, level: f64::from(level), active: true })
                    });
                    let speakers = levels.collect();
                    self.room_names.get(&room).cloned().map(|room| Event::Speakers { room, speakers })
                }
            };
            self.events.extend(told);
        }
    }

    /// The heads of a transport's packets of the last seconds as a capture file. `unix` is the wall clock, µs.
    pub(super) fn flight(&self, member: usize, unix: u64, now: Instant) -> Vec<u8> {
        let Some(member) = self.members.get(member) else { return Vec::new() };
        let tapes = self.switch.tapes(member.peer).into_iter().flatten().chain([member.transport.tape()]);
        let mut records: Vec<_> = tapes.flat_map(|tape| tape.records(now, SPAN)).collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.age));
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let path = member.transport.selected();
        let bound = path.and_then(|path| self.locals.get(usize::from(path.socket)).copied()).unwrap_or(nowhere);
        let local = path.and_then(|path| path.local).map_or(bound, |ip| SocketAddr::new(ip, bound.port()));
        let ends = Ends { local, remote: path.map_or(nowhere, |path| path.remote) };
        let comment = format!("{} of {}: RTP headers, RTCP, and the start of STUN and DTLS", member.id, member.room);
        pcapng(&records, ends, &member.id, &comment, unix)
    }

    /// Statistics of one room, or of all; the caller adds the shards.
    #[must_use]
    pub fn stats(&self, request: u64, room: Option<&str>, now: Instant) -> Stats {
        let wanted = |name: &str| room.is_none_or(|room| room == name);
        let members = self.members.iter().map(|(_, member)| member).filter(|member| wanted(&member.room));
        let tracks = self.tracks.iter().filter(|(_, track)| wanted(&track.room));
        let in_room = |member: usize| self.members.get(member).is_some_and(|member| wanted(&member.room));
        let subscriptions = self.subscriptions.iter().filter(|(_, subscription)| in_room(subscription.member));
        Stats {
            request,
            transports: members.map(|member| self.transport_stats(member)).collect(),
            tracks: tracks.map(|(id, track)| self.track_stats(id, track, now)).collect(),
            subscriptions: subscriptions.map(|(id, subscription)| self.subscription_stats(id, subscription)).collect(),
            shards: Vec::new(),
        }
    }

    /// Everything counted since the relay began, with what has gone.
    #[must_use]
    pub fn totals(&self, now: Instant) -> Totals {
        let mut plain = self.retired;
        for (_, member) in &self.members {
            plain.add(&member.transport);
        }
        let media = self.switch.totals(now);
        plain.drops.add(&media.dropped);
        Totals {
            transports: media.peers,
            tracks: media.tracks,
            subscriptions: media.subscriptions,
            packets_received: plain.received.0 + media.received.0,
            bytes_received: plain.received.1 + media.received.1,
            packets_sent: plain.sent.0 + media.sent.0,
            bytes_sent: plain.sent.1 + media.sent.1,
            media_received: media.media_received,
            media_sent: media.media_sent,
            retransmitted: media.retransmitted,
            nacks_received: media.nacks.0,
            nacks_sent: media.nacks.1,
            plis_received: media.key_frame_requests.0,
            plis_sent: media.key_frame_requests.1,
            key_frames: media.key_frames,
            pauses: media.pauses,
            dropped: by_reason(&plain.drops),
        }
    }

    fn transport_stats(&self, member: &Member) -> TransportStats {
        let media = self.switch.peer_stats(member.peer).unwrap_or_default();
        let (received, sent) = (member.transport.received, member.transport.sent);
        let mut dropped = by_reason(&media.dropped);
        for (reason, count) in by_reason(&member.transport.drops) {
            *dropped.entry(reason).or_default() += count;
        }
        TransportStats {
            transport: member.id.clone(),
            room: member.room.clone(),
            phase: member.transport.phase(),
            packets_received: received.packets + media.packets_received,
            bytes_received: received.bytes + media.bytes_received,
            packets_sent: sent.packets + media.packets_sent,
            bytes_sent: sent.bytes + media.bytes_sent,
            rtt_ms: media.rtt_ms,
            estimate: media.estimate,
            remb: media.remb,
            dropped,
        }
    }

    fn track_stats(&self, id: &str, track: &Track, now: Instant) -> TrackStats {
        TrackStats {
            track: id.into(),
            transport: self.member_id(track.member),
            kind: track.kind,
            muted: track.muted,
            layers: self.switch.layer_stats(track.key, now).unwrap_or_default(),
        }
    }

    fn subscription_stats(&self, id: &str, subscription: &Subscription) -> SubscriptionStats {
        let stats = self.switch.subscription_stats(subscription.key).unwrap_or_default();
        SubscriptionStats {
            subscription: id.into(),
            track: subscription.track.clone(),
            transport: self.member_id(subscription.member),
            ssrc: subscription.ssrc,
            layer: stats.layer,
            packets: stats.packets,
            bytes: stats.bytes,
            retransmitted: stats.retransmitted,
            nacks_received: stats.nacks_received,
            plis_received: stats.plis_received,
            lost: stats.lost,
            link_lost: stats.link_lost,
            paused: self.switch.withheld(subscription.key).map(pause_reason),
        }
    }

    fn member_id(&self, index: usize) -> String {
        self.members.get(index).map(|member| member.id.clone()).unwrap_or_default()
    }
}

const fn pause_reason(reason: Withheld) -> PauseReason {
    match reason {
        Withheld::Bandwidth => PauseReason::Bandwidth,
        Withheld::LastN => PauseReason::LastN,
    }
}

/// Counts with the reasons' stable names.
#[must_use]
pub fn by_reason(drops: &Drops) -> BTreeMap<String, u64> {
    drops.iter().map(|(reason, count)| (reason.name().into(), count)).collect()
}
