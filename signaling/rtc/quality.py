"""How well each session's connection carries media, from the relay's counters: loss in the last interval, round trip.

A connected peer is never silent: it checks its path (RFC 7675) and reports (RFC 3550) even with nothing to send. One that
was not heard in two intervals is lost. A connection that does not carry all it is to carry is poor, whatever it loses.
"""

from __future__ import annotations

from collections.abc import Iterable

from livekit.protocol.models import ConnectionQuality
from livekit.protocol.rtc import ConnectionQualityInfo

from relay.messages import Stats
from signaling.rtc.session import Session

GOOD_LOSS, POOR_LOSS = 0.02, 0.08  # fraction of packets
GOOD_RTT, POOR_RTT = 250.0, 600.0  # ms
SILENT = 2  # intervals without a packet
_SCORES = {
    ConnectionQuality.EXCELLENT: 1.0,
    ConnectionQuality.GOOD: 0.6,
    ConnectionQuality.POOR: 0.2,
    ConnectionQuality.LOST: 0.0,
}


class Qualities:
    """The connection qualities of one room, judged from one set of counters to the next."""

    def __init__(self) -> None:
        self._counted: dict[str, tuple[int, int]] = {}  # track -> (received, lost) at the last look
        self._heard: dict[str, tuple[int, int]] = {}  # transport -> (packets received, intervals since that grew)
        self._judged: dict[str, ConnectionQuality] = {}
        self._told: dict[str, ConnectionQuality] = {}

    def judge(self, stats: Stats, sessions: Iterable[Session]) -> None:
        """Take in a set of counters; `news` tells what it changes. Hidden sessions are left out."""
        losses, silent = self._losses(stats), self._silent(stats)
        trips = {entry.transport: entry.rtt_ms or 0.0 for entry in stats.transports}
        self._judged = {}
        for session in sessions:
            ends = (session.publisher.transport, session.subscriber.transport)
            if not session.grants.hidden:
                loss, trip = max(losses.get(end, 0.0) for end in ends), max(trips.get(end, 0.0) for end in ends)
                self._judged[session.sid] = ConnectionQuality.LOST if silent & set(ends) else grade(loss, trip)

    def news(self, sessions: Iterable[Session]) -> list[ConnectionQualityInfo]:
        """What to tell: everyone's quality if anyone's changed, else nothing."""
        now: dict[str, ConnectionQuality] = {}
        for session in sessions:
            if (judged := self._judged.get(session.sid)) is not None:
                starved = session.subscriber.starved and judged != ConnectionQuality.LOST
                now[session.sid] = ConnectionQuality.POOR if starved else judged
        changed, self._told = now != self._told, now
        return [_info(sid, quality) for sid, quality in now.items()] if changed else []

    def _silent(self, stats: Stats) -> set[str]:
        """Connected transports that were not heard for too long."""
        heard: dict[str, tuple[int, int]] = {}
        for entry in stats.transports:
            if entry.phase == "connected":
                packets, intervals = self._heard.get(entry.transport, (-1, 0))
                grown = entry.packets_received != packets
                heard[entry.transport] = (entry.packets_received, 0 if grown else intervals + 1)
        self._heard = heard
        return {transport for transport, (_, intervals) in heard.items() if intervals >= SILENT}

    def _losses(self, stats: Stats) -> dict[str, float]:
        """Worst loss (0..1) per transport: of what it publishes since the last look, of what it is sent as it says."""
        losses: dict[str, float] = {}
        counted: dict[str, tuple[int, int]] = {}
        for track in stats.tracks:
            received, lost = sum(layer.packets for layer in track.layers), sum(layer.lost for layer in track.layers)
            before = self._counted.get(track.track, (received, lost))
            counted[track.track] = (received, lost)
            got, missed = max(0, received - before[0]), max(0, lost - before[1])
            share = missed / (got + missed) if got + missed else 0.0
            losses[track.transport] = max(losses.get(track.transport, 0.0), share)
        for subscription in stats.subscriptions:
            losses[subscription.transport] = max(losses.get(subscription.transport, 0.0), subscription.link_lost)
        self._counted = counted
        return losses


def grade(loss: float, rtt_ms: float) -> ConnectionQuality:
    """A quality for a loss (fraction 0..1) and a round trip."""
    if loss >= POOR_LOSS or rtt_ms >= POOR_RTT:
        return ConnectionQuality.POOR
    if loss >= GOOD_LOSS or rtt_ms >= GOOD_RTT:
        return ConnectionQuality.GOOD
    return ConnectionQuality.EXCELLENT


def _info(sid: str, quality: ConnectionQuality) -> ConnectionQualityInfo:
    return ConnectionQualityInfo(participant_sid=sid, quality=quality, score=_SCORES[quality])
