//! Key derivation, RFC 3711 section 4.3 (key derivation rate zero), with AES-128 or AES-256 as the pseudo-random function.

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};

use super::KeyError;

/// Labels of RFC 3711 section 4.3.1.
#[derive(Clone, Copy)]
pub(super) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// A counter-mode key of 16 or 32 bytes.
pub(super) fn counter_mode(key: &[u8]) -> Result<EncryptingKey, KeyError> {
    let algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
    let key = UnboundCipherKey::new(algorithm, key).map_err(|_| KeyError)?;
    EncryptingKey::ctr(key).map_err(|_| KeyError)
}

/// Derives `N` bytes. A salt of 12 bytes is padded with zeros on the right to 14 (RFC 7714 section 11).
pub(super) fn derive<const N: usize>(master: &EncryptingKey, salt: &[u8], label: Label) -> Result<[u8; N], KeyError> {
    let mut counter = [0u8; 16];
    counter.get_mut(..salt.len()).ok_or(KeyError)?.copy_from_slice(salt);
    counter[7] ^= label as u8;
    let mut out = [0u8; N];
    master.less_safe_encrypt(&mut out, EncryptionContext::Iv128(counter.into())).map_err(|_| KeyError)?;
    Ok(out)
}
