"""`python -m devices.emulators`: each emulator runs by hand, and what it prints reaches it."""

from __future__ import annotations

import asyncio
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from devices import DeviceConfig
from devices.emulators.__main__ import obey, toml, words
from devices.emulators.stand import STANDS, Wish, stand
from devices.probe import probe
from devices.registry import BUILT_IN
from roomctl.cli.pairs import pairs
from wire.devices import Connection, Role

WITHIN = 40.0  # seconds on a busy machine


@pytest.mark.parametrize("driver", sorted(BUILT_IN))
async def test_the_printed_settings_reach_it_and_its_faults_are_switched_by_name(driver: str, tmp_path: Path) -> None:
    opener = stand(driver)
    assert opener is not None
    assert driver in STANDS
    async with opener(
        Wish(tmp_path, password="secret" if driver in ("pjlink", "onvif", "rtsp", "mqtt") else "")
    ) as one:
        said = words(driver, one)
        command = next(line for line in said.splitlines() if " devices probe " in line)
        given = shlex.split(command.partition(f"--driver {driver} ")[2])[1::2]
        assert pairs(given) == one.settings
        line = next(line.strip() for line in said.splitlines() if line.strip().startswith("settings ="))
        assert tomllib.loads(line)["settings"] == one.settings
        config = DeviceConfig("d", Role.CONTENT_INPUT, driver, "d", one.settings)
        assert (await probe(config)).connection is Connection.ONLINE
        fault = one.emulator.available_faults[0]
        assert obey(one.emulator, f"{fault}\n") == f"{fault} is on."
        assert fault in one.emulator.faults
        assert obey(one.emulator, f"{fault} off\n") == f"{fault} is off."
        assert "Not known: 'nothing'" in obey(one.emulator, "nothing\n")
        assert "faults: " in obey(one.emulator, "state\n")


def test_settings_are_written_as_toml_reads_them() -> None:
    value = {"a": True, "b": {"1": {"c": 'x"y'}}, "d": [1, 2.5]}
    assert tomllib.loads(f"v = {toml(value)}") == {"v": value}


async def test_the_command_runs_until_its_input_ends() -> None:
    command = (sys.executable, "-m", "devices.emulators", "visca")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        out, _ = await asyncio.wait_for(process.communicate(b"unplugged\nstate\n"), WITHIN)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    assert b"roomctl devices probe --driver visca --set host=127.0.0.1" in out
    assert b"unplugged is on." in out
    assert b"faults: unplugged; asked 0 times" in out
