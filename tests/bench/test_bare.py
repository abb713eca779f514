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
    assert own.once()[0] >= 50, "ms"
    assert own.twice()[0] >= 100
    assert own.twice()[-1] <= 2 * own.once()[-1]


def test_what_is_ours_is_what_is_over_the_emulators_own() -> None:
    rows = {row.name: row for row in _over("x", [1.0] * 90 + [9.0] * 10, [0.5] * 90 + [6.0] * 10, {})}
    assert rows["x_over_emulator_p99"].value == 3.0
    assert rows["x_over_emulator_p99"].met is True
    assert rows["x_p99"].met is None
