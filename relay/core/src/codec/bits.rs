//! Bits of untrusted bytes, most significant first.

/// A position in a run of bits.
#[derive(Clone, Debug)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    /// From the first bit of `data`.
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// One bit.
    pub fn flag(&mut self) -> Option<bool> {
        let byte = self.data.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// The unsigned number of `count` (0..=32) bits: `f(n)` of the AV1 RTP specification.
    pub fn take(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |number, _| Some(number << 1 | u32::from(self.flag()?)))
    }

    /// As [`Bits::take`] of at most 8 bits.
    pub fn small(&mut self, count: u32) -> Option<u8> {
        self.take(count.min(8)).map(|number| number.to_le_bytes()[0])
    }

    /// A number below `range` in as few bits as may be: `ns(n)` of the AV1 RTP specification. `range` is 1..=33.
    pub fn below(&mut self, range: u32) -> Option<u32> {
        let width = u32::BITS - range.leading_zeros();
        let short = (1u32 << width) - range;
        let value = self.take(width.checked_sub(1)?)?;
        if value < short { Some(value) } else { Some((value << 1) - short + self.take(1)?) }
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn numbers() {
        let mut bits = Bits::new(&[0b1010_0110, 0xff]);
        assert_eq!((bits.take(3), bits.small(5), bits.at), (Some(5), Some(6), 8));
        assert_eq!((bits.take(9), bits.take(0)), (None, Some(0)), "beyond the end");
    }

    #[test]
    fn non_symmetric() {
        // The table of section A.8.2: 0..5 as 00 01 10 110 111.
        let mut bits = Bits::new(&[0b0001_1011, 0b0111_0000]);
        let values: Vec<_> = (0..5).map(|_| bits.below(5).unwrap()).collect();
        assert_eq!((values, bits.at), (vec![0, 1, 2, 3, 4], 12));
        assert_eq!(Bits::new(&[]).below(1), Some(0), "one value takes no bits");
    }
}
