"""A private upsd with the driver dummy-ups of Network UPS Tools: the real server, and supplies that it believes in."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from devices.emulators.faults import Emulator
from devices.emulators.process import PAUSE, START, ServerProcess, free_port

PLACES = ("/lib/nut", "/usr/lib/nut", "/usr/sbin", "/usr/libexec/nut")
MISSING = "Is the package `nut-server` installed?"
HEALTHY = {
    "ups.status": "OL",
    "battery.charge": "100",
    "battery.runtime": "1800",
    "ups.load": "23",
    "ups.mfr": "Eaton",
    "ups.model": "5P 850",
}


class UpsServer(Emulator):
    """Supplies named in `supplies`, each with its variables; `change` is seen by the upsd within about a second.

    Faults: `silent` (the upsd is stopped in its tracks), `unplugged`, `reboot`, `cable` (the data cable of every supply
    is out: its driver is gone), `power` (the mains fail).
    """

    available_faults = ("silent", "unplugged", "reboot", "cable", "power")

    def __init__(self, folder: Path, *supplies: str, port: int = 0, reboot: float = 3.0) -> None:
        super().__init__(reboot=reboot)
        self.address = ("127.0.0.1", port or free_port())
        self.supplies = {name: dict(HEALTHY) for name in supplies or ("ups",)}
        self._folder = folder
        self._written = 0  # Unix seconds
        self._server: ServerProcess | None = None
        self._drivers: list[ServerProcess] = []
        self._turn = asyncio.Lock()
        self._switching: set[asyncio.Task[None]] = set()

    def change(self, name: str, **variables: str) -> None:
        """What a supply measures, `_` in the names of variables for `.`."""
        self.supplies[name] |= {key.replace("_", "."): value for key, value in variables.items()}
        self._write(name)

    def fault(self, name: str, on: bool = True) -> None:
        """Switch one."""
        super().fault(name, on)
        if name == "silent" and self._server is not None:
            self._server.pause(on)
        elif name == "power":
            for each in self.supplies:
                self.change(each, ups_status="OB DISCHRG" if on else "OL CHRG")
        elif name == "cable":
            task = asyncio.get_running_loop().create_task(self._plug(not on))
            self._switching.add(task)
            task.add_done_callback(self._switching.discard)

    async def open(self) -> None:
        """Start the drivers and the server, wait until it tells of every supply."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        host, port = self.address
        sections = (f"[{name}]\n driver = dummy-ups\n port = {self._device(name)}\n" for name in self.supplies)
        for file, text in (
            ("ups.conf", "".join(sections)),
            ("upsd.conf", f"LISTEN {host} {port}\nMAXAGE 5\n"),
            ("upsd.users", ""),
        ):
            self._file(file).write_text(text)
        await self._plug("cable" not in self._on)
        self._server = self._process("upsd", "-F")
        await self._server.start(self._answers)

    async def _plug(self, on: bool) -> None:
        """Start or end the drivers."""
        async with self._turn:
            for driver in self._drivers:
                await driver.stop()
            self._drivers = [self._process("dummy-ups", "-a", name, "-F", "-i", "1") for name in self.supplies if on]
            for name, driver in zip(self.supplies, self._drivers, strict=False):
                self._write(name)
                socket = self._file(f"dummy-ups-{name}")
                socket.unlink(missing_ok=True)
                await driver.start(lambda socket=socket: _exists(socket))  # type: ignore[misc]

    async def _answers(self) -> bool:
        """It tells of every supply."""
        try:
            reader, writer = await asyncio.open_connection(*self.address)
        except OSError:
            return False
        try:
            for name in self.supplies:
                writer.write(f"GET VAR {name} ups.status\n".encode())
                async with asyncio.timeout(START):
                    answer = await reader.readline()
                if b"WAIT" in answer or (answer.startswith(b"ERR") and "cable" not in self._on):
                    await asyncio.sleep(PAUSE)
                    return False
        finally:
            writer.close()
        return True

    def _process(self, program: str, *words: str) -> ServerProcess:
        found = next((path for place in PLACES if (path := Path(place, program)).exists()), Path(program))
        here = str(self._folder)
        places = {"NUT_CONFPATH": here, "NUT_STATEPATH": here, "NUT_ALTPIDPATH": here, "NUT_QUIET_INIT_SSL": "true"}
        return ServerProcess([str(found), *words, "-u", self._folder.owner()], MISSING, places)

    def _file(self, name: str) -> Path:
        return self._folder / name

    def _device(self, name: str) -> Path:
        return self._file(f"{name}.dev")

    def _write(self, name: str) -> None:
        """Replaced in one go: the driver reads it when its time changes, of which it knows whole seconds."""
        path = self._device(name)
        fresh = path.with_suffix(".new")
        fresh.write_text("".join(f"{key}: {value}\n" for key, value in self.supplies[name].items()))
        self._written = max(int(time.time()), self._written + 1)
        os.utime(fresh, (self._written, self._written))
        os.replace(fresh, path)

    async def close(self) -> None:
        """End them all."""
        for task in self._switching:
            task.cancel()
        if self._server is not None:
            await self._server.stop()
            self._server = None
        for driver in self._drivers:
            await driver.stop()
        self._drivers = []

    def forget(self) -> None:
        """A supply knows what it measures."""


async def _exists(path: Path) -> bool:
    return path.exists()  # noqa: ASYNC240
