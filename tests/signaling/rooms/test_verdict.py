"""Health rules: what makes a room unusable, degraded or unknown, and how fast it shows and recovers."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from devices.notices import NOTICES as DEVICE_NOTICES
from signaling.rooms import notices
from signaling.rooms.notices import NOTICES
from signaling.rooms.verdict import BESIDE, COMPLAINTS, ROLES, SIGNALS, Facts, HealthWatch, Heard
from tests.signaling.rooms.world import camera, display
from web.catalogs import load, places
from wire.devices import Connection, Device, Role
from wire.health import Health, Signal, Status
from wire.link import Phase
from wire.problems import Notice

NOW = 1000.0
OFF = Connection.UNREACHABLE


def facts(*devices: Device, signals: tuple[Heard, ...] = (), **more: Any) -> Facts:
    known = {device.id: device for device in devices}
    return Facts(online=True, reported=True, seen=NOW, devices=known, signals=signals, who="Accueil", **more)


def heard(code: str, status: Status, subject: str = "agent", ttl: float = 60.0, at: float = NOW) -> Heard:
    return Heard(Signal(code, subject, status, at, ttl, value=3.4), at, at + ttl)


def device(role: Role, connection: Connection = Connection.ONLINE) -> Device:
    return Device(role.value, role, "x", role.value, connection)


def codes(watch: HealthWatch, given: Facts, now: float = NOW) -> tuple[Health, list[str]]:
    verdict = watch.judge(given, now)
    return verdict.health, [notice.code for notice in verdict.because]


def test_a_room_that_reports_well_is_ready_and_says_how_old_the_proof_is() -> None:
    verdict = HealthWatch().judge(facts(camera(), display(), signals=(heard("disk_free", Status.OK, at=990.0),)), NOW)
    assert (verdict.health, verdict.because, verdict.who) == (Health.READY, [], "")
    assert verdict.observed_at == 990.0


@pytest.mark.parametrize("role", list(Role))
def test_a_silent_device_counts_by_its_role(role: Role) -> None:
    verdict = HealthWatch().judge(facts(device(role, OFF)), NOW)
    assert verdict.health is ROLES.get(role, BESIDE).health
    assert verdict.because[0].code == ROLES.get(role, BESIDE).silent
    assert verdict.next_step == Notice(ROLES.get(role, BESIDE).next_step)
    assert verdict.who == "Accueil"


ASIDE = [Role.OCCUPANCY_SENSOR, Role.AIR_SENSOR, Role.UPS, Role.NETWORK_SWITCH]


@pytest.mark.parametrize("role", ASIDE)
def test_what_meetings_do_not_need_is_said_without_alarm(role: Role) -> None:
    assert codes(HealthWatch(), facts(device(role, OFF), camera())) == (Health.READY, [notices.ASIDE_SILENT])
    assert codes(HealthWatch(), facts(device(role, Connection.CONNECTING))) == (Health.READY, [])


def test_a_sensor_with_an_empty_battery_is_no_reason_to_refuse_a_room() -> None:
    empty = msgspec.structs.replace(device(Role.AIR_SENSOR), fault=Notice("device.battery", {"device": "air"}))
    assert codes(HealthWatch(), facts(empty)) == (Health.READY, ["device.battery"])


@pytest.mark.parametrize("code", ["device.on_battery", "device.battery_low"])
def test_a_supply_on_battery_is_a_warning_with_its_own_next_step(code: str) -> None:
    ups = msgspec.structs.replace(device(Role.UPS), fault=Notice(code, {"device": "ups"}))
    verdict = HealthWatch().judge(facts(ups), NOW)
    assert (verdict.health, verdict.because[0].code) == (Health.DEGRADED, code)
    assert verdict.next_step == Notice(f"{code}.next")


@pytest.mark.parametrize("code", ["device.password", "device.driver_blocked", "device.refused"])
def test_a_silent_device_whose_cause_is_known_is_told_with_what_mends_it(code: str) -> None:
    cause = Notice(code, {"device": "Caméra"})
    silent = msgspec.structs.replace(camera(OFF), fault=cause)
    verdict = HealthWatch().judge(facts(silent), NOW)
    assert (verdict.health, verdict.because, verdict.next_step) == (Health.UNUSABLE, [cause], Notice(f"{code}.next"))


def test_a_silent_device_without_cause_is_told_by_its_role() -> None:
    silent = msgspec.structs.replace(camera(OFF), fault=Notice("device.unreachable", {"device": "Caméra"}))
    verdict = HealthWatch().judge(facts(silent), NOW)
    assert (verdict.because[0].code, verdict.next_step) == (notices.CAMERA_SILENT, Notice(notices.CHECK_CAMERA))


def test_what_meetings_do_not_need_stays_said_as_harmless_with_the_step_that_mends_it() -> None:
    sensor = msgspec.structs.replace(device(Role.AIR_SENSOR, OFF), fault=Notice("device.password", {"device": "air"}))
    verdict = HealthWatch().judge(facts(sensor), NOW)
    assert (verdict.because[0].code, verdict.next_step) == (notices.ASIDE_SILENT, Notice("device.password.next"))


def test_every_cause_is_one_that_drivers_tell_and_every_other_has_no_remedy_of_its_own() -> None:
    assert set(COMPLAINTS) == set(DEVICE_NOTICES) - {"device.unreachable", "device.other"}


def test_a_second_screen_stands_in_for_the_first() -> None:
    both = facts(device(Role.FRONT_DISPLAY, OFF), device(Role.SECOND_DISPLAY))
    assert codes(HealthWatch(), both) == (Health.DEGRADED, [notices.DISPLAY_REPLACED])
    neither = facts(device(Role.FRONT_DISPLAY, OFF), device(Role.SECOND_DISPLAY, OFF))
    assert HealthWatch().judge(neither, NOW).health is Health.UNUSABLE


def test_the_worst_decides_and_comes_first() -> None:
    given = facts(camera(OFF), device(Role.CONTENT_INPUT, OFF))
    assert codes(HealthWatch(), given) == (Health.UNUSABLE, [notices.CAMERA_SILENT, notices.CONTENT_SILENT])


def test_a_silent_agent_hides_what_its_devices_last_said() -> None:
    gone = Facts(online=False, seen=900.0, devices={"camera": camera(OFF)}, who="Accueil")
    verdict = HealthWatch().judge(gone, NOW)
    assert verdict.health is Health.UNKNOWN
    assert verdict.because == [Notice(notices.AGENT_SILENT, {"since": 900.0})]
    assert verdict.observed_at == 900.0


def test_a_room_never_heard_of_and_one_that_has_not_reported_are_unknown() -> None:
    assert codes(HealthWatch(), Facts()) == (Health.UNKNOWN, [notices.AGENT_EXPECTED])
    assert codes(HealthWatch(), Facts(online=True, seen=NOW)) == (Health.UNKNOWN, [notices.AGENT_STARTING])


def test_an_unplugged_camera_shows_after_a_second_and_recovers_after_two() -> None:
    watch = HealthWatch()
    assert watch.judge(facts(camera()), 0.0).health is Health.READY
    assert watch.judge(facts(camera(OFF)), 1.0).health is Health.READY
    assert watch.judge(facts(camera(OFF)), 2.0).health is Health.UNUSABLE
    assert watch.judge(facts(camera()), 3.0).health is Health.UNUSABLE
    verdict = watch.judge(facts(camera()), 5.0)
    assert (verdict.health, verdict.since) == (Health.READY, 5.0)


def test_one_lost_answer_does_not_flicker() -> None:
    watch = HealthWatch()
    watch.judge(facts(camera()), 0.0)
    watch.judge(facts(camera(OFF)), 1.0)
    assert watch.judge(facts(camera()), 1.5).health is Health.READY
    assert watch.judge(facts(camera(OFF)), 2.4).health is Health.READY


def test_trying_again_is_no_answer() -> None:
    watch = HealthWatch()
    watch.judge(facts(camera(OFF)), 0.0)
    assert watch.judge(facts(camera(Connection.CONNECTING)), 10.0).health is Health.UNUSABLE


def test_a_device_that_never_answered_yet_is_unknown() -> None:
    given = facts(camera(Connection.CONNECTING))
    assert codes(HealthWatch(), given) == (Health.UNKNOWN, [notices.DEVICE_CONNECTING])


def test_a_fault_of_an_answering_device_degrades_in_its_own_words() -> None:
    fault = Notice("fault.lamp", {"hours": 3000})
    assert HealthWatch().judge(facts(display(fault=fault)), NOW).because == [fault]


@pytest.mark.parametrize("code", ["agent_running", "something_new", "disk_free", "clock_drift"])
def test_an_expired_signal_is_never_ok(code: str) -> None:
    watch = HealthWatch()
    given = facts(camera(), signals=(heard(code, Status.OK),))
    assert watch.judge(given, NOW + 59.0).health is Health.READY
    verdict = watch.judge(given, NOW + 60.0)
    assert verdict.health in (Health.UNKNOWN, Health.DEGRADED)
    assert verdict.because[0].code == notices.SIGNAL_STALE


def test_an_expired_signal_of_a_needed_device_makes_the_room_unknown() -> None:
    signals = (heard("device_connection", Status.OK, "camera"),)
    assert codes(HealthWatch(), facts(camera(), signals=signals), NOW + 61) == (
        Health.UNKNOWN,
        [notices.DEVICE_STALE],
    )


def test_the_devices_own_report_is_newer_than_its_signal() -> None:
    signals = (heard("device_connection", Status.BAD, "camera"), heard("device_fault", Status.WARN, "camera"))
    assert HealthWatch().judge(facts(camera(), signals=signals), NOW).health is Health.READY


def test_other_signals_of_a_device_count() -> None:
    bad = facts(camera(), signals=(heard("picture_black", Status.BAD, "camera"),))
    assert HealthWatch().judge(bad, NOW).health is Health.UNUSABLE
    warn = facts(camera(), signals=(heard("picture_dark", Status.WARN, "camera"),))
    assert HealthWatch().judge(warn, NOW).health is Health.DEGRADED


@pytest.mark.parametrize("code", list(SIGNALS))
def test_signals_of_the_rooms_computer(code: str) -> None:
    rule = SIGNALS[code]
    given = facts(camera(), signals=(heard(code, Status.BAD),), phase=rule.while_in or Phase.IDLE)
    verdict = HealthWatch().judge(given, NOW)
    assert (verdict.health, verdict.because[0].code) == (Health.DEGRADED, rule.because)
    assert verdict.because[0].args == {"since": NOW, **({rule.place: 3} if rule.place else {})}
    warned = facts(camera(), signals=(heard(code, Status.WARN),))
    assert HealthWatch().judge(warned, NOW).health is Health.READY


def test_the_media_of_a_meeting_counts_in_a_meeting_only() -> None:
    signals = (heard("media_joined", Status.BAD),)
    assert HealthWatch().judge(facts(signals=signals, phase=Phase.RELEASING), NOW + 100).health is Health.READY
    assert HealthWatch().judge(facts(signals=signals, phase=Phase.IN_MEETING), NOW).health is Health.DEGRADED


def test_maintenance_comes_before_everything() -> None:
    verdict = HealthWatch().judge(Facts(maintenance=True), NOW)
    assert verdict.health is Health.MAINTENANCE


def test_every_notice_has_its_words_in_both_languages_with_the_same_places() -> None:
    declared = {value for name, value in vars(notices).items() if name.isupper() and isinstance(value, str)}
    assert declared == set(NOTICES)
    for wording in NOTICES.values():
        assert set(re.findall(r"{\w+}", wording.en)) == set(re.findall(r"{\w+}", wording.fr))
        assert "!" not in wording.en + wording.fr


@pytest.mark.parametrize("language", ["en", "fr"])
def test_pages_have_a_sentence_for_every_notice_with_the_same_places(language: str) -> None:
    catalog = load(language)
    for code, wording in NOTICES.items():
        assert places(catalog.sentences[code]) == places(wording.en), code
