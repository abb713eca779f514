"""What the room's state machine asks of the shell around it."""

from __future__ import annotations

from dataclasses import dataclass

from roomctl.scenes import Scene
from wire.link import MediaAccess


@dataclass(frozen=True)
class RunScene:
    """Bring the devices to `scene`."""

    scene: Scene


@dataclass(frozen=True)
class OpenMedia:
    """Join (or go on in) the media with this access."""

    meeting: str
    access: MediaAccess


@dataclass(frozen=True)
class CloseMedia:
    """Leave the media and release the camera and the microphone."""


@dataclass(frozen=True)
class AnswerCall:
    """Tell the server that this room answers `meeting` (it was set to answer by itself)."""

    meeting: str


Effect = RunScene | OpenMedia | CloseMedia | AnswerCall
