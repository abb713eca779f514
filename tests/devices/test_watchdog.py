"""A driver of ours that blocks the loop is named: which, for how long, at which line."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

import pytest

from devices.emulators import PjlinkEmulator
from devices.pjlink import lines
from devices.watchdog import Watchdog
from tests.devices.stage import display, stage

QUICK = {"blocked": 0.1, "beat": 0.02}
WITHIN = 10.0


def blocking(dog: Watchdog, word: str) -> Callable[[], None]:
    """Block the loop until the watchdog says so, as a bad driver does for ever."""

    def block() -> None:
        pause = threading.Event()
        for _ in range(int(WITHIN / 0.01)):
            if word in dog.said:
                return
            pause.wait(0.01)

    return block


async def turns_again(dog: Watchdog) -> None:
    async with asyncio.timeout(WITHIN):
        while "turns again" not in dog.said:
            await asyncio.sleep(0.01)


async def test_a_driver_that_blocks_is_named_with_device_and_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "devices.watchdog")
    async with PjlinkEmulator(power="on") as pj, stage(display(pj.address)) as room:
        await room.online()
        with Watchdog(**QUICK) as dog:
            block, read = blocking(dog, "blocks the loop"), lines.LineReader.feed

            def slowly(reader: lines.LineReader, data: bytes) -> list[lines.Line]:
                block()
                return read(reader, data)

            monkeypatch.setattr(lines.LineReader, "feed", slowly)
            await room.do("set_mute", on=True)
            await turns_again(dog)
    first = caplog.records[0].getMessage()
    assert first.startswith("driver pjlink, link.py:"), first
    assert "blocks the loop for 0." in first
    assert "turns again after" in caplog.records[1].getMessage()


async def test_a_task_that_blocks_is_named_where_no_driver_is(caplog: pytest.LogCaptureFixture) -> None:
    async def work(block: Callable[[], None]) -> None:
        block()

    with Watchdog(**QUICK) as dog:
        await asyncio.create_task(work(blocking(dog, "(the culprit)")), name="the culprit")
        await turns_again(dog)
    first = caplog.records[0].getMessage()
    assert first.startswith("test_watchdog.py:"), first
    assert " (the culprit) at " in first


async def test_a_loop_that_turns_is_left_alone_and_nothing_stays_behind(caplog: pytest.LogCaptureFixture) -> None:
    with Watchdog(blocked=5.0, beat=0.01) as dog:
        await asyncio.sleep(0.1)
    assert dog.said == ""
    assert not dog._thread.is_alive()
