"""Driver `hid`: the keys and lights of a speakerphone, headset or button: mute, hook switch, volume.

A press is a request: the room is asked, and what it then commands is shown by the lights. A device that muted itself
meanwhile goes back to what the light says.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Literal

from devices.capabilities import On, Reply
from devices.config import DeviceConfig
from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.errors import Garbage, NotSupported, Rejected
from devices.hid.descriptor import LONGEST, BadDescriptor, parse
from devices.hid.held import Held
from devices.hid.hidraw import get_output, read_descriptor, read_name
from devices.hid.keys import Keys, Style
from devices.hid.telephony import LED_MUTE, LED_OFF_HOOK, Telephony
from devices.kernel.node import Node, open_node
from devices.kernel.usb import NodeSettings, UsbNode, check, path_of, usb_nodes

SHOWN = {"mute": LED_MUTE, "call": LED_OFF_HOOK}  # property -> light


class HidSettings(NodeSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`off_hook`: when the device is told that it is in a call, as many only then send their mute key.

    `key`, `hook`: how the mute key and the hook switch move, where the descriptor says it wrong: `press` for a key (each
    press asks for the other state), `switch` for one that stays where it is put.
    """

    off_hook: Literal["meeting", "always", "never"] = "meeting"
    key: Style = "auto"
    hook: Style = "auto"


class HidTelephony(Driver[HidSettings]):
    """A telephony device behind hidraw."""

    manifest = Manifest(
        id="hid",
        version="1.0",
        title="USB mute key, hook switch, volume keys and lights",
        settings=HidSettings,
        transports=("kernel", "usb"),
        emulator="devices.emulators.hid:HidEmulator",
    )
    _context: Context
    _node: Node
    _keys: Keys
    _device: Telephony | None = None
    _believed: bool  # what its lights are read back as

    def __init__(self, config: DeviceConfig, settings: HidSettings) -> None:
        super().__init__(config, settings)
        check(config, settings)
        self._held = Held(lambda up: self._context.ask("step_volume", up=up))
        self._lit = {"mute": False, "call": settings.off_hook == "always"}  # as last written or read

    @property
    def address(self) -> str:
        """The keys and lights of one device."""
        return self.settings.only("hidraw")

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        """USB devices with a mute key, hook switch or mute light, by their report descriptors."""
        return await asyncio.to_thread(cls.found, "/")

    @classmethod
    def found(cls, root: str) -> list[Found]:
        """Telephony devices below `root` (blocking)."""
        nodes = [one for one in usb_nodes("hidraw", root) if _is_telephone(one, root)]
        return [Found("hid", one.name, one.name, one.settings, one.identity) for one in nodes]

    async def run(self, context: Context) -> None:
        """Learn the reports, show the lights as they were, hold the node."""
        self._context, self._device, self._believed = context, None, True
        path = await path_of("hidraw", self.settings, partial(_is_telephone, root=self.settings.root))
        async with open_node(path, self._received) as self._node:
            device = Telephony(await context.retrying(lambda: read_descriptor(self._node)))
            if not device.keys and device.light(LED_MUTE) is None:
                raise Garbage("its reports know none of our keys, and no mute light")
            name = await context.retrying(lambda: read_name(self._node))
            self._keys = Keys(device, self.settings.key, self.settings.hook)
            self._device = device
            self._lit |= await self._read(device)
            if self.settings.off_hook != "never":
                await self._show(device)
            context.connected(model=name, capabilities=self._can(device))
            try:
                await self._node.until_lost()
            finally:
                self._held.now(None)

    async def poll(self, *, whole: bool) -> None:
        """Read the lights back where the device lets us; else its name proves that it is there."""
        device = self._ready()
        if said := await self._read(device):
            self._say(said)
        else:
            self._context.heard(await self._context.retrying(lambda: read_name(self._node)))

    async def set_mute(self, args: On) -> Reply:
        """The room's answer: light the mute light, or put it out."""
        return await self._set("mute", args.on)

    async def set_call(self, args: On) -> Reply:
        """The device is off hook while the room is in a meeting."""
        return await self._set("call", args.on)

    # --- reports ------------------------------------------------------------------------------------------------

    def _received(self, data: bytes) -> None:
        """An input report."""
        if self._device is None:
            return
        self._context.heard(data)
        now = asyncio.get_running_loop().time()
        for op, name, value in self._keys.hear(data, now, muted=self._lit["mute"], in_call=self._lit["call"]):
            self._context.heard(f"key: {op} {name}={value}")
            if op != "set_call" or self.settings.off_hook == "meeting":
                self._context.ask(op, **{name: value})
        self._held.now(self._keys.held)

    def _can(self, device: Telephony) -> list[str]:
        can = ["mute"] if device.light(LED_MUTE) else []
        return [*can, "call"] if device.light(LED_OFF_HOOK) and self.settings.off_hook == "meeting" else can

    async def _set(self, name: str, on: bool) -> Reply:
        device = self._ready()
        if device.light(SHOWN[name]) is None:
            raise NotSupported("it has no such light")
        before, self._lit[name] = self._lit[name], on
        try:
            await self._show(device)
        except BaseException:
            self._lit[name] = before
            raise
        said = await self._read(device)
        if said.get(name) not in (None, on):
            self._believed, said = False, {}  # it took the light, and reads back another: many always say the same
        if name in said:
            self._say(said)
        else:
            self._context.assume(name, on)
        return Reply.DONE

    async def _show(self, device: Telephony) -> None:
        lit = frozenset(SHOWN[name] for name, on in self._lit.items() if on)
        for report in device.lights(lit):
            await self._context.retrying(partial(self._node.write, report))

    def _say(self, said: dict[str, bool]) -> None:
        for name, on in said.items():
            self._context.heard(f"{name} light {'on' if on else 'off'}")
            self._lit[name] = on
            self._context.report(name, on)

    async def _read(self, device: Telephony) -> dict[str, bool]:
        """The lights of the mute light's report as the device says they are; empty when it cannot say."""
        field = device.light(LED_MUTE)
        if field is None or not self._believed:
            return {}
        request = bytes([field.report]).ljust(1 + device.length(field), b"\0")
        try:
            answer, _ = await self._context.retrying(lambda: self._node.ioctl(get_output(len(request)), request))
        except (NotSupported, Rejected):
            self._believed = False  # many do not answer GET_REPORT for an output report
            return {}
        if device.lit(LED_MUTE, answer) is None:
            self._context.garbled(answer)
            raise Garbage("its light was read back as no report of its own")
        said = {name: device.lit(SHOWN[name], answer) for name in self._can(device)}
        return {name: on for name, on in said.items() if on is not None}

    def _ready(self) -> Telephony:
        if self._device is None:
            raise Rejected("not connected yet", retryable=True)
        return self._device


def _is_telephone(node: UsbNode, root: str) -> bool:
    """By its report descriptor, without opening it (blocking)."""
    described = Path(root, "sys/class/hidraw", Path(node.node).name, "device/report_descriptor")
    try:
        with described.open("rb") as file:
            return Telephony(parse(file.read(LONGEST))).telephone
    except (OSError, BadDescriptor):
        return False
