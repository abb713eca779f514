"""docs/livekit.md names every message of the protocol, and says of each what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from livekit.protocol.rtc import SignalRequest, SignalResponse

from signaling.rtc import requests

DOCS = (Path(__file__).parents[2] / "docs/livekit.md").read_text()
FUNCTION = re.compile(r"(?m)^(?:async )?def (test_\w+)")
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


def test_the_tests_named_exist() -> None:
    """Every message that is handled names the tests that show it, and those tests are there."""
    tests = {name for file in Path(__file__).parent.glob("test_*.py") for name in FUNCTION.findall(file.read_text())}
    for heading in ("Requests", "Responses"):
        section = DOCS.split(f"## {heading}")[1].split("\n## ")[0]
        for message, words, shown in re.findall(r"(?m)^\| `(\w+)` \| (.*?) \| (.*) \|$", section):
            named = re.findall(r"`(test_\w+)`", shown)
            assert named or words.startswith("not sent"), message
            assert set(named) <= tests, message
