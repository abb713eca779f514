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
    """One report per transport, candidate pair and its ends, layer that came and sent stream. `now` in Unix seconds."""
    stamp = round(now * 1000, 3)
    kinds = {track.track: track.kind for track in stats.tracks}
    round_trips = {transport.transport: transport.rtt_ms for transport in stats.transports}
    reports: list[Report] = []
    for transport in stats.transports:
        reports += _transport(transport)
    for track in stats.tracks:
        reports += (_inbound(track, index, layer) for index, layer in enumerate(track.layers) if layer.ssrc is not None)
    for subscription in stats.subscriptions:
        stream = _stream(subscription, kinds.get(subscription.track))
        reports += _outbound(subscription, stream, round_trips.get(subscription.transport))
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
        pair |= {"localCandidateId": f"L:{name}", "remoteCandidateId": f"R:{name}"}
        if transport.rtt_ms is not None:
            pair["currentRoundTripTime"] = transport.rtt_ms / 1000
        if transport.estimate is not None:
            pair["availableOutgoingBitrate"] = transport.estimate
        yield pair
        # ours are its own addresses; a client's are learned from its checks alone (RFC 8445 §7.3.1.3)
        yield {"id": f"L:{name}", "type": "local-candidate", "transportId": f"T:{name}", "candidateType": "host"}
        yield {"id": f"R:{name}", "type": "remote-candidate", "transportId": f"T:{name}", "candidateType": "prflx"}
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


def _stream(subscription: SubscriptionStats, kind: str | None) -> Report:
    """What both reports of a sent stream begin with."""
    stream: Report = {"transportId": f"T:{subscription.transport}"}
    if kind is not None:
        stream["kind"] = kind
    if subscription.ssrc is not None:
        stream["ssrc"] = subscription.ssrc
    return stream


def _outbound(subscription: SubscriptionStats, stream: Report, rtt_ms: float | None) -> Iterator[Report]:
    name = subscription.subscription
    yield {
        "id": f"O:{name}",
        "type": "outbound-rtp",
        **stream,
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
        **stream,
        "localId": f"O:{name}",
        "fractionLost": subscription.lost,
    }
    if rtt_ms is not None:
        remote["roundTripTime"] = rtt_ms / 1000
    yield remote
