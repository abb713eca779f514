"""Both twins of the messages: what Python encodes Rust reads, what Rust encodes Python reads, and neither has more."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from relay import Relay
from relay.messages import (
    AddTrack,
    AwaitData,
    CloseTransport,
    Codec,
    Command,
    CommandFailed,
    DropData,
    Encoding,
    Event,
    Extensions,
    GetStats,
    Message,
    MuteTrack,
    OpenDataChannel,
    OpenTransport,
    RemoveTrack,
    RequestKeyFrame,
    RestartIce,
    SendData,
    SetRemote,
    SetRoom,
    SetSubscription,
    Subscribe,
    Unsubscribe,
)
from tests.relay.peer import Events

RUST = Path(__file__).parents[2] / "relay" / "core" / "src" / "message"
SOURCE = "\n".join(path.read_text() for path in sorted(RUST.glob("*.rs")))

OPUS = Codec(mime="audio/opus", payload_type=111, clock_rate=48000, channels=2)
NONE = Extensions()

# One of each command that names what does not exist: Rust must understand it to say so.
COMMANDS: list[tuple[Command, str]] = [
    (SetRemote(transport="x", ufrag="abcd", password="p" * 22, fingerprint="AB", role="client"), "unknown_transport"),
    (RestartIce(transport="x", ufrag="abcd", password="p" * 22), "unknown_transport"),
    (CloseTransport(transport="x"), "unknown_transport"),
    (
        AddTrack(
            transport="x",
            track="t",
            kind="video",
            codec=Codec("video/VP8", 96, 90000, rtx_payload_type=97, red_payload_type=98, fmtp="a=b"),
            encodings=[Encoding(rid="q"), Encoding(ssrc=1, rtx_ssrc=2)],
            extensions=Extensions(
                mid=1, rid=2, repaired_rid=3, audio_level=4, transport_cc=5, abs_send_time=6, dependency_descriptor=7
            ),
            mid="0",
            scalability="L3T3_KEY",
        ),
        "unknown_transport",
    ),
    (RemoveTrack(track="t"), "unknown_track"),
    (MuteTrack(track="t", muted=True), "unknown_track"),
    (
        Subscribe(
            "s",
            "x",
            "t",
            ssrc=2**32 - 1,
            payload_type=127,
            extensions=NONE,
            rtx_ssrc=1,
            rtx_payload_type=9,
            red_payload_type=8,
            mid="1",
        ),
        "unknown_transport",
    ),
    (Unsubscribe(subscription="s"), "unknown_subscription"),
    (
        SetSubscription(
            subscription="s", paused=True, max_layer=2, max_temporal=1, screen=True, visible=9, priority=-1, keep=True
        ),
        "unknown_subscription",
    ),
    (SetRoom(room="nowhere", loudest_audio=3, last_video=0), "unknown_room"),
    (RequestKeyFrame(track="t"), "unknown_track"),
    (OpenDataChannel(transport="x", label="l", ordered=False, max_retransmits=0), "unknown_transport"),
]


def tag(message: type[Message]) -> str:
    value = message.__struct_config__.tag
    assert isinstance(value, str)
    return value


@pytest.mark.parametrize(
    ("command", "code"), COMMANDS, ids=lambda value: value if isinstance(value, str) else tag(type(value))
)
async def test_rust_understands_the_command(relay: Relay, events: Events, command: Command, code: str) -> None:
    relay.submit(command)
    failed = await events.wait_for(CommandFailed)
    assert (failed.command, failed.code) == (tag(type(command)), code)


async def test_rust_understands_the_commands_that_fail_nowhere(relay: Relay, events: Events) -> None:
    opened = OpenTransport(transport="x", room="r", ufrag="abcd", password="p" * 22)
    data = SendData(transports=["nobody"], label="l", payload=b"\x00\xff", source="x")
    relay.submit(opened, data, DropData("x"), DropData("nobody"), AwaitData("r", "nobody"), GetStats(request=77))
    stats = await relay.stats("r")
    assert [transport.transport for transport in stats.transports] == ["x"]
    assert stats.transports[0].phase == "new"
    assert len(stats.shards) == 1
    assert not events.of(CommandFailed)


async def test_absent_optional_fields_are_as_nil(relay: Relay, events: Events) -> None:
    relay._engine.submit(
        msgspec.msgpack.encode(
            [
                {"type": "open_transport", "transport": "x", "room": "r", "ufrag": "abcd", "password": "p" * 22},
                {
                    "type": "add_track",
                    "transport": "x",
                    "track": "t",
                    "kind": "audio",
                    "codec": {"mime": "audio/opus", "payload_type": 111, "clock_rate": 48000},
                    "encodings": [{}],
                    "extensions": {},
                },
            ]
        )
    )
    stats = await relay.stats("r")
    assert [track.track for track in stats.tracks] == ["t"]
    assert not events.of(CommandFailed)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode([{"type": "dance"}]),
        msgspec.msgpack.encode([{"type": "close_transport"}]),
        msgspec.msgpack.encode([{"type": "close_transport", "transport": 5}]),
        msgspec.msgpack.encode({"type": "close_transport", "transport": "x"}),
    ],
)
async def test_commands_that_cannot_be_read_raise(relay: Relay, bad: bytes) -> None:
    with pytest.raises(ValueError):
        relay._engine.submit(bad)


def rust_fields(name: str, source: str) -> set[str]:
    """The public names in a Rust struct, or in one variant of an enum."""
    body = re.search(rf"(?:pub struct |^    ){name} \{{\n(.*?)^(?:    )?\}}", source, re.DOTALL | re.MULTILINE)
    assert body, f"{name} is not in {RUST.name}"
    return set(re.findall(r"^\s+(?:pub )?([a-z_]+): ", body[1], re.MULTILINE))


@pytest.mark.parametrize("message", [*get_args(Command), *get_args(Event)], ids=tag)
def test_twins_have_the_same_fields(message: type[Message]) -> None:
    assert rust_fields(message.__name__, SOURCE) == {field.name for field in msgspec.structs.fields(message)}


@pytest.mark.parametrize(
    "name",
    [
        *("Codec", "Encoding", "Extensions", "SpeakerLevel"),
        *("TransportStats", "LayerStats", "TrackStats", "SubscriptionStats", "ShardStats", "Totals"),
    ],
)
def test_twins_have_the_same_parts(name: str) -> None:
    import relay.messages

    part = getattr(relay.messages, name)
    assert rust_fields(name, SOURCE) == {field.name for field in msgspec.structs.fields(part)}


def test_rust_has_no_message_python_lacks() -> None:
    for enum, union in (("Command", Command), ("Event", Event)):
        body = re.search(rf"pub enum {enum} \{{\n(.*?)^\}}", SOURCE, re.DOTALL | re.MULTILINE)
        assert body
        variants = set(re.findall(r"^    ([A-Z][A-Za-z]+)[ (]", body[1], re.MULTILINE))
        assert variants == {message.__name__ for message in get_args(union)}
