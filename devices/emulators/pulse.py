"""A private PulseAudio server, the real one, with a null sink and a null source per room that can be unplugged.

It has its own folder and socket, no D-Bus, no hardware, and works as root. It ends with the process that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
from pathlib import Path
from typing import Any

from pulsectl import PulseDisconnected, PulseError

from devices.emulators.faults import Emulator
from devices.pulse.client import PulseClient
from devices.pulse.link import Kind

log = logging.getLogger(__name__)

START = 20.0  # seconds a server may take to answer
LONGEST_SOCKET = 100  # bytes of a Unix socket's path


class PulseServer(Emulator):
    """The server. Faults: `silent` (stopped in its tracks), `unplugged` (not running), `reboot` (restarts).

    `add` nodes before or after the start; each is an emulator of its own.
    """

    available_faults = ("silent", "unplugged", "reboot")

    def __init__(self, folder: Path, *, reboot: float = 3.0) -> None:
        super().__init__(reboot=reboot)
        self.folder = folder
        self.nodes: dict[str, PulseNode] = {}
        self.client: PulseClient | None = None
        self.process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        if len(str(self.socket)) > LONGEST_SOCKET:
            raise ValueError(f"the folder's path is too long for a socket: {folder}")

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / "native"

    @property
    def address(self) -> str:
        """For PULSE_SERVER and the setting `server`."""
        return f"unix:{self.socket}"

    def add(self, kind: Kind, name: str, description: str = "", *, hardware: dict[str, str] | None = None) -> PulseNode:
        """A sink or source of that stable name; start it (or enter it) to plug it in.

        `hardware`: properties of a sink that tell its hardware (`device.bus_path`, `device.serial`).
        """
        node = PulseNode(self, kind, name, description or name, reboot=self.reboot_time, hardware=hardware or {})
        self.nodes[name] = node
        return node

    def fault(self, name: str, on: bool = True) -> None:
        """Switch one; `silent` acts at once."""
        super().fault(name, on)
        if name == "silent" and self.process is not None:
            self.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    async def open(self) -> None:
        """Start the server, wait until it answers, plug in the nodes."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.socket.unlink(missing_ok=True)
        self._settings.write_text("rlimit-nofile = 8192\n")  # its own default of 256 ends at 31 rooms
        self.process = await asyncio.create_subprocess_exec(
            *self._command(),
            env=self._environment(),
            stderr=asyncio.subprocess.DEVNULL,
            stdin=asyncio.subprocess.DEVNULL,
        )
        self._watch = asyncio.create_task(self._until_ended(self.process), name="pulseaudio")
        self.client = await self._connect(self.process)
        for node in self.nodes.values():
            if node.wanted:
                await node.open()

    async def _until_ended(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        self._wanted.set()

    @property
    def broken(self) -> bool:
        """The server process died by itself."""
        return self.process is not None and self.process.returncode is not None

    def _command(self) -> list[str]:
        guard = [path, "--pdeathsig", "KILL"] if (path := shutil.which("setpriv")) else []
        quiet = ["-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes"]
        modules = [
            f"module-native-protocol-unix socket={self.socket} auth-anonymous=1",
            "module-suspend-on-idle timeout=1",
        ]
        loads = [word for module in modules for word in ("-L", module)]
        return [
            *guard,
            shutil.which("pulseaudio") or "pulseaudio",
            *quiet,
            "--realtime=no",
            "--high-priority=no",
            *loads,
        ]

    def _environment(self) -> dict[str, str]:
        keep = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "LC_ALL")}
        here = str(self.folder)
        names = ("HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH")
        return keep | dict.fromkeys(names, here) | {"PULSE_CONFIG": str(self._settings)}

    @property
    def _settings(self) -> Path:
        return self.folder / "daemon.conf"

    async def _connect(self, process: asyncio.subprocess.Process) -> PulseClient:
        async with asyncio.timeout(START):
            while process.returncode is None:
                client = PulseClient("emulator", server=self.address)
                try:
                    await client.connect()
                except PulseError:
                    client.close()
                    await asyncio.sleep(0.05)
                    continue
                return client
        raise RuntimeError("PulseAudio does not start; is the package `pulseaudio` installed?")

    async def close(self) -> None:
        """End the server."""
        if self.client is not None:
            self.client.close()
            self.client = None
        for node in self.nodes.values():
            node.module = None
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
        if self._watch is not None:
            await asyncio.wait({self._watch})
        self.process = self._watch = None

    def forget(self) -> None:
        """Its nodes start anew."""


class PulseNode(Emulator):
    """A sink or source. Faults: `unplugged` (its module is unloaded), `reboot` (unplugged for a moment)."""

    available_faults = ("unplugged", "reboot")

    def __init__(
        self,
        server: PulseServer,
        kind: Kind,
        name: str,
        description: str,
        *,
        reboot: float,
        hardware: dict[str, str],
    ) -> None:
        super().__init__(reboot=reboot)
        self.kind = kind
        self.name = name
        self.module: int | None = None
        self._server = server
        self._hardware = hardware
        self._description = description.translate({ord("'"): "’", ord('"'): None, ord("\\"): None})

    @property
    def address(self) -> str:
        """Its name in the server."""
        return self.name

    @property
    def wanted(self) -> bool:
        """Started and plugged in."""
        return self._started and self.plugged

    async def open(self) -> None:
        """Plug in: as a device just plugged, at full volume and not muted."""
        client = self._server.client
        if client is None or self.module is not None:
            return
        called = f"description='{self._description}'"
        properties = " ".join((f"device.{called}", *(f"{key}='{value}'" for key, value in self._hardware.items())))
        said = called if self.kind == "source" else f'sink_properties="{properties}"'
        self.module = await client.module_load(
            f"module-null-{self.kind}", f"{self.kind}_name={self.name} rate=48000 {said}"
        )

    async def close(self) -> None:
        """Unplug."""
        client, module, self.module = self._server.client, self.module, None
        if client is not None and module is not None:
            with contextlib.suppress(PulseError, PulseDisconnected):  # the server may be gone before its nodes
                await client.module_unload(module)

    def forget(self) -> None:
        """Nothing to forget: unplugging loses it all."""

    async def volume(self) -> float:
        """What the server says, 0..1."""
        return float((await self._info()).volume.value_flat)

    async def muted(self) -> bool:
        """What the server says."""
        return bool((await self._info()).mute)

    async def turn(self, volume: float) -> None:
        """As somebody at the device would."""
        assert self._server.client is not None
        await self._server.client.volume_set_all_chans(await self._info(), volume)

    async def play(self) -> None:
        """A loud tone comes out of a sink, until it is unplugged."""
        assert self._server.client is not None
        await self._server.client.module_load("module-sine", f"sink={self.name} frequency=440")

    async def _info(self) -> Any:
        client = self._server.client
        assert client is not None
        return await (client.get_sink_by_name if self.kind == "sink" else client.get_source_by_name)(self.name)
