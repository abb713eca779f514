"""`roomctl devices` as an installer uses it: the real command against emulated devices."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import msgspec
import pytest

from devices.emulators import PjlinkEmulator, ViscaEmulator
from devices.emulators.hid import HidEmulator
from devices.emulators.mqtt import MqttBroker, MqttSensorEmulator
from devices.emulators.onvif import OnvifEmulator
from devices.emulators.rtsp import RtspServer
from devices.emulators.snmp import COMMUNITY, SnmpSwitchEmulator
from devices.mqtt.packets import Published
from tests.roomctl.cli.command import at, roomctl
from tests.roomctl.test_config import GOOD

CLOSED = ("127.0.0.1", 24399)  # nobody listens here


def room_file(folder: Path, *devices: str) -> str:
    path = folder / "room.toml"
    path.write_text(GOOD.partition("[[devices]]")[0] + "".join(devices))
    return str(path)


def table(name: str, role: str, driver: str, address: tuple[str, int], more: str = "") -> str:
    return (
        f'[[devices]]\nid = "{name}"\nrole = "{role}"\ndriver = "{driver}"\nname = "{name}"\n'
        f'[devices.settings]\nhost = "{address[0]}"\nport = {address[1]}\n{more}\n'
    )


async def test_a_probe_says_what_answers_and_changes_nothing() -> None:
    async with PjlinkEmulator(power="on", password="secret") as pj:
        ran = await roomctl("devices", "probe", *at("pjlink", pj.address, password="secret"))
        assert ran.status == 0, ran
        assert "roomctl Emulator" in ran.out
        assert "lamp_hours 1234" in ran.out
        assert pj.commands == []
        assert pj.connections == 0


async def test_a_probe_of_a_room_says_each_device_as_json_and_the_worst_as_exit_code(tmp_path: Path) -> None:
    async with ViscaEmulator() as cam:
        file = room_file(
            tmp_path,
            table("camera", "main_camera", "visca", cam.address),
            table("projector", "front_display", "pjlink", CLOSED),
        )
        ran = await roomctl("devices", "probe", "--config", file, "--json")
        assert ran.status == 3
        assert [(one["id"], one["connection"]) for one in ran.json] == [
            ("camera", "online"),
            ("projector", "unreachable"),
        ]
        assert ran.json[1]["fault"]["code"] == "device.unreachable"
        alone = await roomctl("devices", "probe", "--config", file, "--device", "main_camera", "--json")
        assert (alone.status, len(alone.json)) == (0, 1)


async def test_a_wrong_password_and_a_failing_lamp_are_said_with_what_to_do() -> None:
    async with PjlinkEmulator(power="on", password="secret") as pj:
        ran = await roomctl("devices", "probe", *at("pjlink", pj.address, password="guess"))
        assert ran.status == 3
        assert "Correct the password" in " ".join(ran.out.split())
        pj.fault("lamp")
        ran = await roomctl("devices", "probe", *at("pjlink", pj.address, password="secret"), "--json")
        assert ran.status == 1, "it answers and complains"
        assert ran.json[0]["fault"]["code"] == "device.lamp"


async def test_send_commands_one_device_and_waits_for_its_word() -> None:
    async with PjlinkEmulator(power="on", warmup=0.5, cooldown=0.5) as pj:
        here = at("pjlink", pj.address)
        ran = await roomctl("devices", "send", "select_input", "input=hdmi2", *here, "--wait", "10", "--json")
        assert ran.status == 0, ran
        assert ran.json["result"]["outcome"] == "done"
        assert ran.json["device"]["properties"]["input"]["reported"] == "hdmi2"
        assert pj.input == "32"
        ran = await roomctl("devices", "send", "set_power", "on=false", *here)
        assert ran.status == 0
        assert ran.out.startswith("device: set_power: accepted\n")
        assert "`--wait 60` waits" in ran.out
        assert (await roomctl("devices", "send", "select_input", "input=scart", *here)).status == 4
        assert (await roomctl("devices", "send", "move", "pan=1", *here)).status == 4
        wrong = await roomctl("devices", "send", "set_power", "on=perhaps", *here)
        assert wrong.status == 2
        assert "set_power takes on=(true or false)" in wrong.err
    ran = await roomctl("devices", "send", "set_power", "on=true", *at("pjlink", CLOSED))
    assert ran.status == 3
    assert "Check its power" in ran.out, "a refusal says what to do"


async def test_a_camera_moved_from_the_command_line_does_not_run_away() -> None:
    async with ViscaEmulator() as cam:
        ran = await roomctl("devices", "send", "move", "pan=0.5", *at("visca", cam.address))
        assert ran.status == 0, ran
        assert "move" in cam.commands
        assert not cam.moving


async def test_watch_prints_a_line_for_each_change() -> None:
    async with PjlinkEmulator(power="on") as pj:
        command = (sys.executable, "-m", "roomctl", "devices", "watch", "--json", *at("pjlink", pj.address))
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(30):
                first = msgspec.json.decode(await process.stdout.readline())
                assert first["properties"]["mute"]["reported"] is False
                pj.mute = True
                while not msgspec.json.decode(await process.stdout.readline())["properties"]["mute"]["reported"]:
                    pass
        finally:
            process.kill()
            await process.wait()
        ended = await roomctl("devices", "watch", "--seconds", "0.2", *at("pjlink", pj.address))
        assert ended.status == 0
        assert "roomctl Emulator" in ended.out


@pytest.mark.parametrize(("fault", "status"), [(None, 0), ("unplugged", 3)])
async def test_watch_says_by_its_code_how_devices_were_when_it_was_interrupted(fault: str | None, status: int) -> None:
    async with PjlinkEmulator(power="on") as pj:
        command = (sys.executable, "-m", "roomctl", "devices", "watch", "--json", *at("pjlink", pj.address))
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(30):
                assert msgspec.json.decode(await process.stdout.readline())["connection"] == "online"
                if fault:
                    pj.fault(fault)
                    while msgspec.json.decode(await process.stdout.readline())["connection"] == "online":
                        pass
                process.send_signal(signal.SIGINT)
                _, said = await process.communicate()
            assert (process.returncode, said) == (status, b"")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_selftest_takes_a_speakerphone_off_hook_and_back(tmp_path: Path) -> None:
    async with HidEmulator(tmp_path / "hid") as key:
        options = ("--commands", "--seconds", "0", "--driver", "hid", "--set", f"node={key.address}")
        ran = await roomctl("devices", "selftest", *options)
    assert ran.status == 0, ran
    steps = [line.split()[1:3] for line in ran.out.splitlines() if line.lstrip().startswith("ok")]
    tried = [words for words in steps if words[0].startswith("set_")]
    assert tried == [
        ["set_call", "on=True"],
        ["set_call", "on=False"],
        ["set_mute", "on=True"],
        ["set_mute", "on=False"],
    ]


async def test_selftest_looks_at_the_picture() -> None:
    options = ("--commands", "--seconds", "0", "--driver", "rtsp")
    async with RtspServer() as camera:
        ran = await roomctl("devices", "selftest", *options, "--set", f"url={camera.url}")
        assert ran.status == 0, ran
        assert [line for line in ran.out.splitlines() if "ok   picture" in line and "320 x 180" in line]
    async with OnvifEmulator(stream=camera.url) as moving:
        ran = await roomctl("devices", "selftest", "--commands", "--seconds", "0", *at("onvif", moving.address))
        assert ran.status == 1
        (line,) = [line for line in ran.out.splitlines() if "FAIL" in line]
        assert "picture" in line
        assert "No picture" in line or "no picture" in line


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("send", "set_pwer", "on=true", *at("pjlink", CLOSED)), "Did you mean 'set_power'?"),
        (("discover", "--driver", "pjlnk"), "Did you mean 'pjlink'?"),
        (("probe", "--driver", "pjlnk", "--set", "host=x"), "Did you mean 'pjlink'?"),
    ],
)
async def test_a_name_that_nearly_exists_is_suggested(words: tuple[str, ...], meant: str) -> None:
    ran = await roomctl("devices", *words)
    assert ran.status == 2
    assert meant in " ".join(ran.err.split())


async def test_selftest_examines_undoes_what_it_did_and_keeps_secrets(tmp_path: Path) -> None:
    async with PjlinkEmulator(power="on", password="secret") as pj, ViscaEmulator() as cam:
        file = room_file(
            tmp_path,
            table("camera", "main_camera", "visca", cam.address),
            table("projector", "front_display", "pjlink", pj.address, 'password = "secret"'),
        )
        report = tmp_path / "report.txt"
        options = ("--commands", "--seconds", "0.5", "--output", str(report))
        ran = await roomctl("devices", "selftest", "--config", file, *options)
        assert ran.status == 0, ran
        text = report.read_text()
        for said in ("connect again", "hold for 0.5 s", "set_mute on=True", "set_blank on=False", "All steps passed."):
            assert said in text
        assert "secret" not in text
        assert "secret" not in ran.out
        assert (pj.mute, pj.blank, cam.moving) == (False, False, False)
        assert "AVMT 21" in pj.commands
        assert "move" in cam.commands
        pj.fault("silent")
        ran = await roomctl("devices", "selftest", "--config", file, "--seconds", "0", "--json")
        assert ran.status == 3
        steps = {one["device"]["id"]: [step["passed"] for step in one["steps"]] for one in ran.json["devices"]}
        assert steps == {"camera": [True, True, True], "projector": [False, False]}


async def test_selftest_says_what_to_do_with_a_display_that_is_off_and_waits_for_its_lamp() -> None:
    async with PjlinkEmulator(power="off", warmup=1.0, cooldown=0.5) as pj:
        ran = await roomctl("devices", "selftest", "--commands", "--seconds", "0", *at("pjlink", pj.address))
        assert ran.status == 1
        assert "switch it on, or give --power" in ran.out
        ran = await roomctl("devices", "selftest", "--power", "--seconds", "0", *at("pjlink", pj.address))
        assert ran.status == 0, ran
        assert "set_mute on=True" in ran.out
        assert pj.power in ("off", "cooling"), "as it was found"


async def test_selftest_says_when_its_report_cannot_be_written(tmp_path: Path) -> None:
    folder = str(tmp_path)
    ran = await roomctl("devices", "selftest", "--seconds", "0", "--output", folder, *at("pjlink", CLOSED))
    assert (ran.status, folder in ran.err) == (1, True)


async def test_discover_says_when_nothing_answers_and_which_drivers_there_are() -> None:
    ran = await roomctl("devices", "discover", "--seconds", "0.1", "--driver", "visca", "--json")
    assert (ran.status, ran.json) == (1, [])
    ran = await roomctl("devices", "discover", "--driver", "nothing")
    assert ran.status == 2
    assert "there are:" in ran.err
    ran = await roomctl("devices", "drivers", "--json")
    visca = next(one for one in ran.json if one["id"] == "visca")
    assert "ptz" in visca["capabilities"]
    assert "host" in str(visca["settings"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("devices", "probe"), "Which device?"),
        (("devices", "probe", "--driver", "visca"), "settings.host: is missing"),
        (("devices", "probe", "--driver", "teleport"), "no driver is called 'teleport'"),
        (("devices", "probe", "--driver", "visca", "--set", "host"), "is not key=value"),
        (("devices", "send", "fly", "--driver", "visca"), "No operation is called 'fly'"),
        (("devices", "probe", "--config", "nowhere.toml"), "cannot be read"),
        (("teleport",), "No such command"),
        ((), "--config FILE is needed"),
    ],
)
async def test_a_wrong_command_line_is_said(words: tuple[str, ...], said: str) -> None:
    ran = await roomctl(*words)
    assert ran.status == 2
    assert said in ran.err


async def test_a_device_that_the_file_does_not_have_is_said_with_those_it_has(tmp_path: Path) -> None:
    file = room_file(tmp_path, table("camera", "main_camera", "visca", CLOSED))
    ran = await roomctl("devices", "probe", "--config", file, "--device", "ups")
    assert ran.status == 2
    assert "camera (main_camera)" in ran.err


async def test_the_shell_completes_commands_operations_drivers_and_devices(tmp_path: Path) -> None:
    async def complete(line: str) -> list[str]:
        words = line.split(" ")
        environment = {
            "_ROOMCTL_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        }
        ran = await roomctl(environment=environment)
        return [one.partition(",")[2] for one in ran.out.splitlines()]

    assert "selftest" in await complete("roomctl devices ")
    assert await complete("roomctl devices send set_po") == ["set_power", "set_port"]
    assert await complete("roomctl devices probe --driver vi") == ["visca"]
    file = room_file(tmp_path, table("camera", "main_camera", "visca", CLOSED))
    assert await complete(f"roomctl devices probe --config {file} --device ") == ["camera", "main_camera"]
    script = await roomctl("completion", "bash")
    assert "_ROOMCTL_COMPLETE=bash_complete" in script.out


async def test_sensors_are_found_behind_a_broker_that_is_named(tmp_path: Path) -> None:
    async with MqttBroker(tmp_path, password="secret") as broker, MqttSensorEmulator(broker, "air7", retain=True):
        async with broker.link() as link:
            silent = b'{"uniq_id": "lamp", "cmd_t": "lamp/set", "dev": {"ids": ["lamp"], "name": "A lamp"}}'
            link.publish(Published("homeassistant/switch/lamp/config", silent, retained=True))
            await link.ping()
        host, port = broker.address
        given = {"host": host, "port": port, "username": "room", "password": "secret"}
        words = ["devices", "discover", "--driver", "mqtt", "--json"]
        words += [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
        ran = await roomctl(*words)
        assert ran.status == 0, ran
        found = {"host": host, "port": port, "username": "room", "device": "air7"}
        assert [one["settings"] for one in ran.json] == [found], "what measures something, and no password"
    ran = await roomctl(*words)
    assert (ran.status, ran.out) == (3, "")
    assert f"{host}: no answer. Check its power and its network cable" in " ".join(ran.err.split())


async def test_switches_are_found_among_the_addresses_named(tmp_path: Path) -> None:
    async with SnmpSwitchEmulator(tmp_path) as switch:
        host, port = switch.address
        at = ("--driver", "snmp", "--set", f"port={port}", "--set", f"community={COMMUNITY}")
        ran = await roomctl("devices", "discover", *at, "--set", "hosts=127.0.0.0/30", "--json", "--seconds", "6")
        assert ran.status == 0, ran
        assert [(one["settings"], one["model"]) for one in ran.json] == [
            ({"host": host, "port": port}, "Emulated switch")
        ]
    ran = await roomctl("devices", "discover", *at, "--set", "hosts=10.0.0.0/8")
    assert ran.status == 2
    assert "more than 256 addresses" in ran.err


async def test_what_cannot_be_discovered_is_said_with_what_to_do() -> None:
    ran = await roomctl("devices", "discover", "--driver", "wol", "--driver", "mqtt", "--seconds", "0.1")
    assert ran.status == 1
    assert "wol: cannot be discovered" in ran.out
    assert "--driver mqtt --set host=BROKER" in ran.out
    ran = await roomctl("devices", "discover", "--driver", "wol", "--set", "host=x")
    assert ran.status == 2
    assert "--driver mqtt or snmp" in ran.err
