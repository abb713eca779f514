//! Descriptors written bit by bit after section A.8.2, and noise.

use super::*;

/// The inverse of `Bits`.
#[derive(Default)]
pub(crate) struct Pen {
    bytes: Vec<u8>,
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
type Row = (u8, u8, &'static [u32], &'static [u32], &'static str);

/// Section A.10.2.1.
const L1T3: &[Row] = &[
    (0, 0, &[], &[0], "SSS"),
    (0, 0, &[4], &[4], "SSS"),
    (0, 1, &[2], &[2], "SD-"),
    (0, 2, &[1], &[1], "D--"),
    (0, 2, &[1], &[3], "D--"),
];
/// Section A.10.2.2, of the temporal layers the two lowest rows of each spatial layer.
const L3T3: &[Row] = &[
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

fn indication(symbol: char) -> u32 {
    "-DSR".find(symbol).unwrap() as u32
}

/// `extended_descriptor_fields` with a structure.
fn with_structure(number: u32, rows: &[Row], protected: &[u32], active: Option<u32>, sizes: &[(u32, u32)]) -> Vec<u8> {
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

fn point(spatial: u8, temporal: u8) -> Point {
    Point { spatial, temporal }
}

#[test]
fn one_spatial_layer() {
    let bytes = with_structure(0xfffe, L1T3, &[0, 0, 0], None, &[(640, 360)]);
    let key = Descriptor::read(&bytes, None).unwrap();
    assert!(key.outline.has_structure && key.outline.begins && key.outline.ends);
    assert_eq!((key.outline.number, key.layer), (0xfffe, point(0, 0)));
    let structure = key.structure.unwrap();
    assert_eq!(structure.resolution(0), Some((640, 360)));
    assert_eq!(key.active, Some([point(0, 0), point(0, 1), point(0, 2)].into_iter().collect()));
    // Template 62, index 2: T1, in three bytes.
    let seen = Descriptor::read(&[0xbe, 0, 5], Some(&structure)).unwrap();
    assert_eq!((seen.layer, seen.references.as_slice()), (point(0, 1), &[2][..]));
    assert!(seen.present.has(point(0, 2)) && seen.present.has(point(0, 1)) && !seen.present.has(point(0, 0)));
    assert!(seen.switch.has(point(0, 2)) && !seen.switch.has(point(0, 1)), "S, D");
    assert_eq!(seen.active, None);
    // Ids wrap at 64: 63 is index 3, 0 index 4; 1 is none.
    assert_eq!(Descriptor::read(&[63, 0, 6], Some(&structure)).unwrap().layer, point(0, 2));
    assert_eq!(Descriptor::read(&[0, 0, 6], Some(&structure)).unwrap().layer, point(0, 2));
    assert_eq!(Descriptor::read(&[1, 0, 6], Some(&structure)), None);
    assert_eq!(Descriptor::read(&[62, 0, 5], None), None, "no structure yet");
}

#[test]
fn three_spatial_layers() {
    let protected = [2, 2, 2, 1, 1, 1, 0, 0, 0];
    let sizes = [(320, 180), (640, 360), (1280, 720)];
    let bytes = with_structure(7, L3T3, &protected, Some(0b1_1111_1000), &sizes);
    let key = Descriptor::read(&bytes, None).unwrap();
    let structure = key.structure.unwrap();
    assert_eq!(structure.resolution(2), Some((1280, 720)));
    let active = key.active.unwrap();
    assert_eq!(active.best(9, 9), Some(point(1, 2)), "the mask leaves the highest layer out");
    assert_eq!(structure.all().best(9, 9), Some(point(2, 2)));
    let upper = structure.template(60 + 3).unwrap();
    assert_eq!(
        (upper.layer, upper.present),
        (point(0, 2), [point(2, 2), point(1, 2), point(0, 2)].into_iter().collect())
    );
}

#[test]
fn custom_fields() {
    let structure = Descriptor::read(&with_structure(1, L1T3, &[0, 0, 0], None, &[]), None).unwrap().structure.unwrap();
    let mut pen = Pen::default();
    pen.put(0b10, 2).put(61, 6).put(300, 16);
    pen.put(0, 1).put(1, 1).put(0b111, 3); // mask, indications, differences and chains follow
    pen.put(0b110, 3); // decode targets 1 and 2
    pen.put(0, 2).put(2, 2).put(3, 2);
    pen.put(1, 2).put(4, 4).put(3, 2).put(0xfff, 12).put(0, 2);
    pen.put(9, 8);
    let seen = Descriptor::read(&pen.bytes, Some(&structure)).unwrap();
    assert_eq!(seen.active, Some([point(0, 0), point(0, 1)].into_iter().collect()));
    assert_eq!(seen.references.as_slice(), [5, 4096]);
    assert_eq!(seen.switch, [point(0, 1)].into_iter().collect());
    assert_eq!(seen.present, [point(0, 0), point(0, 1)].into_iter().collect());
    for len in 0..pen.bytes.len() - 2 {
        let cut = Descriptor::read(&pen.bytes[..len], Some(&structure));
        assert!(cut.is_none() || len == 3, "cut to {len}");
    }
}

#[test]
fn too_many_references() {
    let mut pen = Pen::default();
    let structure = Descriptor::read(&with_structure(1, L1T3, &[0, 0, 0], None, &[]), None).unwrap().structure.unwrap();
    pen.put(0b10, 2).put(61, 6).put(300, 16).put(0b00010, 5);
    for _ in 0..=MAX_REFERENCES {
        pen.put(1, 2).put(4, 4);
    }
    pen.put(0, 2);
    assert_eq!(Descriptor::read(&pen.bytes, Some(&structure)), None);
}

#[test]
fn noise_never_panics() {
    let mut noise = crate::noise::Noise::new(17);
    let good = with_structure(7, L3T3, &[2, 2, 2, 1, 1, 1, 0, 0, 0], None, &[(3, 3), (6, 6), (9, 9)]);
    let (mut known, mut read) = (None, 0);
    for _ in 0..50_000 {
        let mut bytes = if noise.chance(50) { good.clone() } else { noise.bytes(255) };
        for _ in 0..noise.below(4) {
            let at = noise.below(bytes.len().max(1) as u64) as usize;
            if let Some(byte) = bytes.get_mut(at) {
                *byte = noise.next() as u8;
            }
        }
        bytes.truncate(noise.below(256) as usize);
        if let Some(seen) = Descriptor::read(&bytes, known.as_ref()) {
            read += 1;
            known = seen.structure.or(known);
        }
    }
    assert!(read > 1_000);
}
