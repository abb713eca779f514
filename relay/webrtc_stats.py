"""Statistics in the names of the W3C's *Identifiers for WebRTC's Statistics API* (https://www.w3.org/TR/webrtc-stats/).

Seen from the relay: what a client publishes is `inbound-rtp`, what it is sent is `outbound-rtp`. What the relay does not
know (decoded frames, playout) is left out rather than made up; names beginning with `roomctl` are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from relay.messages import LayerStats, Stats, SubscriptionStats, TrackStats, TransportStats

Value = str | int | float | bool | list[str] | dict[str, int]
Report = dict[str, Value]

_DTLS = {"new": "new", "connecting": "connecting", "connected": "connected", "failed": "failed", "closed": "closed"}


def webrtc_stats(stats: Stats, now: float) -> list[Report]:
    """One report per transport, candidate pair, received layer and sent stream. `now` in Unix seconds."""
    stamp = round(now * 1000, 3)
    round_trips = {transport.transport: transport.rtt_ms for transport in stats.transports}
    reports: list[Report] = []
    for transport in stats.transports:
        reports += _transport(transport)
    for track in stats.tracks:
        reports += (_inbound(track, index, layer) for index, layer in enumerate(track.layers))
    for subscription in stats.subscriptions:
        reports += _outbound(subscription, round_trips.get(subscription.transport))
    return [{**report, "timestamp": stamp} for report in reports]


def _transport(transport: TransportStats) -> Iterator[Report]:
    name = transport.transport
    report: Report = {
        "id": f"T:{name}",
        "type": "transport",
        "packetsSent": transport.packets_sent,
        "packetsReceived": transport.packets_received,
        "bytesSent": transport.bytes_sent,
        "bytesReceived": transport.bytes_received,
        "dtlsState": _DTLS[transport.phase],
        "roomctlRoom": transport.room,
        "roomctlDropped": transport.dropped,
    }
    if transport.phase == "connected":
        report["selectedCandidatePairId"] = f"CP:{name}"
        pair: Report = {"id": f"CP:{name}", "type": "candidate-pair", "transportId": f"T:{name}"}
        pair |= {"state": "succeeded", "nominated": True}
        if transport.rtt_ms is not None:
            pair["currentRoundTripTime"] = transport.rtt_ms / 1000
        if transport.estimate is not None:
            pair["availableOutgoingBitrate"] = transport.estimate
        yield pair
    yield report


def _inbound(track: TrackStats, index: int, layer: LayerStats) -> Report:
    report: Report = {
        "id": f"I:{track.track}:{index}",
        "type": "inbound-rtp",
        "kind": track.kind,
        "transportId": f"T:{track.transport}",
        "trackIdentifier": track.track,
        "packetsReceived": layer.packets,
        "bytesReceived": layer.bytes,
        "packetsLost": layer.lost,
        "jitter": layer.jitter,
        "nackCount": layer.nacks_sent,
        "pliCount": layer.plis_sent,
        "roomctlBitrate": layer.bitrate,
        "roomctlKeyFrames": layer.key_frames,
        "roomctlLive": layer.live,
        "roomctlMuted": track.muted,
    }
    if layer.ssrc is not None:
        report["ssrc"] = layer.ssrc
    if layer.rid is not None:
        report["rid"] = layer.rid
    return report


def _outbound(subscription: SubscriptionStats, rtt_ms: float | None) -> Iterator[Report]:
    name = subscription.subscription
    yield {
        "id": f"O:{name}",
        "type": "outbound-rtp",
        "transportId": f"T:{subscription.transport}",
        "remoteId": f"RI:{name}",
        "packetsSent": subscription.packets,
        "bytesSent": subscription.bytes,
        "retransmittedPacketsSent": subscription.retransmitted,
        "nackCount": subscription.nacks_received,
        "pliCount": subscription.plis_received,
        "active": subscription.layer is not None,
        "roomctlTrack": subscription.track,
        **({} if subscription.layer is None else {"roomctlLayer": subscription.layer}),
    }
    remote: Report = {
        "id": f"RI:{name}",
        "type": "remote-inbound-rtp",
        "localId": f"O:{name}",
        "transportId": f"T:{subscription.transport}",
        "fractionLost": subscription.lost,
    }
    if rtt_ms is not None:
        remote["roundTripTime"] = rtt_ms / 1000
    yield remote
