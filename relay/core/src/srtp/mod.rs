//! SRTP and SRTCP: RFC 3711 (`AES_CM_128_HMAC_SHA1_80`) and RFC 7714 (AES-GCM), keyed by DTLS (RFC 5764).
//!
//! A transport has one [`Sealer`] and one [`Opener`] made together by [`from_dtls_server`] or [`from_dtls_client`].
//! Both hold only keys: what changes per stream is the caller's, so that the packet path finds it where it already
//! looks. That is the SRTP index of an outgoing stream (`rollover counter << 16 | sequence`, a plain `u64` that only
//! grows) and the [`ReplayWindow`] of an incoming SSRC.

mod cipher;
mod derivation;
mod opener;
mod replay;
mod sealer;

pub use opener::Opener;
pub use replay::ReplayWindow;
pub use sealer::Sealer;

use cipher::Keys;

/// Bytes by which sealing can lengthen a packet: an SRTCP GCM tag (16) and the SRTCP index (4).
pub const MAX_OVERHEAD: usize = 20;

/// A negotiated SRTP protection profile (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// `SRTP_AEAD_AES_128_GCM`, 0x0007.
    AeadAes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`, 0x0008.
    AeadAes256Gcm,
    /// `SRTP_AES128_CM_HMAC_SHA1_80`, 0x0001.
    Aes128CmSha1_80,
}

impl Profile {
    /// The name RFC 7714 and browsers' statistics use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AeadAes128Gcm => "AEAD_AES_128_GCM",
            Self::AeadAes256Gcm => "AEAD_AES_256_GCM",
            Self::Aes128CmSha1_80 => "AES_CM_128_HMAC_SHA1_80",
        }
    }

    /// Bytes of a master key.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::AeadAes256Gcm => 32,
            Self::AeadAes128Gcm | Self::Aes128CmSha1_80 => 16,
        }
    }

    /// Bytes of a master salt.
    #[must_use]
    pub const fn salt_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 => 14,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 12,
        }
    }

    /// Bytes of DTLS exported keying material (label `EXTRACTOR-dtls_srtp`).
    #[must_use]
    pub const fn keying_material_len(self) -> usize {
        2 * (self.key_len() + self.salt_len())
    }

    /// Bytes of an authentication tag.
    #[must_use]
    pub const fn tag_len(self) -> usize {
        match self {
            Self::Aes128CmSha1_80 => 10,
            Self::AeadAes128Gcm | Self::AeadAes256Gcm => 16,
        }
    }
}

/// The keying material has the wrong length, or the cryptographic library refused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError;

impl std::fmt::Display for KeyError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("unusable SRTP keying material")
    }
}

impl std::error::Error for KeyError {}

/// The contexts of a DTLS server: seals with the server's write key, opens with the client's (RFC 5764 section 4.2).
///
/// # Errors
/// [`KeyError`] when `material` is not exactly [`Profile::keying_material_len`] bytes.
pub fn from_dtls_server(profile: Profile, material: &[u8]) -> Result<(Sealer, Opener), KeyError> {
    let (client, server) = split(profile, material)?;
    Ok((
        Sealer::new(Keys::derive(profile, server.0, server.1)?),
        Opener::new(Keys::derive(profile, client.0, client.1)?),
    ))
}

/// The contexts of the DTLS client of the same association.
///
/// # Errors
/// As [`from_dtls_server`].
pub fn from_dtls_client(profile: Profile, material: &[u8]) -> Result<(Sealer, Opener), KeyError> {
    let (client, server) = split(profile, material)?;
    Ok((
        Sealer::new(Keys::derive(profile, client.0, client.1)?),
        Opener::new(Keys::derive(profile, server.0, server.1)?),
    ))
}

type KeyAndSalt<'a> = (&'a [u8], &'a [u8]);

/// RFC 5764 section 4.2: client key, server key, client salt, server salt.
fn split(profile: Profile, material: &[u8]) -> Result<(KeyAndSalt<'_>, KeyAndSalt<'_>), KeyError> {
    if material.len() != profile.keying_material_len() {
        return Err(KeyError);
    }
    let (keys, salts) = material.split_at(2 * profile.key_len());
    let (client_key, server_key) = keys.split_at(profile.key_len());
    let (client_salt, server_salt) = salts.split_at(profile.salt_len());
    Ok(((client_key, client_salt), (server_key, server_salt)))
}

#[cfg(test)]
mod tests;
