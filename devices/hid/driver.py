"""Driver `hid`: the mute key and light of a speakerphone, headset or button.

A press is a request: the room is asked, and what it then commands is shown by the light. A device that muted itself
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
from devices.hid.hidraw import get_output, read_descriptor, read_name
from devices.hid.telephony import LED_MUTE, LED_OFF_HOOK, Telephony
from devices.kernel.node import Node, open_node
from devices.kernel.usb import NodeSettings, check, path_of, usb_nodes


class HidSettings(NodeSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`off_hook`: keep the device in a call, as many only then send their mute key.

    `key`: `press` for a key (each press asks for the other state), `switch` for one that stays where it is put.
    """

    off_hook: bool = True
    key: Literal["press", "switch"] = "press"


class HidTelephony(Driver[HidSettings]):
    """A telephony device behind hidraw."""

    manifest = Manifest(
        id="hid",
        version="1.0",
        title="USB mute key and light",
        settings=HidSettings,
        transports=("kernel", "usb"),
        emulator="devices.emulators.hid:HidEmulator",
    )
    _context: Context
    _node: Node
    _device: Telephony | None = None
    _muted = False  # as last written or read
    _readable = True  # its light can be read back
    _down = False  # the key, as last heard

    def __init__(self, config: DeviceConfig, settings: HidSettings) -> None:
        super().__init__(config, settings)
        check(config, settings)

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        """USB devices with a mute key or light, by their report descriptors."""
        return await asyncio.to_thread(cls.found, "/")

    @classmethod
    def found(cls, root: str) -> list[Found]:
        """Telephony devices below `root` (blocking)."""
        found = []
        for one in usb_nodes("hidraw", root):
            described = Path(root, "sys/class/hidraw", Path(one.node).name, "device/report_descriptor")
            try:
                with described.open("rb") as file:
                    device = Telephony(parse(file.read(LONGEST)))
            except (OSError, BadDescriptor):
                continue
            if device.mute_key or device.mute_light:
                found.append(Found("hid", one.name, one.name, one.settings, one.identity))
        return found

    async def run(self, context: Context) -> None:
        """Learn the reports, show the light as it was, hold the node."""
        self._context, self._device, self._down, self._readable = context, None, False, True
        path = await path_of("hidraw", self.settings)
        async with open_node(path, self._received) as self._node:
            device = Telephony(await context.retrying(lambda: read_descriptor(self._node)))
            if device.mute_key is None and device.mute_light is None:
                raise Garbage("its reports know neither a mute key nor a mute light")
            name = await context.retrying(lambda: read_name(self._node))
            self._device = device
            await self._light(device)
            if self.settings.off_hook:
                await self._show(device)
            context.connected(model=name, capabilities=["mute"] if device.mute_light else [])
            await self._node.until_lost()

    async def poll(self, *, whole: bool) -> None:
        """Read the light back where the device lets us; else its name proves that it is there."""
        device = self._ready()
        if not await self._read_light(device):
            name = await self._context.retrying(lambda: read_name(self._node))
            self._context.heard(name)

    async def set_mute(self, args: On) -> Reply:
        """The room's answer: light the mute light, or put it out."""
        device = self._ready()
        if device.mute_light is None:
            raise NotSupported("it has no mute light")
        before, self._muted = self._muted, args.on
        try:
            await self._show(device)
        except BaseException:
            self._muted = before
            raise
        if not await self._read_light(device):
            self._context.assume("mute", args.on)
        return Reply.DONE

    # --- reports ------------------------------------------------------------------------------------------------

    def _received(self, data: bytes) -> None:
        """An input report."""
        if self._device is None:
            return
        down = self._device.key(data)
        if down is None:
            self._context.heard(data)
            return
        before, self._down = self._down, down
        self._context.heard(f"mute key {'down' if down else 'up'}")
        if self.settings.key == "switch":
            if down is not before:
                self._context.ask("set_mute", on=down)
        elif down and (not before or self._relative):
            self._context.ask("set_mute", on=not self._muted)

    @property
    def _relative(self) -> bool:
        """Each report with the key is a press of its own: no release is sent."""
        field = self._device.mute_key if self._device else None
        return field is not None and field.relative

    async def _show(self, device: Telephony) -> None:
        lit = {LED_MUTE: self._muted, LED_OFF_HOOK: self.settings.off_hook}
        for report in device.lights(frozenset(usage for usage, on in lit.items() if on)):
            await self._context.retrying(partial(self._node.write, report))

    async def _read_light(self, device: Telephony) -> bool:
        """Report the light as the device says it is; False when it cannot say."""
        muted = await self._light(device)
        if muted is None:
            return False
        self._context.heard(f"mute light {'on' if muted else 'off'}")
        self._context.report("mute", muted)
        return True

    async def _light(self, device: Telephony) -> bool | None:
        """The light as the device says it is, None when it cannot say."""
        field = device.mute_light
        if field is None or not self._readable:
            return None
        request = bytes([field.report]).ljust(1 + device.light_length, b"\0")
        try:
            answer, _ = await self._context.retrying(lambda: self._node.ioctl(get_output(len(request)), request))
        except (NotSupported, Rejected):
            self._readable = False  # many do not answer GET_REPORT for an output report
            return None
        muted = device.muted(answer)
        if muted is None:
            self._context.garbled(answer)
            raise Garbage("its light was read back as no report of its own")
        self._muted = muted
        return muted

    def _ready(self) -> Telephony:
        if self._device is None:
            raise Rejected("not connected yet", retryable=True)
        return self._device
