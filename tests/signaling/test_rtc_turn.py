"""Credentials for TURN: what a client is told, and candidates by TCP beside it."""

from __future__ import annotations

import base64
import hashlib
import hmac

from aiortc.sdp import SessionDescription

from signaling.rtc import RtcSettings, TurnServers
from signaling.rtc import sdp as descriptions
from signaling.rtc.ids import IceCredentials
from signaling.rtc.turn import announced, credentials
from tests.signaling.rtc.world import RecordedRelay, serve

TURN = TurnServers(("turn:turn.example.org:3478?transport=udp",), "a secret of coturn", 3600.0)


def test_the_password_is_the_hmac_of_the_name() -> None:
    name, password = credentials("north", "room:a/display", 1_700_000_000)
    assert name == "1700000000:room:a/display"
    # Worked out with: printf 1700000000:room:a/display | openssl dgst -sha1 -hmac north -binary | base64
    assert password == "Y0kwK74Pg7PRMnsuM4OZQnZ57ac="


def test_credentials_end_after_their_time() -> None:
    [server] = announced(TURN, "anna", 1000.0)
    assert list(server.urls) == list(TURN.urls)
    assert server.username == "4600:anna"
    digest = hmac.new(b"a secret of coturn", b"4600:anna", hashlib.sha1).digest()
    assert base64.b64decode(server.credential) == digest
    assert announced(None, "anna", 1000.0) == []


async def test_who_joins_is_told() -> None:
    async with serve(RecordedRelay(), settings=RtcSettings(turn=TURN)) as world, world.join("guest:ann") as ann:
        [server] = ann.joined.ice_servers
        assert server.username.endswith(":guest:ann")
        assert server.credential


def test_tcp_candidates_are_passive_and_come_after_udp() -> None:
    section = descriptions.Section("application", "0", ["webrtc-datachannel"])
    candidates = [("192.0.2.1", 7882, "udp"), ("2001:db8::1", 7882, "udp"), ("192.0.2.1", 7882, "tcp")]
    local = descriptions.Local(IceCredentials.mint(), ":".join(["AB"] * 32), candidates)
    text = descriptions.describe([section], local, "server", descriptions.Origin())
    lines = [line for line in text.splitlines() if line.startswith("a=candidate:")]
    assert lines[2].endswith("tcp 1526726143 192.0.2.1 7882 typ host tcptype passive")
    read = SessionDescription.parse(text).media[0].ice_candidates
    assert [(at.ip, at.protocol, at.tcpType) for at in read] == [
        ("192.0.2.1", "udp", None),
        ("2001:db8::1", "udp", None),
        ("192.0.2.1", "tcp", "passive"),
    ]
    assert read[0].priority > read[1].priority > read[2].priority
