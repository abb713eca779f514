"""The relay's statistics for Prometheus (https://prometheus.io/docs/practices/naming/): base units, counters that only grow.

Counters come of the relay's totals, which keep what has gone: a transport that closes makes none of them fall.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from math import ceil

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from relay.messages import ShardStats, Stats

PREFIX = "roomctl_relay"
PHASES = ("new", "connecting", "connected", "failed", "closed")
PERCENTILES = (5, 50, 95)

Read = Callable[[ShardStats], float]

COUNTERS: dict[str, tuple[str, Read]] = {
    "received_packets": ("Datagrams received of transports", lambda shard: shard.totals.packets_received),
    "received_bytes": ("Payload bytes of datagrams received of transports", lambda shard: shard.totals.bytes_received),
    "sent_packets": ("Datagrams sent to transports", lambda shard: shard.totals.packets_sent),
    "sent_bytes": ("Payload bytes of datagrams sent to transports", lambda shard: shard.totals.bytes_sent),
    "media_received_packets": ("RTP packets taken into tracks", lambda shard: shard.totals.media_received),
    "media_sent_packets": ("RTP packets forwarded for the first time", lambda shard: shard.totals.media_sent),
    "retransmitted_packets": ("RTP packets sent again", lambda shard: shard.totals.retransmitted),
    "nacks_received": ("Packets asked for again by subscribers", lambda shard: shard.totals.nacks_received),
    "nacks_sent": ("Packets asked for again of publishers", lambda shard: shard.totals.nacks_sent),
    "key_frame_requests_received": ("Key frames asked for by subscribers", lambda shard: shard.totals.plis_received),
    "key_frame_requests_sent": ("Key frames asked for of publishers", lambda shard: shard.totals.plis_sent),
    "key_frames": ("Key frames received", lambda shard: shard.totals.key_frames),
    "pauses": ("Times the relay began to withhold a subscription", lambda shard: shard.totals.pauses),
    "transports_opened": ("Transports opened", lambda shard: shard.totals.transports),
    "tracks_published": ("Tracks published", lambda shard: shard.totals.tracks),
    "subscriptions_made": ("Subscriptions made", lambda shard: shard.totals.subscriptions),
    "socket_received_packets": ("Datagrams read from sockets", lambda shard: shard.datagrams_received),
    "socket_sent_packets": ("Datagrams given to sockets", lambda shard: shard.datagrams_sent),
    "send_calls": ("System calls that sent datagrams", lambda shard: shard.send_calls),
    "cpu_seconds": ("Processor time of the shard's thread, user and system", lambda shard: shard.cpu_seconds),
}
"""Name without prefix and `_total`: what it counts, and where it is found."""


def exposition(stats: Stats) -> bytes:
    """The text that `/metrics` gives for the relay."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Snapshot(stats))
    return generate_latest(registry)


class _Snapshot(Collector):
    """One answer to `GetStats` as metric families."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield from _counters(self._stats)
        yield _dropped(self._stats)
        yield from _gauges(self._stats)


def _counters(stats: Stats) -> Iterator[Metric]:
    for name, (words, read) in COUNTERS.items():
        family = CounterMetricFamily(f"{PREFIX}_{name}", words, labels=["shard"])
        for shard in stats.shards:
            family.add_metric([str(shard.shard)], read(shard))
        yield family


def _dropped(stats: Stats) -> Metric:
    words = "Packets refused, and connections closed, by reason (docs/limits.md)"
    family = CounterMetricFamily(f"{PREFIX}_dropped_packets", words, labels=["shard", "reason"])
    for shard in stats.shards:
        for reason, count in sorted((Counter(shard.dropped) + Counter(shard.totals.dropped)).items()):
            family.add_metric([str(shard.shard), reason], count)
    return family


def _gauges(stats: Stats) -> Iterator[Metric]:
    phases: Counter[str] = Counter(transport.phase for transport in stats.transports)
    yield _labelled("transports", "Transports there are", "phase", {phase: phases[phase] for phase in PHASES})
    kinds = Counter(track.kind for track in stats.tracks)
    yield _labelled("tracks", "Tracks there are", "kind", {"audio": kinds["audio"], "video": kinds["video"]})
    yield GaugeMetricFamily(f"{PREFIX}_subscriptions", "Subscriptions there are", value=len(stats.subscriptions))
    paused = Counter(subscription.paused for subscription in stats.subscriptions)
    reasons = {reason: paused[reason] for reason in ("bandwidth", "last_n")}
    yield _labelled("paused_subscriptions", "Subscriptions withheld by the relay", "reason", dict(reasons))
    estimates = sorted(transport.estimate for transport in stats.transports if transport.estimate is not None)
    words = "What subscribers' links carry: so many per cent of them carry at most this"
    told = {str(part): estimates[ceil(part * len(estimates) / 100) - 1] / 8 for part in PERCENTILES if estimates}
    yield _labelled("estimate_bytes_per_second", words, "percentile", told)


def _labelled(name: str, words: str, label: str, values: dict[str, float] | dict[str, int]) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", words, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
