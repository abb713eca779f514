//! Packets in, packets out, and what is due by time.

use std::time::Instant;

use super::{IDLE, PeerKey, Place, SHORTEST, Switch, TrackKey};
use crate::arena::Key;
use crate::drop::Reason;
use crate::egress::Moment;
use crate::ingress::Route;
use crate::message::Kind;
use crate::outbox::Outbox;
use crate::rtcp::{self, Packet, ReportBlocks, Writer};
use crate::rtp;

/// Retransmissions one NACK may cause.
const MAX_NACKED: usize = 256;
/// Video layers of one peer whose totals an estimate counts.
const MAX_VIDEO: usize = 16;

impl Switch {
    /// One RTP or RTCP datagram from a peer: decrypted in place, and forwarded at once.
    #[inline]
    pub fn receive<O: Outbox>(&mut self, peer: PeerKey, datagram: &mut [u8], now: Instant, out: &mut O) {
        self.take_in(peer, datagram, now, out);
        self.release(out);
    }

    /// As [`Switch::receive`] for one of several datagrams that came together. What is to be forwarded of them may be held
    /// until [`Switch::release`].
    #[inline]
    pub fn take_in<O: Outbox>(&mut self, peer: PeerKey, datagram: &mut [u8], now: Instant, out: &mut O) {
        self.latest = now;
        let Some(state) = self.peers.get_mut(peer.0) else { return };
        state.ingress.packets += 1;
        state.ingress.bytes += datagram.len() as u64;
        let result = if rtp::is_rtcp(datagram) {
            self.release(out);
            self.receive_rtcp(peer.0, datagram, now, out)
        } else {
            self.receive_rtp(peer.0, datagram, now, out)
        };
        if let Err(reason) = result
            && let Some(state) = self.peers.get_mut(peer.0)
        {
            state.ingress.drops.count(reason);
        }
    }

    /// Sends what [`Switch::take_in`] holds.
    #[inline]
    pub fn release<O: Outbox>(&mut self, out: &mut O) {
        if let Some((key, moment)) = self.held.take()
            && let Some(published) = self.tracks.get_mut(key)
        {
            published.track.release(&moment, &mut self.egresses, out);
            if published.track.lags() {
                self.expect_train(key, moment.now);
            }
        }
    }

    fn receive_rtp<O: Outbox>(
        &mut self,
        peer: Key,
        datagram: &mut [u8],
        now: Instant,
        out: &mut O,
    ) -> Result<(), Reason> {
        let state = self.peers.get_mut(peer).ok_or(Reason::UnknownStream)?;
        let arrival = state.ingress.open_rtp(datagram, now);
        if let Some(due) = state.ingress.next_feedback() {
            state.due = state.due.min(due);
            self.due = self.due.min(due);
        }
        let arrival = arrival?;
        let key = arrival.route.track;
        if self.held.is_some_and(|(held, _)| held != key) {
            self.release(out);
        }
        let published = self.tracks.get_mut(key).ok_or(Reason::UnknownStream)?;
        let (header, moment) = (&arrival.header, Moment::new(now, self.epoch));
        let route: Route = arrival.route;
        let bytes = (arrival.descriptor, arrival.payload);
        let result = published.track.receive(route, header, bytes, &moment, &mut self.egresses, out);
        self.held = published.track.is_held().then_some((key, moment));
        let lags = published.track.lags();
        let heard = published.track.kind() == Kind::Audio && !published.track.is_muted();
        if let Some(level) = header.extensions.audio_level.filter(|_| heard)
            && let Some(room) = self.peers.get(peer).and_then(|peer| self.rooms.get_mut(peer.room))
        {
            let changes = room.observe(TrackKey(key), level.level, now);
            self.due = room.next_change().map_or(self.due, |due| self.due.min(due));
            self.set_heard(changes.into_iter().flatten());
        }
        if lags {
            self.expect_train(key, now);
        }
        self.settle(key);
        result
    }

    fn receive_rtcp<O: Outbox>(
        &mut self,
        peer: Key,
        datagram: &mut [u8],
        now: Instant,
        out: &mut O,
    ) -> Result<(), Reason> {
        let state = self.peers.get_mut(peer).ok_or(Reason::UnknownStream)?;
        let compound = state.ingress.open_rtcp(datagram, now)?;
        let mut packets = rtcp::packets(compound);
        for packet in packets.by_ref() {
            self.dispatch(peer, packet, now, out);
        }
        if packets.malformed() { Err(Reason::Malformed) } else { Ok(()) }
    }

    fn dispatch<O: Outbox>(&mut self, peer: Key, packet: Packet<'_>, now: Instant, out: &mut O) {
        match packet {
            Packet::SenderReport { ssrc, info, blocks } => {
                if let Some(route) = self.route(peer, ssrc) {
                    self.on_track(route.track, |track, _| track.sender_report(route.layer, info, now));
                }
                self.report_blocks(peer, blocks, now);
            }
            Packet::ReceiverReport { blocks } => self.report_blocks(peer, blocks, now),
            Packet::Goodbye { ssrc } => {
                if let Some(route) = self.route(peer, ssrc) {
                    self.on_track(route.track, |track, _| track.goodbye(route.layer));
                }
            }
            Packet::Nack { ssrc, entries } => {
                let Some(place) = self.subscription_of(peer, ssrc) else {
                    return self.refuse(peer, Reason::UnknownStream, 1);
                };
                let moment = Moment::new(now, self.epoch);
                let mut refused = entries.clone().skip(MAX_NACKED).count() as u64;
                self.on_track(place.track, |track, egresses| {
                    refused += track.nack(place.forward, entries.take(MAX_NACKED), &moment, egresses, out);
                });
                self.refuse(peer, Reason::NackFlood, refused);
            }
            Packet::Pli { ssrc } => self.key_frame_requested(peer, ssrc, now),
            Packet::Fir { entries } => {
                for (ssrc, _) in entries {
                    self.key_frame_requested(peer, ssrc, now);
                }
            }
            Packet::TransportCc { content } => self.transport_feedback(peer, content, now),
            // What is about some of the streams says nothing of the link: some receivers tell of each apart.
            Packet::Remb { streams, .. } if usize::from(streams) < self.shown(peer) => {}
            Packet::Remb { bitrate, .. } => {
                let moment = Moment::new(now, self.epoch);
                if let Some(egress) = self.egresses.get_mut(peer.place()) {
                    egress.on_remb(bitrate, &moment);
                }
                self.estimated(peer);
            }
        }
    }

    /// How many videos a peer is being sent.
    fn shown(&self, peer: Key) -> usize {
        let Some(state) = self.peers.get(peer) else { return 0 };
        let shows = |ssrc: u32, place: Place| {
            let published = self.tracks.get(place.track).filter(|published| published.track.kind() == Kind::Video);
            let forward = published.and_then(|published| published.track.forward(place.forward));
            // Its retransmissions are listed too.
            forward.is_some_and(|forward| forward.layer().is_some() && forward.rtx_ssrc() != Some(ssrc))
        };
        let listed = state.subscriptions.iter();
        let placed = listed.filter_map(|(ssrc, key)| Some((ssrc, self.subscriptions.get(*key)?.place)));
        placed.filter(|(ssrc, place)| shows(**ssrc, *place)).count()
    }

    fn route(&self, peer: Key, ssrc: u32) -> Option<Route> {
        self.peers.get(peer)?.ingress.route(ssrc)
    }

    fn key_frame_requested(&mut self, peer: Key, ssrc: u32, now: Instant) {
        let mut asked = Err(Reason::UnknownStream);
        if let Some(place) = self.subscription_of(peer, ssrc) {
            self.on_track(place.track, |track, _| asked = track.key_frame_requested(place.forward, now));
        }
        if let Err(reason) = asked {
            self.refuse(peer, reason, 1);
        }
    }

    fn refuse(&mut self, peer: Key, reason: Reason, count: u64) {
        if let Some(state) = self.peers.get_mut(peer) {
            state.ingress.drops.count_many(reason, count);
        }
    }

    fn report_blocks(&mut self, peer: Key, blocks: ReportBlocks<'_>, now: Instant) {
        for block in blocks {
            let Some(place) = self.subscription_of(peer, block.ssrc) else { continue };
            let Some(published) = self.tracks.get_mut(place.track) else { continue };
            let Some((rtt_ms, lost, of)) = published.track.report_block(place.forward, &block, now) else { continue };
            let moment = Moment::new(now, self.epoch);
            if let Some(egress) = self.egresses.get_mut(peer.place()) {
                egress.on_report(lost, of, &moment);
            }
            if let Some(state) = self.peers.get_mut(peer) {
                state.rtt_ms = rtt_ms.or(state.rtt_ms);
            }
        }
        self.estimated(peer);
    }

    /// What a subscriber's link carried. A lie is counted with the one who tells it.
    fn transport_feedback(&mut self, peer: Key, content: &[u8], now: Instant) {
        let moment = Moment::new(now, self.epoch);
        let (Some(state), Some(egress)) = (self.peers.get_mut(peer), self.egresses.get_mut(peer.place())) else {
            return;
        };
        if let Err(reason) = egress.on_feedback(content, &moment) {
            state.ingress.drops.count(reason);
        }
        self.estimated(peer);
        self.plan_probe(peer, now);
    }

    /// Does something with a track, then collects what came of it.
    fn on_track(&mut self, key: Key, action: impl FnOnce(&mut crate::track::Track, &mut [crate::egress::Egress])) {
        if let Some(published) = self.tracks.get_mut(key) {
            action(&mut published.track, &mut self.egresses);
            self.settle(key);
        }
    }

    /// Feedback, reports, liveness: whatever is due.
    pub fn poll<O: Outbox>(&mut self, now: Instant, out: &mut O) {
        self.latest = self.latest.max(now);
        if self.probe_due.is_some_and(|due| due <= now) {
            self.send_probes(now, out);
        }
        if self.train_due.is_some_and(|due| due <= now) {
            self.draw_out(now, out);
        }
        if self.due > now {
            return;
        }
        self.due = now + IDLE;
        let tracks: Vec<_> = self.tracks.keys().collect();
        for key in tracks {
            if let Some(published) = self.tracks.get_mut(key) {
                published.track.send_reports(now, &mut self.egresses, out);
                self.due = published.track.next_sender_report().map_or(self.due, |due| self.due.min(due));
            }
        }
        let peers: Vec<_> = self.peers.keys().collect();
        for key in &peers {
            self.allocate_due(*key, now);
        }
        for key in peers {
            self.plan_probe(key, now);
            self.give_feedback(key, now, out);
        }
        self.tell_speakers(now);
        self.due = self.due.max(now + SHORTEST);
    }

    /// One compound to a publisher with everything that is due to it.
    fn give_feedback<O: Outbox>(&mut self, key: Key, now: Instant, out: &mut O) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.due > now {
            self.due = self.due.min(peer.due);
            return;
        }
        peer.due = now + IDLE;
        let (ingress, published) = (&mut peer.ingress, &peer.tracks);
        let tracks = &mut self.tracks;
        let Some(egress) = self.egresses.get_mut(key.place()) else { return };
        let mut build = |writer: &mut Writer<'_>| {
            let (mut video, mut totals) = ([0; MAX_VIDEO], (0, 0));
            let mut count = 0;
            for track in published {
                let Some(published) = tracks.get_mut(*track) else { continue };
                published.track.write_feedback(now, writer);
                if published.track.kind() == Kind::Audio {
                    continue;
                }
                for layer in published.track.layers() {
                    let (Some(ssrc), Some(place)) = (layer.ssrc(), video.get_mut(count)) else { continue };
                    let (expected, received) = layer.totals();
                    totals = (totals.0 + expected, totals.1 + received);
                    *place = ssrc;
                    count += 1;
                }
            }
            ingress.write_feedback(video.get(..count).unwrap_or_default(), totals, now, writer);
        };
        if egress.is_open() {
            egress.send_rtcp(now, out, build);
        } else {
            // Nobody to tell: what was due is over all the same.
            build(&mut Writer::new(&mut [0; 1_200], 0));
        }
        if let Some(due) = ingress.next_feedback() {
            peer.due = peer.due.min(due);
        }
        self.due = self.due.min(peer.due);
        for track in peer.tracks.clone() {
            self.settle(track);
        }
    }
}
