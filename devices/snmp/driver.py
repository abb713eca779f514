"""Driver `snmp`: the ports of a managed switch that a room may know of."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from devices.capabilities import Port, PortState, Reply
from devices.config import DeviceConfig, DeviceSettingsError, Mistake
from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.errors import DeviceError, Lost, NotSupported
from devices.sharing import Shared
from devices.snmp.login import Login
from devices.snmp.objects import ADMIN, DELIVERING, DESCRIPTION, POWER, UPTIME, no_such, of_port
from devices.snmp.place import SnmpPlace
from devices.snmp.settings import PortSettings, SnmpSettings
from devices.snmp.values import Values

if TYPE_CHECKING:  # they bring pysnmp, which only those who talk to a switch load
    from devices.snmp.engines import Engines
    from devices.snmp.link import SnmpLink

Answer = TypeVar("Answer")


class SnmpSwitch(Driver[SnmpSettings]):
    """`port_<n>` is reported as `up`, `down`, or `off` when it was switched off; `power_<n>` when it delivers power."""

    manifest = Manifest(
        id="snmp",
        version="1.0",
        title="SNMP switch",
        settings=SnmpSettings,
        transports=("udp",),
        emulator="devices.emulators.snmp:SnmpSwitchEmulator",
        spacing=0.02,
    )
    place = SnmpPlace
    unfound = (
        "Switches are found among addresses that you name: --driver snmp --set hosts=10.0.0.0/28 --set community=…"
    )
    _context: Context
    _link: SnmpLink

    def __init__(self, config: DeviceConfig, settings: SnmpSettings) -> None:
        super().__init__(config, settings)
        self._values = Values(lambda oids: self._ask(lambda: self._link.get(*oids)))
        self._dark: dict[str, float] = {}  # ports without power for a moment: loop time when they get it back
        self._cycled = asyncio.Event()
        self._switching = asyncio.Lock()  # one setting at a time: a late try of one must not undo the next
        if bool(settings.community) == bool(settings.user) or (settings.privacy and not settings.password):
            problem, remedy = "is not one way in", "Give community, or user and password; privacy only with a password."
            raise DeviceSettingsError([Mistake(config.id, "settings.community, settings.user", problem, remedy)])

    @classmethod
    async def discover_at(cls, place: SnmpPlace, seconds: float) -> list[Found]:
        """Those that answer among the addresses named."""
        return list(await (await asyncio.to_thread(import_module, "devices.snmp.search")).search(place, seconds))

    @property
    def address(self) -> str:
        """One agent of a switch."""
        return f"udp {self.settings.host}:{self.settings.port}"

    @property
    def ports(self) -> list[int]:
        """Those the settings name."""
        return [int(number) for number in self.settings.ports]

    @property
    def _login(self) -> Login:
        one = self.settings
        return Login(one.community, one.user, one.authentication, one.password or "", one.privacy or "")

    @asynccontextmanager
    async def _engines(self, shared: Shared) -> AsyncIterator[Engines]:
        kept = (await asyncio.to_thread(import_module, "devices.snmp.engines")).Engines.kept
        async with shared.use(f"snmp {self._login!r}", lambda: kept(self._login)) as engines:
            yield engines

    async def attend(self, shared: Shared, nudge: Callable[[], None]) -> None:
        """Nothing comes by itself; the engine is kept while the switch is away."""
        async with self._engines(shared):
            await asyncio.Event().wait()

    async def run(self, context: Context) -> None:
        """Ask what it is; then give cycled ports their power back in time, whatever happens to the connection."""
        settings, self._context = self.settings, context
        async with self._engines(context.shared.whole) as engines, engines.lend() as one:
            patience = context.timing.reply * context.timing.attempts
            from devices.snmp.link import SnmpLink

            self._link = await SnmpLink.open(one, (settings.host, settings.port), self._login, patience)
            (what,) = await self._ask(lambda: self._link.get(DESCRIPTION))
            context.connected(model=str(what or "SNMP switch"))
            try:
                await self._give_back_in_time()
            finally:
                await self._give_back_at_the_end()

    async def poll(self, *, whole: bool) -> None:
        """Its uptime, or the state of every port that we may know of."""
        if not whole:
            (uptime,) = await self._ask(lambda: self._link.get(UPTIME))
            self._context.heard(f"uptime {uptime}")
            return
        self._context.trouble(no_such(self.settings.ports, await self._look(self.settings.ports)))

    async def _look(self, ports: Mapping[str, PortSettings]) -> dict[str, Any]:
        """Several ports' values in one question: a switch may take two seconds for each. By object, what was not refused."""
        wanted = {number: of_port(port) for number, port in ports.items()}
        oids = list(dict.fromkeys(oid for some in wanted.values() for oid in some))
        known = dict(zip(oids, await self._values.of(oids), strict=True))
        for number, some in wanted.items():
            self._tell(number, *(known[oid] for oid in some))
        return {oid: value for oid, value in known.items() if not self._values.refused(oid)}

    def _tell(self, number: str, admin: Any, oper: Any, *power: Any) -> None:
        state = (
            None if admin is None or oper is None else "off" if int(admin) == 2 else "up" if int(oper) == 1 else "down"
        )
        self._context.heard(f"port {number} {state}")
        self._context.report(f"port_{number}", state)
        if power:
            self._context.report(f"power_{number}", None if power[0] is None else int(power[0]) == DELIVERING)

    # --- capabilities -------------------------------------------------------------------------------------------

    async def set_port(self, args: PortState) -> Reply:
        """The power of a port that gives power, else its link."""
        number, port = self._known(args)
        oid = f"{POWER}.{port.power}" if port.power else f"{ADMIN}.{port.interface}"
        await self._switch(oid, on=args.on)
        self._dark.pop(number, None)  # whoever says on or off now is obeyed
        await self._look({number: port})
        return Reply.DONE

    async def cycle_port(self, args: Port) -> Reply:
        """Take its power away; it comes back by itself after `off` seconds."""
        number, port = self._known(args)
        if port.power is None:
            raise NotSupported(f"port {number} gives no power that we may switch")
        self._dark[number] = math.inf  # before we ask: no answer may mean done
        try:
            await self._switch(f"{POWER}.{port.power}", on=False)
            await self._look({number: port})
        finally:  # not sooner: another try of "off" could come after "on", and the port would stay dark
            self._dark[number] = asyncio.get_running_loop().time() + self.settings.off
            self._cycled.set()
        return Reply.ACCEPTED

    def _known(self, args: Port) -> tuple[str, PortSettings]:
        number = str(args.port)
        if number not in self.settings.ports:
            raise NotSupported(f"port {number} is not among those of the room: {', '.join(self.settings.ports)}")
        return number, self.settings.ports[number]

    async def _give_back_in_time(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._cycled.clear()
            try:
                async with asyncio.timeout_at(min(self._dark.values(), default=None)):
                    await self._cycled.wait()
            except TimeoutError:
                await self._give_back({number: due for number, due in self._dark.items() if due <= loop.time()})

    async def _give_back_at_the_end(self) -> None:
        """Before we go; what cannot be given back now is when the switch is dialled again."""
        with suppress(TimeoutError, DeviceError):
            async with asyncio.timeout(self._context.timing.last_stop):
                await self._give_back(dict(self._dark))

    async def _give_back(self, dark: dict[str, float]) -> None:
        """Unless somebody switched or cycled it while this waited for its turn."""
        for number, due in dark.items():
            port = self.settings.ports[number]
            try:
                await self._switch(f"{POWER}.{port.power}", on=True, dark=(number, due))
            except DeviceError as error:
                raise Lost(f"port {number} did not get its power back: {error}") from error  # and again when dialled
            if self._dark.get(number) == due:
                del self._dark[number]
            await self._look({number: port})

    async def _switch(self, oid: str, *, on: bool, dark: tuple[str, float] | None = None) -> None:
        async with self._switching:
            if dark is None or self._dark.get(dark[0]) == dark[1]:
                await self._ask(lambda: self._link.set(oid, 1 if on else 2))

    async def _ask(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        return await self._context.persistently(ask)
