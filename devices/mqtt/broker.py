"""One connection to a broker, shared by every sensor behind it."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import msgspec

from devices.channel import Channel, open_tcp
from devices.errors import DeviceError, Garbage, Lost, Refused, WrongPassword
from devices.mqtt import announcements, packets
from devices.mqtt.announcements import Sensor
from devices.mqtt.packets import ConnAck, Malformed, Packet, Pong, Published, SubAck

KEEPALIVE = 60  # seconds after which the broker gives up a silent client; the framework's polls are sooner
ANNOUNCED = 8192  # announcements kept of one broker
ANNOUNCED_BYTES = 8 * 1024 * 1024  # of all of them together
BAD_LOGIN = (4, 5)  # §3.2.2.3: bad user name or password, not authorized

Hear = Callable[[Published], None]


class Address(msgspec.Struct, frozen=True):
    """Where a broker is and who we are there; equal addresses share a connection. `ca`: PEM file; None: the system's."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    tls: bool = False
    ca: str | None = None


class BrokerLink:
    """Messages to those who listen, and every announcement under the prefixes that were asked for."""

    def __init__(self) -> None:
        self.announced: dict[str, Sensor] = {}  # by configuration topic
        self._sizes: dict[str, int] = {}  # of their payloads
        self._kept = 0  # the sum of the sizes
        self.heard_at = 0.0  # loop time
        self._reader = packets.Reader()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._greeted: asyncio.Future[int] = self._loop.create_future()
        self._pong: asyncio.Future[None] | None = None
        self._packet = 0
        self._subscribing: dict[int, asyncio.Future[bytes]] = {}
        self._listeners: set[Listener] = set()
        self._prefixes: set[str] = set()  # asked for
        self._collected: set[str] = set()  # and the broker agreed
        self._channel: Channel | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, address: Address, will: Published | None = None) -> AsyncIterator[BrokerLink]:
        """Connect and log in; raises Lost, Garbage, WrongPassword or Refused. The framework holds the deadline."""
        link = cls()
        try:
            tls = await asyncio.to_thread(ssl.create_default_context, cafile=address.ca) if address.tls else None
        except OSError as error:
            raise Refused(f"{address.ca}: {error}", code="device.certificate") from error
        try:
            async with open_tcp(address.host, address.port, link.received, tls=tls) as link._channel:
                link._channel.on_lost(link._end)
                client = f"roomctl-{os.urandom(6).hex()}"
                name, password = address.username, address.password
                hello = packets.connect(client, username=name, password=password, keepalive=KEEPALIVE, will=will)
                link._channel.send(hello)
                if code := await link._greeted:
                    raise _refusal(code)
                yield link
                link._say(packets.DISCONNECT)
        except Lost as error:
            if isinstance(error.__cause__, ssl.SSLCertVerificationError):
                raise Refused(str(error), code="device.certificate") from error
            raise
        finally:
            link._end(Lost("connection is closed"))

    # --- asking -------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises why the connection ended, when it did; every listener's `changed` is then set."""
        if self._ended.done():
            self._ended.result()

    async def ping(self) -> None:
        """A round trip; who asks meanwhile waits for the same answer. What was asked for before has then come."""
        if self._pong is None or self._pong.done():
            self._send(packets.PING)
            self._pong = self._loop.create_future()
        await asyncio.shield(self._pong)

    async def subscribe(self, filters: list[str]) -> None:
        """Raises Refused when the broker does not let us listen."""
        self._packet = self._packet % 0xFFFF + 1
        self._send(packets.subscribe(self._packet, filters))
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._subscribing[self._packet] = answer
        if any(code & 0x80 for code in await answer):
            raise Refused(f"the broker does not let us listen to {', '.join(filters)}")

    async def collect(self, prefix: str) -> None:
        """Collect what announces itself below `prefix` from now on; what the broker kept has come after a `ping`."""
        self._prefixes.add(prefix)
        if prefix not in self._collected:
            await self.subscribe([f"{prefix}/+/+/config", f"{prefix}/+/+/+/config"])
            self._collected.add(prefix)

    def publish(self, message: Published) -> None:
        """Say something; raises Lost."""
        self._send(packets.publish(message))

    def drop(self) -> None:
        """Break the connection without a farewell: the broker publishes our will."""
        if self._channel is not None:
            self._channel.close()

    @contextmanager
    def listen(self, hear: Hear) -> Iterator[Listener]:
        """For as long as the context lasts; `hear` gets announcements, and the messages of what is followed."""
        listener = Listener(self, hear)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            self.forget(listener.topics)

    def forget(self, topics: set[str]) -> None:
        """Unsubscribe from those that nobody follows any more."""
        unused = topics - {topic for one in self._listeners for topic in one.topics}
        if unused and not self._ended.done():
            self._packet = self._packet % 0xFFFF + 1
            self._say(packets.unsubscribe(self._packet, sorted(unused)))

    def _send(self, data: bytes) -> None:
        if self._channel is None or self._ended.done():
            raise Lost("the connection to the broker is gone")
        self._channel.send(data)

    def _say(self, data: bytes) -> None:
        """Without minding whether it is heard."""
        if self._channel is not None and not self._ended.done():
            self._channel.send(data)

    # --- hearing ------------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Bytes from the broker, any bytes."""
        for packet in self._reader.feed(data):
            self._hear(packet)

    def _hear(self, packet: Packet) -> None:
        if isinstance(packet, Malformed):
            self._end(Garbage(packet.data[:40].hex(" ")))
            return
        self.heard_at = self._loop.time()
        if isinstance(packet, ConnAck) and not self._greeted.done():
            self._greeted.set_result(packet.code)
        elif isinstance(packet, Pong) and self._pong is not None and not self._pong.done():
            self._pong.set_result(None)
        elif isinstance(packet, SubAck):
            answer = self._subscribing.pop(packet.packet, None)
            if answer is not None and not answer.done():
                answer.set_result(packet.codes)
        elif isinstance(packet, Published):
            self._published(packet)

    def _published(self, message: Published) -> None:
        announcement = message.topic.endswith("/config") and message.topic.split("/")[0] in self._prefixes
        if announcement:
            self._keep(message)
        for listener in list(self._listeners):
            if announcement or message.topic in listener.topics:
                listener.hear(message)

    def _keep(self, message: Published) -> None:
        self.announced.pop(message.topic, None)  # an empty payload withdraws it
        self._kept -= self._sizes.pop(message.topic, 0)
        sensor = announcements.read(message.topic, message.payload) if message.payload else None
        size = len(message.topic) + len(message.payload)
        if sensor is not None and len(self.announced) < ANNOUNCED and self._kept + size <= ANNOUNCED_BYTES:
            self.announced[message.topic] = sensor
            self._sizes[message.topic] = size
            self._kept += size

    def _end(self, error: DeviceError) -> None:
        for future in (self._ended, self._greeted, self._pong, *self._subscribing.values()):
            if future is not None and not future.done():
                future.set_exception(error)
                future.exception()  # nobody may wait for it
        for listener in self._listeners:
            listener.changed.set()


class Listener:
    """Somebody who follows some topics. `changed` is set when the link ended; the listener may set it as well."""

    def __init__(self, link: BrokerLink, hear: Hear) -> None:
        self._link = link
        self.hear = hear
        self.changed = asyncio.Event()
        self.topics: set[str] = set()
        self._confirmed: set[str] = set()

    async def follow(self, topics: set[str]) -> None:
        """Exactly these from now on; what the broker kept of them has come after a `ping`."""
        gone, self.topics = self.topics - topics, topics
        self._confirmed &= topics
        self._link.forget(gone)
        if fresh := sorted(topics - self._confirmed):
            await self._link.subscribe(fresh)
            self._confirmed |= set(fresh)


def _refusal(code: int) -> DeviceError:
    if code in BAD_LOGIN:
        return WrongPassword("the broker refuses our name or password")
    return Refused(f"the broker refuses us (code {code})")
