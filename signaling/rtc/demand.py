"""What is wanted of publishers: layers somebody could be shown (dynacast), and second codecs (backup codecs)."""

from __future__ import annotations

from collections.abc import Iterable

from livekit.protocol.models import VideoQuality
from livekit.protocol.rtc import SubscribedCodec, SubscribedQuality, SubscribedQualityUpdate

from signaling.rtc.track import Track


def update(track: Track, *, needed: bool) -> SubscribedQualityUpdate | None:
    """What a track's publisher has to be told anew; None where nothing changed. `needed`: somebody takes its second codec only.

    Who was told nothing sends every layer of its first codec.
    """
    if track.told is None and track.layers_wanted is None and not needed:
        return None
    codecs = [_codec(track.info.mime_type, track.qualities().items())]
    if track.spare is not None:
        on = track.backup.qualities() if track.backup is not None else dict.fromkeys(track.qualities(), needed)
        codecs.append(_codec(track.spare, on.items()))
    qualities = codecs[0].qualities
    made = SubscribedQualityUpdate(track_sid=track.sid, subscribed_qualities=qualities, subscribed_codecs=codecs)
    if made == track.told:
        return None
    track.told = made
    return made


def _codec(mime: str, qualities: Iterable[tuple[VideoQuality, bool]]) -> SubscribedCodec:
    told = [SubscribedQuality(quality=quality, enabled=enabled) for quality, enabled in qualities]
    return SubscribedCodec(codec=mime.partition("/")[2].lower(), qualities=told)
