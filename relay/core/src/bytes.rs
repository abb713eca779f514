//! Checked big-endian reads of untrusted bytes.

/// The byte at `at`.
pub(crate) fn u8_at(data: &[u8], at: usize) -> Option<u8> {
    data.get(at).copied()
}

/// The 16-bit number at `at`.
pub(crate) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes))
}

/// The 24-bit number at `at`.
pub(crate) fn u24_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk::<3>().map(|[a, b, c]| u32::from_be_bytes([0, *a, *b, *c]))
}

/// The 32-bit number at `at`.
pub(crate) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}

/// Writes `bytes` at `at`; false (and nothing written) if they do not fit.
pub(crate) fn put(out: &mut [u8], at: usize, bytes: &[u8]) -> bool {
    match out.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
        Some(place) => {
            place.copy_from_slice(bytes);
            true
        }
        None => false,
    }
}
