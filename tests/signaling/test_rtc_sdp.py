"""Reading descriptions again: what did not change is not read twice."""

from __future__ import annotations

import re

import pytest

from signaling.rtc import RtcSettings, sdp
from tests.signaling.rtc import peers
from wire.problems import Refusal


def again(offer: str) -> str:
    """The next offer of the same client: its origin line counts up."""
    return re.sub(r"(?m)^(o=\S+ \S+) \d+", r"\1 77", offer)


def test_unchanged_sections_are_read_once() -> None:
    known = sdp.Known()
    offer = peers.more_lines(peers.SINGLE, 2, 2)
    first = sdp.parse(offer, max_sections=16, known=known)
    changed = re.sub(r"(a=mid:3\r\n(?:.*\r\n)*?)a=recvonly\r", r"\1a=inactive\r", again(offer), count=1)
    second = sdp.parse(changed, max_sections=16, known=known)
    same = [one is other for one, other in zip(first.sections, second.sections, strict=True)]
    assert same == [True] * 3 + [False] + [True] * 7
    assert second.sections[3].direction == "inactive"
    assert len(known.sections) == 11  # of the last description only
    sdp.parse(peers.SINGLE, max_sections=16, known=known)
    assert len(known.sections) == 7
    assert sdp.parse(peers.RECORDED, max_sections=16, known=known).rids == [[], [], ["q", "h", "f"]]


def test_what_holds_for_all_sections_makes_them_new() -> None:
    known = sdp.Known()
    first = sdp.parse(peers.FIREFOX, max_sections=16, known=known)
    other = re.sub(r"(?m)^a=fingerprint:sha-256 ..", "a=fingerprint:sha-256 00", peers.FIREFOX)
    second = sdp.parse(other, max_sections=16, known=known)
    assert first.peer.fingerprint != second.peer.fingerprint
    assert not any(one is before for one, before in zip(second.sections, first.sections, strict=True))


@pytest.mark.parametrize(
    "broken",
    [
        peers.SINGLE.replace("a=mid:3\r", "a=mid:2\r"),
        peers.SINGLE.replace("a=mid:3\r", "a=mid:3\rm=video 9 UDP/TLS/RTP/SAVPF 96\r"),
        peers.SINGLE.replace("a=rtpmap:96 VP8/90000", "a=rtpmap:96"),
        peers.SINGLE.replace("a=rtpmap:97 ", "a=rtpmap:96 "),
        "m=",
        "",
    ],
)
def test_a_broken_description_changes_nothing(broken: str) -> None:
    known = sdp.Known()
    sdp.parse(peers.SINGLE, max_sections=16, known=known)
    before = dict(known.sections)
    with pytest.raises(Refusal):
        sdp.parse(broken, max_sections=16, known=known)
    assert known.sections == before


def codecs_upon_codecs(count: int, lines: int) -> str:
    """An offer of so many sections, each of so many codecs with as many lines about all of them: each makes a step of both."""
    many = "".join(f"a=rtpmap:{n} VP8/90000\r\n" for n in range(lines)) + "a=rtcp-fb:* nack\r\n" * lines
    head = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    return head + "".join(f"m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:{n}\r\n{many}" for n in range(count))


def test_what_takes_long_to_read_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each section of 242 lines is within its bound, and all of them within that of a message; reading them takes seconds."""
    worst = codecs_upon_codecs(128, 120)
    assert 600_000 < len(worst) < RtcSettings().max_sdp
    monkeypatch.setattr("signaling.rtc.sdp.SessionDescription.parse", unread)
    for text in (worst, codecs_upon_codecs(2, 120)):
        with pytest.raises(Refusal, match="too many codecs or SSRCs"):
            sdp.parse(text, max_sections=128)


def unread(text: str) -> None:
    """Stands for what reads a description."""
    pytest.fail("it was read")


def test_the_longest_offer_of_a_browser_is_read_where_half_of_it_is_known() -> None:
    """Receiving video, Chromium names 34 codecs in a section: 67 new ones at once make as much work as there may be."""
    known = sdp.Known()
    for videos in (60, 121):
        offer = peers.more_lines(peers.SINGLE, 0, videos)
        assert len(sdp.parse(offer, max_sections=128, known=known).sections) == 7 + videos
