"""Finding devices that are not configured yet: what a driver found, and asking every driver at once."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from devices.driver import Driver
    from devices.registry import Registry

log = logging.getLogger(__name__)

MOST = 512  # devices that one driver may find
SECONDS = 3.0  # of a search, for devices that answer at once
LONGEST = 30.0  # seconds of a search, whatever a driver says
GRACE = 2.0  # seconds a driver may take beyond its time


@dataclass(frozen=True)
class Found:
    """A device that answered a search.

    `settings` are what to write in the room's configuration, as far as the search tells them; `identity` stays the
    same over restarts and new addresses (a serial number, a hardware address, a USB path and serial), "" when the
    protocol gives none. `elsewhere`: the address (HOST:PORT) of an announcement that names none of our own networks: it
    was left out, and what it says is not believed; `settings` are empty then.
    """

    driver: str
    name: str
    model: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    identity: str = ""
    elsewhere: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Equal for two answers of the same device."""
        return self.driver, self.identity or repr(sorted(self.settings.items()))


def takes_long(driver: type[Driver[Any]], seconds: float | None) -> bool:
    """It is searched for longer than others."""
    return seconds_for(driver, seconds) > (seconds or SECONDS)


def seconds_for(driver: type[Driver[Any]], seconds: float | None) -> float:
    """How long such devices are searched for: as told, else as long as they may take to answer."""
    if seconds is not None:
        return seconds
    said: object = driver.answers_within  # a package's driver may say anything
    return min(max(SECONDS, said), LONGEST) if isinstance(said, int | float) else SECONDS


async def discover(registry: Registry, seconds: float | None, drivers: list[str] | None = None) -> list[Found]:
    """What the drivers (None: all) find within `seconds` (None: see `seconds_for`); one that fails or hangs finds nothing."""
    wanted = [driver for name in drivers or registry.ids if (driver := registry.driver(name)) is not None]
    found = await asyncio.gather(
        *(_search(driver, seconds_for(driver, seconds), apart=registry.apart(driver.manifest.id)) for driver in wanted)
    )
    once = {one.key: one for several in found for one in several[:MOST]}
    return sorted(once.values(), key=lambda one: (one.driver, one.name, one.identity))


async def _search(driver: type[Driver[Any]], seconds: float, *, apart: bool) -> list[Found]:
    try:
        async with asyncio.timeout(seconds + GRACE):
            return list(await (_on_a_thread(driver, seconds) if apart else driver.discover(seconds)))
    except Exception as error:
        log.warning("driver %s cannot search: %s", driver.manifest.id, error or type(error).__name__)
        return []


async def _on_a_thread(driver: type[Driver[Any]], seconds: float) -> list[Found]:
    """A third party's search may block: then only its thread does."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Found]] = loop.create_future()

    def settle(found: list[Found], error: BaseException | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(found)
        else:
            answer.set_exception(RuntimeError(str(error) or type(error).__name__))

    def work() -> None:
        found: list[Found] = []
        failed: BaseException | None = None
        try:
            found = asyncio.run(driver.discover(seconds))
        except BaseException as error:
            failed = error
        with suppress(RuntimeError):  # the program ended
            loop.call_soon_threadsafe(settle, found, failed)

    threading.Thread(target=work, name=f"search {driver.manifest.id}", daemon=True).start()
    return await answer
