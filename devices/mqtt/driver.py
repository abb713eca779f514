"""Driver `mqtt`: sensors behind a broker, by what they announce of themselves or by their topics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from devices.capabilities import SENSES
from devices.config import DeviceConfig, DeviceSettingsError, Mistake
from devices.context import Context
from devices.discovery import Found
from devices.driver import Driver, Manifest
from devices.journal import Journal
from devices.mqtt import readings, troubles
from devices.mqtt.announcements import Availability, Sensor, Source, described, names
from devices.mqtt.broker import BrokerLink, Listener
from devices.mqtt.packets import Published
from devices.mqtt.readings import Lease, Unreadable
from devices.mqtt.search import MqttPlace, brokers, search
from devices.mqtt.settings import MqttSettings
from devices.mqtt.templates import known
from devices.state import printable
from wire.problems import Notice

log = logging.getLogger(__name__)


class MqttSensor(Driver[MqttSettings]):
    """One sensor, or several in one housing."""

    manifest = Manifest(
        id="mqtt",
        version="1.0",
        title="MQTT sensor",
        settings=MqttSettings,
        transports=("tcp",),
        emulator="devices.emulators.mqtt:MqttSensorEmulator",
    )
    senses = ("occupancy", "environment", "battery")
    place = MqttPlace
    unfound = "Sensors are found behind a broker that you name: --driver mqtt --set host=BROKER."
    _context: Context
    _link: BrokerLink
    _listener: Listener

    def __init__(self, config: DeviceConfig, settings: MqttSettings) -> None:
        super().__init__(config, settings)
        self._sensor = Sensor()
        self._leases: dict[str, Lease] = {}  # by property; outlive a connection, so that a kept message is known again
        self._there: dict[Availability, bool] = {}
        self._unreadable: set[str] = set()  # topics whose last message was
        self._shown: tuple[object, ...] = ()  # what the framework was last told of our presence
        self._journal = Journal(log)
        if settings.device is None and not settings.sources:
            problem, remedy = "neither is given", "Give the identifier the sensor announces itself with, or its topics."
            raise DeviceSettingsError([Mistake(config.id, "settings.device, settings.sources", problem, remedy)])
        for name, source in settings.sources.items():
            if not known(source.value):
                remedy = "Write {{ value }} or {{ value_json.name }}; docs/devices.md tells what else is read."
                raise DeviceSettingsError([Mistake(config.id, f"settings.sources.{name}.value", "not read", remedy)])

    @classmethod
    async def discover(cls, seconds: float) -> list[Found]:
        """Brokers that announce themselves; what is behind one, when it is named."""
        return await brokers(seconds)

    @classmethod
    async def discover_at(cls, place: MqttPlace, seconds: float) -> list[Found]:
        """What announced itself at a broker."""
        return await search(place, seconds)

    async def run(self, context: Context) -> None:
        """Listen through the broker's one connection; follow what the sensor announces as it changes."""
        settings, self._context, self._shown, self._there = self.settings, context, (), {}
        address = settings.broker
        async with context.shared.use(f"mqtt {address!r}", lambda: BrokerLink.open(address)) as self._link:
            context.alive()
            with self._link.listen(self._heard) as self._listener:
                if settings.device is not None:
                    await self._asked(lambda: self._link.collect(settings.prefix))
                while True:
                    self._listener.changed.clear()
                    await self._follow()
                    self._link.check()
                    await self._listener.changed.wait()

    async def poll(self, *, whole: bool) -> None:
        """Forget what is too old; ask the broker for a sign of life when it said nothing for a while."""
        now = asyncio.get_running_loop().time()
        for name, lease in self._leases.items():
            if lease.until <= now:
                self._context.report(name, None)
            elif lease.off_at is not None and lease.off_at <= now:
                self._context.report(name, False)
        if now - self._link.heard_at > self._context.timing.keepalive / 2:
            await self._context.patiently(self._link.ping)

    # --- what the sensor is -------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Read the announcements anew, follow their topics, and say whether the sensor is there."""
        self._sensor = self._described()
        topics = {one.topic for one in self._sensor.sources} | {one.topic for one in self._sensor.availability}
        await self._asked(lambda: self._listener.follow(topics))
        self._show()

    async def _asked(self, ask: Callable[[], Awaitable[None]]) -> None:
        """Until what the broker kept of it has come."""
        for one in (ask, self._link.ping):
            await self._context.patiently(one)
            self._context.alive()

    def _described(self) -> Sensor:
        device = self.settings.device
        return self.settings.by_hand + (described(device, self._link.announced.values()) if device else Sensor())

    def _show(self) -> None:
        """Tell the framework whether the sensor is there, once for each change."""
        shown = (self._present(), self._sensor.sources, self._sensor.model, self._sensor.unread)
        if shown == self._shown:
            return
        self._shown = present, sources, model, unread = shown
        if unread:
            said = printable("; ".join(unread))
            self._journal.say(logging.WARNING, "device %s: not read: %s", self.config.id, said)
        if not sources:
            self._context.heard(f"announced: {', '.join(names(self._link.announced.values())) or 'nothing'}")
            self._context.absent(troubles.unread(self._sensor) or Notice("device.not_announced"))
        elif not present:
            self._context.absent(Notice("device.offline"))
        else:
            told = {source.name for source in sources}
            senses = [sense for sense in self.senses if told & set(SENSES[sense])]
            self._context.connected(model=model, capabilities=senses)
            self._context.trouble(self._trouble())  # what the broker had kept came before

    def _present(self) -> bool:
        """What says whether it is there says so; a sensor without such a word is there as long as its broker is."""
        said = [self._there.get(one, False) for one in self._sensor.availability]
        return (all(said) if self._sensor.every else any(said)) if said else True

    # --- what it says -------------------------------------------------------------------------------------------

    def _heard(self, message: Published) -> None:
        """A message of a topic we follow, or an announcement."""
        if message.topic not in self._listener.topics:
            self._listener.changed.set()  # somebody announced or withdrew something
            return
        for one in self._sensor.availability:
            if one.topic == message.topic:
                self._judge(one, message.payload)
        sources = [source for source in self._sensor.sources if source.topic == message.topic]
        if sources:
            readable = [self._take(source, message) for source in sources]
            (self._unreadable.discard if all(readable) else self._unreadable.add)(message.topic)
            self._context.trouble(self._trouble())

    def _judge(self, one: Availability, payload: bytes) -> None:
        try:
            said = str(readings.value_of(one, payload)).lower()
        except Unreadable:
            self._context.garbled(payload)
            return
        if said in (one.there.lower(), one.gone.lower()):
            self._there[one] = said == one.there.lower()
            self._show()

    def _trouble(self) -> Notice | None:
        return troubles.notice(self._sensor, self._unreadable, self._leases)

    def _take(self, source: Source, message: Published) -> bool:
        """Believe a value for as long as it may be believed; False when it cannot be read."""
        try:
            value = readings.read(source, message.payload)
        except Unreadable:
            self._context.garbled(message.payload)
            return False
        if value is None:
            return True
        age = readings.age(message.payload, self._context.clock()) if message.retained else 0.0
        lasts = self._lasts(source, age)
        before, now = self._leases.get(source.name), asyncio.get_running_loop().time()
        self._context.heard(message.payload)
        ends = now + source.off_delay - (age or 0.0) if source.off_delay is not None and value is True else None
        if message.retained and before is not None and before.payload == message.payload:
            lasts = min(lasts, before.until - now)  # known since before: hearing it again proves nothing
            ends = ends if ends is None or before.off_at is None else min(ends, before.off_at)
        self._leases[source.name] = Lease(value, message.payload, now + lasts, ends)
        shown = False if ends is not None and ends <= now else value
        self._context.report(source.name, shown if lasts > 0 else None)
        return True

    def _lasts(self, source: Source, age: float | None) -> float:
        """Seconds for which the value is good; none for a kept message of unknown age whose sender may be gone."""
        ttl = source.ttl or self.settings.ttl
        if age is not None:
            return ttl - age
        return ttl if self._sensor.availability and source.off_delay is None else 0.0
