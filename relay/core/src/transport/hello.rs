//! What of a `ClientHello` decides the DTLS version (RFC 5246 §7.4.1.2, RFC 6347 §4.2.1, RFC 8446 §4.1.2).
//!
//! `dimpl`'s DTLS 1.3 takes the first SRTP profile that the client names, its DTLS 1.2 the best one. So 1.3 is for
//! clients that name AES-GCM first: the others would get a cipher that costs five times more, for every packet.

/// Extension `use_srtp` (RFC 5764 §4.1.1).
const USE_SRTP: u16 = 14;
/// Extension `supported_versions` (RFC 8446 §4.2.1).
const SUPPORTED_VERSIONS: u16 = 43;
const DTLS_1_2: u16 = 0xfefd;
const DTLS_1_3: u16 = 0xfefc;
/// `SRTP_AES128_CM_HMAC_SHA1_80` (RFC 5764 §4.1.2).
const CM_SHA1_80: u16 = 1;
/// `SRTP_AEAD_AES_128_GCM` and `SRTP_AEAD_AES_256_GCM` (RFC 7714 §14.2).
const GCM: [u16; 2] = [7, 8];

/// The DTLS version of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// RFC 6347.
    V1_2,
    /// RFC 9147.
    V1_3,
}

impl Version {
    /// `1.2` or `1.3`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
        }
    }
}

/// What a client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    v1_2: bool,
    v1_3: bool,
    /// The first SRTP profile of those we have.
    profile: Option<u16>,
}

impl Offer {
    /// Read the body of a `ClientHello`; `None` where its lengths contradict each other.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut hello = Reader(body);
        let version = hello.u16()?;
        let _random = hello.take(32)?;
        let _session_id = hello.vector8()?;
        let _cookie = hello.vector8()?;
        let _cipher_suites = hello.vector16()?;
        let _compression_methods = hello.vector8()?;
        let mut offer = Self { v1_2: version == DTLS_1_2, v1_3: false, profile: None };
        if hello.0.is_empty() {
            return Some(offer);
        }
        let mut extensions = Reader(hello.vector16()?);
        while !extensions.0.is_empty() {
            let kind = extensions.u16()?;
            let mut data = Reader(extensions.vector16()?);
            match kind {
                SUPPORTED_VERSIONS => {
                    let versions = data.vector8()?;
                    offer.v1_2 = numbers(versions).any(|number| number == DTLS_1_2);
                    offer.v1_3 = numbers(versions).any(|number| number == DTLS_1_3);
                }
                USE_SRTP => {
                    let ours = |number: &u16| *number == CM_SHA1_80 || GCM.contains(number);
                    offer.profile = numbers(data.vector16()?).find(ours);
                }
                _ => {}
            }
        }
        hello.0.is_empty().then_some(offer)
    }

    /// The version to answer with: 1.3 where it is offered and does not cost the better cipher.
    #[must_use]
    pub const fn version(self) -> Version {
        match self {
            Self { v1_3: false, .. } | Self { v1_2: true, profile: Some(CM_SHA1_80), .. } => Version::V1_2,
            _ => Version::V1_3,
        }
    }
}

fn numbers(list: &[u8]) -> impl Iterator<Item = u16> + '_ {
    list.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}

/// Takes bytes from the front, never more than there are.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        numbers(self.take(2)?).next()
    }

    /// A vector with its length in one byte before it.
    fn vector8(&mut self) -> Option<&'a [u8]> {
        let len = *self.take(1)?.first()?;
        self.take(len.into())
    }

    /// A vector with its length in two bytes before it.
    fn vector16(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.take(len.into())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::noise::Noise;

    /// A `ClientHello`; without versions it has no `supported_versions`, without profiles no `use_srtp`.
    pub(crate) fn hello(versions: &[u16], profiles: &[u16]) -> Vec<u8> {
        let list = |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
        let mut extensions = vec![0, 23, 0, 0]; // extended_master_secret
        if !versions.is_empty() {
            let data = [vec![versions.len() as u8 * 2], list(versions)].concat();
            extensions.extend([vec![0, 43, 0, data.len() as u8], data].concat());
        }
        if !profiles.is_empty() {
            let data = [vec![0, profiles.len() as u8 * 2], list(profiles), vec![0]].concat();
            extensions.extend([vec![0, 14, 0, data.len() as u8], data].concat());
        }
        let before = [vec![0xfe, 0xfd], vec![7; 32], vec![0, 0], vec![0, 4, 0x13, 1, 0xc0, 0x2b], vec![1, 0]].concat();
        [before, vec![0, extensions.len() as u8], extensions].concat()
    }

    fn version(versions: &[u16], profiles: &[u16]) -> Version {
        Offer::parse(&hello(versions, profiles)).expect("a whole ClientHello").version()
    }

    #[test]
    fn takes_1_3_where_gcm_stays() {
        use Version::{V1_2, V1_3};
        let both = [DTLS_1_3, DTLS_1_2];
        assert_eq!(version(&both, &[7, 8, 1, 2]), V1_3, "as Firefox");
        assert_eq!(version(&both, &[1, 8, 7]), V1_2, "as Chromium");
        assert_eq!(version(&both, &[8, 1]), V1_3);
        assert_eq!(version(&both, &[2, 7, 1]), V1_3, "a profile that we do not have is not taken");
        assert_eq!(version(&both, &[1, 2]), V1_2, "no GCM at all");
        assert_eq!(version(&both, &[]), V1_3, "data channels alone");
        assert_eq!(version(&[DTLS_1_3], &[1, 8]), V1_3, "nothing else is offered");
        assert_eq!(version(&[DTLS_1_2], &[8]), V1_2);
        assert_eq!(version(&[], &[8]), V1_2, "no supported_versions");
    }

    #[test]
    fn reads_no_part_of_a_hello_and_never_panics() {
        let whole = hello(&[DTLS_1_3, DTLS_1_2], &[7, 8, 1]);
        let extensions = whole.len() - 2 - usize::from(whole[45]);
        for len in 0..whole.len() {
            assert_eq!(Offer::parse(&whole[..len]).is_some(), len == extensions, "cut after {len}");
        }
        let trailing = [whole.as_slice(), &[0]].concat();
        assert_eq!(Offer::parse(&trailing), None);
        let mut noise = Noise::new(0xd715);
        for _ in 0..100_000 {
            let mut bent = whole.clone();
            for _ in 0..=noise.below(4) {
                let at = noise.below(bent.len() as u64) as usize;
                bent[at] = noise.next() as u8;
            }
            bent.truncate(noise.below(bent.len() as u64 + 1) as usize);
            let _ = Offer::parse(&bent);
            let _ = Offer::parse(&noise.bytes(200));
        }
    }
}
