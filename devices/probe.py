"""Try a configuration: connect once, say what answered, let go."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from devices.config import DeviceConfig
from devices.hub import DeviceHub
from devices.registry import Registry
from devices.timing import Timing
from wire.devices import Connection, Device


async def probe(config: DeviceConfig, *, timing: Timing | None = None, registry: Registry | None = None) -> Device:
    """The device as it answered, or unreachable with its fault; raises DeviceSettingsError.

    Ends within the connect deadline. It asks, and changes nothing.
    """
    timing = timing or Timing()
    changed = asyncio.Event()
    hub = DeviceHub("probe", [config], changed.set, timing=timing, registry=registry)
    running = asyncio.create_task(hub.run(), name=f"probe {config.id}")
    try:
        async with asyncio.timeout(timing.dial + timing.command):
            while hub.snapshot()[config.id].connection is Connection.CONNECTING:
                await changed.wait()
                changed.clear()
    except TimeoutError:
        pass
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    return hub.snapshot()[config.id]
