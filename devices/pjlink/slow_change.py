"""How long a projector's warm-up or cool-down still takes."""

from __future__ import annotations


class SlowChange:
    """How long warming and cooling still take: PJLink does not say, so from the settings, then from the last time."""

    def __init__(self, totals: dict[str, float]) -> None:
        self._totals = totals
        self._state: str | None = None
        self._since = 0.0

    def lost_sight(self) -> None:
        """The connection ended: when the next change began is not known."""
        self._state, self._since = None, 0.0

    def saw(self, state: str | None, now: float) -> tuple[float | None, float | None]:
        """(remaining, total) seconds, None and None when nothing changes; `now` in seconds of any clock."""
        if state != self._state:
            if self._state in self._totals and self._since:
                self._totals[self._state] = now - self._since
            known_start = self._state is not None
            self._state, self._since = state, now if known_start else 0.0
        if state not in self._totals:
            return None, None
        total = self._totals[state]
        return max(0.0, total - (now - self._since) if self._since else total), total
