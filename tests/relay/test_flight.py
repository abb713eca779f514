"""The flight recorder, read by tshark: what went to and from a client in the last seconds."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import time
from pathlib import Path

import pytest
from aiortc.rtp import RtpPacket

from relay import Relay
from tests.relay.media import pictures, publish, subscribe
from tests.relay.peer import Events, Peer


def tshark(file: Path, *fields: str, where: str, port: int) -> list[list[str]]:
    """Fields of the packets that a display filter selects, as tshark reads them."""
    columns = [part for field in fields for part in ("-e", field)]
    command = ["tshark", "-r", str(file), "-d", f"udp.port=={port},rtp", "-Y", where, "-T", "fields", *columns]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [line.split("\t") for line in run.stdout.splitlines()]


@pytest.mark.timeout(60)
async def test_tshark_reads_what_went_to_and_from_a_client(relay: Relay, events: Events, tmp_path: Path) -> None:
    publisher, viewer = Peer("publisher", "room"), Peer("viewer", "room")
    await publisher.connect(relay)
    await viewer.connect(relay)
    sender = await publish(publisher, relay, "video", "picture")
    receiver = await subscribe(viewer, relay, "video", "picture")
    await pictures(receiver, 20)
    files = {}
    for name in ("publisher", "viewer"):
        files[name] = tmp_path / f"{name}.pcapng"
        files[name].write_bytes(await relay.flight(name))
    port = relay.candidates("room")[0][1]
    sent = tshark(
        files["publisher"],
        "rtp.ssrc",
        "rtp.seq",
        "udp.dstport",
        "frame.len",
        where="rtp.version == 2 and not rtcp",
        port=port,
    )
    assert len(sent) >= 20
    assert {row[2] for row in sent} == {str(port)}
    numbers = [int(row[1]) for row in sent]
    assert all((after - before) % 65536 < 100 for before, after in itertools.pairwise(numbers))
    forwarded = tshark(
        files["viewer"], "rtp.ssrc", "udp.srcport", "frame.time_epoch", where="rtp.version == 2 and not rtcp", port=port
    )
    assert {row[1] for row in forwarded} == {str(port)}
    assert {row[0] for row in forwarded} != {row[0] for row in sent}, "a subscriber has an SSRC of its own"
    assert all(abs(float(row[2]) - time.time()) < 60 for row in forwarded)
    reports = tshark(files["publisher"], "rtcp.pt", "udp.srcport", where="rtcp", port=port)
    assert any("201" in kinds and source == str(port) for kinds, source in reports), "receiver reports in the clear"
    assert tshark(files["viewer"], "stun.type", where="stun", port=port)
    for file in files.values():
        assert not tshark(file, "frame.number", where="_ws.malformed and rtp.version == 2", port=port)
    await receiver.stop()
    await sender.stop()
    await publisher.close()
    await viewer.close()


@pytest.mark.timeout(60)
async def test_tshark_takes_padded_packets_for_whole(relay: Relay, events: Events, tmp_path: Path) -> None:
    """Their padding is not kept, and so not announced; a comment says that there was some."""
    publisher = Peer("publisher", "room")
    await publisher.connect(relay)
    for number in range(20):
        packet = RtpPacket(payload_type=96, sequence_number=number, ssrc=4711, payload=bytes(500))
        packet.padding_size = 200 * (number % 2)
        await publisher.dtls._send_rtp(packet.serialize())
    file = tmp_path / "publisher.pcapng"
    port = relay.candidates("room")[0][1]
    rows: list[list[str]] = []
    async with asyncio.timeout(20):
        while len(rows) < 20:
            file.write_bytes(await relay.flight("publisher"))
            rows = tshark(file, "rtp.seq", "udp.length", "frame.comment", where="rtp.ssrc == 4711", port=port)
    assert not tshark(file, "frame.number", where="_ws.malformed or rtp.padding == 1", port=port)
    lengths = [int(row[1]) for row in rows]
    assert lengths[1] == lengths[0] + 200, "as long as it was"
    assert [("padded" in row[2]) for row in rows] == [False, True] * 10
    await publisher.close()


async def test_an_unknown_transport_is_a_key_error(relay: Relay, events: Events) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(KeyError):
            await relay.flight("nobody")
