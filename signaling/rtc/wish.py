"""How a client wants a subscribed track (`track_setting`), and what of that the relay is told."""

from __future__ import annotations

from dataclasses import dataclass

from livekit.protocol.models import TrackSource, VideoQuality
from livekit.protocol.rtc import UpdateTrackSettings

from relay.messages import SetSubscription
from signaling.rtc.track import Track

_MAX_SIDE = 16384  # px
_LEAST, _TEMPORAL = 255, 3  # the relay's highest priority; temporal layers of the streams that have some
_FULL_RATE = {TrackSource.SCREEN_SHARE: 15}  # frames per second, which no message tells
_USUAL_RATE = 30


@dataclass(frozen=True)
class Wish:
    """What the client last said. Sizes in px, `fps` in frames per second, 0 where it did not say; `priority` 1 is highest."""

    paused: bool = False
    quality: VideoQuality = VideoQuality.HIGH
    width: int = 0
    height: int = 0
    fps: int = 0
    priority: int = 0

    def settings(self, subscription: str, track: Track, *, keep: bool) -> SetSubscription:
        """In the relay's words, for the codec of the track that the client gets. `keep`: not paused for lack of bit/s."""
        by_size = self.width > 0 and self.height > 0
        return SetSubscription(
            subscription,
            paused=self.paused or (not by_size and self.quality == VideoQuality.OFF),
            max_layer=track.layer_for_size(self.width, self.height) if by_size else track.top_layer(self.quality),
            max_temporal=self._temporal(track),
            screen=track.info.source == TrackSource.SCREEN_SHARE,
            visible=min(self.width, _MAX_SIDE) * min(self.height, _MAX_SIDE) if by_size else None,
            priority=max(1, _LEAST + 1 - self.priority) if self.priority else 0,
            keep=keep,
        )

    def _temporal(self, track: Track) -> int | None:
        """The lowest temporal layer with `fps` frames a second; each one has twice those of the one below."""
        if not self.fps or track.scalability is None:
            return None
        rate = _FULL_RATE.get(track.info.source, _USUAL_RATE)
        return next((layer for layer in range(_TEMPORAL - 1) if rate >> (_TEMPORAL - 1 - layer) >= self.fps), None)


def from_request(asked: UpdateTrackSettings) -> Wish:
    """The wish of a `track_setting`: each one replaces all of the one before."""
    return Wish(asked.disabled, asked.quality, asked.width, asked.height, asked.fps, asked.priority)
