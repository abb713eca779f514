"""Driver `pjlink`: a projector or display with power, inputs, mute and blank."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from devices.capabilities import Input, On, Reply
from devices.config import DeviceConfig
from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.errors import NotNow, NotSupported, Rejected
from devices.pjlink import lines, news, troubles
from devices.pjlink.inputs import Inputs
from devices.pjlink.link import PjlinkLink
from devices.pjlink.settings import PjlinkSettings
from devices.pjlink.slow_change import SlowChange
from devices.sharing import Shared


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
    answers_within = news.ANSWERS_WITHIN + 0.5
    reports = {"lamp_hours": "number", "errors": "text"}
    tells_inputs = True
    _context: Context
    _link: PjlinkLink
    _power: str | None = None  # as it said last
    _level = 0  # class of the device, 0 until it told

    def __init__(self, config: DeviceConfig, settings: PjlinkSettings) -> None:
        super().__init__(config, settings)
        self._slow = SlowChange({"warming": settings.warmup, "cooling": settings.cooldown})
        self._inputs = Inputs(settings.inputs)
        self._learned = False  # which inputs there are, over this connection
        self._failed = False  # it says that it failed
        self._troubles: dict[str, str] = {}  # as it said last, over any connection

    @property
    def address(self) -> str:
        """A projector has one address."""
        return f"tcp {self.settings.host}:{self.settings.port}"

    @property
    def inputs(self) -> list[str]:
        """Those the settings name; of what the projector has besides it tells later."""
        return self._inputs.names

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        """The search of class 2."""
        found = await news.search(seconds)
        return [Found("pjlink", f"PJLink {at}", settings={"host": at}, identity=said) for at, said in found.items()]

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
        self._power = None
        strong = settings.authentication == "sha256"
        place = (settings.host, settings.port, settings.password)
        async with PjlinkLink.open(context, *place, strong=strong) as self._link:
            self._level, self._learned = 0, False
            await self._ask_class()
            maker, product = [await self._ask_if_known(name) for name in ("INF1", "INF2")]
            self._inputs.connected(model := f"{maker} {product}".strip())
            context.connected(model=model)
            await self._link.until_lost()

    async def poll(self, *, whole: bool) -> None:
        """Power is the cheapest question; the rest only while it is on."""
        power = await self._ask_power()
        if not whole:
            return
        if not self._learned:
            await self._learn(is_on=power == "on")
        if power == "on":
            self._context.report("input", self._inputs.name(await self._ask_if_known("INPT")))
            if (mutes := lines.read_mutes(await self._ask_if_known("AVMT"))) is not None:
                self._context.report("mute", mutes[0])
                self._context.report("blank", mutes[1])
        if (hours := lines.read_lamp_hours(await self._ask_if_known("LAMP"))) is not None:
            self._context.report("lamp_hours", hours)
        if said := await self._ask_if_known("ERST"):  # refused in standby, it says nothing: what it said last stays
            self._troubles = troubles.read(said)
            self._context.report("errors", " ".join(f"{part}:{level}" for part, level in self._troubles.items()))
        self._complain()

    def _complain(self) -> None:
        self._context.trouble(troubles.notice(self._troubles, self._failed, self._inputs.missing, self._inputs.codes))

    async def _learn(self, *, is_on: bool) -> None:
        """Its class and inputs, by and by of one that is slow: some tell neither before they are on, as if they never would."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._context.timing.reply
        await self._ask_class()
        self._level = self._level or int(is_on)
        if self._level and loop.time() < end:
            told = await self._inputs.ask(self._ask, lambda: loop.time() >= end, names=self._level == 2)
            self._learned = (is_on or told) and not self._inputs.more
            if is_on or told:
                self._context.offer(self._inputs.names)

    # --- capabilities -------------------------------------------------------------------------------------------

    async def set_power(self, args: On) -> Reply:
        """On, or standby; warming and cooling are said as they are."""
        await self._set("POWR", "1" if args.on else "0")
        with suppress(TimeoutError):  # who is slow has said that it takes it
            async with asyncio.timeout(self._context.timing.reply):
                return Reply.DONE if await self._ask_power() == ("on" if args.on else "off") else Reply.ACCEPTED
        return Reply.ACCEPTED

    async def select_input(self, args: Input) -> Reply:
        """By its name in the settings, or the projector's own."""
        code = self._inputs.choose(args.input)
        self._context.offer(self._inputs.names)
        if code is None:
            raise NotSupported(f"no input {args.input!r}; there are: {', '.join(self._inputs.names)}")
        await self._when_on("INPT", code)
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
        """One that is off by now says itself that it cannot: asked twice, a slow one would be too late."""
        if self._power != "on" and await self._ask_power() != "on":
            raise NotNow("not before it is on")
        await self._set(name, parameter)

    # --- asking -------------------------------------------------------------------------------------------------

    async def _ask_power(self) -> str | None:
        failed, power = False, None
        try:
            power = lines.POWER.get(await self._ask("POWR"))
        except Rejected:  # a failure of the projector (ERR4)
            failed = True
        if failed != self._failed:
            self._failed = failed
            self._complain()
        self._power = power
        remaining, total = self._slow.saw(power, asyncio.get_running_loop().time())
        self._context.report("power", power, remaining=remaining, total=total)
        return power

    async def _ask_class(self) -> None:
        """Of a device that does not say now, class 1 is spoken."""
        if not self._level and (said := await self._ask_if_known("CLSS")):
            self._level = 2 if said == "2" else 1

    def _level_of(self, name: str) -> int:
        return max(1, self._level) if name in ("INPT", "INST", "INNM") else 1

    async def _ask(self, name: str, question: str = "?") -> str:
        level = self._level_of(name)
        return await self._context.patiently(lambda: self._link.ask(name, question, level=level))

    async def _ask_if_known(self, name: str) -> str:
        """Empty when the device does not know the question, or not now."""
        try:
            return await self._ask(name)
        except (NotSupported, NotNow, Rejected):
            return ""

    async def _set(self, name: str, parameter: str) -> None:
        await self._context.patiently(lambda: self._link.set(name, parameter, level=self._level_of(name)))
