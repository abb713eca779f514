"""What one client's request costs everyone: work and messages are counted, and charged to who asked."""

from __future__ import annotations

import pytest
from livekit.protocol.models import ParticipantTracks, TrackSource, TrackType
from livekit.protocol.rtc import (
    AddTrackRequest,
    RequestResponse,
    SessionDescription,
    SignalRequest,
    SignalResponse,
    SubscriptionPermission,
    TrackPermission,
    UpdateSubscription,
    UpdateTrackSettings,
)

from signaling.media import Grants, Leave
from signaling.rtc import RtcSettings, requests
from signaling.rtc.arrivals import Wishes
from signaling.rtc.publisher import Publisher
from signaling.rtc.room import MediaRoom
from signaling.rtc.session import Arrival, Session
from signaling.rtc.subscriber import Subscriber
from signaling.rtc.track import Track
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import FINGERPRINT

PEOPLE = 10


def full_room(*, single: bool = False) -> tuple[MediaRoom, list[Session]]:
    """Ten people with microphone and camera; bursts are as in production, and nothing is refilled."""
    room, sessions = crowd(RtcSettings(request_rate=1e-9), single=single)
    room.effects.take()
    return room, sessions


def crowd(settings: RtcSettings, *, single: bool = False) -> tuple[MediaRoom, list[Session]]:
    """Ten people with microphone and camera, who have not read anything yet."""
    room = MediaRoom("demo", FINGERPRINT, [("127.0.0.1", 1, "udp")], settings)
    sessions = [enter(room, single=single) for _ in range(PEOPLE)]
    for session in sessions:
        publish(room, session)
    return room, sessions


def enter(room: MediaRoom, *, single: bool = False) -> Session:
    """One more joins."""
    grants = Grants(f"p{len(room.sessions)}", "demo")
    return room.join(Arrival(grants, 0.0, 1e12, "key", Wishes(single=single)), 0.0)


def publish(room: MediaRoom, session: Session) -> None:
    """A camera and a microphone."""
    for cid, kind, source in (
        (peers.VIDEO_ID, TrackType.VIDEO, TrackSource.CAMERA),
        (peers.AUDIO_ID, TrackType.AUDIO, TrackSource.MICROPHONE),
    ):
        asked = AddTrackRequest(cid=cid, type=kind, source=source)
        requests.handle(room, session, SignalRequest(add_track=asked), 0.0)
    requests.handle(room, session, SignalRequest(offer=SessionDescription(sdp=peers.RECORDED, id=1)), 0.0)


def may_ask(room: MediaRoom, session: Session, *asked: SignalRequest) -> int:
    """How often a client may repeat these requests until it is sent away."""
    for times in range(1000):
        for request in asked:
            requests.handle(room, session, request, 0.0)
            room.effects.take()
            if session.sid not in room.sessions:
                return times
    return 1000


@pytest.mark.parametrize("single", [False, True], ids=["v0", "v1"])
@pytest.mark.parametrize("subscribe", [False, True], ids=["unsubscribe", "subscribe"])
def test_unknown_tracks_are_looked_up_and_not_searched_for(
    monkeypatch: pytest.MonkeyPatch, single: bool, subscribe: bool
) -> None:
    room, (bad, *_) = full_room(single=single)
    looks = 0
    before, slot = Publisher.__dict__["tracks"].fget, Subscriber._slot

    def counted(publisher: Publisher) -> list[Track]:
        nonlocal looks
        looks += 1
        found: list[Track] = before(publisher)
        return found

    def searched(subscriber: Subscriber, sid: str) -> object:
        nonlocal looks
        looks += 1
        return slot(subscriber, sid)

    monkeypatch.setattr(Publisher, "tracks", property(counted))
    monkeypatch.setattr(Subscriber, "_slot", searched)
    unknown = UpdateSubscription(track_sids=[f"TR_{number}" for number in range(500)], subscribe=subscribe)
    requests.handle(room, bad, SignalRequest(subscription=unknown), 0.0)
    assert looks == 0
    assert bad.declined == set()


def test_naming_many_tracks_counts_as_many_requests() -> None:
    sids = [f"TR_{number}" for number in range(500)]
    for asked in (
        SignalRequest(subscription=UpdateSubscription(track_sids=sids)),
        SignalRequest(track_setting=UpdateTrackSettings(track_sids=sids)),
    ):
        room, (bad, *_) = full_room()
        assert 0 < may_ask(room, bad, asked) < 500 / (500 / 16)
        room, (good, *_) = full_room()
        few = SignalRequest(subscription=UpdateSubscription(track_sids=sids[:4]))
        assert may_ask(room, good, few) > 450


def test_permissions_count_by_those_they_are_about() -> None:
    room, (bad, *_) = full_room()
    off = SignalRequest(subscription_permission=SubscriptionPermission(all_participants=False))
    on = SignalRequest(subscription_permission=SubscriptionPermission(all_participants=True))
    assert 0 < may_ask(room, bad, off, on) <= 500 // 2 // (1 + PEOPLE * 2 // 16)


def test_tracks_are_found_until_they_end() -> None:
    room, (ann, bob, *_) = full_room()
    sound, picture = ann.publisher.tracks
    assert room.find(picture.sid) == (ann, picture)
    room.unpublish(ann, picture)
    assert room.find(picture.sid) is None
    stopped = SignalRequest(offer=SessionDescription(sdp=peers.publisher(audio="inactive"), id=2))
    requests.handle(room, ann, stopped, 0.0)
    assert room.find(sound.sid) is None
    others = [track.sid for track in bob.publisher.tracks]
    assert all(room.find(sid) is not None for sid in others)
    room.leave(bob, Leave.LEFT)
    assert [room.find(sid) for sid in others] == [None, None]
    assert len(room.published) == (PEOPLE - 2) * 2


def answered(room: MediaRoom, request: SignalRequest, session: Session) -> list[SignalResponse]:
    """What a client is told because of its request."""
    requests.handle(room, session, request, 0.0)
    return [message for sids, message in room.effects.take().messages if session.sid in sids]


def limits(told: list[SignalResponse]) -> list[str]:
    """The texts of refusals for a bound."""
    refused = [message.request_response for message in told if message.WhichOneof("message") == "request_response"]
    return [response.message for response in refused if response.reason == RequestResponse.LIMIT_EXCEEDED]


@pytest.mark.parametrize("subscribe", [False, True], ids=["unsubscribe", "subscribe"])
def test_one_subscription_names_so_many_tracks(subscribe: bool) -> None:
    """In both of its places together; of a request that names more nothing is done."""
    room, (bad, good, *_) = full_room()
    mine = good.publisher.tracks[0].sid
    sids = [mine, *(f"TR_{number}" for number in range(500))]
    in_places = ParticipantTracks(participant_sid=good.sid, track_sids=sids[300:])
    for asked in (
        UpdateSubscription(track_sids=sids, subscribe=subscribe),
        UpdateSubscription(track_sids=sids[:300], participant_tracks=[in_places], subscribe=subscribe),
    ):
        told = answered(room, SignalRequest(subscription=asked), bad)
        assert limits(told) == ["too_many: at most 500 tracks in one request"]
        assert len(told) == 1 and mine not in bad.declined
    told = answered(
        room, SignalRequest(subscription=UpdateSubscription(track_sids=sids[:500], subscribe=subscribe)), bad
    )
    assert limits(told) == []
    assert (mine in bad.declined) is not subscribe


def test_one_request_says_so_much_of_who_may_subscribe() -> None:
    room, (bad, *_) = full_room()
    before = bad.permission
    people = [TrackPermission(participant_identity=f"x{number}", all_tracks=True) for number in range(501)]
    tracks = [f"TR_{number}" for number in range(501)]
    half = [TrackPermission(participant_identity=name, track_sids=tracks[:251]) for name in ("p1", "p2")]
    for entries in (people, [TrackPermission(participant_identity="p1", track_sids=tracks)], half):
        asked = SubscriptionPermission(all_participants=False, track_permissions=entries)
        told = answered(room, SignalRequest(subscription_permission=asked), bad)
        assert limits(told) == ["too_many: at most 500 permissions"]
        assert bad.permission is before
    entries = [*people[:499], TrackPermission(participant_identity="p1", track_sids=tracks[:500])]
    asked = SubscriptionPermission(all_participants=False, track_permissions=entries)
    assert limits(answered(room, SignalRequest(subscription_permission=asked), bad)) == []
    assert (len(bad.permission.all_tracks), len(bad.permission.tracks)) == (499, 500)


def test_settings_are_taken_of_so_many_tracks(monkeypatch: pytest.MonkeyPatch) -> None:
    room, (bad, *_) = full_room()
    adjusted: list[str] = []
    monkeypatch.setattr(bad.subscriber, "adjust", lambda sid, wish: adjusted.append(sid))
    sids = [f"TR_{number}" for number in range(501)]
    assert limits(answered(room, SignalRequest(track_setting=UpdateTrackSettings(track_sids=sids)), bad)) == []
    assert adjusted == sids[:500]
