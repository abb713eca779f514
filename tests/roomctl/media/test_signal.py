"""The LiveKit signal client, sans-IO; picture and chord."""

from __future__ import annotations

import json

import numpy as np
import pytest
from livekit.protocol import models, rtc

from roomctl.media.picture import HEIGHT, WIDTH, Picture, room_colour
from roomctl.media.signal import Answered, Candidate, Ended, Joined, MuteAsked, SignalClient, Target, TokenRenewed
from roomctl.media.sound import FRAME, Chord, root
from tests.roomctl.rooms import CENTER, ROOM
from wire.places import Center
from wire.problems import Code


def joined() -> SignalClient:
    client = SignalClient()
    join = rtc.JoinResponse(ping_interval=5, ping_timeout=15)
    (event,) = client.receive(rtc.SignalResponse(join=join).SerializeToString(), 0)
    assert isinstance(event, Joined)
    assert (event.ping_interval, event.ping_timeout) == (5, 15)
    return client


def heard(response: rtc.SignalResponse) -> list[object]:
    return list(joined().receive(response.SerializeToString(), 0))


def said(client: SignalClient) -> list[rtc.SignalRequest]:
    requests = []
    for frame in client.take():
        request = rtc.SignalRequest()
        request.ParseFromString(frame)
        requests.append(request)
    return requests


def test_announces_offers_and_mutes() -> None:
    client = joined()
    client.add_video("cid", width=640, height=360, muted=True)
    assert client.offer("sdp") == 1
    assert client.offer("sdp") == 2
    client.mute("TR_x", muted=True)
    client.leave()
    video, first, second, mute, leave = said(client)
    assert (video.add_track.cid, video.add_track.source) == ("cid", models.TrackSource.CAMERA)
    assert video.add_track.muted
    assert (first.offer.id, second.offer.id) == (1, 2)
    assert (mute.mute.sid, mute.mute.muted) == ("TR_x", True)
    assert leave.leave.action == rtc.LeaveRequest.Action.DISCONNECT


def test_pings_tell_the_round_trip() -> None:
    client = joined()
    pong = rtc.SignalResponse(pong_resp=rtc.Pong(last_ping_timestamp=1000))
    client.receive(pong.SerializeToString(), 1042)
    client.ping(2000)
    (ping,) = said(client)
    assert (ping.ping_req.timestamp, ping.ping_req.rtt) == (2000, 42)


def test_hears_what_concerns_a_publisher() -> None:
    answer = rtc.SignalResponse(answer=rtc.SessionDescription(type="answer", sdp="x", id=3))
    assert heard(answer) == [Answered("x", 3)]
    assert heard(rtc.SignalResponse(refresh_token="t")) == [TokenRenewed("t")]
    init = json.dumps({"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0})
    trickle = rtc.TrickleRequest(candidateInit=init, target=rtc.SignalTarget.SUBSCRIBER)
    assert heard(rtc.SignalResponse(trickle=trickle)) == [
        Candidate(Target.SUBSCRIBER, "candidate:1 1 udp 1 127.0.0.1 9 typ host", "0", 0)
    ]
    assert heard(rtc.SignalResponse(room_update=rtc.RoomUpdate())) == []


@pytest.mark.parametrize("init", ["", "{", "[]", "{}", '{"candidate": ""}', "7"])
def test_malformed_candidates_are_passed_over(init: str) -> None:
    assert heard(rtc.SignalResponse(trickle=rtc.TrickleRequest(candidateInit=init))) == []


def test_mute_is_obeyed_and_unmute_is_not() -> None:
    assert heard(rtc.SignalResponse(mute=rtc.MuteTrackRequest(sid="TR_a", muted=True))) == [MuteAsked("TR_a")]
    assert heard(rtc.SignalResponse(mute=rtc.MuteTrackRequest(sid="TR_a", muted=False))) == []


@pytest.mark.parametrize(
    ("reason", "action", "code", "again"),
    [
        ("ROOM_DELETED", "DISCONNECT", Code.MEETING_OVER, False),
        ("PARTICIPANT_REMOVED", "DISCONNECT", Code.FORBIDDEN, False),
        ("DUPLICATE_IDENTITY", "DISCONNECT", Code.AGENT_REPLACED, False),
        ("SERVER_SHUTDOWN", "RECONNECT", Code.UNAVAILABLE, True),
        ("STATE_MISMATCH", "DISCONNECT", Code.UNAVAILABLE, True),
    ],
)
def test_knows_when_joining_again_can_help(reason: str, action: str, code: Code, again: bool) -> None:
    leave = rtc.LeaveRequest(reason=reason, action=action)
    (ended,) = heard(rtc.SignalResponse(leave=leave))
    assert isinstance(ended, Ended)
    assert (ended.problem.code, ended.again) == (code, again)


def test_garbage_ends_the_session() -> None:
    (ended,) = joined().receive(b"\xff\xff\xff", 0)
    assert isinstance(ended, Ended)
    (ended,) = SignalClient().receive(rtc.SignalResponse(refresh_token="t").SerializeToString(), 0)
    assert isinstance(ended, Ended)


def test_the_picture_moves_and_tells_the_time() -> None:
    picture = Picture(ROOM, CENTER)
    frames = [picture.frame(now).to_ndarray() for now in (100.0, 100.2, 101.0)]
    assert frames[0].shape == (HEIGHT * 3 // 2, WIDTH)
    clock = [frame[36:90, WIDTH - 240 :] for frame in frames]
    assert (frames[0][250:350] != frames[1][250:350]).any()
    assert (clock[0] == clock[1]).all()
    assert (clock[0] != clock[2]).any()
    names = frames[0][110:240]
    assert names.max() > 200
    assert 16 <= frames[0][:HEIGHT].min() <= frames[0][:HEIGHT].max() <= 235


def test_long_names_fit_and_an_unknown_zone_is_no_obstacle() -> None:
    center = Center("tou", "Un centre au nom vraiment très long pour une image", 50.0, 4.0, timezone="Mars/Olympus")
    frame = Picture(ROOM, center).frame(100.0).to_ndarray()
    assert frame[200:240, WIDTH - 36 :].max() < 40


def test_the_chord_is_soft_never_silent_and_has_no_seam() -> None:
    chord = Chord("lln-lauzelle")
    loop = np.concatenate([chord.frame(index).to_ndarray()[0] for index in range(800)]).astype(float) / 32768
    assert len(loop) == 800 * FRAME
    assert np.abs(loop).max() < 0.1
    assert min(np.sqrt((piece**2).mean()) for piece in np.split(loop, 800)) > 0.002
    assert np.abs(np.diff(loop)).max() < 0.02


def test_rooms_differ() -> None:
    rooms = [f"room-{number}" for number in range(31)]
    assert len({room_colour(room) for room in rooms}) > 25
    assert len({root(room) for room in rooms}) > 5
