"""Statistics by the W3C's names: each name is one of the specification's, or says that it is ours."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from relay.messages import LayerStats, Stats, SubscriptionStats, TrackStats, TransportStats
from relay.webrtc_stats import webrtc_stats

# What the W3C's dictionaries as TypeScript's own declarations have them lack:
# https://www.w3.org/TR/webrtc-stats/#remoteinboundrtpstats-dict*, #icecandidate-dict*
OTHERS = """
interface RTCRemoteInboundRtpStreamStats extends RTCReceivedRtpStreamStats {
    fractionLost?: number;
    localId?: string;
    roundTripTime?: number;
    roundTripTimeMeasurements?: number;
    totalRoundTripTime?: number;
}
interface RTCIceCandidateStats extends RTCStats {
    address?: string;
    candidateType: RTCIceCandidateType;
    port?: number;
    protocol?: string;
    transportId: string;
}
"""
TYPES = {
    "transport": "RTCTransportStats",
    "candidate-pair": "RTCIceCandidatePairStats",
    "local-candidate": "RTCIceCandidateStats",
    "remote-candidate": "RTCIceCandidateStats",
    "inbound-rtp": "RTCInboundRtpStreamStats",
    "outbound-rtp": "RTCOutboundRtpStreamStats",
    "remote-inbound-rtp": "RTCRemoteInboundRtpStreamStats",
}


@cache
def declared() -> str:
    """The W3C's dictionaries: TypeScript's declarations, of the packages of web/, and the others."""
    return (Path(__file__).parents[2] / "web/node_modules/typescript/lib/lib.dom.d.ts").read_text() + OTHERS


def members(interface: str) -> dict[str, bool]:
    """Names of a dictionary with those it inherits, and whether each is required."""
    found = re.search(rf"(?m)^interface {interface}(?: extends (\w+))? {{\n(.*?)^}}", declared(), re.S)
    assert found is not None, interface
    own = {name: not optional for name, optional in re.findall(r"(\w+)(\??): ", found[2])}
    return (members(found[1]) if found[1] else {}) | own


LAYER = LayerStats("q", 7, True, 100, 9000, 3, 80_000, 0.004, 2, 5, 1)
STATS = Stats(
    1,
    [TransportStats("ann/pub", "demo", "connected", 10, 1000, 20, 2000, 12.5, {"replay": 2}, estimate=3_000_000)],
    [TrackStats("TR_1", "ann/pub", "video", False, [LAYER]), TrackStats("TR_2", "bob/pub", "audio", False, [])],
    [SubscriptionStats("ann/pub/1", "TR_2", "ann/pub", 0, 50, 4000, 4, 6, 1, 0.02, ssrc=77)],
    [],
)


def test_every_name_is_the_specifications_or_ours_and_none_that_it_requires_lacks() -> None:
    reports = webrtc_stats(STATS, 1000.0)
    assert {report["type"] for report in reports} == set(TYPES)
    for report in reports:
        known = members(TYPES[str(report["type"])])
        assert {"id", "type", "timestamp"} <= known.keys()
        own = {name for name in report if not name.startswith("roomctl")}
        # a layer that arrives has a rid, which the specification knows of what is sent alone
        assert own - known.keys() <= ({"rid"} if report["type"] == "inbound-rtp" else set()), report
        assert {name for name, required in known.items() if required} <= own, report


def test_values_in_the_specifications_units() -> None:
    reports = {str(report["id"]): report for report in webrtc_stats(STATS, 1000.5)}
    assert {report["timestamp"] for report in reports.values()} == {1_000_500.0}
    assert reports["CP:ann/pub"]["currentRoundTripTime"] == 0.0125
    assert reports["CP:ann/pub"]["availableOutgoingBitrate"] == 3_000_000
    assert reports["T:ann/pub"]["dtlsState"] == "connected"
    inbound = reports["I:TR_1:0"]
    assert (inbound["packetsLost"], inbound["jitter"], inbound["nackCount"], inbound["pliCount"]) == (3, 0.004, 5, 1)
    outbound = reports["O:ann/pub/1"]
    assert (outbound["kind"], outbound["ssrc"]) == ("audio", 77)
    assert (outbound["retransmittedPacketsSent"], outbound["nackCount"], outbound["active"]) == (4, 6, True)
    remote = reports[str(outbound["remoteId"])]
    assert (remote["fractionLost"], remote["kind"], remote["ssrc"]) == (0.02, "audio", 77)


def test_references_lead_somewhere() -> None:
    reports = {str(report["id"]): report for report in webrtc_stats(STATS, 1000.0)}
    references = (
        "transportId",
        "remoteId",
        "localId",
        "localCandidateId",
        "remoteCandidateId",
        "selectedCandidatePairId",
    )
    for report in reports.values():
        for name in references:
            assert name not in report or report[name] in reports


def test_what_is_not_known_is_left_out() -> None:
    unknown = Stats(1, [TransportStats("t", "r", "new", 0, 0, 0, 0, None, {})], [], [], [])
    [transport] = webrtc_stats(unknown, 0.0)
    assert "selectedCandidatePairId" not in transport
    nothing_came = TrackStats("TR_1", "t", "video", False, [LayerStats("q", None, False, 0, 0, 0, 0, 0.0, 0, 0, 0)])
    assert webrtc_stats(Stats(1, [], [nothing_came], [], []), 0.0) == []
