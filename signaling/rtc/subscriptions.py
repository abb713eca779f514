"""The tracks on their way to one client, and how it wants each: what both paths of the protocol share."""

from __future__ import annotations

from dataclasses import dataclass

from relay.messages import Command, SetSubscription
from signaling.rtc.ids import ssrc
from signaling.rtc.track import Track


@dataclass
class Subscription:
    """A track on its way to a client, with the SSRCs we chose. `flowing`: the relay forwards it."""

    id: str
    track: Track
    ssrc: int
    rtx_ssrc: int | None
    paused: bool = False
    max_layer: int | None = None
    flowing: bool = False


class Subscriptions:
    """All subscriptions of one client, by track sid. Commands for the relay are appended to `commands`."""

    def __init__(self, transport: str, commands: list[Command]) -> None:
        self.transport = transport
        self._commands = commands
        self._wanted: dict[str, Subscription] = {}
        self._counter = 0

    @property
    def count(self) -> int:
        """Subscriptions, flowing or on their way."""
        return len(self._wanted)

    @property
    def sids(self) -> list[str]:
        """The tracks subscribed, or on their way."""
        return list(self._wanted)

    def has(self, sid: str) -> bool:
        """Whether a track is subscribed, or on its way."""
        return sid in self._wanted

    def adjust(self, sid: str, *, paused: bool, max_layer: int | None) -> bool:
        """Pause or cap a subscription (adaptive stream). False where the track is not subscribed."""
        if (subscription := self._wanted.get(sid)) is None:
            return False
        if (subscription.paused, subscription.max_layer) != (paused, max_layer):
            subscription.paused, subscription.max_layer = paused, max_layer
            if subscription.flowing:
                self._commands.append(_settings(subscription))
        return True

    def pause(self, sid: str, paused: bool) -> bool:
        """Pause or resume a subscription, its cap unchanged. False where the track is not subscribed."""
        subscription = self._wanted.get(sid)
        return subscription is not None and self.adjust(sid, paused=paused, max_layer=subscription.max_layer)

    def _mint(self, track: Track) -> Subscription:
        """A new subscription, not flowing yet."""
        self._counter += 1
        rtx = ssrc() if track.kind == "video" else None
        minted = self._wanted[track.sid] = Subscription(f"{self.transport}/{self._counter}", track, ssrc(), rtx)
        return minted

    def _flow(self, subscription: Subscription) -> None:
        """The relay was told to forward it: tell it also how."""
        subscription.flowing = True
        if subscription.paused or subscription.max_layer is not None:
            self._commands.append(_settings(subscription))


def _settings(subscription: Subscription) -> SetSubscription:
    return SetSubscription(subscription.id, subscription.paused, subscription.max_layer)
