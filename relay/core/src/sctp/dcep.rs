//! Data channel establishment protocol: RFC 8832 §5 messages.

/// Longest label or protocol we accept, in bytes.
pub const MAX_LABEL: usize = 256;

const ACK: u8 = 0x02;
const OPEN: u8 = 0x03;
const UNORDERED: u8 = 0x80;
const FIXED: usize = 12;

/// How hard a channel tries to deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reliability {
    /// Until acknowledged.
    Reliable,
    /// At most so many retransmissions.
    Retransmits(u32),
    /// For so many milliseconds.
    Lifetime(u32),
}

/// A `DATA_CHANNEL_OPEN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Label.
    pub label: String,
    /// Deliver in order.
    pub ordered: bool,
    /// Retransmission policy.
    pub reliability: Reliability,
}

/// A DCEP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dcep {
    /// Opens the channel.
    Open(Open),
    /// Accepts it.
    Ack,
}

impl Dcep {
    /// Read a message; `None` where it is malformed or unknown.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match *bytes.first()? {
            ACK => Some(Self::Ack),
            OPEN => Open::parse(bytes).map(Self::Open),
            _ => None,
        }
    }

    /// Write the message.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ack => vec![ACK],
            Self::Open(open) => open.to_bytes(),
        }
    }
}

impl Open {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let fixed = bytes.first_chunk::<FIXED>()?;
        let amount = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        let label_len = usize::from(u16::from_be_bytes([fixed[8], fixed[9]]));
        let protocol_len = usize::from(u16::from_be_bytes([fixed[10], fixed[11]]));
        if label_len > MAX_LABEL || protocol_len > MAX_LABEL || bytes.len() != FIXED + label_len + protocol_len {
            return None;
        }
        let label = std::str::from_utf8(&bytes[FIXED..FIXED + label_len]).ok()?;
        let reliability = match fixed[1] & !UNORDERED {
            0 => Reliability::Reliable,
            1 => Reliability::Retransmits(amount),
            2 => Reliability::Lifetime(amount),
            _ => return None,
        };
        Some(Self { label: label.into(), ordered: fixed[1] & UNORDERED == 0, reliability })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let (kind, amount) = match self.reliability {
            Reliability::Reliable => (0, 0),
            Reliability::Retransmits(amount) => (1, amount),
            Reliability::Lifetime(amount) => (2, amount),
        };
        let order = if self.ordered { 0 } else { UNORDERED };
        let label = &self.label.as_bytes()[..self.label.len().min(MAX_LABEL)];
        let label_len = u16::try_from(label.len()).unwrap_or(0);
        let mut bytes = vec![OPEN, kind | order, 0, 0];
        bytes.extend(amount.to_be_bytes());
        bytes.extend(label_len.to_be_bytes());
        bytes.extend([0, 0]); // no protocol
        bytes.extend(label);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lossy() -> Open {
        Open { label: "_lossy".into(), ordered: false, reliability: Reliability::Retransmits(0) }
    }

    #[test]
    fn reads_what_it_writes() {
        let reliable = Open { label: "_reliable".into(), ordered: true, reliability: Reliability::Reliable };
        for message in [Dcep::Open(lossy()), Dcep::Open(reliable), Dcep::Ack] {
            assert_eq!(Dcep::parse(&message.to_bytes()), Some(message));
        }
    }

    #[test]
    fn reads_what_a_browser_sends() {
        // Chromium, createDataChannel("_lossy", {ordered: false, maxRetransmits: 0})
        let bytes = b"\x03\x81\x01\x00\x00\x00\x00\x00\x00\x06\x00\x00_lossy";
        assert_eq!(Dcep::parse(bytes), Some(Dcep::Open(lossy())));
    }

    #[test]
    fn refuses_lies_about_lengths() {
        let good = Dcep::Open(lossy()).to_bytes();
        for cut in 1..good.len() {
            assert_eq!(Dcep::parse(&good[..cut]), None, "cut to {cut}");
        }
        let mut long = good.clone();
        long[8] = 0xff;
        assert_eq!(Dcep::parse(&long), None);
        assert_eq!(Dcep::parse(&[]), None);
        assert_eq!(Dcep::parse(&[9]), None);
    }
}
