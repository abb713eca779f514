"""A managed switch: net-snmp's snmpd, the real one, with ports of an emulated switch."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

from devices.emulators import switch_ports
from devices.emulators.faults import Emulator
from devices.emulators.process import ServerProcess, free_port
from devices.errors import DeviceError
from devices.snmp.engines import Engines
from devices.snmp.link import SnmpLink
from devices.snmp.login import Login

COMMUNITY, USER, PASSWORD, PRIVACY = "room", "roomctl", "authentic-1", "private-12"
MISSING = "Is the package `snmpd` installed?"
SET_REQUEST = 0xA3
PROGRAM = Path(switch_ports.__file__)


def sets(message: bytes) -> bool:
    """A SetRequest of SNMP v1 or v2c, behind version and community (RFC 3416, 3: its tag is 0xA3)."""
    try:
        at, _ = _contents(message, 0)
        for _ in range(2):
            _, at = _contents(message, at)
        return message[at] == SET_REQUEST
    except IndexError:
        return False


def _contents(message: bytes, at: int) -> tuple[int, int]:
    """Where the contents of the BER value at `at` begin and end (X.690, 8.1.3); raises IndexError."""
    length, start = message[at + 1], at + 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(message[at + 2 : start])
    return start, start + length


class SnmpSwitchEmulator(Emulator):
    """Ports 1 to 4, ifIndex and PoE port alike, a camera plugged into the third. `ports` is their state.

    Lets in `COMMUNITY` (v2c) and `USER` with `PASSWORD` (SHA) and `PRIVACY` (AES, v3). Faults: `silent`, `unplugged`,
    `reboot` (ports are on again), `wrong_password`.
    """

    available_faults = ("silent", "unplugged", "reboot", "wrong_password")

    def __init__(self, folder: Path, *, port: int = 0, reboot: float = 3.0) -> None:
        super().__init__(reboot=reboot)
        self.address = ("127.0.0.1", port or free_port("udp"))
        self._folder = folder
        self._process: ServerProcess | None = None

    @property
    def _state(self) -> Path:
        return self._folder / "ports.json"

    @property
    def ports(self) -> dict[str, dict[str, int]]:
        """`admin` and `power` (1 on, 2 off) and `plugged` of each."""
        return dict(json.loads(self._state.read_text()))

    @property
    def settings(self) -> list[str]:
        """What was set, in order: `3 power 2`."""
        done = self._state.with_suffix(".done")
        return done.read_text().splitlines() if done.exists() else []

    def plug(self, number: int, plugged: bool) -> None:
        """Somebody plugs or unplugs what is at a port."""
        ports = self.ports
        ports[str(number)]["plugged"] = plugged
        self._keep_ports(ports)

    def _keep_ports(self, ports: dict[str, dict[str, int]]) -> None:
        fresh = self._state.with_suffix(".mine")
        fresh.write_text(json.dumps(ports))
        os.replace(fresh, self._state)

    def forget(self) -> None:
        """Settings that nobody saved are lost."""
        self._state.with_suffix(".done").unlink(missing_ok=True)
        self._keep_ports({str(number): {"admin": 1, "power": 1, "plugged": number == 3} for number in range(1, 5)})

    def fault(self, name: str, on: bool = True) -> None:
        """Switch one; a new password is known after a restart."""
        super().fault(name, on)
        if name == "silent" and self._process is not None:
            self._process.pause(on)
        elif name == "wrong_password":
            super().fault("reboot")

    async def open(self) -> None:
        """Start it, wait until it answers."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._state.exists():
            self.forget()
        shutil.rmtree(self._folder / "persistent", ignore_errors=True)
        host, port = self.address
        password = "changed-it" if "wrong_password" in self._on else PASSWORD
        serve = f"{sys.executable} {PROGRAM} {self._state}"
        config = self._folder / "snmpd.conf"
        config.write_text(
            f"agentAddress udp:{host}:{port}\nsysDescr Emulated switch\nrwcommunity {COMMUNITY} 127.0.0.0/8\n"
            f"createUser {USER} SHA {password} AES {PRIVACY}\nrwuser {USER} priv\n"
            f"pass_persist .1.3.6.1.2.1.2.2.1 {serve}\npass_persist .1.3.6.1.2.1.105.1.1.1 {serve}\n"
        )
        program = shutil.which("snmpd", path="/usr/local/sbin:/usr/sbin:/usr/bin") or "snmpd"
        without = "-ifTable,-ifXTable,-interfaces,-interface"
        places = {
            "SNMP_PERSISTENT_DIR": str(self._folder / "persistent"),
            "MIBS": "",
            "SNMPCONFPATH": str(self._folder),
        }
        command = [program, "-f", "-C", "-c", str(config), "-I", without, "-Lf", str(self._folder / "log")]
        self._process = ServerProcess(command, MISSING, places)
        await self._process.start(self._answers)

    async def _answers(self) -> bool:
        async with Engines.kept(Login(COMMUNITY)) as engines, engines.lend() as one:
            link = await SnmpLink.open(one, self.address, Login(COMMUNITY), 0.2)
            try:
                return (await link.get("1.3.6.1.2.1.2.2.1.7.1"))[0] is not None
            except (TimeoutError, DeviceError):
                return False

    async def close(self) -> None:
        """End it."""
        if self._process is not None:
            await self._process.stop()
            self._process = None
            await asyncio.sleep(0)
