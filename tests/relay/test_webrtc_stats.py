"""Statistics by the W3C's names: each name is one of the specification's, or says that it is ours."""

from __future__ import annotations

from relay.messages import LayerStats, Stats, SubscriptionStats, TrackStats, TransportStats
from relay.webrtc_stats import webrtc_stats

# https://www.w3.org/TR/webrtc-stats/: the members of each dictionary, those it inherits included
COMMON = {"id", "type", "timestamp"}
STREAM = COMMON | {"ssrc", "kind", "transportId", "codecId"}
NAMES = {
    "transport": COMMON
    | {"packetsSent", "packetsReceived", "bytesSent", "bytesReceived", "iceRole", "iceState", "dtlsState"}
    | {"selectedCandidatePairId", "tlsVersion", "dtlsCipher", "srtpCipher"},
    "candidate-pair": COMMON
    | {"transportId", "localCandidateId", "remoteCandidateId", "state", "nominated", "currentRoundTripTime"}
    | {"totalRoundTripTime", "availableOutgoingBitrate", "availableIncomingBitrate"},
    "inbound-rtp": STREAM
    | {"trackIdentifier", "packetsReceived", "packetsLost", "jitter", "mid", "bytesReceived", "nackCount", "pliCount"}
    | {"firCount", "rid"},  # rid is of outbound-rtp in the specification; here layers arrive
    "outbound-rtp": STREAM
    | {
        "packetsSent",
        "bytesSent",
        "mid",
        "remoteId",
        "rid",
        "retransmittedPacketsSent",
        "nackCount",
        "pliCount",
        "active",
    },
    "remote-inbound-rtp": STREAM | {"packetsLost", "jitter", "localId", "roundTripTime", "fractionLost"},
}

LAYER = LayerStats("q", 7, True, 100, 9000, 3, 80_000, 0.004, 2, 5, 1)
STATS = Stats(
    1,
    [TransportStats("ann/pub", "demo", "connected", 10, 1000, 20, 2000, 12.5, {"replay": 2}, estimate=3_000_000)],
    [TrackStats("TR_1", "ann/pub", "video", False, [LAYER])],
    [SubscriptionStats("ann/pub/1", "TR_2", "ann/pub", 0, 50, 4000, 4, 6, 1, 0.02)],
    [],
)


def test_every_name_is_the_specifications_or_ours() -> None:
    for report in webrtc_stats(STATS, 1000.0):
        own = {name for name in report if not name.startswith("roomctl")}
        assert own <= NAMES[str(report["type"])], report


def test_values_in_the_specifications_units() -> None:
    reports = {str(report["id"]): report for report in webrtc_stats(STATS, 1000.5)}
    assert {report["timestamp"] for report in reports.values()} == {1_000_500.0}
    assert reports["CP:ann/pub"]["currentRoundTripTime"] == 0.0125
    assert reports["CP:ann/pub"]["availableOutgoingBitrate"] == 3_000_000
    assert reports["T:ann/pub"]["dtlsState"] == "connected"
    inbound = reports["I:TR_1:0"]
    assert (inbound["packetsLost"], inbound["jitter"], inbound["nackCount"], inbound["pliCount"]) == (3, 0.004, 5, 1)
    outbound = reports["O:ann/pub/1"]
    assert (outbound["retransmittedPacketsSent"], outbound["nackCount"], outbound["active"]) == (4, 6, True)
    assert reports[str(outbound["remoteId"])]["fractionLost"] == 0.02


def test_references_lead_somewhere() -> None:
    reports = {str(report["id"]): report for report in webrtc_stats(STATS, 1000.0)}
    for report in reports.values():
        for name in ("transportId", "remoteId", "localId", "selectedCandidatePairId"):
            assert name not in report or report[name] in reports


def test_what_is_not_known_is_left_out() -> None:
    unknown = Stats(1, [TransportStats("t", "r", "new", 0, 0, 0, 0, None, {})], [], [], [])
    [transport] = webrtc_stats(unknown, 0.0)
    assert "selectedCandidatePairId" not in transport
