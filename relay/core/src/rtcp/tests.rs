//! Round trips, bounds and noise.

use super::*;

fn written(build: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = [0u8; 1200];
    let mut writer = Writer::new(&mut out, 1);
    build(&mut writer);
    let len = writer.len();
    out[..len].to_vec()
}

#[test]
fn reports_round_trip() {
    let info = SenderInfo { ntp: 0x0102_0304_0506_0708, timestamp: 9, packets: 10, octets: 11 };
    let block = ReportBlock {
        ssrc: 5,
        fraction_lost: 128,
        cumulative_lost: -3,
        highest: 0x1_0002,
        jitter: 7,
        last_report: 8,
        delay: 9,
    };
    let bytes = written(|writer| {
        assert!(writer.sender_report(0xaabb, &info));
        assert!(writer.canonical_name(0xaabb, b"abc"));
        assert!(writer.receiver_report(&[block, ReportBlock { cumulative_lost: 70, ..block }]));
        assert!(writer.goodbye(0xaabb));
    });
    let parsed: Vec<_> = packets(&bytes).collect();
    assert!(matches!(parsed[0], Packet::SenderReport { ssrc: 0xaabb, info: seen, .. } if seen == info));
    let Packet::ReceiverReport { blocks } = parsed[1].clone() else { panic!("{:?}", parsed[1]) };
    assert_eq!(blocks.collect::<Vec<_>>(), [block, ReportBlock { cumulative_lost: 70, ..block }]);
    assert_eq!(parsed[2], Packet::Goodbye { ssrc: 0xaabb });
    assert_eq!(parsed.len(), 3, "the source description is skipped");
}

#[test]
fn feedback_round_trips_and_begins_with_a_report() {
    let lost = [0xfffe, 0xffff, 0, 13, 14, 15, 400];
    let bytes = written(|writer| {
        assert!(writer.nack(77, &lost));
        assert!(writer.pli(78));
        assert!(writer.fir(79, 3));
        assert!(writer.remb(2_500_000, &[80, 81]));
    });
    assert_eq!(bytes[..8], [0x80, 201, 0, 1, 0, 0, 0, 1]);
    let parsed: Vec<_> = packets(&bytes).collect();
    let Packet::Nack { ssrc: 77, entries } = parsed[1].clone() else { panic!("{:?}", parsed[1]) };
    assert_eq!(entries.collect::<Vec<_>>(), lost);
    assert_eq!(parsed[2], Packet::Pli { ssrc: 78 });
    let Packet::Fir { entries } = parsed[3].clone() else { panic!("{:?}", parsed[3]) };
    assert_eq!(entries.collect::<Vec<_>>(), [(79, 3)]);
    let Packet::Remb { bitrate, streams: 2 } = parsed[4] else { panic!("{:?}", parsed[4]) };
    assert!((2_499_000..=2_500_000).contains(&bitrate), "{bitrate}");
}

#[test]
fn remb_exponents() {
    for bitrate in [0, 1, 0x3_ffff, 0x4_0000, 30_000, 100_000_000, u64::MAX] {
        let bytes = written(|writer| assert!(writer.remb(bitrate, &[1])));
        let Some(Packet::Remb { bitrate: seen, streams: 1 }) = packets(&bytes).nth(1) else { panic!() };
        assert!(seen <= bitrate && bitrate - seen <= bitrate >> 17, "{bitrate} {seen}");
    }
}

#[test]
fn a_part_that_does_not_fit_leaves_nothing() {
    let mut out = [0u8; 20];
    let mut writer = Writer::new(&mut out, 1);
    assert!(!writer.nack(5, &[1]), "8 bytes of report and 16 of NACK");
    assert!(writer.is_empty());
    assert!(writer.receiver_report(&[]));
    assert!(writer.pli(3));
    assert_eq!(writer.len(), 20);
    assert!(!writer.pli(3));
    assert_eq!(writer.len(), 20);
}

#[test]
fn padding_is_removed() {
    let mut bytes = written(|writer| assert!(writer.nack(5, &[9])));
    bytes[8] |= 0x20;
    bytes[11] += 1;
    bytes.extend_from_slice(&[0, 0, 0, 4]);
    let Some(Packet::Nack { entries, .. }) = packets(&bytes).nth(1) else { panic!() };
    assert_eq!(entries.collect::<Vec<_>>(), [9]);
}

#[test]
fn noise_never_panics() {
    let mut noise = crate::noise::Noise::new(7);
    for _ in 0..20_000 {
        let mut data = noise.bytes(96);
        if data.len() > 3 {
            data[0] = 0x80 | data[0] & 0x3f;
            data[1] = 200 + data[1] % 8;
            data[2] = 0;
            data[3] %= 24;
        }
        for packet in packets(&data) {
            match packet {
                Packet::SenderReport { blocks, .. } | Packet::ReceiverReport { blocks } => {
                    assert!(blocks.count() <= 31);
                }
                Packet::Nack { entries, .. } => assert!(entries.count() <= 17 * 24),
                Packet::Fir { entries } => assert!(entries.count() <= 24),
                _ => {}
            }
        }
    }
}
