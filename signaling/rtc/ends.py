"""Our ends of a client's connections, made as its session begins: two on path V0, one on path V1."""

from __future__ import annotations

from collections.abc import Iterable

from relay.messages import Command
from signaling.rtc import ids, sdp
from signaling.rtc.publisher import Publisher
from signaling.rtc.receiver import Receiver
from signaling.rtc.session import Arrival, Session
from signaling.rtc.settings import RtcSettings
from signaling.rtc.subscriber import Subscriber


class Ends:
    """Opens the transports of one relay room."""

    def __init__(
        self, room: str, fingerprint: str, candidates: Iterable[tuple[str, int, str]], settings: RtcSettings
    ) -> None:
        self._room = room
        self._fingerprint = fingerprint
        self._candidates = list(candidates)
        self._settings = settings

    def open(self, arrival: Arrival, commands: list[Command], now: float) -> Session:
        """A new session. What its ends ask of the relay goes into `commands`, now and later."""
        sid = ids.participant_sid()
        name, settings = f"{sid}/pub", self._settings
        subscriber: Subscriber | Receiver
        if arrival.wishes.single:
            subscriber = Receiver(name, commands, settings.max_lines)
            most = settings.max_lines + settings.max_tracks
            publisher = Publisher(name, self._local(), commands, most, subscriber)
            subscriber.restart(now)
        else:
            subscriber = Subscriber(f"{sid}/sub", self._local(), commands, settings.max_subscriptions)
            publisher = Publisher(name, self._local(), commands, settings.max_sections)
        subscriber.keep = not arrival.wishes.allow_pause
        publisher.open(self._room)
        if isinstance(subscriber, Subscriber) and arrival.grants.can_subscribe:
            subscriber.open(self._room)
        return Session(sid, arrival, publisher, subscriber, settings, now)

    def _local(self) -> sdp.Local:
        return sdp.Local(ids.IceCredentials.mint(), self._fingerprint, self._candidates)
