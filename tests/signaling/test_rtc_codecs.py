"""Which codec a section gets, as Chromium and Firefox offer them."""

from __future__ import annotations

import pytest
from aiortc.sdp import MediaDescription

from relay.messages import Codec
from signaling.rtc import codecs, sdp
from tests.signaling.rtc import peers


def section(recorded: str, kind: str) -> MediaDescription:
    """The first section of a kind of a recorded offer."""
    return next(media for media in sdp.parse(recorded, max_sections=8).sections if media.kind == kind)


@pytest.mark.parametrize("recorded", [peers.RECORDED, peers.FIREFOX], ids=["chromium", "firefox"])
@pytest.mark.parametrize("name", ["VP8", "VP9", "AV1"])
def test_the_wanted_video_codec_with_its_retransmissions(recorded: str, name: str) -> None:
    chosen = codecs.choose(section(recorded, "video"), name.lower())
    assert chosen is not None
    assert chosen.codec.mimeType == f"video/{name}"
    assert chosen.rtx is not None
    assert chosen.rtx.parameters["apt"] == chosen.codec.payloadType


def test_profiles_that_everyone_decodes() -> None:
    chromium = section(peers.RECORDED, "video")
    vp9, h264 = codecs.choose(chromium, "vp9"), codecs.choose(chromium, "h264")
    assert vp9 is not None
    assert vp9.codec.parameters == {"profile-id": "0"}
    assert h264 is not None
    assert h264.codec.parameters["packetization-mode"] == "1"
    assert h264.codec.parameters["profile-level-id"] == "42001f"
    chromium.rtp.codecs = [codec for codec in chromium.rtp.codecs if codec.parameters.get("profile-id") == "2"]
    assert codecs.choose(chromium, "vp9") is None


def test_descriptors_go_along_with_layered_codecs_only() -> None:
    for name, expected in (("vp9", True), ("av1", True), ("vp8", False), ("h264", False)):
        media = section(peers.RECORDED, "video")
        chosen = codecs.choose(media, name)
        ids = codecs.relay_extensions(codecs.known_extensions(media, chosen))
        assert (ids.dependency_descriptor is not None) == expected, name
        assert ids.transport_cc is not None
    assert codecs.relay_extensions(codecs.our_extensions("video")).dependency_descriptor == 5
    assert codecs.relay_extensions(codecs.our_extensions("audio")).dependency_descriptor is None


@pytest.mark.parametrize(
    ("mime", "encodings", "layers", "mode"),
    [
        ("video/VP9", 1, 3, "L3T3_KEY"),
        ("video/AV1", 1, 2, "L2T3_KEY"),
        ("video/AV1", 1, 0, "L1T3"),
        ("video/AV1", 3, 3, None),
        ("video/VP8", 1, 3, None),
    ],
)
def test_one_encoding_may_be_several_layers(mime: str, encodings: int, layers: int, mode: str | None) -> None:
    assert codecs.scalability(mime, encodings, layers) == mode


def test_redundancy_is_answered_first_unless_it_is_not_wanted() -> None:
    media = section(peers.RECORDED, "audio")
    chosen = codecs.choose(media, None)
    assert chosen is not None
    assert codecs.relay_codec(chosen).red_payload_type == 63
    kept = codecs.answer_codecs(media, chosen, dtx=True, stereo=False)
    assert [codec.mimeType for codec in kept] == ["audio/red", "audio/opus"]
    kept = codecs.answer_codecs(media, chosen, dtx=True, stereo=False, red=False)
    assert [codec.mimeType for codec in kept] == ["audio/opus"]
    firefox = codecs.choose(section(peers.FIREFOX, "audio"), None)
    assert firefox is not None
    assert firefox.red is None


def test_redundancy_of_another_codec_is_none() -> None:
    media = section(peers.RECORDED.replace("a=fmtp:63 111/111", "a=fmtp:63 9/9"), "audio")
    chosen = codecs.choose(media, None)
    assert chosen is not None
    assert chosen.red is None


def test_what_subscribers_are_offered() -> None:
    formats = codecs.Formats()
    opus = formats.of(Codec("audio/opus", 111, 48000, 2))
    assert opus is not None
    offered = opus.codecs()
    assert [codec.mimeType for codec in offered] == ["audio/opus", "audio/red"]
    assert offered[1].parameters == {f"{opus.payload_type}/{opus.payload_type}": None}
    vp9 = formats.of(Codec("video/VP9", 98, 90000))
    assert vp9 is not None
    assert vp9.codecs()[0].parameters == {"profile-id": "0"}
