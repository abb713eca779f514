//! Descriptors written bit by bit after section A.8.2, for tests.

/// The inverse of `Bits`.
#[derive(Default)]
pub(crate) struct Pen {
    pub bytes: Vec<u8>,
    at: usize,
}

impl Pen {
    pub fn put(&mut self, value: u32, count: u32) -> &mut Self {
        for bit in (0..count).rev() {
            if self.at.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((value >> bit & 1) as u8) << (7 - self.at % 8);
            self.at += 1;
        }
        self
    }

    /// `write_ns`.
    pub fn below(&mut self, range: u32, value: u32) -> &mut Self {
        let width = u32::BITS - range.leading_zeros();
        let short = (1 << width) - range;
        if value < short { self.put(value, width - 1) } else { self.put(value + short, width) }
    }
}

/// A template of the specification's tables: spatial, temporal, differences, chains, indications as `SDR-`.
pub(crate) type Row = (u8, u8, &'static [u32], &'static [u32], &'static str);

/// Section A.10.2.1.
pub(crate) const L1T3: &[Row] = &[
    (0, 0, &[], &[0], "SSS"),
    (0, 0, &[4], &[4], "SSS"),
    (0, 1, &[2], &[2], "SD-"),
    (0, 2, &[1], &[1], "D--"),
    (0, 2, &[1], &[3], "D--"),
];
/// Section A.10.2.2, of the temporal layers the two lowest rows of each spatial layer.
pub(crate) const L3T3: &[Row] = &[
    (0, 0, &[], &[0, 0, 0], "SSSSSSSSS"),
    (0, 0, &[12], &[12, 11, 10], "RRRRRRSSS"),
    (0, 1, &[6], &[6, 5, 4], "RR-RR-SD-"),
    (0, 2, &[3], &[3, 2, 1], "R--R--D--"),
    (1, 0, &[1], &[1, 1, 1], "SSSSSS---"),
    (1, 0, &[12, 1], &[1, 1, 1], "RRRSSS---"),
    (2, 0, &[1], &[2, 1, 1], "SSS------"),
    (2, 0, &[12, 1], &[2, 1, 1], "SSS------"),
    (2, 1, &[6, 1], &[8, 7, 6], "SD-------"),
];

/// Section A.10.2.3 without its shift: above the key picture, spatial layers do not refer to one another.
pub(crate) const K_SVC: &[Row] = &[
    (0, 0, &[], &[0, 0, 0], "SSSSSSSSS"),
    (0, 0, &[3], &[3, 2, 1], "------SSS"),
    (1, 0, &[1], &[1, 1, 1], "SSSSSS---"),
    (1, 0, &[3], &[1, 3, 2], "---SSS---"),
    (2, 0, &[1], &[2, 1, 1], "SSS------"),
    (2, 0, &[3], &[2, 1, 3], "SSS------"),
];

/// A descriptor of three bytes.
pub(crate) fn delta(number: u16, template: usize) -> Vec<u8> {
    let number = number.to_be_bytes();
    vec![0xc0 | (60 + template as u8) & 0x3f, number[0], number[1]]
}

fn indication(symbol: char) -> u32 {
    "-DSR".find(symbol).unwrap() as u32
}

/// `extended_descriptor_fields` with a structure.
pub(crate) fn with_structure(
    number: u32,
    rows: &[Row],
    protected: &[u32],
    active: Option<u32>,
    sizes: &[(u32, u32)],
) -> Vec<u8> {
    let targets = rows[0].4.len() as u32;
    let mut pen = Pen::default();
    pen.put(0b11, 2).put(60, 6).put(number, 16);
    pen.put(1, 1).put(u32::from(active.is_some()), 1).put(0, 3);
    pen.put(60, 6).put(targets - 1, 5);
    for pair in rows.windows(2) {
        let step = if pair[1].0 > pair[0].0 { 2 } else { u32::from(pair[1].1 > pair[0].1) };
        pen.put(step, 2);
    }
    pen.put(3, 2);
    for symbol in rows.iter().flat_map(|row| row.4.chars()) {
        pen.put(indication(symbol), 2);
    }
    for row in rows {
        for difference in row.2 {
            pen.put(1, 1).put(difference - 1, 4);
        }
        pen.put(0, 1);
    }
    let chains = rows[0].3.len() as u32;
    pen.below(targets + 1, chains);
    for chain in protected {
        pen.below(chains, *chain);
    }
    for chain in rows.iter().flat_map(|row| row.3) {
        pen.put(*chain, 4);
    }
    pen.put(u32::from(!sizes.is_empty()), 1);
    for (width, height) in sizes {
        pen.put(width - 1, 16).put(height - 1, 16);
    }
    if let Some(active) = active {
        pen.put(active, targets);
    }
    pen.bytes.clone()
}
