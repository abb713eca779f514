"""Driver `wol`: the room's computer, woken over the network."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from typing import Annotated

import msgspec

from devices.capabilities import Arguments, Reply
from devices.config import DeviceConfig, DeviceSettingsError, Mistake
from devices.context import Context
from devices.driver import Driver, Manifest
from devices.errors import Lost
from devices.hosts import Host
from devices.marks import SECRET
from devices.names import NAMES, NOBODY
from devices.wol.packet import Magic, hardware

SENDS = 3  # datagrams get lost, and nobody answers them
Address = Annotated[
    str, msgspec.Meta(pattern=r"^\d{1,3}(\.\d{1,3}){3}$", description="an IPv4 address, like '10.0.0.255'")
]
Hardware = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$", description="a hardware address, like '00:11:22:aa:bb:cc'"
    ),
]
Secret = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$|^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){3}$",
        description="6 or 4 bytes, like 'aa:bb:cc:dd:ee:ff'",
        extra_json_schema=SECRET,
    ),
]


class WolSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`broadcast` of the room's own network, `source` our address there: a router lets no such packet through.

    `password`: SecureOn, 6 or 4 bytes as `aa:bb:…`. `host` and `probe`: whether a TCP port answers tells whether it is on.
    """

    mac: Hardware
    broadcast: Address = "255.255.255.255"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 9
    source: Address | None = None
    password: Secret | None = None
    host: Host | None = None
    probe: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None


class WolComputer(Driver[WolSettings]):
    """`power` is reported `on` where a port may be asked and answers; whatever else is shown of it is assumed."""

    manifest = Manifest(
        id="wol",
        version="1.0",
        title="Computer woken over the network",
        settings=WolSettings,
        transports=("udp",),
        emulator="devices.emulators.wol:WolEmulator",
    )
    reports = {"power": ("on",)}  # silence is no word of its own
    unfound = "A computer that is off answers no search: read its hardware address from its sticker or its settings."
    _context: Context
    _socket: socket.socket
    _named = False  # its name was known once

    def __init__(self, config: DeviceConfig, settings: WolSettings) -> None:
        super().__init__(config, settings)
        self._magic = Magic(hardware(settings.mac), hardware(settings.password or "")).encode()
        if (settings.host is None) != (settings.probe is None):
            problem, remedy = (
                "only one is given",
                "Give host and probe, or neither: then nobody knows whether it is on.",
            )
            raise DeviceSettingsError([Mistake(config.id, "settings.host, settings.probe", problem, remedy)])

    @property
    def address(self) -> str:
        """A computer is woken by its hardware address."""
        return f"wol {self.settings.mac}"

    async def run(self, context: Context) -> None:
        """Hold a socket on the room's network; a computer that is off is no fault."""
        self._context = context
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as self._socket:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            try:
                self._socket.bind((self.settings.source or "", 0))
            except OSError as error:
                raise Lost(f"{self.settings.source}: {error}") from error
            context.connected(model=self.settings.mac)
            await asyncio.get_running_loop().create_future()  # until cancelled

    async def poll(self, *, whole: bool) -> None:
        """Whether its port answers, when all is asked: a connection that is closed at once.

        A name that was never known may be a wrong one: that is said, and nothing is believed. It can be woken all the same,
        as who is off may have no name: one that was known once went with its computer (RFC 6762 §10.1, leases of DHCP).
        """
        if not whole or self.settings.host is None:
            return
        unknown = None
        try:
            answers = await self._answers()
        except Lost as error:
            answers, unknown = False, None if self._named else error.notice
        self._context.trouble(unknown)
        if answers:
            self._context.report("power", "on")
        elif unknown is None:
            self._context.assume("power", "off")  # silence is no word of its own

    async def wake(self, args: Arguments) -> Reply:
        """Send the packet; what its port says later tells whether it woke."""
        try:
            for _ in range(SENDS):
                self._socket.sendto(self._magic, (self.settings.broadcast, self.settings.port))
        except OSError as error:
            raise Lost(str(error)) from error
        if self.settings.host is None:
            self._context.assume("power", "on")
        return Reply.ACCEPTED

    async def _answers(self) -> bool:
        """A port that is closed answers as well: somebody said so. Raises Lost when nobody knows its name."""
        try:
            async with asyncio.timeout(self._context.timing.reply):
                first, *_ = await NAMES.addresses(self.settings.host or "")
                self._named = True
                _, writer = await asyncio.open_connection(first, self.settings.probe)
        except ConnectionRefusedError:
            self._context.heard("connection refused")
            return True
        except Lost as error:
            if error.notice.code == NOBODY:
                raise
            return False
        except (OSError, TimeoutError):
            return False
        self._context.heard(f"port {self.settings.probe} answers")
        writer.transport.abort()
        return True
