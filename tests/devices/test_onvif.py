"""ONVIF: what cameras do differently, the emulator held against ONVIF's own WSDL files, the search."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st
from onvif import ONVIFCamera
from zeep.exceptions import Fault as ZeepFault

from devices import DeviceSettingsError
from devices.emulators.onvif import OnvifEmulator, Position
from devices.onvif import search, soap
from devices.onvif.driver import OnvifCameraDriver
from devices.onvif.settings import OnvifSettings
from devices.registry import Registry
from tests.devices.cases.onvif import camera
from tests.devices.certificates import certificate
from tests.devices.stage import QUICK, nothing_left_behind, stage
from wire.devices import Connection


@pytest.fixture
async def one() -> AsyncIterator[OnvifEmulator]:
    async with nothing_left_behind(), OnvifEmulator(password="secret", recall_time=0.2, reboot=0.2) as emulator:
        yield emulator


async def test_a_camera_says_what_it_is_and_where_it_looks(one: OnvifEmulator) -> None:
    async with stage(camera(one)) as room:
        device = await room.online()
        assert device.model == "roomctl Emulated camera"
        assert device.capabilities == ["ptz", "presets", "video"]
        await room.shows("pan", 0.0)


async def test_a_position_is_reported_when_the_camera_stands_still_again(one: OnvifEmulator) -> None:
    async with stage(camera(one, presets={"1": "Table"})) as room:
        await room.online()
        assert (await room.do("recall_preset", preset=1)).outcome == "accepted"
        assert room.property("preset").reported is None
        await room.shows("preset", 1)
        assert one.position.pan == 0.5
        await room.shows("pan", 0.5)
        assert (await room.do("move", pan=0.1)).outcome == "done"
        await room.shows("preset", None)


async def test_a_position_is_found_by_its_name_and_stored_in_its_place(one: OnvifEmulator) -> None:
    one.stored["PTZ_9"] = ("Tableau", one.position)
    async with stage(camera(one, presets={"2": "Tableau"})) as room:
        await room.online()
        assert (await room.do("recall_preset", preset=2)).outcome == "accepted"
        await one.until(lambda: one.preset == "PTZ_9")
        assert (await room.do("store_preset", preset=2)).outcome == "done"
        assert (await room.do("store_preset", preset=5)).outcome == "done"
        assert (await room.do("store_preset", preset=5)).outcome == "done", "in the place it was given"
        assert {token: name for token, (name, _) in one.stored.items()} == {
            "1": "Table", "PTZ_9": "Tableau", "102": "preset_5",
        }  # fmt: skip
        assert (await room.do("recall_preset", preset=77)).outcome == "unsupported"


@pytest.mark.parametrize("quirk", ["", "timeout_ignored", "no_stop", "stop_ignored"])
async def test_a_move_ends_with_its_lease_whatever_the_camera_ignores(one: OnvifEmulator, quirk: str) -> None:
    if quirk:
        one.fault("timeout_ignored")
        one.fault(quirk)
    async with stage(camera(one)) as room:
        await room.online()
        assert (await room.do("move", pan=-0.5, zoom=1)).outcome == "done"
        assert one.moving
        await room.until(lambda device: device.properties["moving"].assumed is False)
        assert not one.moving
        last = "ContinuousMove" if quirk in ("no_stop", "stop_ignored") else "Stop"
        assert one.commands[-1] == last


async def test_a_camera_that_minds_the_time_it_was_allowed_stops_without_us(one: OnvifEmulator) -> None:
    async with stage(camera(one)) as room:
        await room.online()
        await room.do("move", tilt=1)
    one.forget()  # whatever the last stop did
    async with stage(camera(one)) as room:
        await room.online()
        await room.do("move", tilt=1)
        one.fault("silent")
        await one.until(lambda: one.requests > 0)
        async with asyncio.timeout(5):
            while one.moving:
                await asyncio.sleep(0.02)
        assert "Stop" not in one.commands[-1]


@pytest.mark.parametrize("fault", OnvifEmulator.available_faults)
async def test_no_camera_runs_away(one: OnvifEmulator, fault: str) -> None:
    one.fault("timeout_ignored")
    async with stage(camera(one)) as room:
        await room.online()
        assert (await room.do("move", pan=0.5, zoom=-1)).outcome == "done"
        assert one.moving
        if fault != "timeout_ignored":
            one.fault(fault)
            await asyncio.gather(room.do("move", pan=1.0), room.do("stop"))
            one.fault(fault, False)
        async with asyncio.timeout(8):
            while one.moving:
                await asyncio.sleep(0.02)


@pytest.mark.parametrize("offset", [-86400.0 * 365, 3600.0])
async def test_a_camera_whose_clock_is_wrong_lets_us_in_all_the_same(offset: float) -> None:
    async with (
        nothing_left_behind(),
        OnvifEmulator(password="secret", clock_offset=offset) as one,
        stage(camera(one)) as room,
    ):
        await room.online()


async def test_a_clock_that_jumps_is_read_again_at_once(one: OnvifEmulator) -> None:
    async with stage(camera(one)) as room:
        await room.online()
        one.fault("clock")
        assert (await room.do("move", pan=1)).outcome == "done"
        assert room.device.connection is Connection.ONLINE


async def test_a_wrong_password_is_said(one: OnvifEmulator) -> None:
    async with stage(camera(one, password="wrong")) as room:
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.password"


async def test_a_refused_password_is_sent_again_only_when_the_clock_had_moved(one: OnvifEmulator) -> None:
    async with stage(camera(one, password="wrong"), timing=replace(QUICK, backoff_away=60)) as room:
        await room.gone()
        assert one.refused == 1, "many cameras lock out who is refused often"
    one.refused = 0
    async with stage(camera(one)) as room:
        await room.online()
        one.fault("clock")
        assert (await room.do("move", pan=1)).outcome == "done"
        assert one.refused == 1


async def test_a_position_is_not_reached_when_the_camera_was_stopped_on_its_way() -> None:
    async with (
        nothing_left_behind(),
        OnvifEmulator(password="secret", recall_time=0.5) as slow,
        stage(camera(slow)) as room,
    ):
        await room.online()
        assert (await room.do("recall_preset", preset=1)).outcome == "accepted"
        assert (await room.do("stop")).outcome == "done"
        said = slow.requests
        await slow.until(lambda: slow.requests > said + 8)  # whole polls
        assert room.property("preset").reported is None


async def test_positions_of_a_camera_that_keeps_none_are_kept_by_us(tmp_path: Path) -> None:
    memory = str(tmp_path / "kept" / "camera.json")
    async with nothing_left_behind(), OnvifEmulator(password="secret", remembers=False, recall_time=0.2) as one:
        one._position = there = Position(0.4, -0.25, 0.5)
        async with stage(camera(one, memory=memory)) as room:
            await room.online()
            assert (await room.do("recall_preset", preset=3)).outcome == "unsupported"
            assert (await room.do("store_preset", preset=3)).outcome == "done"
        one._position = Position()
        async with stage(camera(one, memory=memory)) as room:
            await room.online()
            assert (await room.do("recall_preset", preset=3)).outcome == "accepted"
            assert room.property("preset").reported is None
            await room.shows("preset", 3)
            assert one.position == there


async def test_a_profile_that_is_not_there_is_refused(one: OnvifEmulator) -> None:
    async with stage(camera(one, profile="other")) as room:
        device = await room.gone()
        assert device.fault is not None
        assert device.fault.code == "device.refused"


# --- HTTPS ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def private(tmp_path: Path) -> AsyncIterator[OnvifEmulator]:
    """A camera with a certificate that it signed itself."""
    async with nothing_left_behind(), OnvifEmulator(password="secret", certificate=certificate(tmp_path)) as emulator:
        yield emulator


def fingerprint(emulator: OnvifEmulator) -> str:
    assert emulator.certificate is not None
    shown = x509.load_pem_x509_certificate(emulator.certificate[0].read_bytes())
    return shown.fingerprint(hashes.SHA256()).hex(":")


async def test_a_camera_is_reached_over_https_by_its_authority_or_its_fingerprint(private: OnvifEmulator) -> None:
    assert private.certificate is not None
    for trust in ({"ca": str(private.certificate[0])}, {"fingerprint": fingerprint(private)}):
        async with stage(camera(private, tls=True, **trust)) as room:
            await room.online()
            assert (await room.do("move", pan=0.5)).outcome == "done"
            await room.shows("zoom", 0.0)


async def test_a_certificate_that_nobody_vouches_for_is_refused_before_our_password_is_said(
    private: OnvifEmulator, tmp_path: Path
) -> None:
    another = fingerprint(private)[:-2] + ("00" if not fingerprint(private).endswith("00") else "01")
    missing = str(tmp_path / "nowhere.pem")
    for trust in ({}, {"fingerprint": another}, {"ca": missing}):
        async with stage(camera(private, tls=True, **trust)) as room:
            device = await room.until(lambda device: device.fault is not None)
            assert device.fault is not None
            assert (device.connection, device.fault.code) == (Connection.UNREACHABLE, "device.certificate")
    assert private.requests == 0


async def test_a_camera_without_tls_is_said_to_speak_something_else(one: OnvifEmulator) -> None:
    async with stage(camera(one, tls=True)) as room:
        device = await room.until(lambda device: device.fault is not None)
        assert device.fault is not None
        assert device.fault.code == "device.garbage"


def test_a_certificate_that_nobody_would_look_at_is_a_mistake(one: OnvifEmulator) -> None:
    for trust in ({"ca": "/etc/camera.pem"}, {"fingerprint": "ab" * 32}):
        with pytest.raises(DeviceSettingsError, match="tls"):
            Registry([OnvifCameraDriver]).build([camera(one, **trust)])
    assert OnvifSettings("cam").address == "cam:80"
    assert OnvifSettings("cam", tls=True).address == "cam:443"


# --- the emulator, held against ONVIF's WSDL and schema files by another client -------------------------------------


async def test_another_client_with_the_public_wsdl_files_understands_the_emulator(one: OnvifEmulator) -> None:
    host, port = one.address
    other = ONVIFCamera(host, port, "room", "secret")
    try:
        await other.update_xaddrs()
        device = await other.create_devicemgmt_service()
        about = await device.GetDeviceInformation()
        assert (about.Manufacturer, about.Model) == ("roomctl", "Emulated camera")
        clock = await device.GetSystemDateAndTime()
        assert clock.UTCDateTime.Date.Year == datetime.datetime.now(datetime.UTC).year
        media = await other.create_media_service()
        (profile,) = await media.GetProfiles()
        assert (profile.token, profile.VideoEncoderConfiguration.Encoding) == ("main", "H264")
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        uri = await media.GetStreamUri({"StreamSetup": setup, "ProfileToken": profile.token})
        assert uri.Uri == one.stream
        ptz = await other.create_ptz_service()
        velocity = {"PanTilt": {"x": 0.5, "y": 0}, "Zoom": {"x": 0}}
        timeout = datetime.timedelta(seconds=5)
        await ptz.ContinuousMove({"ProfileToken": "main", "Velocity": velocity, "Timeout": timeout})
        status = await ptz.GetStatus({"ProfileToken": "main"})
        assert status.MoveStatus.PanTilt == "MOVING"
        await ptz.Stop({"ProfileToken": "main", "PanTilt": True, "Zoom": True})
        assert (await ptz.GetStatus({"ProfileToken": "main"})).MoveStatus.PanTilt == "IDLE"
        (preset,) = await ptz.GetPresets({"ProfileToken": "main"})
        assert (preset.token, preset.Name) == ("1", "Table")
        await ptz.GotoPreset({"ProfileToken": "main", "PresetToken": "1"})
        with pytest.raises(ZeepFault):
            await ptz.GetNodes()
    finally:
        await other.close()


# --- WS-Discovery ---------------------------------------------------------------------------------------------------


async def test_a_search_finds_a_camera_and_what_to_write_for_it() -> None:
    async with nothing_left_behind():
        for target in (("127.0.0.1", 24510), search.GROUP):
            async with OnvifEmulator(search=target) as one:
                (found,) = await search.search(0.4, target, "127.0.0.1")
                assert (found.name, found.model) == ("Salle bleue", "Emulated camera")
                assert found.settings == {"host": "127.0.0.1", "port": one.address[1]}
                assert found.identity.startswith("urn:uuid:")


async def test_a_search_asks_on_every_network_of_this_machine() -> None:
    assert "127.0.0.1" in search.addresses()
    async with OnvifEmulator(search=search.GROUP) as one:  # which hears the loopback interface only
        assert one.address[1] in [found.settings.get("port") for found in await search.search(0.4)]


# --- parsers --------------------------------------------------------------------------------------------------------


def test_the_password_digest_is_that_of_the_specification() -> None:
    """ONVIF Application Programmer's Guide, 6.1.1.3."""
    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    assert soap.digest(nonce, "2010-09-16T07:50:45Z", "userpassword") == "tuOSpGlFlIXsozq4HFNeeGeFLEI="


def test_documents_with_entities_or_without_end_are_refused() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    for data in (bomb, bomb.decode().encode("utf-16"), b"<x>" + b" " * soap.LONGEST, b"<x>", b""):
        with pytest.raises(soap.NoSoap):
            soap.parse(data)


@given(st.binary(max_size=400) | st.text(alphabet="<>/&!-[]CDAT ab=\"'", max_size=80).map(str.encode))
def test_any_bytes_are_an_answer_or_none(data: bytes) -> None:
    with contextlib.suppress(soap.NoSoap):
        soap.read(data)
    assert search.read(data, "10.0.0.9") == []


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_scopes_and_addresses_are_read_without_fail(scopes: str, addresses: str) -> None:
    text = search.probe("x").decode()
    kept = "".join(c for c in scopes + " " + addresses if c.isprintable() or c == " ")
    match = (
        f"<d:ProbeMatch><d:Scopes>{escape(kept)}</d:Scopes><d:XAddrs>http://{escape(kept)}</d:XAddrs></d:ProbeMatch>"
    )
    search.read(text.replace("<s:Body>", f"<s:Body>{match}").encode(), "10.0.0.9")
