"""The flight recorder, read by tshark: what went to and from a client in the last seconds."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import time
from pathlib import Path

import pytest

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


async def test_an_unknown_transport_is_a_key_error(relay: Relay, events: Events) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(KeyError):
            await relay.flight("nobody")
