//! Encrypting outgoing packets.

use aws_lc_rs::aead::Aad;
use aws_lc_rs::hmac;

use super::cipher::{CounterMode, Keys, SHA1_80, Suite, counter, nonce, rollover};
use super::{MAX_OVERHEAD, Profile};
use crate::bytes::{put, u32_at};

/// The E flag of the SRTCP index word: the packet is encrypted.
const ENCRYPTED: u32 = 0x8000_0000;

/// Seals packets of one transport.
pub struct Sealer {
    keys: Keys,
    /// SRTCP index of the next packet: one count for all SSRCs, so it never repeats for any.
    rtcp_index: u32,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sealer").field("profile", &self.keys.profile).finish_non_exhaustive()
    }
}

impl Sealer {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys, rtcp_index: 0 }
    }

    /// The negotiated profile.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.keys.profile
    }

    /// Moves the SRTCP index on.
    #[cfg(test)]
    pub(super) fn skip_rtcp(&mut self, index: u32) {
        self.rtcp_index = index;
    }

    /// Seals one RTP packet into `slot`, whose first `header_len` bytes hold the header; `payload` and `padding` are the
    /// plaintext (the padding as RFC 3550 section 5.1 wants it, with the P bit set in the header, or empty).
    ///
    /// With AES-GCM the payload is encrypted straight from where it is stored: it is never copied. Returns the length of
    /// the packet, `None` when `slot` is too short. `index` must never repeat for an SSRC.
    #[inline]
    pub fn seal_rtp(
        &self,
        slot: &mut [u8],
        header_len: usize,
        payload: &[u8],
        padding: &[u8],
        index: u64,
    ) -> Option<usize> {
        let ssrc = u32_at(slot, 8)?;
        let plain_len = header_len + payload.len() + padding.len();
        let sealed_len = plain_len + self.keys.profile.tag_len();
        let (header, body) = slot.get_mut(..sealed_len)?.split_at_mut_checked(header_len)?;
        match &self.keys.rtp {
            Suite::Gcm { key, salt } => {
                let (text, rest) = body.split_at_mut_checked(payload.len())?;
                let nonce = nonce(salt, ssrc, index);
                key.seal_out_of_place_scatter(nonce, Aad::from(&*header), payload, text, padding, rest).ok()?;
            }
            Suite::CmSha1(mode) => {
                let CounterMode { key, authentication, salt } = &**mode;
                put(body, 0, payload);
                put(body, payload.len(), padding);
                let text = body.get_mut(..payload.len() + padding.len())?;
                key.less_safe_encrypt(text, counter(salt, ssrc, index)).ok()?;
                // The tag covers the packet and the rollover counter, which stands for a moment where the tag will be.
                put(slot, plain_len, &rollover(index));
                let tag = hmac::sign(authentication, slot.get(..plain_len + 4)?);
                put(slot, plain_len, tag.as_ref().get(..SHA1_80)?);
            }
        }
        Some(sealed_len)
    }

    /// Seals the compound RTCP packet in the first `len` bytes of `slot`, in place. Returns the new length, `None` when
    /// `slot` has no room for [`MAX_OVERHEAD`] more bytes or the 2^31 packets of a key are used up.
    pub fn seal_rtcp(&mut self, slot: &mut [u8], len: usize) -> Option<usize> {
        let slot = slot.get_mut(..len + MAX_OVERHEAD)?;
        let ssrc = u32_at(slot.get(..len)?, 4)?;
        let index = self.rtcp_index;
        if index >= ENCRYPTED {
            return None;
        }
        self.rtcp_index += 1;
        let word = (ENCRYPTED | index).to_be_bytes();
        let (header, body) = slot.split_at_mut_checked(8)?;
        let text_len = len - 8;
        match &self.keys.rtcp {
            Suite::Gcm { key, salt } => {
                // RFC 7714 section 9.2: the header and the index word are authenticated only.
                let mut aad = [0u8; 12];
                put(&mut aad, 0, header);
                put(&mut aad, 8, &word);
                let nonce = nonce(salt, ssrc, u64::from(index));
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&aad), body.get_mut(..text_len)?).ok()?;
                put(body, text_len, tag.as_ref());
                put(body, text_len + 16, &word);
                Some(len + 20)
            }
            Suite::CmSha1(mode) => {
                let CounterMode { key, authentication, salt } = &**mode;
                key.less_safe_encrypt(body.get_mut(..text_len)?, counter(salt, ssrc, u64::from(index))).ok()?;
                put(slot, len, &word);
                let tag = hmac::sign(authentication, slot.get(..len + 4)?);
                put(slot, len + 4, tag.as_ref().get(..SHA1_80)?);
                Some(len + 4 + SHA1_80)
            }
        }
    }
}
