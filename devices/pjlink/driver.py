"""Driver `pjlink`: a projector or display with power, inputs, mute and blank."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec

from devices.capabilities import Input, On, Reply
from devices.config import DeviceConfig
from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.errors import NotNow, NotSupported, Rejected
from devices.marks import SECRET
from devices.pjlink import lines, news
from devices.pjlink.link import PjlinkLink
from devices.pjlink.slow_change import SlowChange
from devices.sharing import Shared
from wire.problems import Notice

Seconds = Annotated[float, msgspec.Meta(ge=0, le=600)]


class PjlinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`inputs`: name to PJLink input (`31` is the first digital one). Warm-up and cool-down in seconds, then learned.

    `listen`: UDP port (4352) where the notifications of a class 2 device come, once it was told this machine's address.
    """

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 4352
    password: Annotated[str, msgspec.Meta(max_length=32, extra_json_schema=SECRET)] = ""
    inputs: dict[str, Annotated[str, msgspec.Meta(pattern="^[1-6][1-9A-Z]$")]] = msgspec.field(
        default_factory=lambda: {"hdmi1": "31", "hdmi2": "32"}
    )
    warmup: Seconds = 30.0
    cooldown: Seconds = 60.0
    listen: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None


class PjlinkDisplay(Driver[PjlinkSettings]):
    """A projector or display."""

    manifest = Manifest(
        id="pjlink",
        version="1.0",
        title="PJLink projector or display",
        settings=PjlinkSettings,
        transports=("tcp",),
        emulator="devices.emulators.pjlink:PjlinkEmulator",
        spacing=0.05,
    )
    reports = {"lamp_hours": "number", "errors": "text"}
    _context: Context
    _link: PjlinkLink
    _level = 1

    def __init__(self, config: DeviceConfig, settings: PjlinkSettings) -> None:
        super().__init__(config, settings)
        self._slow = SlowChange({"warming": settings.warmup, "cooling": settings.cooldown})

    @property
    def address(self) -> str:
        """A projector has one address."""
        return f"tcp {self.settings.host}:{self.settings.port}"

    @property
    def inputs(self) -> list[str]:
        """Those the settings name."""
        return list(self.settings.inputs)

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        """The search of class 2."""
        found = await news.search(seconds)
        return [
            Found("pjlink", f"PJLink {address}", settings={"host": address}, identity=identity)
            for address, identity in found.items()
        ]

    async def attend(self, shared: Shared, nudge: Callable[[], None]) -> None:
        """Ask at once when the device has news, or came to the network."""
        if (port := self.settings.listen) is None:
            return
        addresses = await news.addresses_of(self.settings.host)
        async with shared.use(f"pjlink news {port}", lambda: news.NewsListener.open(port)) as listener:
            with listener.listen(addresses, nudge):
                await asyncio.Event().wait()

    async def run(self, context: Context) -> None:
        """Greet, learn the class and the name, hold the connection: our keep-alives prevent its idle close."""
        settings, self._context = self.settings, context
        self._slow.lost_sight()
        async with PjlinkLink.open(context, settings.host, settings.port, settings.password) as self._link:
            self._level = 2 if await self._ask("CLSS") == "2" else 1
            maker, product = [await self._ask_if_known(name) for name in ("INF1", "INF2")]
            context.connected(model=f"{maker} {product}".strip())
            await self._link.until_lost()

    async def poll(self, *, whole: bool) -> None:
        """Power is the cheapest question; the rest only while it is on."""
        power = await self._ask_power()
        if not whole:
            return
        if power == "on":
            code = await self._ask_if_known("INPT")
            names = {code: name for name, code in self.settings.inputs.items()}
            self._context.report("input", names.get(code, code) or None)
            if (mutes := lines.read_mutes(await self._ask_if_known("AVMT"))) is not None:
                self._context.report("mute", mutes[0])
                self._context.report("blank", mutes[1])
        self._context.report("lamp_hours", lines.read_lamp_hours(await self._ask_if_known("LAMP")))
        self._report_troubles(lines.read_troubles(await self._ask_if_known("ERST")))

    def _report_troubles(self, troubles: dict[str, str]) -> None:
        self._context.report("errors", " ".join(f"{part}:{level}" for part, level in troubles.items()))
        worst = sorted(troubles, key=lambda part: troubles[part])[:1]
        self._context.trouble(Notice(f"device.{worst[0]}") if worst else None)

    # --- capabilities -------------------------------------------------------------------------------------------

    async def set_power(self, args: On) -> Reply:
        """On, or standby; warming and cooling are said as they are."""
        await self._set("POWR", "1" if args.on else "0")
        return Reply.DONE if await self._ask_power() == ("on" if args.on else "off") else Reply.ACCEPTED

    async def select_input(self, args: Input) -> Reply:
        """By the name in the settings."""
        code = self.settings.inputs.get(args.input)
        if code is None:
            raise NotSupported(f"no input {args.input!r}; there are: {', '.join(self.settings.inputs)}")
        if await self._ask_power() != "on":
            raise NotNow("not before it is on")
        await self._set("INPT", code)
        return Reply.DONE

    async def set_mute(self, args: On) -> Reply:
        """The sound."""
        await self._when_on("AVMT", "21" if args.on else "20")
        return Reply.DONE

    async def set_blank(self, args: On) -> Reply:
        """The picture."""
        await self._when_on("AVMT", "11" if args.on else "10")
        return Reply.DONE

    async def _when_on(self, name: str, parameter: str) -> None:
        if await self._ask_power() != "on":
            raise NotNow("not before it is on")
        await self._set(name, parameter)

    # --- asking -------------------------------------------------------------------------------------------------

    async def _ask_power(self) -> str | None:
        power = lines.POWER.get(await self._ask("POWR"))
        remaining, total = self._slow.saw(power, asyncio.get_running_loop().time())
        self._context.report("power", power, remaining=remaining, total=total)
        return power

    async def _ask(self, name: str) -> str:
        level = self._level if name == "INPT" else 1
        return await self._patiently(lambda: self._link.ask(name, level=level))

    async def _ask_if_known(self, name: str) -> str:
        """Empty when the device does not know the question, or not now."""
        try:
            return await self._ask(name)
        except (NotSupported, NotNow, Rejected):
            return ""

    async def _set(self, name: str, parameter: str) -> None:
        async def command() -> str:
            await self._link.set(name, parameter, level=self._level if name == "INPT" else 1)
            return ""

        await self._patiently(command)

    async def _patiently(self, ask: Callable[[], Awaitable[str]]) -> str:
        return await self._context.retrying(ask)
