"""Connection quality: graded from the relay's counters, told when it changes."""

from __future__ import annotations

import pytest
from livekit.protocol.models import ConnectionQuality

from relay.messages import LayerStats, Stats, SubscriptionStats, TrackStats, TransportPhase, TransportStats
from signaling.rtc import RtcSettings
from signaling.rtc.quality import grade
from tests.signaling.rtc.world import Client, RecordedRelay, serve


def counters(client: Client, *, received: int = 0, lost: int = 0, said: float = 0.0, rtt: float = 20.0) -> Stats:
    """One session that publishes one track and receives another; whether it is heard is not looked at."""
    publisher, subscriber = f"{client.sid}/pub", f"{client.sid}/sub"
    layer = LayerStats(None, 1, True, received, 0, lost, 0, 0.0, 0, 0, 0)
    return Stats(
        0,
        [TransportStats(publisher, "demo", "connecting", 0, 0, 0, 0, rtt, {})],
        [TrackStats("TR_A", publisher, "audio", False, [layer])],
        [SubscriptionStats("s", "TR_B", subscriber, 0, 0, 0, 0, 0, 0, 0.5, link_lost=said)],
        [],
    )


@pytest.mark.parametrize(
    ("loss", "rtt", "quality"),
    [
        (0.0, 0.0, ConnectionQuality.EXCELLENT),
        (0.03, 20.0, ConnectionQuality.GOOD),
        (0.0, 300.0, ConnectionQuality.GOOD),
        (0.10, 20.0, ConnectionQuality.POOR),
        (0.0, 900.0, ConnectionQuality.POOR),
    ],
)
def test_grades(loss: float, rtt: float, quality: ConnectionQuality) -> None:
    assert grade(loss, rtt) == quality


async def test_told_when_it_changes() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=RtcSettings(measure=0.01)) as world, world.join() as ann:

        async def told() -> int:
            (info,) = (await ann.expect("connection_quality")).connection_quality.updates
            assert info.participant_sid == ann.sid
            return info.quality

        assert await told() == ConnectionQuality.EXCELLENT
        relay.counters = counters(ann, received=1000, said=0.05)
        assert await told() == ConnectionQuality.GOOD
        relay.counters = counters(ann, received=1100, lost=50)
        assert await told() == ConnectionQuality.POOR
        assert await told() == ConnectionQuality.EXCELLENT  # no more lost since


async def test_hidden_sessions_are_not_graded() -> None:
    relay = RecordedRelay()
    settings = RtcSettings(measure=0.01)
    async with serve(relay, settings=settings) as world, world.join() as ann, world.join("ghost", hidden=True):
        infos = (await ann.expect("connection_quality")).connection_quality.updates
        assert [info.participant_sid for info in infos] == [ann.sid]


async def test_who_is_not_heard_is_lost() -> None:
    relay = RecordedRelay()

    def heard(client: Client, packets: int, phase: TransportPhase = "connected") -> Stats:
        entry = TransportStats(f"{client.sid}/pub", "demo", phase, packets, 0, 0, 0, 20.0, {})
        return Stats(0, [entry], [], [], [])

    async with serve(relay) as world, world.join() as ann:
        room = world.server.rooms["demo"]

        def told() -> list[ConnectionQuality]:
            room.measured(relay.counters)
            messages = [m for _, m in room.effects.take().messages if m.HasField("connection_quality")]
            return [info.quality for m in messages for info in m.connection_quality.updates]

        relay.counters = heard(ann, 10)
        assert told() == [ConnectionQuality.EXCELLENT]
        assert told() == []
        assert told() == [ConnectionQuality.LOST]
        relay.counters = heard(ann, 11)
        assert told() == [ConnectionQuality.EXCELLENT]
        relay.counters = heard(ann, 0, "connecting")
        assert [told() for _ in range(4)] == [[]] * 4  # not up yet is not lost
