"""Examines devices: connects twice, holds the connection, tries commands and undoes them, and writes a report.

The report is meant to be sent back by owners of hardware that drivers were never tried against: it says which versions
met, what was said, and how long everything took. Settings that a driver's schema marks as secret are left out, also
where a device repeats them; of a driver that marks none, those whose names look so.
"""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from devices import DeviceConfig
from devices.capabilities import OPERATIONS
from devices.registry import Registry
from devices.state import printable
from roomctl.cli.hidden import open_settings, without
from roomctl.cli.show import UNNAMED, result_in_words, sentence, value_in_words
from roomctl.cli.trial import Trial, trial
from wire.devices import Connection, Device, Value

SETTLE = 8.0  # seconds until a command must show
CHANGE = 300.0  # seconds a warm-up or cool-down may take
MOVE = 0.2  # seconds of a slow move

Arguments = dict[str, Value]


@dataclass(frozen=True)
class Plan:
    """What to try. `seconds` to hold the connection."""

    commands: bool
    power: bool
    seconds: float


class Step(msgspec.Struct, frozen=True):
    """One thing tried: how it went, and how many milliseconds it took."""

    name: str
    passed: bool
    said: str
    ms: float


class Examined(msgspec.Struct, frozen=True):
    """One device: what it is, and how each step went."""

    device: Device
    driver_version: str
    settings: dict[str, Any]
    steps: list[Step]


class Report(msgspec.Struct, frozen=True):
    """All devices and where they were examined."""

    roomctl: str
    python: str
    system: str
    at: str  # UTC
    devices: list[Examined]

    @property
    def passed(self) -> bool:
        """Every step of every device did."""
        return all(step.passed for one in self.devices for step in one.steps)


async def examine(configs: list[DeviceConfig], plan: Plan, known: Registry) -> Report:
    """Examine all of them side by side, by the drivers installed."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_Examination(config, plan, known).run()) for config in configs]
    return Report(
        roomctl=_version(),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        at=time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
        devices=[task.result() for task in tasks],
    )


class _Examination:
    def __init__(self, config: DeviceConfig, plan: Plan, known: Registry) -> None:
        self._config = config
        self._plan = plan
        self._known = known
        self._steps: list[Step] = []
        self._last: Device | None = None

    async def run(self) -> Examined:
        for name in ("connect", "connect again"):
            async with self._connected(name) as one:
                if one is not None and name == "connect":
                    await self._commands(one)
                elif one is not None:
                    await self._hold(one)
        assert self._last is not None
        driver, ours = self._known.driver(self._config.driver), not self._known.apart(self._config.driver)
        schema = driver.manifest.settings if driver else None
        settings, secrets = open_settings(self._config.settings, schema, ours=ours and driver is not None)
        model, words = without(self._last.model, secrets), without(self._last.last_words, secrets)
        device = msgspec.structs.replace(self._last, model=model, last_words=words)
        steps = [msgspec.structs.replace(step, said=without(step.said, secrets)) for step in self._steps]
        return Examined(device, driver.manifest.version if driver else "", settings, steps)

    @asynccontextmanager
    async def _connected(self, name: str) -> AsyncIterator[Trial | None]:
        begun = time.perf_counter()
        async with trial([self._config], self._known) as one:
            (device,) = await one.answered()
            online = device.connection is Connection.ONLINE
            said = device.model if device.fault is None else f"{device.fault.code}: {sentence(device.fault)}"
            self._note(name, begun, passed=online, said=said)
            yield one if online else None
            (self._last,) = one.devices

    async def _hold(self, one: Trial) -> None:
        begun, gone = time.perf_counter(), ""
        try:
            async with asyncio.timeout(self._plan.seconds):
                while not gone:
                    one.changed.clear()
                    await one.changed.wait()
                    (device,) = one.devices
                    gone = device.fault.code if device.fault and device.connection is not Connection.ONLINE else ""
        except TimeoutError:
            pass
        self._note(f"hold for {self._plan.seconds:g} s", begun, passed=not gone, said=gone or "stayed")

    async def _commands(self, one: Trial) -> None:
        can = set(one.devices[0].capabilities) if self._plan.commands else set()
        was_off = _reported(one, "power") == "off"
        if self._plan.power and "power" in can:
            await self._power(one, was_off=was_off)
        elif can and was_off and "power" in can:
            begun = time.perf_counter()
            self._note("commands", begun, passed=False, said="it is off: switch it on, or give --power")
            return
        await self._steady(one)
        await self._settings(one, can)
        if self._plan.power and "power" in can and was_off:
            await self._try(one, "set_power", {"on": False}, "power", CHANGE)

    async def _steady(self, one: Trial) -> None:
        """Past a warm-up or cool-down: meanwhile most devices take nothing."""
        begun = time.perf_counter()
        changing = False
        with suppress(TimeoutError):
            async with asyncio.timeout(CHANGE):
                while any(known.remaining is not None for known in one.devices[0].properties.values()):
                    changing = True
                    one.changed.clear()
                    await one.changed.wait()
        if changing:
            self._note("wait until it is ready", begun, passed=True, said=f"power {_reported(one, 'power')}")

    async def _settings(self, one: Trial, can: set[str]) -> None:
        for capability in ("call", "mute", "blank"):
            op, name = f"set_{capability}", capability
            if capability in can:
                await self._there_and_back(one, op, "on", name, bool(_reported(one, name)))
        if "framing" in can:
            await self._there_and_back(one, "set_framing", "on", "framing", bool(_reported(one, "framing")))
        if "volume" in can and isinstance(now := _reported(one, "volume"), int | float):
            other = round(now - 0.1 if now >= 0.5 else now + 0.1, 2)
            await self._try(one, "set_volume", {"volume": other}, "volume")
            await self._try(one, "set_volume", {"volume": now}, "volume")
        if "input" in can and isinstance(now := _reported(one, "input"), str):
            await self._try(one, "select_input", {"input": now}, "input")
        if "video" in can:
            await self._picture(one)
        if "ptz" in can:
            await self._try(one, "move", {"pan": 0.1})
            await asyncio.sleep(MOVE)
            await self._try(one, "stop", {})

    async def _picture(self, one: Trial) -> None:
        begun, feed, said = time.perf_counter(), one.hub.video(self._config.role), ""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE):
                if feed is not None:
                    async with feed.watch() as pictures:
                        frame = await anext(pictures)
                    said = f"{frame.width} x {frame.height}"
        fault = one.devices[0].fault
        why = sentence(fault) if fault is not None else f"none within {SETTLE:g} s"
        self._note("picture", begun, passed=bool(said), said=said or why)

    async def _power(self, one: Trial, *, was_off: bool) -> None:
        """Off and on again; what was off is only switched on, and off at the end."""
        for on in (True,) if was_off else (False, True):
            await self._try(one, "set_power", {"on": on}, "power", CHANGE)
            await self._steady(one)

    async def _there_and_back(self, one: Trial, op: str, argument: str, name: str, now: bool) -> None:
        await self._try(one, op, {argument: not now}, name)
        await self._try(one, op, {argument: now}, name)

    async def _try(
        self, one: Trial, op: str, args: Arguments, shows: str | None = None, within: float = SETTLE
    ) -> None:
        begun = time.perf_counter()
        result = await one.send(self._config, op, args)
        passed, said = result.outcome in ("done", "accepted"), result_in_words(result)
        taken = 1000 * (time.perf_counter() - begun)
        if passed and shows is not None and OPERATIONS[op].changes == shows:
            if _believed(one, shows):
                said += "; believed, it cannot tell"
            else:
                passed = await one.settled(self._config.id, shows, within)
                said += "; reported" if passed else f"; not reported within {within:g} s"
        words = " ".join(f"{key}={value}" for key, value in args.items())
        self._steps.append(Step(f"{op} {words}".strip(), passed, said, round(taken, 1)))

    def _note(self, name: str, begun: float, *, passed: bool, said: str) -> None:
        self._steps.append(Step(name, passed, said, round(1000 * (time.perf_counter() - begun), 1)))


def _reported(one: Trial, name: str) -> Value:
    known = one.devices[0].properties.get(name)
    return known.reported if known else None


def _believed(one: Trial, name: str) -> bool:
    """What was asked is assumed: the device has no way to report it."""
    known = one.devices[0].properties.get(name)
    return known is not None and known.reported is None and known.assumed is not None and known.assumed == known.desired


def _version() -> str:
    try:
        return version("roomctl")
    except PackageNotFoundError:
        return "unknown"


def in_words(report: Report) -> str:
    """The report as text."""
    lines = [f"roomctl {report.roomctl}, Python {report.python}, {report.system}, {report.at} UTC"]
    for one in report.devices:
        device = one.device
        who = device.id if device.id == UNNAMED else f"{device.id} ({device.role.value})"
        lines += [
            "",
            f"{who}: driver {device.driver} {one.driver_version}, {printable(device.model) or 'model not known'}",
        ]
        settings = msgspec.json.encode(one.settings).decode()
        lines.append(f"  settings: {settings}")
        lines.append(f"  can: {', '.join(device.capabilities)}")
        said = ", ".join(f"{name} {value_in_words(value)}" for name, value in sorted(device.properties.items()))
        lines.append(f"  said: {said or 'nothing'}; last words: {device.last_words!r}")
        lines += [
            f"  {'ok  ' if step.passed else 'FAIL'} {step.name:32} {step.ms:8.1f} ms  {step.said}" for step in one.steps
        ]
    lines += ["", "All steps passed." if report.passed else "Some steps failed."]
    return "\n".join(lines)
