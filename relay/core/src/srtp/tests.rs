//! Vectors of RFC 3711 and RFC 7714, round trips, refusals.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Algorithm, LessSafeKey, UnboundKey};
use aws_lc_rs::cipher::EncryptionContext;

use super::cipher::{Suite, counter};
use super::derivation::{Label, counter_mode, derive};
use super::*;
use crate::drop::Reason;
use crate::rtp::{ExtensionMap, Header};

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.bytes().filter_map(|byte| char::from(byte).to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// RFC 3711 appendix B.3.
#[test]
fn rfc_3711_key_derivation() {
    let master = counter_mode(&hex("E1F97A0D3E018BE0D64FA32C06DE4139")).unwrap();
    let salt = hex("0EC675AD498AFEEBB6960B3AABE6");
    let key: [u8; 16] = derive(&master, &salt, Label::RtpEncryption).unwrap();
    assert_eq!(key[..], hex("C61E7A93744F39EE10734AFE3FF7A087"));
    let session_salt: [u8; 14] = derive(&master, &salt, Label::RtpSalt).unwrap();
    assert_eq!(session_salt[..], hex("30CBBC08863D8C85D49DB34A9AE1"));
    let authentication: [u8; 94] = derive(&master, &salt, Label::RtpAuthentication).unwrap();
    let expected = hex(
        "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF72270986371C10C9A369AC2\
         F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2",
    );
    assert_eq!(authentication[..], expected);
}

/// RFC 3711 appendix B.2.
#[test]
fn rfc_3711_keystream() {
    let key = counter_mode(&hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap();
    let salt: [u8; 14] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap();
    let mut stream = [0u8; 48];
    key.less_safe_encrypt(&mut stream, counter(&salt, 0, 0)).unwrap();
    assert_eq!(
        stream[..],
        hex("E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0")
    );
    let mut far = [0u8; 16];
    let at = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF");
    key.less_safe_encrypt(&mut far, EncryptionContext::Iv128(at.as_slice().try_into().unwrap())).unwrap();
    assert_eq!(far[..], hex("EC8CDF7398607CB0F2D21675EA9EA1E4"));
}

fn gcm(algorithm: &'static Algorithm, key_len: u8) -> Keys {
    let suite = || {
        let key: Vec<u8> = (0..key_len).collect();
        let salt = hex("5175696420 70726f 20 71756f").try_into().unwrap();
        Suite::Gcm { key: LessSafeKey::new(UnboundKey::new(algorithm, &key).unwrap()), salt }
    };
    let profile = if key_len == 16 { Profile::AeadAes128Gcm } else { Profile::AeadAes256Gcm };
    Keys { profile, rtp: suite(), rtcp: suite() }
}

const RTP: &str = "8040f17b 8041f8d3 5501a0b2 47616c6c 696120 65737420 6f6d6e69 73206469 76697361 20696e20 \
                   70617274 65732074 726573";
const RTCP: &str = "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef \
                    deadbeef deadbeef";

fn check_rtp(algorithm: &'static Algorithm, key_len: u8, expected: &str) {
    let plain = hex(RTP);
    let mut slot = vec![0; 100];
    slot[..12].copy_from_slice(&plain[..12]);
    let len = Sealer::new(gcm(algorithm, key_len)).seal_rtp(&mut slot, 12, &plain[12..], &[], 0xf17b).unwrap();
    assert_eq!(slot[..len], hex(expected));
    let header = Header::parse(&slot[..len], &ExtensionMap::default()).unwrap();
    let opener = Opener::new(gcm(algorithm, key_len));
    let mut window = ReplayWindow::default();
    assert_eq!(opener.open_rtp(&mut slot[..len], &header, &mut window).unwrap(), &plain[12..]);
}

/// RFC 7714 sections 16.1.1 and 16.2.1.
#[test]
fn rfc_7714_rtp() {
    check_rtp(
        &AES_128_GCM,
        16,
        "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf \
         8833899d 7f27beb1 6a9152cf 765ee439 0cce",
    );
    check_rtp(
        &AES_256_GCM,
        32,
        "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799 \
         b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13",
    );
}

/// RFC 7714 sections 17.1 and 17.3: SRTCP index 000005d4.
#[test]
fn rfc_7714_rtcp() {
    let vectors = [
        (
            &AES_128_GCM,
            16,
            "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded \
             0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4",
        ),
        (
            &AES_256_GCM,
            32,
            "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658 c61de047 \
             6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4",
        ),
    ];
    for (algorithm, key_len, expected) in vectors {
        let mut slot = hex(RTCP);
        let len = slot.len();
        slot.resize(len + MAX_OVERHEAD, 0);
        let mut sealer = Sealer::new(gcm(algorithm, key_len));
        sealer.skip_rtcp(0x5d4);
        let len = sealer.seal_rtcp(&mut slot, len).unwrap();
        assert_eq!(slot[..len], hex(expected));
        let opener = Opener::new(gcm(algorithm, key_len));
        assert_eq!(opener.open_rtcp(&mut slot[..len], &mut ReplayWindow::default()).unwrap(), hex(RTCP));
    }
}

const PROFILES: [Profile; 3] = [Profile::AeadAes128Gcm, Profile::AeadAes256Gcm, Profile::Aes128CmSha1_80];

fn pair(profile: Profile) -> (Sealer, Opener) {
    let material: Vec<u8> = (0..).take(profile.keying_material_len()).collect();
    (from_dtls_server(profile, &material).unwrap().0, from_dtls_client(profile, &material).unwrap().1)
}

fn sealed(sealer: &Sealer, index: u64, payload: &[u8], padding: &[u8]) -> Vec<u8> {
    let mut slot = vec![0; 200];
    slot[0] = 0x80 | if padding.is_empty() { 0 } else { 0x20 };
    slot[2..4].copy_from_slice(&(index as u16).to_be_bytes());
    let len = sealer.seal_rtp(&mut slot, 12, payload, padding, index).unwrap();
    slot.truncate(len);
    slot
}

fn open(opener: &Opener, packet: &mut [u8], window: &mut ReplayWindow) -> Result<Vec<u8>, Reason> {
    let header = Header::parse(packet, &ExtensionMap::default()).unwrap();
    let payload = opener.open_rtp(packet, &header, window)?;
    header.unpadded(payload).map(<[u8]>::to_vec)
}

#[test]
fn every_profile_across_rollovers() {
    for profile in PROFILES {
        let (sealer, opener) = pair(profile);
        let mut window = ReplayWindow::default();
        for index in (0x7000..0x3_2000u64).step_by(997) {
            let padding: &[u8] = if index % 2 == 0 { &[0, 2] } else { &[] };
            let packet = sealed(&sealer, index, b"some payload", padding);
            assert_eq!(packet.len(), 12 + 12 + padding.len() + profile.tag_len());
            assert_eq!(open(&opener, &mut packet.clone(), &mut window).unwrap(), b"some payload");
            assert_eq!(open(&opener, &mut packet.clone(), &mut window), Err(Reason::Replayed));
        }
    }
}

#[test]
fn every_changed_byte_is_refused() {
    for profile in PROFILES {
        let (mut sealer, opener) = pair(profile);
        let packet = sealed(&sealer, 1, b"payload", &[]);
        for at in 1..packet.len() {
            let mut changed = packet.clone();
            changed[at] ^= 1;
            let mut window = ReplayWindow::default();
            assert!(open(&opener, &mut changed, &mut window).is_err(), "{profile:?} byte {at}");
            assert!(open(&opener, &mut packet.clone(), &mut window).is_ok(), "a forgery must not move the window");
        }
        let mut slot = [0u8; 64];
        slot[..8].copy_from_slice(&[0x80, 201, 0, 1, 0, 0, 0, 1]);
        let len = sealer.seal_rtcp(&mut slot, 8).unwrap();
        for at in 0..len {
            let mut changed = slot;
            changed[at] ^= 0x80;
            assert!(opener.open_rtcp(&mut changed[..len], &mut ReplayWindow::default()).is_err(), "{profile:?} {at}");
        }
        let mut window = ReplayWindow::default();
        assert_eq!(opener.open_rtcp(&mut { slot }[..len], &mut window).unwrap(), [0x80, 201, 0, 1, 0, 0, 0, 1]);
        assert_eq!(opener.open_rtcp(&mut slot[..len], &mut window), Err(Reason::Replayed));
    }
}

#[test]
fn short_packets_and_slots() {
    for profile in PROFILES {
        let (mut sealer, opener) = pair(profile);
        let header = Header { len: 12, ..Header::default() };
        for len in 0..40 {
            let mut data = vec![0x80; len];
            assert!(opener.open_rtp(&mut data, &header, &mut ReplayWindow::default()).is_err());
            let mut data = vec![0x80; len];
            assert!(opener.open_rtcp(&mut data, &mut ReplayWindow::default()).is_err());
        }
        assert_eq!(sealer.seal_rtp(&mut [0; 30], 12, &[0; 10], &[], 0), None);
        assert_eq!(sealer.seal_rtp(&mut [0; 8], 12, &[], &[], 0), None);
        assert_eq!(sealer.seal_rtcp(&mut [0; 27], 8), None);
        assert!(from_dtls_server(profile, &[0; 10]).is_err());
    }
}
