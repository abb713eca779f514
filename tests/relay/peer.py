"""A client of the relay for tests: aiortc's transports without SDP, as the relay's commands need none either."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from aiortc import (
    RTCCertificate,
    RTCDataChannel,
    RTCDataChannelParameters,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceCandidate,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
    RTCSctpCapabilities,
    RTCSctpTransport,
)

from relay import Relay
from relay.messages import DtlsRole, Event, OpenTransport, SetRemote

E = TypeVar("E", bound=Event)


@dataclass
class Events:
    """Everything the relay said, and a way to wait for more."""

    seen: list[Event] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, events: list[Event]) -> None:
        """The relay's listener."""
        self.seen.extend(events)
        self.arrived.set()

    async def wait_for(self, kind: type[E], timeout: float = 10, **fields: object) -> E:
        """The first event of `kind` whose fields are `fields`; raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            while True:
                for event in self.seen:
                    if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items()):
                        return event
                self.arrived.clear()
                await self.arrived.wait()

    def of(self, kind: type[E]) -> list[E]:
        """All events of `kind` so far."""
        return [event for event in self.seen if isinstance(event, kind)]


class Peer:
    """One client: ICE, DTLS, SCTP. `dtls` takes aiortc's senders and receivers."""

    def __init__(self, name: str, room: str, relay_role: DtlsRole = "server") -> None:
        """A client that has not connected; `name` is its transport's id, `relay_role` the relay's end of DTLS."""
        self.name = name
        self.room = room
        self.gatherer = RTCIceGatherer(iceServers=[])
        self.ice = RTCIceTransport(self.gatherer)
        self.ice._connection.ice_controlling = True
        self.dtls = RTCDtlsTransport(self.ice, [RTCCertificate.generateCertificate()])
        self.relay_role = relay_role
        self.dtls._set_role("client" if relay_role == "server" else "server")
        self.sctp = RTCSctpTransport(self.dtls)
        self.channels: dict[str, RTCDataChannel] = {}
        self.received: asyncio.Queue[tuple[str, bytes | str]] = asyncio.Queue()
        self.sctp.on("datachannel", self._adopt)

    def open(self, relay: Relay) -> OpenTransport:
        """Ask the relay for the other end."""
        command = OpenTransport(
            transport=self.name, room=self.room, ufrag=secrets.token_hex(4), password=secrets.token_hex(16)
        )
        relay.submit(command)
        return command

    def remote(self, fingerprint: str | None = None) -> SetRemote:
        """What our SDP would say; `fingerprint` to lie about the certificate."""
        local = self.gatherer.getLocalParameters()
        [ours] = [print for print in self.dtls.getLocalParameters().fingerprints if print.algorithm == "sha-256"]
        return SetRemote(
            transport=self.name,
            ufrag=local.usernameFragment or "",
            password=local.password or "",
            fingerprint=fingerprint or ours.value,
            role=self.relay_role,
        )

    async def connect(
        self,
        relay: Relay,
        opened: OpenTransport | None = None,
        *,
        set_remote: bool = True,
        candidates: Sequence[tuple[str, int, str]] | None = None,
    ) -> None:
        """Open, and run ICE and DTLS to the end."""
        opened = opened or self.open(relay)
        if set_remote:
            relay.submit(self.remote())
        await self.start(relay, opened, candidates)

    async def start(
        self, relay: Relay, opened: OpenTransport, candidates: Sequence[tuple[str, int, str]] | None = None
    ) -> None:
        """Run ICE and DTLS against an open transport; `candidates` to know only some of the relay's."""
        await self.gatherer.gather()
        for address, port, protocol in candidates or relay.candidates(self.room):
            candidate = RTCIceCandidate(
                component=1, foundation="1", ip=address, port=port, priority=1, protocol=protocol, type="host"
            )
            await self.ice.addRemoteCandidate(candidate)
        await self.ice.addRemoteCandidate(None)
        await self.ice.start(RTCIceParameters(usernameFragment=opened.ufrag, password=opened.password, iceLite=True))
        fingerprint = RTCDtlsFingerprint(algorithm="sha-256", value=relay.fingerprint)
        await self.dtls.start(RTCDtlsParameters(fingerprints=[fingerprint], role=self.relay_role))

    async def start_sctp(self) -> None:
        """Begin with data channels: the DTLS client asks for the association."""
        await self.sctp.start(RTCSctpCapabilities(maxMessageSize=65536), 5000)

    def open_channel(self, label: str) -> RTCDataChannel:
        """Open a reliable data channel from our side."""
        channel = RTCDataChannel(self.sctp, RTCDataChannelParameters(label=label))
        self._adopt(channel)
        return channel

    async def close(self) -> None:
        """Leave."""
        await self.sctp.stop()
        await self.dtls.stop()
        await self.ice.stop()

    def _adopt(self, channel: RTCDataChannel) -> None:
        self.channels[channel.label] = channel
        channel.on("message", lambda message: self.received.put_nowait((channel.label, message)))
