"""What a room publishes: its test picture and its chord, or the picture of its camera, which brings no sound."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from av import VideoFrame

from devices.rtsp.feed import VideoFeed
from roomctl.media import camera, picture
from roomctl.media.camera import CameraTrack
from roomctl.media.picture import Picture, card
from roomctl.media.sound import Chord
from roomctl.media.tracks import ChordTrack, PictureTrack
from wire.places import Center, Room

LOST_WORDS = ("Pas d’image de la caméra", "No picture from the camera")

Track = ChordTrack | PictureTrack | CameraTrack


class Source(Protocol):
    """Makes the tracks of one session."""

    size: tuple[int, int]  # pixels of the picture, at most

    def tracks(self, on_change: Callable[[], None], *, mic: bool, camera: bool) -> dict[str, Track]:
        """By kind: `video`, and `audio` where there is sound. `on_change`: the camera was lost, or is back."""


class TestSource:
    """The test picture and the chord of a room."""

    __test__ = False
    size = (picture.WIDTH, picture.HEIGHT)

    def __init__(self, room: Room, center: Center) -> None:
        self._picture = Picture(room, center)
        self._chord = Chord(room.id)

    def tracks(self, on_change: Callable[[], None], *, mic: bool, camera: bool) -> dict[str, Track]:
        """Both."""
        return {
            "audio": ChordTrack(self._chord, is_open=mic),
            "video": PictureTrack(self._picture, is_open=camera),
        }


class CameraSource:
    """The picture of the room's camera."""

    size = (camera.WIDTH, camera.HEIGHT)

    def __init__(self, feed: VideoFeed, room: Room, center: Center) -> None:
        self._feed = feed
        self._card: Callable[[], VideoFrame] = partial(card, room, center, LOST_WORDS)

    def tracks(self, on_change: Callable[[], None], *, mic: bool, camera: bool) -> dict[str, Track]:
        """One."""
        return {"video": CameraTrack(self._feed, self._card, on_change, is_open=camera)}
