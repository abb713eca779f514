//! ICE and DTLS: connecting, refusing, noticing silence, restarting.

use relay_core::message::{Command, Event, TransportPhase};
use str0m::config::DtlsVersion;

use crate::world::World;

#[test]
fn connects_with_the_strongest_profile_by_the_version_offered() {
    use DtlsVersion::{Auto, Dtls12, Dtls13};
    for (offered, taken) in [(Dtls12, "1.2"), (Dtls13, "1.3"), (Auto, "1.3")] {
        let mut world = World::new();
        world.dtls = offered;
        let client = world.join("a");
        let address = world.clients[client].address.to_string();
        let told = world.events.iter().find_map(|event| match event {
            Event::TransportState { phase: TransportPhase::Connected, remote, srtp_profile, dtls, .. } => {
                Some([remote.clone()?, srtp_profile.clone()?, dtls.clone()?])
            }
            _ => None,
        });
        assert_eq!(told, Some([address, "AEAD_AES_256_GCM".into(), taken.into()]));
        world.clients[client].open_channel("talks");
        world.until(5_000, |world| world.clients[client].channel("talks").is_some());
    }
}

#[test]
fn a_wrong_certificate_fails_before_any_key_is_used() {
    for dtls in [DtlsVersion::Dtls12, DtlsVersion::Dtls13] {
        let mut world = World::new();
        world.dtls = dtls;
        let index = world.open("a");
        let mut remote = world.clients[index].set_remote();
        if let Command::SetRemote { fingerprint, .. } = &mut remote {
            *fingerprint = vec!["AB"; 32].join(":");
        }
        world.command(remote);
        world.until(5_000, |world| world.phase("a") == Some(TransportPhase::Failed));
        assert_eq!(world.reason("a"), Some("fingerprint"));
        world.run(2_000);
        // In 1.3 a client is done with its own flight, before the server has judged it.
        assert!(!world.clients[index].connected || dtls == DtlsVersion::Dtls13);
        assert!(
            world
                .events
                .iter()
                .all(|event| !matches!(event, Event::TransportState { phase: TransportPhase::Connected, .. }))
        );
    }
}

#[test]
fn checks_that_come_before_the_sdp_are_answered_after_it() {
    let mut world = World::new();
    let index = world.open("a");
    world.run(800);
    assert_eq!(world.phase("a"), Some(TransportPhase::Connecting));
    let remote = world.clients[index].set_remote();
    world.command(remote);
    world.until(3_000, |world| world.phase("a") == Some(TransportPhase::Connected));
}

#[test]
fn connects_although_every_fifth_datagram_is_lost() {
    for offered in [DtlsVersion::Dtls12, DtlsVersion::Dtls13, DtlsVersion::Auto] {
        let mut world = World::new();
        (world.loss, world.dtls) = (5, offered);
        for client in 0..5 {
            world.join(&format!("client-{client}"));
        }
    }
}

#[test]
fn a_silent_peer_fails_within_twenty_seconds_and_a_talking_one_does_not() {
    let mut world = World::new();
    let silent = world.join("silent");
    world.join("talking");
    let away = world.clients.remove(silent);
    world.until(20_000, |world| world.phase("silent") == Some(TransportPhase::Failed));
    assert_eq!(world.reason("silent"), Some("ice_timeout"));
    world.run(30_000);
    assert_eq!(world.phase("talking"), Some(TransportPhase::Connected));
    world.clients.push(away);
    world.run(10_000);
    assert!(world.dropped("silent", "ended") > 0, "who comes back is not answered, and so learns to come anew");
}

#[test]
fn a_restart_keeps_the_transport_and_the_old_checks_answered() {
    let mut world = World::new();
    let index = world.join("a");
    let (ufrag, password) = ("renewed".to_owned(), "abcdefghijklmnopqrstuv".to_owned());
    world.command(Command::RestartIce { transport: "a".into(), ufrag: ufrag.clone(), password: password.clone() });
    world.run(8_000); // the new offer is on its way: consent goes on with the old credentials
    assert_eq!(world.phase("a"), Some(TransportPhase::Connected));
    let creds = str0m::IceCreds::new();
    let mut api = world.clients[index].rtc.direct_api();
    api.set_local_ice_credentials(creds.clone());
    api.set_remote_ice_credentials(str0m::IceCreds { ufrag, pass: password });
    let remote = world.clients[index].set_remote();
    world.command(remote);
    world.run(40_000);
    assert_eq!(world.phase("a"), Some(TransportPhase::Connected));
    assert_eq!(world.dropped("a", "stun_unauthenticated"), 0);
}

#[test]
fn a_closed_transport_says_goodbye_and_frees_its_names() {
    let mut world = World::new();
    world.join("a");
    world.command(Command::CloseTransport { transport: "a".into() });
    assert!(world.sends(21), "a DTLS alert: close_notify");
    world.run(1);
    assert_eq!(world.phase("a"), Some(TransportPhase::Closed));
    assert!(world.relay.stats(0, None, world.now).transports.is_empty());
    world.clients.clear();
    world.events.clear();
    world.join("a");
}

#[test]
fn commands_that_cannot_be_done_are_answered() {
    let mut world = World::new();
    world.open("a");
    let open = |id: &str, ufrag: &str, password: &str| Command::OpenTransport {
        transport: id.into(),
        room: "room".into(),
        ufrag: ufrag.into(),
        password: password.into(),
    };
    let password = "0123456789012345678901";
    world.command(open("a", "other", password));
    world.command(open("b", "ufrag-a", password));
    world.command(open("b", "abc", password));
    world.command(Command::RemoveTrack { track: "t".into() });
    world.command(Command::Unsubscribe { subscription: "s".into() });
    world.command(Command::CloseTransport { transport: "z".into() });
    world.run(1);
    let codes: Vec<&str> = world
        .events
        .iter()
        .filter_map(|event| match event {
            Event::CommandFailed { code, .. } => Some(code.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(
        codes,
        ["duplicate_id", "duplicate_id", "invalid", "unknown_track", "unknown_subscription", "unknown_transport"]
    );
}
