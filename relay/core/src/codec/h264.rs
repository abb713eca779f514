//! H.264 payloads (RFC 6184): where a key frame begins.

use crate::bytes::{u8_at, u16_at};

const IDR: u8 = 5;
const SEQUENCE_PARAMETERS: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// Units of one aggregate that are looked at.
const MAX_UNITS: usize = 32;

/// Whether the packet holds the sequence parameters, or the start of an IDR slice.
///
/// Encoders send the parameters right before the IDR picture with its timestamp, so either begins a key frame.
#[must_use]
pub fn is_key_frame(payload: &[u8]) -> bool {
    match u8_at(payload, 0).map(|byte| byte & 0x1f) {
        Some(STAP_A) => aggregate(payload),
        Some(FU_A) => u8_at(payload, 1).is_some_and(|byte| byte & 0x80 != 0 && begins(byte & 0x1f)),
        Some(unit) => begins(unit),
        None => false,
    }
}

fn begins(unit: u8) -> bool {
    unit == IDR || unit == SEQUENCE_PARAMETERS
}

fn aggregate(payload: &[u8]) -> bool {
    let mut at = 1;
    for _ in 0..MAX_UNITS {
        let (Some(len), Some(first)) = (u16_at(payload, at), u8_at(payload, at + 2)) else {
            return false;
        };
        if begins(first & 0x1f) {
            return true;
        }
        at += 2 + usize::from(len);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::is_key_frame;

    #[test]
    fn single_units() {
        assert!(is_key_frame(&[0x65, 0x88]), "IDR");
        assert!(is_key_frame(&[0x67, 0x42]), "SPS");
        assert!(!is_key_frame(&[0x41, 0x9a]), "P slice");
        assert!(!is_key_frame(&[0x68, 0xce]), "PPS alone");
        assert!(!is_key_frame(&[]));
    }

    #[test]
    fn aggregates() {
        assert!(is_key_frame(&[0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xce]), "SPS first");
        assert!(is_key_frame(&[0x78, 0, 2, 0x09, 0xf0, 0, 1, 0x65]), "delimiter, IDR");
        assert!(!is_key_frame(&[0x78, 0, 2, 0x41, 0x42, 0, 1, 0x68]));
        assert!(!is_key_frame(&[0x78, 0, 200, 0x41]), "length beyond the end");
        assert!(!is_key_frame(&[0x78, 0, 0, 0, 0]), "empty unit");
    }

    #[test]
    fn fragments() {
        assert!(is_key_frame(&[0x7c, 0x85, 0x88]), "start of IDR");
        assert!(!is_key_frame(&[0x7c, 0x05, 0x88]), "middle of IDR");
        assert!(!is_key_frame(&[0x7c, 0x81, 0x9a]), "start of P");
        assert!(!is_key_frame(&[0x7c]));
    }

    #[test]
    fn noise_never_panics() {
        let mut noise = crate::noise::Noise::new(5);
        let mut hits = 0;
        for _ in 0..20_000 {
            let mut payload = noise.bytes(40);
            if let Some(first) = payload.first_mut() {
                *first = *first & 0xe0 | if noise.chance(50) { 24 } else { 28 };
            }
            hits += u32::from(is_key_frame(&payload));
        }
        assert!(hits > 0);
    }
}
