//! The session keys of one direction and the nonces made from them.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{EncryptingKey, EncryptionContext};
use aws_lc_rs::hmac;

use super::derivation::{Label, counter_mode, derive};
use super::{KeyError, Profile};

/// Length of an HMAC-SHA1-80 tag.
pub(super) const SHA1_80: usize = 10;

/// Session keys of one direction, RTP and RTCP.
pub(super) struct Keys {
    pub profile: Profile,
    pub rtp: Suite,
    pub rtcp: Suite,
}

/// One cipher with its salt.
pub(super) enum Suite {
    Gcm { key: LessSafeKey, salt: [u8; 12] },
    CmSha1(Box<CounterMode>),
}

/// Counter mode with its authentication key.
pub(super) struct CounterMode {
    pub key: EncryptingKey,
    pub authentication: hmac::Key,
    pub salt: [u8; 14],
}

impl Keys {
    pub fn derive(profile: Profile, key: &[u8], salt: &[u8]) -> Result<Self, KeyError> {
        let master = counter_mode(key)?;
        let suite = |encryption, authentication, salting| match profile {
            Profile::AeadAes128Gcm => {
                let key = UnboundKey::new(&AES_128_GCM, &derive::<16>(&master, salt, encryption)?);
                gcm(key, derive::<12>(&master, salt, salting)?)
            }
            Profile::AeadAes256Gcm => {
                let key = UnboundKey::new(&AES_256_GCM, &derive::<32>(&master, salt, encryption)?);
                gcm(key, derive::<12>(&master, salt, salting)?)
            }
            Profile::Aes128CmSha1_80 => Ok(Suite::CmSha1(Box::new(CounterMode {
                key: counter_mode(&derive::<16>(&master, salt, encryption)?)?,
                authentication: hmac::Key::new(
                    hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                    &derive::<20>(&master, salt, authentication)?,
                ),
                salt: derive::<14>(&master, salt, salting)?,
            }))),
        };
        Ok(Self {
            profile,
            rtp: suite(Label::RtpEncryption, Label::RtpAuthentication, Label::RtpSalt)?,
            rtcp: suite(Label::RtcpEncryption, Label::RtcpAuthentication, Label::RtcpSalt)?,
        })
    }
}

fn gcm(key: Result<UnboundKey, aws_lc_rs::error::Unspecified>, salt: [u8; 12]) -> Result<Suite, KeyError> {
    Ok(Suite::Gcm { key: LessSafeKey::new(key.map_err(|_| KeyError)?), salt })
}

/// RFC 7714 sections 8.1 and 9.1: `00 00 | SSRC | index in 48 bits`, exclusive-or the salt.
///
/// For SRTCP the 31-bit index stands in the same 48 bits.
#[inline]
pub(super) fn nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    let mut bytes = *salt;
    for (byte, value) in bytes[2..6].iter_mut().zip(ssrc.to_be_bytes()) {
        *byte ^= value;
    }
    for (byte, value) in bytes[6..12].iter_mut().zip(&index.to_be_bytes()[2..]) {
        *byte ^= value;
    }
    Nonce::assume_unique_for_key(bytes)
}

/// RFC 3711 section 4.1.1: `salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16`.
#[inline]
pub(super) fn counter(salt: &[u8; 14], ssrc: u32, index: u64) -> EncryptionContext {
    let mut bytes = [0u8; 16];
    bytes[..14].copy_from_slice(salt);
    for (byte, value) in bytes[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
        *byte ^= value;
    }
    for (byte, value) in bytes[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
        *byte ^= value;
    }
    EncryptionContext::Iv128(bytes.into())
}

/// The rollover counter of an index, as it is authenticated.
#[inline]
pub(super) fn rollover(index: u64) -> [u8; 4] {
    #[allow(clippy::cast_possible_truncation, reason = "an SRTP index has 48 bits")]
    let counter = (index >> 16) as u32;
    counter.to_be_bytes()
}
