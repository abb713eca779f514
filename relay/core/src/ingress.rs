//! The receiving side of one transport: keys, replay windows, which SSRC belongs to what, and feedback to its sender.

use std::time::Instant;

use crate::arena::Key;
use crate::bytes::u32_at;
use crate::drop::{Drops, Reason};
use crate::flight::{Direction, Tape};
use crate::layer::rid_of;
use crate::message::Kind;
use crate::remb::Estimator;
use crate::rtcp::Writer;
use crate::rtp::{ExtensionMap, Header, Label};
use crate::srtp::{Opener, ReplayWindow};
use crate::switch::TrackConfig;
use crate::twcc::Recorder;

/// SSRCs one peer may send.
const MAX_STREAMS: usize = 64;
/// SSRCs one peer may send RTCP under before the one longest silent is forgotten.
const MAX_REPORTERS: usize = 64;

/// What an SSRC carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub track: Key,
    pub layer: u8,
    /// Retransmissions of the layer, RFC 4588.
    pub repair: bool,
}

/// A decrypted packet and where it goes.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    pub header: Header,
    pub payload: &'a [u8],
    /// Dependency descriptor, empty without one.
    pub descriptor: &'a [u8],
    pub route: Route,
}

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    window: ReplayWindow,
    route: Option<Route>,
}

/// What is known of a track to route its packets.
#[derive(Debug)]
struct Announced {
    track: Key,
    kind: Kind,
    mid: Option<Label>,
    payload_type: u8,
    rtx_payload_type: Option<u8>,
    red_payload_type: Option<u8>,
    /// RID, SSRC and RTX SSRC by layer.
    layers: Vec<(Option<Label>, Option<u32>, Option<u32>)>,
}

impl Announced {
    fn new(track: Key, config: &TrackConfig) -> Self {
        let label = |text: &Option<String>| text.as_ref().and_then(|text| Label::new(text.as_bytes()));
        Self {
            track,
            kind: config.kind,
            mid: label(&config.mid),
            payload_type: config.codec.payload_type,
            rtx_payload_type: config.codec.rtx_payload_type,
            red_payload_type: config.codec.red_payload_type.filter(|_| config.kind == Kind::Audio),
            layers: config.encodings.iter().map(|layer| (label(&layer.rid), layer.ssrc, layer.rtx_ssrc)).collect(),
        }
    }

    /// The route of a packet by its SSRC.
    fn by_ssrc(&self, ssrc: u32) -> Option<Route> {
        (0..).zip(&self.layers).find_map(|(layer, (_, media, rtx))| {
            let repair = *rtx == Some(ssrc);
            (repair || *media == Some(ssrc)).then_some(Route { track: self.track, layer, repair })
        })
    }

    /// The route of a packet by its MID and RID (RFC 8852, RFC 8843 section 9.2).
    fn by_labels(&self, header: &Header) -> Option<Route> {
        let extensions = &header.extensions;
        if extensions.mid.is_none() || extensions.mid != self.mid {
            return None;
        }
        let track = self.track;
        match rid_of(extensions) {
            Some((rid, repair)) => (0..)
                .zip(&self.layers)
                .find(|(_, (own, _, _))| *own == Some(rid))
                .map(|(layer, _)| Route { track, layer, repair }),
            None if self.layers.len() == 1 => {
                Some(Route { track, layer: 0, repair: Some(header.payload_type) == self.rtx_payload_type })
            }
            None => None,
        }
    }

    fn accepts(&self, header: &Header, route: Route) -> bool {
        let payload_type = Some(header.payload_type);
        let expected = if route.repair { self.rtx_payload_type } else { Some(self.payload_type) };
        expected == payload_type || (!route.repair && self.red_payload_type == payload_type)
    }
}

/// What receives from one peer.
#[derive(Debug)]
pub(crate) struct Ingress {
    opener: Option<Opener>,
    extensions: ExtensionMap,
    streams: Vec<Stream>,
    /// Latest last.
    reporters: Vec<(u32, ReplayWindow)>,
    announced: Vec<Announced>,
    recorder: Recorder,
    estimator: Estimator,
    /// Whether packets carry transport-wide numbers, so that no estimate of ours is needed.
    transport_cc: bool,
    /// When the last authentic packet came.
    pub heard: Option<Instant>,
    pub tape: Tape,
    pub drops: Drops,
    pub packets: u64,
    pub bytes: u64,
}

impl Ingress {
    pub fn new(now: Instant) -> Self {
        Self {
            opener: None,
            extensions: ExtensionMap::default(),
            streams: Vec::new(),
            reporters: Vec::new(),
            announced: Vec::new(),
            recorder: Recorder::new(now),
            estimator: Estimator::new(now),
            transport_cc: false,
            heard: None,
            tape: Tape::default(),
            drops: Drops::default(),
            packets: 0,
            bytes: 0,
        }
    }

    pub fn set_opener(&mut self, opener: Opener) {
        self.opener = Some(opener);
    }

    /// Routes the packets of a track from now on.
    pub fn announce(&mut self, track: Key, config: &TrackConfig) {
        self.extensions.add(&config.extensions);
        self.announced.push(Announced::new(track, config));
        // Streams that came before their announcement are looked at again.
    }

    /// Forgets a track. Its streams keep their replay windows.
    pub fn retract(&mut self, track: Key) {
        self.announced.retain(|announced| announced.track != track);
        for stream in &mut self.streams {
            stream.route = stream.route.filter(|route| route.track != track);
        }
    }

    /// Decrypts an RTP packet in place and says where it belongs.
    pub fn open_rtp<'a>(&mut self, packet: &'a mut [u8], now: Instant) -> Result<Arrival<'a>, Reason> {
        let header = Header::parse(packet, &self.extensions)?;
        let size = packet.len();
        let opener = self.opener.as_ref().ok_or(Reason::NoKeys)?;
        let place = self.streams.iter().position(|stream| stream.ssrc == header.ssrc);
        let (len, place) = if let Some((place, stream)) =
            place.and_then(|place| self.streams.get_mut(place).map(|stream| (place, stream)))
        {
            (opener.open_rtp(packet, &header, &mut stream.window)?.len(), place)
        } else {
            let mut window = ReplayWindow::default();
            let payload = opener.open_rtp(packet, &header, &mut window)?.len();
            (payload, Self::remember(&mut self.streams, header.ssrc, window)?)
        };
        // Not before: who knows an address could push out of it what was really sent.
        self.tape.record(Direction::In, now, size, packet.get(..header.len).unwrap_or_default());
        self.heard = Some(now);
        if let Some(sequence) = header.extensions.transport_cc {
            self.transport_cc = true;
            self.recorder.record(sequence, header.ssrc, now);
        }
        let stream = self.streams.get_mut(place).ok_or(Reason::UnknownStream)?;
        let known = stream.route.or_else(|| {
            let by_ssrc = self.announced.iter().find_map(|announced| announced.by_ssrc(header.ssrc));
            by_ssrc.or_else(|| self.announced.iter().find_map(|announced| announced.by_labels(&header)))
        });
        let route = known.ok_or(Reason::UnknownStream)?;
        stream.route = known;
        let announced = self.announced.iter().find(|announced| announced.track == route.track);
        let announced = announced.ok_or(Reason::UnknownStream)?;
        if !announced.accepts(&header, route) {
            return Err(Reason::PayloadType);
        }
        if announced.kind == Kind::Video && !self.transport_cc {
            self.estimator.add(size, now);
        }
        let packet: &'a [u8] = packet;
        let payload = packet.get(header.len..header.len + len).unwrap_or_default();
        Ok(Arrival { payload: header.unpadded(payload)?, descriptor: header.descriptor(packet), header, route })
    }

    /// Keeps the window of a new stream; the place of one that belongs to nothing is used again when there are many.
    fn remember(streams: &mut Vec<Stream>, ssrc: u32, window: ReplayWindow) -> Result<usize, Reason> {
        if streams.len() >= MAX_STREAMS {
            let idle = streams.iter().position(|stream| stream.route.is_none()).ok_or(Reason::TooManyStreams)?;
            streams.swap_remove(idle);
        }
        streams.push(Stream { ssrc, window, route: None });
        Ok(streams.len() - 1)
    }

    /// Decrypts a compound RTCP packet in place.
    pub fn open_rtcp<'a>(&mut self, packet: &'a mut [u8], now: Instant) -> Result<&'a [u8], Reason> {
        let opener = self.opener.as_ref().ok_or(Reason::NoKeys)?;
        let ssrc = u32_at(packet, 4).ok_or(Reason::Truncated)?;
        let known = self.reporters.iter().position(|(reporter, _)| *reporter == ssrc);
        let mut window = known.map(|place| self.reporters.remove(place).1).unwrap_or_default();
        let compound = opener.open_rtcp(packet, &mut window);
        // Only an authentic packet makes a reporter known.
        if known.is_some() || compound.is_ok() {
            if self.reporters.len() >= MAX_REPORTERS {
                self.reporters.remove(0);
            }
            self.reporters.push((ssrc, window));
        }
        let compound = &*compound?;
        self.heard = Some(now);
        self.tape.record(Direction::In, now, compound.len(), compound);
        Ok(compound)
    }

    /// The track and layer a publisher's own RTCP is about.
    pub fn route(&self, ssrc: u32) -> Option<Route> {
        let stream = self.streams.iter().find(|stream| stream.ssrc == ssrc);
        stream.and_then(|stream| stream.route).filter(|route| !route.repair)
    }

    /// When [`Ingress::write_feedback`] has something to say.
    pub fn next_feedback(&self) -> Option<Instant> {
        self.recorder.next_feedback().or_else(|| self.estimator.next_feedback().filter(|_| !self.transport_cc))
    }

    /// Writes transport-wide feedback, or the allowed bitrate to a sender without it. `video` are the SSRCs of its video
    /// layers, `expected` and `received` their packet totals.
    pub fn write_feedback(
        &mut self,
        video: &[u32],
        (expected, received): (u64, u64),
        now: Instant,
        out: &mut Writer<'_>,
    ) {
        if self.transport_cc {
            self.recorder.write_feedback(now, out);
        } else if let Some(bitrate) = self.estimator.estimate(expected, received, now) {
            out.remb(bitrate, video);
        }
    }
}
