"""The other side's SDP in tests: a recorded Chromium publisher, and answers to our offers."""

from __future__ import annotations

import re
from pathlib import Path

UFRAG, PASSWORD = "abcd", "abcdefghijklmnopqrstuvwx"
FINGERPRINT = ":".join(["CD"] * 32)
RECORDED = (Path(__file__).parent / "chromium_publisher.sdp").read_bytes().decode()
"""Data channels (mid 0), Opus (mid 1) and simulcast video q, h, f (mid 2), as livekit-client 2.23 has Chromium offer them."""
FIREFOX = (Path(__file__).parent / "firefox_publisher.sdp").read_bytes().decode()
"""The same of Firefox 153; its track ids are in braces and are not the ones of add_track."""
SINGLE = (Path(__file__).parent / "chromium_single.sdp").read_bytes().decode()
"""The first offer of livekit-client 2.23 in Chromium on path V1: receives on 3 audio (0-2), 3 video lines (3-5); data (6)."""
FIREFOX_SINGLE = (Path(__file__).parent / "firefox_single.sdp").read_bytes().decode()
"""The same of Firefox 153: media sections but the first of each kind have port 0 and are bundle-only."""
AUDIO_ID, VIDEO_ID = re.findall(r"^a=msid:\S+ (\S+)\r$", RECORDED, re.M)


def sections(sdp: str) -> list[str]:
    """The media sections of a description; the session part is first."""
    return re.split(r"(?m)^(?=m=)", sdp)


def publisher(*, audio: str = "sendonly", video: str = "sendonly", ufrag: str = UFRAG) -> str:
    """The recorded offer with other directions or ICE credentials."""
    session, data, sound, picture = sections(RECORDED)
    sound = re.sub(r"(?m)^a=(sendonly|sendrecv)\r$", f"a={audio}\r", sound)
    picture = re.sub(r"(?m)^a=(sendonly|sendrecv)\r$", f"a={video}\r", picture)
    return re.sub(r"(?m)^a=ice-ufrag:.*\r$", f"a=ice-ufrag:{ufrag}\r", session + data + sound + picture)


def answer(offer: str, *, reject: tuple[str, ...] = (), without_rtx: bool = False, setup: str = "active") -> str:
    """What a client answers to an offer of ours; `reject` names mids it cannot take."""
    session, *media = sections(offer.replace("a=ice-lite\r\n", ""))
    out = [session]
    for section in media:
        mid = re.search(r"(?m)^a=mid:(\S+)\r$", section)
        assert mid is not None
        section = re.sub(r"(?m)^a=(ssrc|ssrc-group|msid|candidate):.*\r\n", "", section)
        section = section.replace("a=end-of-candidates\r\n", "").replace("a=sendonly\r", "a=recvonly\r")
        section = re.sub(r"(?m)^a=ice-ufrag:.*\r$", f"a=ice-ufrag:{UFRAG}\r", section)
        section = re.sub(r"(?m)^a=ice-pwd:.*\r$", f"a=ice-pwd:{PASSWORD}\r", section)
        section = re.sub(r"(?m)^a=fingerprint:.*\r$", f"a=fingerprint:sha-256 {FINGERPRINT}\r", section)
        section = re.sub(r"(?m)^a=setup:.*\r$", f"a=setup:{setup}\r", section)
        if mid[1] in reject:
            section = re.sub(r"^m=(\S+) \d+", r"m=\1 0", section).replace("a=recvonly\r", "a=inactive\r")
        if without_rtx:
            section = re.sub(r"^(m=video \d+ \S+ \d+) \d+", r"\1", section)
        out.append(section)
    return "".join(out)


def value(sdp: str, attribute: str) -> list[str]:
    """Every value of an attribute."""
    return re.findall(rf"(?m)^a={attribute}:(.*)\r$", sdp)


def more_lines(offer: str, audios: int, videos: int) -> str:
    """An offer of path V1 with more receiving lines, as a client makes it when it is asked to."""
    session, *media = sections(offer)
    sound = next(section for section in media if section.startswith("m=audio"))
    picture = next(section for section in media if section.startswith("m=video"))
    for section in [sound] * audios + [picture] * videos:
        media.append(re.sub(r"(?m)^a=mid:.*\r$", f"a=mid:{len(media)}\r", section))
    bundle = " ".join(str(mid) for mid in range(len(media)))
    return re.sub(r"(?m)^a=group:BUNDLE.*\r$", f"a=group:BUNDLE {bundle}\r", session) + "".join(media)


def directions(sdp: str) -> dict[str, str]:
    """Direction by mid."""
    found = {}
    for section in sections(sdp)[1:]:
        direction = re.search(r"(?m)^a=(sendonly|recvonly|sendrecv|inactive)\r$", section)
        found[value(section, "mid")[0]] = direction[1] if direction else ""
    return found
