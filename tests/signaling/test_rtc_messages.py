"""Messages that change little: what a publisher tells of its tracks, what is ignored, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.protocol.models import AudioTrackFeature, DataBlobKey, TrackInfo, TrackType
from livekit.protocol.rtc import (
    AddTrackRequest,
    GetDataBlobRequest,
    PublishDataTrackRequest,
    RequestResponse,
    SessionDescription,
    SignalRequest,
    SimulateScenario,
    StoreDataBlobRequest,
    UnpublishDataTrackRequest,
    UpdateDataSubscription,
    UpdateLocalAudioTrack,
    UpdateLocalVideoTrack,
    UpdateVideoLayers,
)

from signaling.media import Leave
from signaling.rtc import RtcSettings, requests
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import RecordedRelay, serve
from tests.signaling.test_rtc_costs import PEOPLE, crowd

REFUSED: list[dict[str, Any]] = [
    {"simulate": SimulateScenario(server_leave=True)},
    {"publish_data_track_request": PublishDataTrackRequest(name="d")},
    {"unpublish_data_track_request": UnpublishDataTrackRequest()},
    {"store_data_blob_request": StoreDataBlobRequest()},
    {"get_data_blob_request": GetDataBlobRequest(key=DataBlobKey())},
]
IGNORED: list[dict[str, Any]] = [
    {"update_layers": UpdateVideoLayers(track_sid="TR_x")},
    {"update_data_subscription": UpdateDataSubscription()},
]


async def test_a_publisher_tells_more_of_its_tracks() -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann, world.join("bob") as bob:
        told: dict[int, TrackInfo] = {}
        for cid, kind in ((peers.AUDIO_ID, TrackType.AUDIO), (peers.VIDEO_ID, TrackType.VIDEO)):
            await ann.send(add_track=AddTrackRequest(cid=cid, type=kind))
            told[kind] = (await ann.expect("track_published")).track_published.track
        await ann.send(offer=SessionDescription(type="offer", sdp=peers.publisher()))
        await ann.expect("answer")
        features = UpdateLocalAudioTrack(
            track_sid=told[TrackType.AUDIO].sid, features=[AudioTrackFeature.TF_NOISE_SUPPRESSION]
        )
        await ann.send(update_audio_track=features)
        size = UpdateLocalVideoTrack(track_sid=told[TrackType.VIDEO].sid, width=320, height=180)
        await ann.send(update_video_track=size)
        await ann.settled()
        await bob.settled()
        tracks = {track.type: track for track in bob.last("update").update.participants[0].tracks}
        assert list(tracks[TrackType.AUDIO].audio_features) == [AudioTrackFeature.TF_NOISE_SUPPRESSION]
        assert (tracks[TrackType.VIDEO].width, tracks[TrackType.VIDEO].height) == (320, 180)
        for unknown in (
            {"update_audio_track": UpdateLocalAudioTrack()},
            {"update_video_track": UpdateLocalVideoTrack()},
        ):
            await bob.send(**unknown)
            assert (await bob.expect("request_response")).request_response.reason == RequestResponse.NOT_FOUND


@pytest.mark.parametrize("message", REFUSED, ids=lambda message: next(iter(message)))
async def test_what_is_refused(message: dict[str, Any]) -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann:
        await ann.send(**message)
        response = (await ann.expect("request_response")).request_response
        assert response.reason == RequestResponse.UNSUPPORTED_TYPE
        assert response.message.startswith("protocol_unsupported: ")


@pytest.mark.parametrize("message", IGNORED, ids=lambda message: next(iter(message)))
async def test_what_is_ignored(message: dict[str, Any]) -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann:
        await ann.send(**message)
        assert "request_response" not in await ann.settled()
        assert next(iter(message)) in requests.IGNORED


def test_the_lists_are_whole() -> None:
    names = {field.name for field in SignalRequest.DESCRIPTOR.oneofs_by_name["message"].fields}
    assert {next(iter(message)) for message in IGNORED} == requests.IGNORED
    assert {next(iter(message)) for message in REFUSED} == names - requests.SUPPORTED - requests.IGNORED


def test_counts_of_a_room_are_told_when_they_change_once_a_tick() -> None:
    room, (ann, bob, *rest) = crowd(RtcSettings())
    room.effects.take()

    def told(now: float) -> list[tuple[int, int, int]]:
        """(clients told, people, publishers) of each `room_update`."""
        room.tick(now)
        messages = [
            (len(sids), m.room_update.room) for sids, m in room.effects.take().messages if m.HasField("room_update")
        ]
        return [(clients, of.num_participants, of.num_publishers) for clients, of in messages]

    assert told(1.0) == [(PEOPLE, PEOPLE, PEOPLE)]
    assert told(2.0) == []
    room.leave(ann, Leave.LEFT)
    room.leave(bob, Leave.LEFT)
    assert not [m for _, m in room.effects.take().messages if m.HasField("room_update")]
    assert told(3.0) == [(PEOPLE - 2, PEOPLE - 2, PEOPLE - 2)]
    stopped = SessionDescription(sdp=peers.publisher(audio="inactive", video="inactive"), id=2)
    requests.handle(room, rest[0], SignalRequest(offer=stopped), 3.0)
    assert told(4.0) == [(PEOPLE - 2, PEOPLE - 2, PEOPLE - 3)]
    assert told(5.0) == []
