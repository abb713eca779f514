"""Driver `cec`: a television, and the audio system beside it, over HDMI-CEC.

What is shown is what the television said. Without its EDID (many switch it off in standby) it cannot be asked anything:
it is only seen to be there, and woken from the unregistered address.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from posixpath import normpath

from devices.capabilities import Input, Loudness, On, Reply
from devices.cec.adapter import CecAdapter
from devices.cec.audio import AudioSystem
from devices.cec.frames import AUDIO, BROADCAST, TV, WRONG_MODE, Frame, Opcode, dotted, physical
from devices.cec.settings import CecSettings
from devices.config import DeviceConfig
from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.errors import Lost, NotNow, NotSupported, Rejected


class CecDisplay(Driver[CecSettings]):
    """A television on an HDMI output of the room's computer."""

    manifest = Manifest(
        id="cec",
        version="1.0",
        title="HDMI-CEC display",
        settings=CecSettings,
        transports=("kernel",),
        emulator="devices.emulators.cec:CecEmulator",
    )
    _context: Context
    _adapter: CecAdapter
    _audio: AudioSystem
    _source: int | None = None  # the physical address that we said is shown
    _model = ""
    _online = False  # what is heard is reported: it was not lost before

    def __init__(self, config: DeviceConfig, settings: CecSettings) -> None:
        super().__init__(config, settings)
        self._aborted: dict[int, int] = {}  # what was refused, and why

    @property
    def address(self) -> str:
        """One line on one adapter."""
        return f"node {normpath(self.settings.node)}"

    @property
    def inputs(self) -> list[str]:
        """Those the settings name."""
        return list(self.settings.inputs)

    @classmethod
    async def discover(cls, seconds: float, root: str = "/") -> list[Found]:
        """Every adapter of this machine; `root` is another folder in tests."""
        nodes = await asyncio.to_thread(lambda: sorted(Path(root, "dev").glob("cec[0-9]*")))
        return [Found("cec", f"HDMI {node.name}", settings={"node": str(node)}, identity=str(node)) for node in nodes]

    async def run(self, context: Context) -> None:
        """Take part in the line, and hold it while the television acknowledges."""
        self._context, self._model, self._online = context, "", False
        place = self.settings.physical_address
        at = physical(place) if place else None
        async with CecAdapter.open(context, self.settings.node, at, self._hear) as self._adapter:
            self._audio = AudioSystem(context, self._adapter)
            await self._look(whole=True)
            context.connected(model=self._model, capabilities=self._can)
            self._online = True
            await self._adapter.node.until_lost()

    async def poll(self, *, whole: bool) -> None:
        """Is it there, and what does it say of itself."""
        before = self._audio.answers
        await self._look(whole=whole)
        if self._audio.answers is not before:
            self._context.connected(model=self._model, capabilities=self._can)

    # --- capabilities -------------------------------------------------------------------------------------------

    async def set_power(self, args: On) -> Reply:
        """Wake it, from whatever address we have, or send it to standby."""
        opcode = Opcode.IMAGE_VIEW_ON if args.on else Opcode.STANDBY
        self._aborted.pop(opcode, None)
        await self._adapter.command(TV, opcode)
        power = await self._power_now() if self._adapter.placed else None
        if self._aborted.get(opcode) == WRONG_MODE:
            raise Rejected("the television cannot do it now", retryable=True)
        if opcode in self._aborted:
            raise NotSupported("the television refuses it over CEC")
        return Reply.DONE if power == ("on" if args.on else "off") else Reply.ACCEPTED

    async def select_input(self, args: Input) -> Reply:
        """Say that this source is shown now; televisions follow without saying so."""
        place = self.settings.inputs.get(args.input)
        if place is None:
            raise NotSupported(f"the settings know no input {args.input!r}")
        if not self._adapter.placed:
            raise NotNow("the display sleeps without its EDID")
        source = self._adapter.physical if place == "self" else physical(place)
        await self._adapter.send(BROADCAST, Opcode.ACTIVE_SOURCE, source.to_bytes(2, "big"))
        self._source = source
        self._context.assume("input", args.input)
        return Reply.ACCEPTED

    async def set_volume(self, args: Loudness) -> Reply:
        """Of the audio system."""
        await self._audio.set_volume(round(args.volume * 100))
        return Reply.DONE

    async def set_mute(self, args: On) -> Reply:
        """Mute or unmute the audio system."""
        await self._audio.set_mute(args.on)
        return Reply.DONE

    async def _power_now(self) -> str | None:
        """After it took a command; its EDID may go with its power: then the next look tells."""
        try:
            return await self._power()
        except Rejected:
            return None

    # --- the line -----------------------------------------------------------------------------------------------

    @property
    def _can(self) -> list[str]:
        return ["power", "input", *(("volume", "mute") if self._audio.answers else ())]

    async def _look(self, *, whole: bool) -> None:
        await self._adapter.look()
        try:
            await self._power()
        except Rejected as error:
            raise Lost(f"no television acknowledges on the CEC line: {error}") from None
        if self._adapter.placed and not self._model:
            self._model = await self._vendor()
        if self._adapter.placed and whole:
            await self._audio.look()

    async def _power(self) -> str | None:
        if not self._adapter.placed:
            await self._adapter.send(TV)
            self._context.heard("it acknowledges; it has no EDID now")
            self._context.assume("power", "off")
            return None
        try:
            answer = await self._adapter.ask(TV, Opcode.GIVE_DEVICE_POWER_STATUS, Opcode.REPORT_POWER_STATUS)
        except NotSupported:
            return None
        return answer.power if answer else None

    async def _vendor(self) -> str:
        try:
            answer = await self._adapter.ask(TV, Opcode.GIVE_DEVICE_VENDOR_ID, Opcode.DEVICE_VENDOR_ID)
        except NotSupported:
            answer = None
        return f"{answer.vendor} TV".strip() if answer else "TV"

    def _hear(self, frame: Frame) -> None:
        """Whatever is said on the line."""
        if not self._online:
            return  # said again in the first poll
        if frame.initiator == TV and frame.power:
            self._context.report("power", frame.power)
        elif frame.initiator == TV and frame.opcode == Opcode.STANDBY:
            self._context.report("power", "off")
        elif frame.initiator == AUDIO:
            self._audio.hear(frame)
        elif frame.aborted is not None:
            self._aborted[frame.aborted] = frame.reason
        elif frame.opcode == Opcode.REQUEST_ACTIVE_SOURCE and self._source == self._adapter.physical:
            self._adapter.tell(BROADCAST, Opcode.ACTIVE_SOURCE, self._source.to_bytes(2, "big"))
        elif frame.shown is not None:
            self._source = frame.shown
            tell = (
                self._context.report if frame.initiator == TV else self._context.assume
            )  # televisions follow a source
            tell("input", self._named(frame.shown))

    def _named(self, source: int) -> str:
        """An input by its name, else its physical address."""
        mine = self._adapter.physical
        for name, place in self.settings.inputs.items():
            if (mine if place == "self" else physical(place)) == source:
                return name
        return dotted(source)
