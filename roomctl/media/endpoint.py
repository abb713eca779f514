"""Face of the room's media endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from wire.link import MediaAccess
from wire.problems import Problem


@dataclass(frozen=True)
class Published:
    """What the endpoint confirms: joined, and what is being sent right now.

    `camera`: pictures go out. An endpoint that captures them itself knows; of a display page only its switch is known.
    """

    connected: bool = False
    mic: bool = False
    camera: bool = False
    problem: Problem | None = None


class Endpoint(Protocol):
    """Speaks for the room in a meeting."""

    @property
    def published(self) -> Published:
        """What is confirmed now."""

    def open(self, access: MediaAccess, *, mic: bool, camera: bool) -> None:
        """Join with this access and keep joined; again with fresh access: go on, nothing is interrupted."""

    def close(self) -> None:
        """Leave, and release the camera and the microphone."""

    def switch(self, *, mic: bool, camera: bool) -> None:
        """What may be sent. Closed means that nothing is captured nor sent."""

    async def run(self) -> None:
        """Own the session until cancelled."""
