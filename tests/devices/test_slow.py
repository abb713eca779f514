"""Devices that take longer to answer than one try of an exchange, but no longer than anybody waits: slow, and correct."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from devices.emulators.faults import Emulator
from devices.timing import Timing
from tests.devices.cases import CASES
from tests.devices.cases.case import WORKS
from tests.devices.conformance import Play
from tests.devices.dials import Dials
from tests.devices.stage import QUICK, nothing_left_behind, stage
from wire.devices import Connection

SLOW = 0.22  # seconds
PATIENT = replace(QUICK, attempts=10, connect=3.0, command=1.5)  # with a busy machine besides
NETWORKED = {"mqtt", "onvif", "pjlink", "rtsp", "snmp", "ups", "visca"}
SLOWLY = [name for name, case in CASES.items() if case.driver in NETWORKED and "delay" in case.faults]


def test_slow_is_longer_than_a_try_and_shorter_than_our_patience() -> None:
    assert PATIENT.reply < SLOW < PATIENT.patience
    assert Timing().patience > 2, "what PJLink allows a projector (5.1)"


@pytest.mark.parametrize("name", SLOWLY)
async def test_a_slow_device_comes_online_and_obeys(name: str, tmp_path: Path) -> None:
    """It is slow from the beginning, and never thought to be away."""
    async with nothing_left_behind(), CASES[name].rig(tmp_path) as one:
        assert isinstance(one.emulator, Emulator)
        one.emulator.delay = SLOW
        one.emulator.fault("delay")
        async with stage(one.config, timing=PATIENT) as room:
            it = Play(CASES[name], room, one, Dials())
            await it.set_up()
            if one.other is not None:
                await it.undo()
                result = await it.ask(one.other[0])
                assert result is not None
                assert result.outcome in WORKS, result
                await it.shows(one.other[1])
            assert room.device.connection is Connection.ONLINE
            assert room.device.fault is None
