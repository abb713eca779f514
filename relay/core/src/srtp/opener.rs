//! Authenticating and decrypting incoming packets, in place.

use aws_lc_rs::aead::Aad;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

use super::cipher::{CounterMode, Keys, SHA1_80, Suite, counter, nonce, rollover};
use super::{Profile, ReplayWindow};
use crate::bytes::{put, u32_at};
use crate::drop::Reason;
use crate::rtp::Header;

/// The E flag of the SRTCP index word.
const ENCRYPTED: u32 = 0x8000_0000;

/// Opens packets of one transport.
pub struct Opener {
    keys: Keys,
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Opener").field("profile", &self.keys.profile).finish_non_exhaustive()
    }
}

impl Opener {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys }
    }

    /// The negotiated profile.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.keys.profile
    }

    /// Opens an RTP packet in place and returns its payload (padding still inside, see [`Header::unpadded`]).
    /// `window` is the replay window of the packet's SSRC; it moves only when the packet is authentic.
    ///
    /// # Errors
    /// [`Reason::Replayed`], [`Reason::Truncated`] or [`Reason::Authentication`].
    #[inline]
    pub fn open_rtp<'a>(
        &self,
        packet: &'a mut [u8],
        header: &Header,
        window: &mut ReplayWindow,
    ) -> Result<&'a mut [u8], Reason> {
        let index = window.estimate(header.sequence);
        window.check(index)?;
        let sealed_len = packet.len();
        let plain_len = sealed_len.checked_sub(self.keys.profile.tag_len()).ok_or(Reason::Truncated)?;
        if plain_len < header.len {
            return Err(Reason::Truncated);
        }
        match &self.keys.rtp {
            Suite::Gcm { key, salt } => {
                let (head, body) = packet.split_at_mut(header.len);
                let nonce = nonce(salt, header.ssrc, index);
                let payload = key.open_in_place(nonce, Aad::from(&*head), body).map_err(|_| Reason::Authentication)?;
                window.accept(index);
                Ok(payload)
            }
            Suite::CmSha1(mode) => {
                let CounterMode { key, authentication, salt } = &**mode;
                let mut tag = [0u8; SHA1_80];
                tag.copy_from_slice(packet.get(plain_len..).ok_or(Reason::Truncated)?);
                put(packet, plain_len, &rollover(index));
                verify(authentication, packet.get(..plain_len + 4), &tag)?;
                let text = packet.get_mut(header.len..plain_len).ok_or(Reason::Truncated)?;
                key.less_safe_encrypt(text, counter(salt, header.ssrc, index)).map_err(|_| Reason::Authentication)?;
                window.accept(index);
                Ok(text)
            }
        }
    }

    /// Opens a compound RTCP packet in place and returns it. `window` gives the replay window of the sender's SSRC.
    ///
    /// # Errors
    /// As [`Opener::open_rtp`], and [`Reason::Unencrypted`].
    pub fn open_rtcp<'a>(&self, packet: &'a mut [u8], window: &mut ReplayWindow) -> Result<&'a mut [u8], Reason> {
        let ssrc = u32_at(packet, 4).ok_or(Reason::Truncated)?;
        let trailer = match self.keys.rtcp {
            Suite::Gcm { .. } => 4,
            Suite::CmSha1(_) => 4 + SHA1_80,
        };
        let word_at = packet.len().checked_sub(trailer).ok_or(Reason::Truncated)?;
        let word = u32_at(packet, word_at).ok_or(Reason::Truncated)?;
        if word & ENCRYPTED == 0 {
            return Err(Reason::Unencrypted);
        }
        let index = u64::from(word & !ENCRYPTED);
        window.check(index)?;
        match &self.keys.rtcp {
            Suite::Gcm { key, salt } => {
                let mut aad = [0u8; 12];
                put(&mut aad, 0, packet.get(..8).ok_or(Reason::Truncated)?);
                put(&mut aad, 8, &word.to_be_bytes());
                let body = packet.get_mut(8..word_at).ok_or(Reason::Truncated)?;
                let text_len = body.len().checked_sub(16).ok_or(Reason::Truncated)?;
                key.open_in_place(nonce(salt, ssrc, index), Aad::from(&aad), body)
                    .map_err(|_| Reason::Authentication)?;
                window.accept(index);
                packet.get_mut(..8 + text_len).ok_or(Reason::Truncated)
            }
            Suite::CmSha1(mode) => {
                let CounterMode { key, authentication, salt } = &**mode;
                if word_at < 8 {
                    return Err(Reason::Truncated);
                }
                let (signed, tag) = packet.split_at(word_at + 4);
                verify(authentication, Some(signed), tag)?;
                let text = packet.get_mut(8..word_at).ok_or(Reason::Truncated)?;
                key.less_safe_encrypt(text, counter(salt, ssrc, index)).map_err(|_| Reason::Authentication)?;
                window.accept(index);
                packet.get_mut(..word_at).ok_or(Reason::Truncated)
            }
        }
    }
}

/// Compares the truncated HMAC of `signed` with `tag` in constant time.
fn verify(key: &hmac::Key, signed: Option<&[u8]>, tag: &[u8]) -> Result<(), Reason> {
    let expected = hmac::sign(key, signed.ok_or(Reason::Truncated)?);
    let expected = expected.as_ref().get(..SHA1_80).ok_or(Reason::Authentication)?;
    verify_slices_are_equal(expected, tag).map_err(|_| Reason::Authentication)
}
