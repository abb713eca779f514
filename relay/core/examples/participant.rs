//! One peer connection of `str0m`, told over standard input what to do: for meetings with other clients' stacks.
//!
//! `participant ADDRESS` speaks lines of words; SDP and media are in hexadecimal.
//!
//! | line in | line out |
//! |---|---|
//! | `offer`: a microphone and a camera | `sdp OFFER` |
//! | `answered ANSWER` | |
//! | `accept OFFER` | `sdp ANSWER` |
//! | `write audio TIME FRAME`, `write video TIME FRAME`: Opus at 48 kHz, VP8 at 90 kHz | `wanted` when a key frame is |
//! | | `audio MID FRAME`, `video MID FRAME`: what was received, whole |
//!
//! It ends with its input.
#![allow(clippy::pedantic, reason = "a client for tests")]

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead as _, ErrorKind, Write as _};
use std::net::UdpSocket;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, Frequency, KeyframeRequestKind, MediaData, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

type Failure = Box<dyn Error>;
/// Longest wait for a datagram: then the input is looked at.
const PATIENCE: Duration = Duration::from_millis(5);

struct Participant {
    rtc: Rtc,
    socket: UdpSocket,
    offered: Option<SdpPendingOffer>,
    /// What is sent on.
    sending: HashMap<&'static str, Mid>,
}

fn main() -> Result<(), Failure> {
    let address = std::env::args().nth(1).ok_or("no address")?;
    let socket = UdpSocket::bind((address, 0))?;
    let mut rtc = RtcConfig::new().clear_codecs().enable_opus(true, false).enable_vp8(true).build(Instant::now());
    rtc.add_local_candidate(Candidate::host(socket.local_addr()?, "udp")?);
    let mut participant = Participant { rtc, socket, offered: None, sending: HashMap::new() };
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    participant.run(&told)
}

impl Participant {
    fn run(&mut self, told: &Receiver<String>) -> Result<(), Failure> {
        let mut buffer = vec![0; 2_000];
        loop {
            loop {
                match told.try_recv() {
                    Ok(line) => self.obey(&line)?,
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
                }
            }
            let wait = self.poll()?.saturating_duration_since(Instant::now()).min(PATIENCE);
            if !wait.is_zero() {
                self.receive(wait, &mut buffer)?;
            }
            self.rtc.handle_input(Input::Timeout(Instant::now()))?;
        }
    }

    fn obey(&mut self, line: &str) -> Result<(), Failure> {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["offer"] => {
                let mut api = self.rtc.sdp_api();
                for (name, kind) in [("audio", MediaKind::Audio), ("video", MediaKind::Video)] {
                    let mid = api.add_media(kind, Direction::SendOnly, None, Some(name.into()), None);
                    self.sending.insert(name, mid);
                }
                let (offer, pending) = api.apply().ok_or("nothing to offer")?;
                self.offered = Some(pending);
                say(&["sdp", &hex(offer.to_sdp_string().as_bytes())]);
            }
            ["answered", sdp] => {
                let answer = SdpAnswer::from_sdp_string(&String::from_utf8(bytes(sdp)?)?)?;
                self.rtc.sdp_api().accept_answer(self.offered.take().ok_or("nothing was offered")?, answer)?;
            }
            ["accept", sdp] => {
                let offer = SdpOffer::from_sdp_string(&String::from_utf8(bytes(sdp)?)?)?;
                let answer = self.rtc.sdp_api().accept_offer(offer)?;
                say(&["sdp", &hex(answer.to_sdp_string().as_bytes())]);
            }
            ["write", name, time, frame] => self.write(name, time.parse()?, bytes(frame)?)?,
            _ => return Err(format!("what is {line}?").into()),
        }
        Ok(())
    }

    fn write(&mut self, name: &str, time: u64, frame: Vec<u8>) -> Result<(), Failure> {
        let (codec, rate) = if name == "audio" {
            (Codec::Opus, Frequency::FORTY_EIGHT_KHZ)
        } else {
            (Codec::Vp8, Frequency::NINETY_KHZ)
        };
        let writer = self.sending.get(name).and_then(|mid| self.rtc.writer(*mid)).ok_or("not negotiated")?;
        let chosen = writer.payload_params().find(|params| params.spec().codec == codec).map(|params| params.pt());
        writer.write(chosen.ok_or("the codec was refused")?, Instant::now(), MediaTime::new(time, rate), frame)?;
        Ok(())
    }

    /// Does what is to be done now; until when nothing is.
    fn poll(&mut self) -> Result<Instant, Failure> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at),
                Output::Transmit(datagram) => {
                    self.socket.send_to(&datagram.contents, datagram.destination)?;
                }
                Output::Event(Event::MediaData(data)) => self.received(&data),
                Output::Event(Event::KeyframeRequest(_)) => say(&["wanted"]),
                Output::Event(_) => {}
            }
        }
    }

    /// Passes a frame on; after a gap a key frame is asked for.
    fn received(&mut self, data: &MediaData) {
        let video = data.params.spec().codec == Codec::Vp8;
        if video
            && !data.contiguous
            && let Some(mut writer) = self.rtc.writer(data.mid)
        {
            // Refused where it would change nothing.
            let _ = writer.request_keyframe(None, KeyframeRequestKind::Pli);
        }
        say(&[if video { "video" } else { "audio" }, &data.mid.to_string(), &hex(&data.data)]);
    }

    fn receive(&mut self, wait: Duration, buffer: &mut [u8]) -> Result<(), Failure> {
        self.socket.set_read_timeout(Some(wait))?;
        match self.socket.recv_from(buffer) {
            Ok((len, source)) => {
                let Ok(contents) = buffer[..len].try_into() else { return Ok(()) };
                let destination = self.socket.local_addr()?;
                let receive = Receive { proto: Protocol::Udp, source, destination, contents };
                self.rtc.handle_input(Input::Receive(Instant::now(), receive))?;
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn say(words: &[&str]) {
    let mut out = std::io::stdout().lock();
    // Whoever reads it is gone: the end of the input comes next.
    let _ = writeln!(out, "{}", words.join(" "));
    let _ = out.flush();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Result<Vec<u8>, Failure> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}
