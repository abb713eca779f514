"""Driver `ups`: a power supply that Network UPS Tools watches."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec

from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.errors import DeviceError
from devices.hosts import Host
from devices.mdns import announced
from devices.ups.lines import number, supply, tells, trouble
from devices.ups.link import Stale, UpsdLink
from wire.problems import Notice

PORT = 3493
MOST = 32  # computers with supplies
SHOWN = {"battery.charge": "charge", "battery.runtime": "runtime", "ups.load": "load"}


class UpsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ups`: its name in the `ups.conf` of the computer `host`, to which it is attached."""

    ups: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[A-Za-z0-9_.-]{1,64}$",
            description="the name of the supply in ups.conf: letters, digits, '_', '.' and '-'",
        ),
    ]
    host: Host = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = PORT


class UpsSupply(Driver[UpsSettings]):
    """It only reports; nothing here switches it off."""

    manifest = Manifest(
        id="ups",
        version="1.0",
        title="UPS behind Network UPS Tools",
        settings=UpsSettings,
        transports=("tcp",),
        emulator="devices.emulators.ups:UpsServer",
    )
    senses = ("supply",)
    _context: Context
    _link: UpsdLink
    _there: bool | None = None  # the upsd hears it; None before the first answer
    _told: tuple[str | None, str | None] = (None, None)  # what it last meant, and what was wrong

    @property
    def address(self) -> str:
        """One UPS of one upsd, which may have several."""
        return f"tcp {self.settings.host}:{self.settings.port} {self.settings.ups}"

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        """The supplies attached to this computer, and to those whose upsd announces itself."""
        heard = await announced("_nut._tcp", seconds=0.7 * seconds)
        there = [(one.host, one.port) for one in heard.near]
        asked = [cls._supplies(host, port, 0.3 * seconds) for host, port in [("127.0.0.1", PORT), *there][:MOST]]
        return [*(found for several in await asyncio.gather(*asked) for found in several), *heard.left_out("ups")]

    @classmethod
    async def _supplies(cls, host: str, port: int, seconds: float) -> list[Found]:
        try:
            async with asyncio.timeout(seconds), UpsdLink.open(host, port) as link:
                named = await link.supplies()
        except (DeviceError, TimeoutError):
            return []
        local = (host, port) == ("127.0.0.1", PORT)
        place = {} if local else {"host": host} | ({"port": port} if port != PORT else {})
        where = "local" if local else f"{host}:{port}"
        return [Found("ups", name, about, {"ups": name, **place}, f"{where} {name}") for name, about in named.items()]

    async def run(self, context: Context) -> None:
        """Hold the connection that all supplies of one upsd share."""
        settings, self._context, self._there = self.settings, context, None
        key = f"upsd {settings.host} {settings.port}"
        async with context.shared.use(key, lambda: UpsdLink.open(settings.host, settings.port)) as self._link:
            await self._look()
            await self._link.until_lost()

    async def poll(self, *, whole: bool) -> None:
        """NUT tells nothing by itself: its status is asked each time, all of it while the power is cut."""
        if whole or self._told != ("line", None) or _meaning(await self._ask_status()) != self._told:
            await self._look()

    async def _look(self) -> None:
        """Report everything, or that nobody hears it."""
        try:
            known = await self._context.patiently(lambda: self._link.variables(self.settings.ups))
        except Stale:
            known = {}
        status = known.get("ups.status", "")
        self._told = word, code = _meaning(status)
        if not tells(status):
            self._there = False
            self._context.absent(Notice(Stale.code))
            return
        if not self._there:
            self._there = True
            maker, model = (known.get(name, "") for name in ("ups.mfr", "ups.model"))
            self._context.connected(model=f"{maker} {model}".strip() or self.settings.ups)
        self._context.heard(status)
        self._context.report("supply", word)
        for variable, name in SHOWN.items():
            self._context.report(name, number(known.get(variable)))
        self._context.trouble(Notice(code) if code else None)

    async def _ask_status(self) -> str:
        try:
            status = await self._context.patiently(lambda: self._link.status(self.settings.ups))
        except Stale:
            return ""
        self._context.heard(status)
        return status


def _meaning(status: str) -> tuple[str | None, str | None]:
    return supply(status), trouble(status)
