"""The tracks on their way to one client, and how it wants each: what both paths of the protocol share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

from relay.messages import Command, PauseReason, SetSubscription, Subscribe, Unsubscribe
from signaling.rtc.ids import ssrc
from signaling.rtc.track import Track, second_sid
from signaling.rtc.wish import Wish


@dataclass
class Subscription:
    """A track on its way to a client, with the SSRCs we chose. `flowing`: the relay forwards it.

    `second`: the client takes the track's second codec only. `command` is then sent when that is published.
    """

    id: str
    track: Track
    ssrc: int
    rtx_ssrc: int | None
    wish: Wish = field(default_factory=Wish)
    second: bool = False
    command: Subscribe | None = None
    flowing: bool = False
    withheld: PauseReason | None = None  # why the relay sends nothing of it

    @property
    def version(self) -> Track | None:
        """The track in the codec that the client takes; None while that is not published."""
        return self.track.backup if self.second else self.track


class Subscriptions(ABC):
    """All subscriptions of one client, by track sid. Commands for the relay are appended to `commands`."""

    keep: bool = False  # no picture is paused, whatever the client's link carries

    def __init__(self, transport: str, commands: list[Command]) -> None:
        self.transport = transport
        self._commands = commands
        self._wanted: dict[str, Subscription] = {}
        self._unplaced: dict[str, Track] = {}  # tracks there was no place for, by sid
        self._displaced: list[Track] = []  # those of them that had one, not told yet
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

    def subscribe(self, track: Track) -> bool:
        """Subscribe to a bound track. False where its codec does not fit, or where it waits for a place (`waits`)."""
        if self.has(track.sid):
            return True
        if track.codec is None:
            raise ValueError(f"{track.sid} is not bound yet")
        return self._place(track)

    @abstractmethod
    def _place(self, track: Track) -> bool:
        """Give a track a section, or note in `_unplaced` that it waits for one. False where it has none."""

    def waits(self, sid: str) -> bool:
        """Whether a track will be subscribed once there is a place for it."""
        return sid in self._unplaced

    @property
    def crowded(self) -> bool:
        """Whether a track waits for a place."""
        return bool(self._unplaced)

    def retry(self) -> None:
        """Subscribe to tracks that wait for a place, voices first, until one does not find it."""
        for kind in ("audio", "video"):
            for track in [track for track in self._unplaced.values() if track.kind == kind]:
                if not self._place(track):
                    break

    def displaced(self) -> list[Track]:
        """Tracks that lost their place to others since last asked."""
        gone, self._displaced = self._displaced, []
        return gone

    @property
    def video(self) -> list[Subscription]:
        """The pictures subscribed that the relay forwards."""
        return [entry for entry in self._wanted.values() if entry.flowing and entry.track.kind == "video"]

    @property
    def starved(self) -> bool:
        """Whether the client's link does not carry all it is to get."""
        return any(subscription.withheld == "bandwidth" for subscription in self._wanted.values())

    def needs_second(self, sid: str) -> bool:
        """Whether the client takes a track in its second codec only."""
        subscription = self._wanted.get(sid)
        return subscription is not None and subscription.second

    def find(self, subscription: str) -> Subscription | None:
        """A subscription by its id."""
        return next((entry for entry in self._wanted.values() if entry.id == subscription), None)

    def adjust(self, sid: str, wish: Wish) -> bool:
        """The client wants a track in another way (adaptive stream). False where it is not subscribed."""
        if (subscription := self._wanted.get(sid)) is None:
            return False
        before, subscription.wish = subscription.wish, wish
        version = subscription.version
        if subscription.flowing and version is not None:
            settings = self._settings(subscription, wish, version)
            if settings != self._settings(subscription, before, version):
                self._commands.append(settings)
        return True

    def pause(self, sid: str, paused: bool) -> bool:
        """Pause or resume a subscription, its cap unchanged. False where the track is not subscribed."""
        subscription = self._wanted.get(sid)
        return subscription is not None and self.adjust(sid, replace(subscription.wish, paused=paused))

    def second_came(self, track: Track) -> None:
        """The second codec of a track is published: forward it if the client waits for it."""
        subscription = self._wanted.get(track.sid)
        if subscription is not None and subscription.second and subscription.command is not None:
            self._flow(subscription, subscription.command)

    def second_went(self, track: Track) -> None:
        """The second codec of a track is no longer published; it may come back."""
        subscription = self._wanted.get(track.sid)
        if subscription is not None and subscription.second:
            subscription.flowing = False

    def _mint(self, track: Track) -> Subscription:
        """A new subscription, not flowing yet."""
        self._counter += 1
        rtx = ssrc() if track.kind == "video" else None
        self._unplaced.pop(track.sid, None)
        minted = self._wanted[track.sid] = Subscription(f"{self.transport}/{self._counter}", track, ssrc(), rtx)
        return minted

    def _flow(self, subscription: Subscription, command: Subscribe) -> None:
        """Have the relay forward a track, and how; a codec that is not published yet when it is."""
        subscription.command = command
        if (version := subscription.version) is None or subscription.flowing:
            return
        subscription.flowing = True
        self._commands.append(command)
        settings = self._settings(subscription, subscription.wish, version)
        if settings != SetSubscription(subscription.id):
            self._commands.append(settings)

    def _settings(self, subscription: Subscription, wish: Wish, version: Track) -> SetSubscription:
        return wish.settings(subscription.id, version, keep=self.keep and version.kind == "video")

    def _halt(self, subscription: Subscription) -> None:
        """No longer have the relay forward it."""
        if subscription.flowing:
            self._commands.append(Unsubscribe(subscription.id))
        subscription.flowing, subscription.command, subscription.withheld = False, None, None


def relay_track(subscription: Subscription) -> str:
    """The relay's id of what is subscribed, whether published already or not."""
    track = subscription.track
    if not subscription.second:
        return track.sid
    assert track.spare is not None  # it was chosen
    return second_sid(track.sid, track.spare)
