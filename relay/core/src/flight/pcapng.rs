//! Recorded packets as a capture file (pcapng, draft-ietf-opsawg-pcapng) that Wireshark opens.
//!
//! Each packet gets the IP and UDP headers of the path that is in use now, and its true length: what was not kept shows
//! as cut by the capture. RTCP is in the clear; RTP headers always are. Of these the P bit is cleared: the padding it
//! speaks of is not kept, and readers take a packet without it for malformed. A comment on the packet says so.

use std::net::{IpAddr, SocketAddr};

use super::tape::{Direction, Record};
use crate::rtp::is_rtcp;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// Packets begin with an IPv4 or IPv6 header.
const LINKTYPE_RAW: u16 = 101;
const OPT_END: u16 = 0;
const OPT_COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const EPB_FLAGS: u16 = 2;
const SHB_APPLICATION: u16 = 4;
const UDP: u8 = 17;
const UDP_LEN: usize = 8;
/// Version 2 and its place in the first byte of RTP (RFC 3550 section 5.1), and the P bit.
const RTP_VERSION: u8 = 0x80;
const RTP_VERSION_MASK: u8 = 0xc0;
const RTP_PADDED: u8 = 0x20;

/// The two ends of a transport.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// Ours.
    pub local: SocketAddr,
    /// The peer's.
    pub remote: SocketAddr,
}

/// A capture file of `records`, oldest first. `name` is the transport's, `comment` is shown with the file, `unix` is the
/// wall clock now, µs since 1970.
#[must_use]
pub fn pcapng(records: &[Record], ends: Ends, name: &str, comment: &str, unix: u64) -> Vec<u8> {
    let mut file = Vec::with_capacity(256 + records.len() * 128);
    block(&mut file, SECTION, |body| {
        body.extend_from_slice(&BYTE_ORDER.to_le_bytes());
        body.extend_from_slice(&1u16.to_le_bytes()); // version 1.0
        body.extend_from_slice(&0u16.to_le_bytes());
        body.extend_from_slice(&u64::MAX.to_le_bytes()); // length of the section: not said
        option(body, OPT_COMMENT, comment.as_bytes());
        option(body, SHB_APPLICATION, b"roomctl media relay");
        option(body, OPT_END, &[]);
    });
    block(&mut file, INTERFACE, |body| {
        body.extend_from_slice(&LINKTYPE_RAW.to_le_bytes());
        body.extend_from_slice(&0u16.to_le_bytes());
        body.extend_from_slice(&0u32.to_le_bytes()); // no limit of length
        option(body, IF_NAME, name.as_bytes());
        option(body, OPT_END, &[]);
    });
    for record in records {
        block(&mut file, PACKET, |body| packet(body, record, ends, unix));
    }
    file
}

#[allow(clippy::cast_possible_truncation, reason = "a time is cut into its two halves, lengths are of UDP packets")]
fn packet(body: &mut Vec<u8>, record: &Record, ends: Ends, unix: u64) {
    let (source, target, flags) = match record.direction {
        Direction::In => (ends.remote, ends.local, 1u32),
        Direction::Out => (ends.local, ends.remote, 2u32),
    };
    let mut data = ip_header(source.ip(), target.ip(), record.len);
    data.extend_from_slice(&source.port().to_be_bytes());
    data.extend_from_slice(&target.port().to_be_bytes());
    data.extend_from_slice(&((UDP_LEN + record.len) as u16).to_be_bytes());
    data.extend_from_slice(&[0, 0]); // no checksum
    let headers = data.len();
    data.extend_from_slice(record.head.get(..record.len.min(record.head.len())).unwrap_or_default());
    let padded_rtp = is_padded_rtp(record);
    if let Some(first) = data.get_mut(headers).filter(|_| padded_rtp) {
        *first &= !RTP_PADDED;
    }
    let at = unix.saturating_sub(record.age);
    body.extend_from_slice(&0u32.to_le_bytes()); // the one interface
    body.extend_from_slice(&((at >> 32) as u32).to_le_bytes());
    body.extend_from_slice(&(at as u32).to_le_bytes());
    body.extend_from_slice(&(data.len() as u32).to_le_bytes());
    body.extend_from_slice(&((headers + record.len) as u32).to_le_bytes());
    padded(body, &data);
    if padded_rtp {
        option(body, OPT_COMMENT, b"padded: P bit cleared, the padding is not kept");
    }
    option(body, EPB_FLAGS, &flags.to_le_bytes());
    option(body, OPT_END, &[]);
}

/// Whether a record is the head of an RTP packet with padding, of which the padding was not kept.
fn is_padded_rtp(record: &Record) -> bool {
    let first = record.head.first().copied().unwrap_or_default();
    let rtp = first & RTP_VERSION_MASK == RTP_VERSION && !is_rtcp(&record.head);
    rtp && first & RTP_PADDED != 0 && record.head.len() < record.len
}

#[allow(clippy::cast_possible_truncation, reason = "lengths of UDP packets")]
fn ip_header(source: IpAddr, target: IpAddr, payload: usize) -> Vec<u8> {
    let len = (UDP_LEN + payload) as u16;
    match (source, target) {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            let mut header = vec![0x45, 0];
            header.extend_from_slice(&(20 + len).to_be_bytes());
            header.extend_from_slice(&[0, 0, 0x40, 0, 64, UDP, 0, 0]);
            header.extend_from_slice(&source.octets());
            header.extend_from_slice(&target.octets());
            let sum = checksum(&header);
            if let Some(place) = header.get_mut(10..12) {
                place.copy_from_slice(&sum.to_be_bytes());
            }
            header
        }
        (source, target) => {
            let six = |ip: IpAddr| match ip {
                IpAddr::V4(v4) => v4.to_ipv6_mapped(),
                IpAddr::V6(v6) => v6,
            };
            let mut header = vec![0x60, 0, 0, 0];
            header.extend_from_slice(&len.to_be_bytes());
            header.extend_from_slice(&[UDP, 64]);
            header.extend_from_slice(&six(source).octets());
            header.extend_from_slice(&six(target).octets());
            header
        }
    }
}

/// RFC 1071, of a header whose checksum is zero.
#[allow(clippy::cast_possible_truncation, reason = "folded to 16 bits")]
fn checksum(header: &[u8]) -> u16 {
    let sum: u32 = header.chunks_exact(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1])).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}

/// A block: its type, its length before and after the body.
#[allow(clippy::cast_possible_truncation, reason = "blocks are small")]
fn block(file: &mut Vec<u8>, kind: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::with_capacity(128);
    write(&mut body);
    let len = (body.len() + 12) as u32;
    file.extend_from_slice(&kind.to_le_bytes());
    file.extend_from_slice(&len.to_le_bytes());
    file.extend_from_slice(&body);
    file.extend_from_slice(&len.to_le_bytes());
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..value.len().min(1024)).unwrap_or_default();
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    padded(body, value);
}

fn padded(body: &mut Vec<u8>, data: &[u8]) {
    body.extend_from_slice(data);
    body.resize(body.len().next_multiple_of(4), 0);
}
