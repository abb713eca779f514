//! Publishers and subscribers in virtual time: real SRTP on both ends, a lossy link in between.

mod allocation;
mod bursts;
mod described;
mod fan_out;
mod feedback;
mod hostile;
mod hour;
mod layers;
mod narrow;
mod probes;
mod redundancy;
mod repair;
mod rooms;
mod scalable;
mod shortage;
mod trains;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::*;
use crate::message::{Codec, Encoding, Extensions, Kind};
use crate::outbox::{Destination, VecOutbox};
use crate::rtcp::Writer;
use crate::rtp::{ExtensionMap, Header, Label, Stamp, Template, TemplateConfig};
use crate::srtp::{Opener, Profile, ReplayWindow, Sealer, from_dtls_client, from_dtls_server};

pub(super) const IDS: Extensions = Extensions {
    mid: Some(1),
    rid: Some(2),
    repaired_rid: Some(3),
    audio_level: Some(4),
    transport_cc: Some(5),
    abs_send_time: Some(6),
    dependency_descriptor: Some(7),
};

pub(super) fn codec(mime: &str, payload_type: u8) -> Codec {
    let clock_rate = if mime.starts_with("audio") { 48_000 } else { 90_000 };
    let rtx_payload_type = mime.starts_with("video").then_some(payload_type + 1);
    Codec {
        mime: mime.into(),
        payload_type,
        clock_rate,
        channels: 1,
        rtx_payload_type,
        red_payload_type: None,
        fmtp: String::new(),
    }
}

pub(super) fn video(layers: u32) -> TrackConfig {
    let encodings =
        (0..layers).map(|layer| Encoding { rid: None, ssrc: Some(100 + layer), rtx_ssrc: Some(200 + layer) }).collect();
    TrackConfig {
        kind: Kind::Video,
        codec: codec("video/VP8", 96),
        encodings,
        extensions: IDS,
        mid: Some("v".into()),
        scalability: None,
    }
}

pub(super) fn audio() -> TrackConfig {
    let encodings = vec![Encoding { ssrc: Some(300), ..Encoding::default() }];
    TrackConfig {
        kind: Kind::Audio,
        codec: codec("audio/opus", 111),
        encodings,
        extensions: IDS,
        mid: Some("a".into()),
        scalability: None,
    }
}

pub(super) fn shown(ssrc: u32, rtx: bool) -> SubscriptionConfig {
    SubscriptionConfig {
        ssrc,
        payload_type: 120,
        extensions: IDS,
        rtx_ssrc: rtx.then_some(ssrc + 1),
        rtx_payload_type: rtx.then_some(121),
        red_payload_type: None,
        mid: Some("7".into()),
    }
}

/// The browser's end of a peer.
pub(super) struct Client {
    pub key: PeerKey,
    pub destination: Destination,
    sealer: Sealer,
    opener: Opener,
    windows: BTreeMap<u32, ReplayWindow>,
    indices: BTreeMap<u32, u64>,
    transport_cc: u16,
}

/// A packet as a client received it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub header: Header,
    pub descriptor: Vec<u8>,
    pub payload: Vec<u8>,
}

/// What a client published.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    pub ssrc: u32,
    pub payload_type: u8,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: &'a [u8],
}

impl Client {
    /// Seals one packet of the stream with the given sequence number offset from its first.
    pub fn packet(&mut self, index: u64, sent: Sent<'_>, level: Option<u8>) -> Vec<u8> {
        let template = Template::new(&TemplateConfig {
            ssrc: sent.ssrc,
            payload_type: sent.payload_type,
            extensions: Extensions { audio_level: IDS.audio_level.filter(|_| level.is_some()), ..IDS },
            mid: None,
            audio: true,
        });
        let stamp = Stamp {
            marker: sent.marker,
            sequence: index as u16,
            timestamp: sent.timestamp,
            transport_cc: self.transport_cc,
            audio_level: level.map(|level| crate::rtp::AudioLevel { level, voice: true }),
            ..Stamp::default()
        };
        self.transport_cc = self.transport_cc.wrapping_add(1);
        let mut slot = vec![0; 1600];
        let header = template.write(&mut slot, &stamp).unwrap();
        let len = self.sealer.seal_rtp(&mut slot, header, sent.payload, &[], index).unwrap();
        slot.truncate(len);
        slot
    }

    /// The next packet of the stream, with a dependency descriptor.
    pub fn described(&mut self, sent: Sent<'_>, descriptor: &[u8]) -> Vec<u8> {
        let index = self.indices.entry(sent.ssrc).or_insert(0xfff0);
        *index += 1;
        let index = *index;
        let (ssrc, payload_type) = (sent.ssrc, sent.payload_type);
        let template =
            Template::new(&TemplateConfig { ssrc, payload_type, extensions: IDS, mid: Label::new(b"v"), audio: false });
        let (marker, timestamp) = (sent.marker, sent.timestamp);
        let stamp = Stamp { marker, sequence: index as u16, timestamp, descriptor, ..Stamp::default() };
        let mut slot = vec![0; 1_900];
        let header = template.write(&mut slot, &stamp).unwrap();
        let len = self.sealer.seal_rtp(&mut slot, header, sent.payload, &[], index).unwrap();
        slot.truncate(len);
        slot
    }

    /// The next packet of the stream.
    pub fn next(&mut self, sent: Sent<'_>) -> Vec<u8> {
        let index = self.indices.entry(sent.ssrc).or_insert(0xfff0);
        *index += 1;
        let index = *index;
        self.packet(index, sent, None)
    }

    pub fn rtcp(&mut self, build: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        self.rtcp_from(1, build)
    }

    pub fn rtcp_from(&mut self, ssrc: u32, build: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let mut slot = vec![0; 1400];
        let mut writer = Writer::new(&mut slot[..1200], ssrc);
        build(&mut writer);
        let len = writer.len();
        let len = self.sealer.seal_rtcp(&mut slot, len).unwrap();
        slot.truncate(len);
        slot
    }

    /// Decrypts media sent to this client and drops what comes twice.
    pub fn open_once(&mut self, packets: Vec<(Destination, Vec<u8>)>) -> Vec<Seen> {
        let mut media = Vec::new();
        for (_, mut packet) in packets {
            if crate::rtp::is_rtcp(&packet) {
                continue;
            }
            let header = Header::parse(&packet, &ExtensionMap::new(&IDS)).unwrap();
            let descriptor = header.descriptor(&packet).to_vec();
            let window = self.windows.entry(header.ssrc).or_default();
            if let Ok(payload) = self.opener.open_rtp(&mut packet, &header, window) {
                media.push(Seen { header, descriptor, payload: payload.to_vec() });
            }
        }
        media
    }

    /// Decrypts what was sent to this client: media and RTCP compounds.
    pub fn open(&mut self, packets: Vec<(Destination, Vec<u8>)>) -> (Vec<Seen>, Vec<Vec<u8>>) {
        let (mut media, mut control) = (Vec::new(), Vec::new());
        for (_, mut packet) in packets.into_iter().filter(|(destination, _)| *destination == self.destination) {
            if crate::rtp::is_rtcp(&packet) {
                control.push(self.opener.open_rtcp(&mut packet, &mut ReplayWindow::default()).unwrap().to_vec());
            } else {
                let header = Header::parse(&packet, &ExtensionMap::new(&IDS)).unwrap();
                let descriptor = header.descriptor(&packet).to_vec();
                let window = self.windows.entry(header.ssrc).or_default();
                let payload = self.opener.open_rtp(&mut packet, &header, window).unwrap().to_vec();
                assert_eq!(header.extensions.mid, Label::new(b"7"));
                media.push(Seen { header, descriptor, payload });
            }
        }
        (media, control)
    }
}

pub(super) struct Scene {
    pub switch: Switch,
    pub now: Instant,
    pub room: RoomKey,
    pub out: VecOutbox,
    clients: u32,
}

impl Scene {
    pub fn new() -> Self {
        let now = Instant::now();
        let mut switch = Switch::new(now);
        let room = switch.add_room();
        Self { switch, now, room, out: VecOutbox::default(), clients: 0 }
    }

    pub fn client(&mut self) -> Client {
        let (client, sealer, opener) = self.unconnected();
        self.connect(&client, sealer, opener);
        client
    }

    /// Ends a client's handshake.
    pub fn connect(&mut self, client: &Client, sealer: Sealer, opener: Opener) {
        self.switch.set_keys(client.key, sealer, opener);
        self.switch.set_destination(client.key, Some(client.destination));
    }

    /// A client before its handshake, and the keys that will come of it.
    pub fn unconnected(&mut self) -> (Client, Sealer, Opener) {
        let profile = [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::Aes128CmSha1_80];
        let profile = profile[self.clients as usize % 3];
        self.clients += 1;
        let material: Vec<u8> =
            (0..profile.keying_material_len()).map(|byte| byte as u8 ^ self.clients as u8).collect();
        let key = self.switch.add_peer(self.room, self.now).unwrap();
        let ours = from_dtls_server(profile, &material).unwrap();
        let destination = Destination(self.clients);
        let (sealer, opener) = from_dtls_client(profile, &material).unwrap();
        let (windows, indices) = (BTreeMap::new(), BTreeMap::new());
        (Client { key, destination, sealer, opener, windows, indices, transport_cc: 0 }, ours.0, ours.1)
    }

    pub fn receive(&mut self, from: &Client, mut datagram: Vec<u8>) {
        self.switch.receive(from.key, &mut datagram, self.now, &mut self.out);
    }

    /// Lets time pass, polling when the switch wants it.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.switch.next_timeout() <= end {
            self.now = self.now.max(self.switch.next_timeout());
            self.switch.poll(self.now, &mut self.out);
        }
        self.now = end;
    }

    /// What was sent to a client since the last call to this (for any client).
    pub fn seen_by(&mut self, client: &mut Client) -> (Vec<Seen>, Vec<Vec<u8>>) {
        client.open(std::mem::take(&mut self.out.packets))
    }

    pub fn events(&mut self) -> Vec<SwitchEvent> {
        std::iter::from_fn(|| self.switch.poll_event()).collect()
    }
}

/// A VP8 packet: key frame or not, 15-bit picture id, tl0.
pub(super) fn vp8(key: bool, start: bool, picture: u16, tl0: u8, fill: u8) -> Vec<u8> {
    let id = (picture | 0x8000).to_be_bytes();
    let first = 0x80 | if start { 0x10 } else { 0 };
    vec![first, 0xe0, id[0], id[1], tl0, 0x00, u8::from(!key), fill, fill]
}
