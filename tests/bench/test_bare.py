"""The emulator's own time, as the bench takes it."""

from __future__ import annotations

import asyncio

from bench import bare
from bench.devices import _over
from devices.emulators import ViscaEmulator


async def test_the_emulators_own_delay_is_seen() -> None:
    async with ViscaEmulator(delay=0.05) as camera:

        def ask() -> bare.Bare:
            with bare.exchanges(camera.address) as own:
                asyncio.run_coroutine_threadsafe(camera.until(lambda: camera.requests > 6), loop).result()
            return own

        loop = asyncio.get_running_loop()
        camera.fault("delay")
        own = await asyncio.to_thread(ask)
    assert len(own.once()) >= 4
    assert min(own.once()) >= 50, "ms"
    assert min(own.twice()) >= 100
    assert max(own.twice()) <= 2 * max(own.once())


def test_what_is_ours_is_what_is_over_the_emulators_own() -> None:
    rows = {row.name: row for row in _over("x", ([1.0] * 18 + [9.0] * 2) * 5, ([0.5] * 18 + [6.0] * 2) * 5, {})}
    assert rows["x_over_emulator_p99"].value == 3.0
    assert not rows["x_over_emulator_p99"].conditions
    assert rows["x_over_emulator_p99"].met is True
    assert rows["x_p99"].met is None
    noise = [1.0] * 20 + [2.0] * 20 + [3.0] * 20 + [4.0] * 20 + [5.0] * 20
    (row,) = (row for row in _over("x", noise, noise[::-1], {}) if "over" in row.name)
    assert row.value == 0, "never earlier than the emulator itself"
    assert "could be told from noise" in row.conditions["x_over_emulator_p99"]
