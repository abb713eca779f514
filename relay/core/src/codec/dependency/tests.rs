//! Descriptors written bit by bit after section A.8.2, and noise.

use super::pen::{L1T3, L3T3, Pen, with_structure};
use super::*;

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
