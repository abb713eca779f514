"""Driver `pulse`: volume, mute and level of one sink (speakers) or source (microphones), by its name or its hardware."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from pulsectl import PulseIndexError

from devices.capabilities import Loudness, On, Reply
from devices.config import DeviceConfig
from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.errors import Lost, Rejected
from devices.pulse.client import PulseClient
from devices.pulse.link import Kind, PulseLink, PulseListener
from devices.pulse.meter import LevelMeter
from devices.pulse.settings import PulseSettings, hardware
from wire.problems import Notice

log = logging.getLogger(__name__)

ECHO_CANCEL = "module-echo-cancel"


class PulseAudioDevice(Driver[PulseSettings]):
    """Loudspeakers or microphones behind a sound server."""

    manifest = Manifest(
        id="pulse",
        version="1.0",
        title="PulseAudio sink or source",
        settings=PulseSettings,
        transports=("unix", "tcp"),
        emulator="devices.emulators.pulse:PulseServer",
    )
    senses = ("level",)
    reports = {"echo_cancel": "truth"}
    _context: Context
    _link: PulseLink
    _listener: PulseListener
    _meter: LevelMeter
    _echo: bool | None = None  # it is taken out, as last seen

    def __init__(self, config: DeviceConfig, settings: PulseSettings) -> None:
        super().__init__(config, settings)
        settings.check(config)
        self._kind: Kind = settings.direction
        self._turn = asyncio.Lock()

    @property
    def address(self) -> str:
        """One sink or source of one server."""
        return f"pulse {self.settings.which}"

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        """Sinks and sources of the usual server, where one runs."""
        try:
            return await cls.found(None)
        except Lost:
            return []

    @classmethod
    async def found(cls, server: str | None) -> list[Found]:
        """Those of one server; raises Lost."""
        async with PulseLink.open(server) as link:
            nodes = [("sink", node) for node in await link.call(lambda pulse: pulse.sink_list())]
            nodes += [("source", node) for node in await link.call(lambda pulse: pulse.source_list())]
        return [_found(kind, node) for kind, node in nodes if node.proplist.get("device.class") != "monitor"]

    async def run(self, context: Context) -> None:
        """Hold the server's connection, and follow the node as it comes, changes and goes."""
        self._context = context
        server = self.settings.server
        async with context.shared.use(f"pulse {server}", lambda: PulseLink.open(server)) as self._link:
            meter = self._meter = LevelMeter(self._link, lambda level: context.report("level", level))
            try:
                with self._link.listen(self._kind) as self._listener:
                    while not self._link.lost:
                        self._listener.changed.clear()
                        await self._look()
                        await self._listener.changed.wait()
            finally:
                await meter.close()
        raise Lost("the sound server is gone")

    async def poll(self, *, whole: bool) -> None:
        """The server tells every change; this proves that it lives, and finds a node whose coming we missed.

        Whole: the server drops what takes the echo out when its loudspeaker goes, and does not bring it back.
        """
        async with self._turn:
            node = await self._read()
            if whole and node is not None:
                await self._clean(node)

    async def set_volume(self, args: Loudness) -> Reply:
        """All channels alike; 1 is the device's full volume."""
        async with self._turn:
            node = await self._node()
            await self._call(lambda pulse: pulse.volume_set_all_chans(node, args.volume))
            await self._read()
        return Reply.DONE

    async def set_mute(self, args: On) -> Reply:
        """Mute or unmute."""
        async with self._turn:
            node = await self._node()
            await self._call(lambda pulse: pulse.mute(node, args.on))
            await self._read()
        return Reply.DONE

    # --- the node -----------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Report the node, in turn: an answer read before a command must not be told after it."""
        async with self._turn:
            await self._read()

    async def _read(self) -> Any:
        """Report the node as the server describes it now, and return it; None when it is not there."""
        try:
            node = await self._find()
        except PulseIndexError:
            self._listener.index = None
            self._meter.tune(None)
            self._context.absent(Notice("device.unplugged"))
            return None
        if self._listener.index != node.index:
            self._listener.index = node.index
            await self._clean(node)
            self._context.connected(model=str(node.description))
        self._context.heard(f"{node.name} {node.volume.value_flat:.2f}{' muted' if node.mute else ''}")
        self._context.report("volume", round(min(1.0, node.volume.value_flat), 3))
        self._context.report("mute", bool(node.mute))
        source = node.monitor_source_name if self._kind == "sink" else node.name
        self._meter.tune(str(source) if self._context.watched else None)
        return node

    async def _node(self) -> Any:
        try:
            return await self._find()
        except PulseIndexError:
            raise Rejected("it is not plugged in", retryable=True) from None

    async def _find(self) -> Any:
        """The node now; raises PulseIndexError."""
        settings, sink = self.settings, self._kind == "sink"
        if name := settings.sink or settings.source:
            return await self._call(
                lambda pulse: pulse.get_sink_by_name(name) if sink else pulse.get_source_by_name(name)
            )
        nodes = await self._call(lambda pulse: pulse.sink_list() if sink else pulse.source_list())
        if (node := next((node for node in nodes if settings.is_of(node)), None)) is None:
            raise PulseIndexError("no such hardware")
        return node

    async def _clean(self, node: Any) -> None:
        """Have the server take the echo out, where the settings want it and it is not done yet."""
        if (echo := self.settings.echo_cancel) is None:
            return
        wanted = f"source_master={node.name} sink_master={echo.sink} source_name={echo.source}"
        words = f"{wanted} sink_name={echo.source}.sink aec_method={echo.method}"
        modules = await self._call(lambda pulse: pulse.module_list())
        words_of = [(one.argument or "").split() for one in modules if one.name == ECHO_CANCEL]
        loaded = any(set(wanted.split()) <= set(words) for words in words_of)

        def load(pulse: PulseClient) -> Any:
            return pulse.module_load(ECHO_CANCEL, words)

        if not loaded:
            try:
                await self._context.retrying(lambda: self._link.call(load), attempts=1)
                loaded = True
            except Lost as error:
                level = logging.DEBUG if self._echo is False else logging.WARNING  # said once, tried at each poll
                log.log(level, "device %s: the sound server cannot take out the echo: %s", self.config.id, error)
        self._echo = loaded
        self._context.report("echo_cancel", loaded)

    async def _call(self, ask: Any) -> Any:
        return await self._context.retrying(lambda: self._link.call(ask))


def _found(kind: str, node: Any) -> Found:
    """A node by its hardware where the server knows it, else by its name."""
    place, serial = hardware(node)
    told = {key: value for key, value in (("bus_path", place), ("serial", serial)) if value}
    settings = {"kind": kind, **told} if told else {kind: str(node.name)}
    name = str(node.description)
    return Found("pulse", name, name, settings, f"{kind} {serial or place or node.name}")
