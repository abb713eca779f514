"""docs/livekit.md names every message of the protocol, and says of each what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from livekit.protocol.models import DataPacket
from livekit.protocol.rtc import SignalRequest, SignalResponse

from signaling.rtc import data, requests
from signaling.server_api.rooms import RoomCalls
from tests.signaling.rtc.world import RecordedRelay, serve

DOCS = (Path(__file__).parents[2] / "docs/livekit.md").read_text()
FUNCTION = re.compile(r"(?m)^(?:async )?def (test_\w+)")
ROOM = "".join((Path(__file__).parents[2] / f"signaling/rtc/{name}.py").read_text() for name in ("room", "server"))
SENT = (Path(__file__).parents[2] / "signaling/rtc/responses.py").read_text()


def table(heading: str) -> dict[str, str]:
    """First word of the second column by message, in a section's table."""
    section = DOCS.split(f"## {heading}")[1].split("\n## ")[0]
    return dict(re.findall(r"(?m)^\| `(\w+)` \| (\w+(?: sent)?)", section))


def test_requests() -> None:
    names = {field.name for field in SignalRequest.DESCRIPTOR.oneofs_by_name["message"].fields}
    expected = {
        name: "supported" if name in requests.SUPPORTED else "ignored" if name in requests.IGNORED else "refused"
        for name in names
    }
    assert table("Requests") == expected


def test_responses() -> None:
    names = {field.name for field in SignalResponse.DESCRIPTOR.oneofs_by_name["message"].fields}
    expected = {name: "sent" if f"SignalResponse({name}=" in re.sub(r"\s", "", SENT) else "not sent" for name in names}
    assert table("Responses") == expected


def test_data_packets() -> None:
    names = {field.name for field in DataPacket.DESCRIPTOR.oneofs_by_name["value"].fields}
    assert table("Data packets") == {name: "dropped" if name in data.DROPPED else "passed" for name in names}


def test_the_tests_named_exist() -> None:
    """Every message that is handled names the tests that show it, and those tests are there."""
    tests_of = Path(__file__).parents[1]
    files = [file for folder in ("signaling", "relay", "network") for file in (tests_of / folder).glob("test_*.py")]
    tests = {name for file in files for name in FUNCTION.findall(file.read_text())}
    assert set(re.findall(r"`(test_\w+)`", DOCS)) <= tests
    for heading in ("Requests", "Responses", "Data packets"):
        section = DOCS.split(f"## {heading}")[1].split("\n## ")[0]
        for message, words, shown in re.findall(r"(?m)^\| `(\w+)` \| (.*?) \| (.*) \|$", section):
            named = re.findall(r"`(test_\w+)`", shown)
            assert named or words.startswith("not sent"), message
            assert set(named) <= tests, message


async def test_calls_of_the_server_api() -> None:
    """Every call is there, with its grant and a test."""
    async with serve(RecordedRelay()) as world:
        calls = RoomCalls(world.server).calls
    section = DOCS.split("## Server API and webhooks")[1].split("\n## ")[0]
    rows = re.findall(r"(?m)^\| `(\w+)` \| `(\w+)` \| .* \| (.*) \|$", section)
    snake = {name: re.sub("([A-Z])", lambda found: "_" + found[1].lower(), grant) for name, grant, _ in rows}
    assert snake == {name: call.grant for name, call in calls.items()}
    assert all("`test_" in shown for _, _, shown in rows)
    events = set(
        re.findall(r"`((?:room|participant|track)_(?:started|finished|joined|left|published|unpublished))`", section)
    )
    assert events == set(re.findall(r'(?:_tell|Happened)\("(\w+)"', ROOM))
