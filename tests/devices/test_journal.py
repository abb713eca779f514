"""The log of a device is bounded, and says what it left out."""

from __future__ import annotations

import asyncio
import logging

import pytest

from devices.journal import BURST, EVERY, Journal
from devices.lease import SLOWEST, MoveLease
from tests.devices import virtual

log = logging.getLogger("devices.test")


def test_a_device_that_flaps_for_a_day_says_so_a_few_hundred_times(caplog: pytest.LogCaptureFixture) -> None:
    async def flap(loop: virtual.VirtualLoop) -> None:
        journal = Journal(log)
        for _ in range(86400):
            await asyncio.sleep(1.0)
            journal.say(logging.INFO, "device %s is gone", "cam")

    with caplog.at_level(logging.INFO, logger="devices.test"):
        virtual.run(flap)
    assert len(caplog.records) <= BURST + 86400 / EVERY + 1
    assert "lines left out before" in caplog.records[-1].getMessage()
    assert caplog.records[0].getMessage() == "device cam is gone"
    counts = [one.args[1] for one in caplog.records if isinstance(one.args, tuple) and len(one.args) == 2]
    said = sum(count for count in counts if isinstance(count, int))
    assert said + len(caplog.records) > 86400 - EVERY - 1, "none is forgotten"


def test_a_refused_stop_is_asked_ever_less_often_and_never_forgotten() -> None:
    asked: list[float] = []

    async def refuse(loop: virtual.VirtualLoop) -> None:
        def stop() -> None:
            asked.append(loop.time())
            loop.call_soon(lease.refused, lease.renewals)

        lease = MoveLease(0.5, stop)
        lease.renew()
        await asyncio.sleep(600)
        lease.stopped(lease.renewals)
        await asyncio.sleep(600)

    virtual.run(refuse)
    assert asked[0] == pytest.approx(0.5)
    assert 20 < len(asked) < 40
    assert asked[-1] > 600 - SLOWEST - 1, "still asked"
    assert asked[-1] < 601, "not after it stopped"
