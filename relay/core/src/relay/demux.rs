//! Whose datagram is this: RFC 7983 by the first byte, then by user fragment or source address.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use is::stun::StunMessage;

use super::Relay;
use crate::drop::Reason;
use crate::flight::Direction;
use crate::wire::{Path, Protocol, Wire};

/// Datagrams received together from one peer: `segment` bytes each, the last may be shorter.
pub struct Arrival<'a> {
    /// Index of the socket they came in on.
    pub socket: u8,
    /// What carried them.
    pub protocol: Protocol,
    /// Our address they were sent to, on wildcard sockets.
    pub local: Option<IpAddr>,
    /// The peer.
    pub remote: SocketAddr,
    /// The bytes; decrypted in place.
    pub data: &'a mut [u8],
    /// Size of each datagram.
    pub segment: usize,
}

impl Relay {
    /// Datagrams from one peer. Media goes on to the subscribers at once; call [`Relay::take_events`] after a batch.
    pub fn receive(&mut self, arrival: Arrival<'_>, now: Instant, wire: &mut impl Wire) {
        let Arrival { socket, protocol, local, remote, data, segment } = arrival;
        let path = Path { socket, protocol, local, remote };
        let mut owner = self.addresses.get(&path.source()).map(|owner| owner.member);
        for datagram in data.chunks_mut(segment.max(1)) {
            match datagram.first() {
                Some(0..=3) => {
                    self.switch.release(wire);
                    self.on_stun(path, datagram, now, wire);
                    owner = self.addresses.get(&path.source()).map(|owner| owner.member);
                }
                Some(20..=63) => {
                    self.switch.release(wire);
                    self.on_dtls(owner, path, datagram, now, wire);
                }
                Some(128..=191) => self.on_media(owner, datagram, now, wire),
                _ => self.drops.count(Reason::UnknownProtocol),
            }
        }
        self.switch.release(wire);
    }

    /// A datagram whose handling panicked: the caller caught it.
    pub fn count_panic(&mut self) {
        self.drops.count(Reason::Panicked);
    }

    fn on_stun(&mut self, path: Path, datagram: &[u8], now: Instant, wire: &mut impl Wire) {
        let Ok(message) = StunMessage::parse(datagram) else {
            return self.drops.count(Reason::StunMalformed);
        };
        let user = message.split_username().and_then(|(ours, _)| self.ufrags.get(ours)).copied();
        let Some((index, member)) = user.and_then(|index| Some((index, self.members.get_mut(index)?))) else {
            return self.drops.count(Reason::StunUnknownUser);
        };
        member.transport.note(Direction::In, datagram, now);
        let authentic = member.transport.handle_stun(path, message, datagram.len(), now, wire);
        self.settle(index, now);
        match self.addresses.get_mut(&path.source()) {
            Some(owner) if owner.member == index => owner.heard = now,
            // One that another member held at the first check may be free by now.
            _ if authentic => self.learn_address(index, path.source(), now),
            _ => {}
        }
    }

    fn on_dtls(&mut self, owner: Option<usize>, path: Path, datagram: &[u8], now: Instant, wire: &mut impl Wire) {
        match owner.and_then(|index| Some((index, self.members.get_mut(index)?))) {
            Some((index, member)) => {
                member.transport.note(Direction::In, datagram, now);
                member.transport.handle_dtls(path, datagram, now, wire);
                self.settle(index, now);
                self.let_go(index, now, wire);
            }
            None => self.drops.count(Reason::UnknownAddress),
        }
    }

    #[inline]
    fn on_media(&mut self, owner: Option<usize>, datagram: &mut [u8], now: Instant, wire: &mut impl Wire) {
        match owner.and_then(|index| self.members.get(index)) {
            Some(member) => self.switch.take_in(member.peer, datagram, now, wire),
            None => self.drops.count(Reason::UnknownAddress),
        }
    }
}
