"""Driver `pulse`: volume and mute of one sink (speakers) or source (microphones), by its stable name."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from pulsectl import PulseIndexError

from devices.capabilities import Loudness, On, Reply
from devices.config import DeviceConfig, DeviceSettingsError, Mistake
from devices.context import Context
from devices.driver import Driver, Manifest
from devices.errors import Lost, Rejected
from devices.pulse.link import Kind, PulseLink, PulseListener
from wire.problems import Notice

Node = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:+-]+$")]


class PulseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one of `sink` and `source`: its name (`pactl list short sinks`), which stays over replugging."""

    sink: Node | None = None
    source: Node | None = None
    server: Annotated[str, msgspec.Meta(max_length=256)] | None = None  # as in PULSE_SERVER


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
    _context: Context
    _link: PulseLink
    _listener: PulseListener

    def __init__(self, config: DeviceConfig, settings: PulseSettings) -> None:
        super().__init__(config, settings)
        self._kind: Kind = "sink" if settings.sink is not None else "source"
        self._name = settings.sink or settings.source or ""
        remedy = "Give the name of one sink or of one source, as `pactl list short sinks` shows it."
        if (settings.sink is None) == (settings.source is None):
            problem = "both are given" if settings.sink else "neither is given"
            raise DeviceSettingsError([Mistake(config.id, "settings.sink, settings.source", problem, remedy)])
        if self._name.lower() == "default":
            problem = "'default' is another device after each replug"
            raise DeviceSettingsError([Mistake(config.id, f"settings.{self._kind}", problem, remedy)])

    async def run(self, context: Context) -> None:
        """Hold the server's connection, and follow the node as it comes, changes and goes."""
        self._context = context
        server = self.settings.server
        async with context.shared.use(f"pulse {server}", lambda: PulseLink.open(server)) as self._link:
            with self._link.listen(self._kind) as self._listener:
                while not self._link.lost:
                    self._listener.changed.clear()
                    await self._look()
                    await self._listener.changed.wait()
        raise Lost("the sound server is gone")

    async def poll(self, *, whole: bool) -> None:
        """The server tells every change; this proves that it lives, and finds a node whose coming we missed."""
        await self._look()

    async def set_volume(self, args: Loudness) -> Reply:
        """All channels alike; 1 is the device's full volume."""
        node = await self._node()
        await self._call(lambda pulse: pulse.volume_set_all_chans(node, args.volume))
        await self._look()
        return Reply.DONE

    async def set_mute(self, args: On) -> Reply:
        """Mute or unmute."""
        node = await self._node()
        await self._call(lambda pulse: pulse.mute(node, args.on))
        await self._look()
        return Reply.DONE

    # --- the node -----------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        """Report the node as the server describes it now, or that it is not there."""
        try:
            node = await self._find()
        except PulseIndexError:
            self._listener.index = None
            self._context.absent(Notice("device.unplugged"))
            return
        if self._listener.index != node.index:
            self._listener.index = node.index
            self._context.connected(model=str(node.description))
        self._context.heard(f"{node.name} {node.volume.value_flat:.2f}{' muted' if node.mute else ''}")
        self._context.report("volume", round(min(1.0, node.volume.value_flat), 3))
        self._context.report("mute", bool(node.mute))

    async def _node(self) -> Any:
        try:
            return await self._find()
        except PulseIndexError:
            raise Rejected("it is not plugged in", retryable=True) from None

    async def _find(self) -> Any:
        sink = self._kind == "sink"
        return await self._call(
            lambda pulse: pulse.get_sink_by_name(self._name) if sink else pulse.get_source_by_name(self._name)
        )

    async def _call(self, ask: Any) -> Any:
        return await self._context.retrying(lambda: self._link.call(ask))
