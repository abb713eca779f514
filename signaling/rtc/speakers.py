"""Who speaks: the relay's levels per track, folded per participant and told as changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from livekit.protocol.models import SpeakerInfo

from relay.messages import SpeakerLevel


class Speakers:
    """The speakers of one room. Levels are linear, 0 to 1."""

    def __init__(self) -> None:
        self._now: dict[str, SpeakerInfo] = {}  # participant sid -> what was told last

    def active(self, sid: str) -> bool:
        """Whether a session speaks."""
        return sid in self._now

    def current(self) -> list[SpeakerInfo]:
        """For one who comes in now."""
        return list(self._now.values())

    def heard(self, levels: Sequence[SpeakerLevel], owners: Mapping[str, str]) -> list[SpeakerInfo]:
        """Take the relay's word (`owners`: track -> participant sid); returns what changed, the silent last."""
        spoken: dict[str, SpeakerInfo] = {}
        for entry in levels:
            sid = owners.get(entry.track)
            if sid is not None and entry.active and (sid not in spoken or spoken[sid].level < entry.level):
                spoken[sid] = SpeakerInfo(sid=sid, level=entry.level, active=True)
        return self._replace(spoken)

    def silence(self, sid: str) -> list[SpeakerInfo]:
        """A session muted or left; returns what changed."""
        return self._replace({other: info for other, info in self._now.items() if other != sid})

    def _replace(self, spoken: dict[str, SpeakerInfo]) -> list[SpeakerInfo]:
        silent = [SpeakerInfo(sid=sid, level=0.0, active=False) for sid in self._now if sid not in spoken]
        changed = [info for sid, info in spoken.items() if self._now.get(sid) != info]
        self._now = spoken
        return changed + silent
