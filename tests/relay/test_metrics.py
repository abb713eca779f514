"""What `/metrics` gives: names as promtool wants them, counters that survive what they count."""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from relay import Relay
from relay.messages import (
    CloseTransport,
    ShardStats,
    Stats,
    SubscriptionStats,
    Totals,
    TrackStats,
    TransportState,
    TransportStats,
)
from relay.metrics import COUNTERS, PREFIX, exposition
from tests.relay.media import publish, subscribe
from tests.relay.peer import Events, Peer

# promtool's linter (prometheus/util/promlint): abbreviations, units that are not base ones, types in names.
UNITS = ("ms", "milliseconds", "microseconds", "minutes", "hours", "kilobytes", "kb", "mb", "bits", "kbps", "percent")
RESERVED = ("counter", "gauge", "histogram", "summary", "metric")
RESERVED_LABELS = {"le", "quantile"}


def transport(name: str, phase: str, estimate: int | None) -> TransportStats:
    return TransportStats(name, "demo", phase, 1, 2, 3, 4, None, {"replayed": 99}, estimate=estimate)  # type: ignore[arg-type]


STATS = Stats(
    1,
    [transport(f"t{number}", "connected", number * 8_000_000) for number in range(1, 5)]
    + [transport("t", "new", None)],
    [TrackStats("t", "t1", "video", False, [])],
    [
        SubscriptionStats("s", "t", "t2", None, 0, 0, 0, 0, 0, 0.0, "bandwidth"),
        SubscriptionStats("u", "t", "t3", 0, 9, 9, 0, 0, 0, 0.0),
    ],
    [
        ShardStats(0, True, 5, 6, 7, 0.5, {"unknown_address": 3}, Totals(retransmitted=8, dropped={"replayed": 4})),
        ShardStats(1, True, 0, 0, 0, 0.0, {"malformed": 1}, Totals(dropped={"malformed": 2})),
    ],
)


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Values by name and labels' values, in the order of the labels' names."""
    families = text_string_to_metric_families(text.decode())
    return {
        (s.name, *(value for _, value in sorted(s.labels.items()))): s.value
        for family in families
        for s in family.samples
    }


def test_names_are_as_promtool_wants_them() -> None:
    families = list(text_string_to_metric_families(exposition(STATS).decode()))
    assert len(families) == len(COUNTERS) + 6
    for family in families:
        assert re.fullmatch(rf"{PREFIX}(_[a-z]+)+", family.name), family.name
        assert family.documentation and family.type in ("counter", "gauge")
        words = family.name.split("_")
        assert not set(words) & {*UNITS, *RESERVED}, family.name
        assert "per" not in words or words[words.index("per") - 1] == "bytes"
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter"), sample.name
            assert not set(sample.labels) & RESERVED_LABELS
    assert len({family.documentation for family in families}) == len(families)


def test_values() -> None:
    seen = samples(exposition(STATS))
    assert seen[f"{PREFIX}_retransmitted_packets_total", "0"] == 8
    assert seen[f"{PREFIX}_send_calls_total", "0"] == 7
    assert seen[f"{PREFIX}_dropped_packets_total", "unknown_address", "0"] == 3
    assert seen[f"{PREFIX}_dropped_packets_total", "replayed", "0"] == 4, "of totals, not of transports again"
    assert seen[f"{PREFIX}_dropped_packets_total", "malformed", "1"] == 3
    assert (seen[f"{PREFIX}_transports", "connected"], seen[f"{PREFIX}_transports", "failed"]) == (4, 0)
    assert (seen[f"{PREFIX}_tracks", "video"], seen[f"{PREFIX}_tracks", "audio"]) == (1, 0)
    assert seen[(f"{PREFIX}_subscriptions",)] == 2
    assert seen[f"{PREFIX}_paused_subscriptions", "bandwidth"] == 1
    carried = [seen[f"{PREFIX}_estimate_bytes_per_second", part] for part in ("5", "50", "95")]
    assert carried == [1_000_000, 2_000_000, 4_000_000]


def test_nothing_is_made_up_of_an_empty_relay() -> None:
    seen = samples(exposition(Stats(1, [], [], [], [])))
    assert not [name for name, *_ in seen if "estimate" in name]
    assert seen[(f"{PREFIX}_subscriptions",)] == 0


async def test_counters_survive_the_transports(relay: Relay, events: Events) -> None:
    ann, bob = Peer("ann", "demo"), Peer("bob", "demo")
    for peer in (ann, bob):
        await peer.connect(relay)
        await events.wait_for(TransportState, transport=peer.name, phase="connected")
    sender = await publish(ann, relay, "audio", "mic")
    receiver = await subscribe(bob, relay, "audio", "mic")
    for _ in range(20):
        await receiver.track.recv()
    before = samples(exposition(await relay.stats()))
    assert before[f"{PREFIX}_media_sent_packets_total", "0"] >= 20
    assert before[f"{PREFIX}_transports", "connected"] == 2
    await sender.stop()
    await receiver.stop()
    relay.submit(CloseTransport("ann"), CloseTransport("bob"))
    stats = await relay.stats()
    assert stats.transports == []
    after = samples(exposition(stats))
    assert after[f"{PREFIX}_transports", "connected"] == 0
    for key, value in before.items():
        if key[0].endswith("_total"):
            assert after[key] >= value, key
    for peer in (ann, bob):
        await peer.close()
