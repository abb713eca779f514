"""Renegotiation without end: who publishes and unpublishes all the time costs the others so many offers, and pays."""

from __future__ import annotations

from collections import Counter

import pytest
from livekit.protocol.models import TrackSource, TrackType
from livekit.protocol.rtc import AddTrackRequest, SessionDescription, SignalRequest

from signaling.rtc import RtcSettings, requests
from signaling.rtc.publisher import Bound
from signaling.rtc.room import PER_REQUEST, MediaRoom
from signaling.rtc.session import Session
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import FINGERPRINT, RecordedRelay, serve
from tests.signaling.test_rtc_costs import PEOPLE, crowd, enter, publish
from tests.signaling.test_rtc_publish import camera

SETTINGS = RtcSettings()
SECONDS, STEPS = 20, 10  # of virtual time; steps in each


def toggle(room: MediaRoom, session: Session, number: int, now: float) -> None:
    """Stop the camera, and publish it anew: two valid offers."""
    cid = f"again{number}"
    on, off = peers.publisher(audio="inactive"), peers.publisher(audio="inactive", video="inactive")
    for request in (
        SignalRequest(offer=SessionDescription(sdp=off, id=10 + 2 * number)),
        SignalRequest(add_track=AddTrackRequest(cid=cid, type=TrackType.VIDEO, source=TrackSource.CAMERA)),
        SignalRequest(offer=SessionDescription(sdp=on.replace(peers.VIDEO_ID, cid), id=11 + 2 * number)),
    ):
        requests.handle(room, session, request, now)


class Others:
    """Clients that answer every offer at once, and look at the clock when the room wants it."""

    def __init__(self, room: MediaRoom) -> None:
        self.room = room
        self.offers: Counter[str] = Counter()
        self.due_at: float | None = None
        self.gone: list[str] = []

    def settle(self, now: float) -> None:
        """Until nobody has anything to say."""
        if self.due_at is not None and now >= self.due_at:
            self.due_at = None
            self.room.negotiate_all(now)
        while True:
            effects = self.room.effects.take()
            self.gone.extend(goodbye.sid for goodbye in effects.goodbyes)
            if effects.due_at is not None:
                self.due_at = min(effects.due_at, self.due_at or effects.due_at)
            asked = [(sid, message) for sids, message in effects.messages for sid in sids if sid in self.room.sessions]
            asked = [(sid, m) for sid, m in asked if m.WhichOneof("message") in ("offer", "media_sections_requirement")]
            if not asked:
                return
            for sid, message in asked:
                session = self.room.sessions[sid]
                self.offers[sid] += 1
                if message.HasField("offer"):
                    said = SessionDescription(type="answer", sdp=peers.answer(message.offer.sdp), id=message.offer.id)
                    requests.handle(self.room, session, SignalRequest(answer=said), now)
                else:
                    requests.handle(self.room, session, SignalRequest(offer={"sdp": peers.RECORDED, "id": 9}), now)


@pytest.mark.parametrize("single", [False, True], ids=["v0", "v1"])
def test_each_client_gets_so_many_offers_whatever_others_do(single: bool) -> None:
    """What the toggling would pay for itself is left out here."""
    room, (bad, *rest) = crowd(RtcSettings(request_rate=1e9, request_burst=10**9), single=single)
    others = Others(room)
    others.settle(0.0)
    others.offers.clear()
    for step in range(SECONDS * STEPS):
        toggle(room, bad, step, step / STEPS)
        others.settle(step / STEPS)
    assert others.gone == []
    for session in rest:
        made = others.offers[session.sid]
        assert SECONDS * SETTINGS.offer_rate - 1 <= made <= SETTINGS.offer_burst + SECONDS * SETTINGS.offer_rate
        requests.handle(room, session, SignalRequest(ping=1), SECONDS)
    assert len([m for _, m in room.effects.take().messages if m.HasField("pong")]) == len(rest)


def test_what_changed_meanwhile_is_in_the_next_offer() -> None:
    room, (bad, other, *_) = crowd(RtcSettings(request_rate=1e9, request_burst=10**9))
    others = Others(room)
    others.settle(0.0)
    for number in range(SETTINGS.offer_burst * 2):
        toggle(room, bad, number, 1.0)
        others.settle(1.0)
    (track,) = bad.publisher.tracks
    subscription = other.subscriber._wanted[track.sid]
    assert not subscription.flowing
    assert others.due_at is not None
    assert 1.0 < others.due_at <= 1.0 + 1 / SETTINGS.offer_rate
    others.settle(others.due_at)
    assert subscription.flowing
    assert others.due_at is None


def test_rooms_that_join_all_at_once_get_everything_within_a_second() -> None:
    """One after the other in no time, each with its camera and microphone: the last are offered in one go, a little later."""
    people = 31
    room = MediaRoom("demo", FINGERPRINT, [("127.0.0.1", 1, "udp")], SETTINGS)
    others = Others(room)
    for _ in range(people):
        session = enter(room)
        others.settle(0.0)
        publish(room, session)
        others.settle(0.0)
    assert others.due_at is not None
    while others.due_at is not None:
        assert others.due_at < 1.0
        others.settle(others.due_at)
    assert others.gone == []
    for session in room.sessions.values():
        flowing = [entry for entry in session.subscriber._wanted.values() if entry.flowing]
        assert len(flowing) == 2 * (people - 1)


def test_a_change_after_quiet_is_offered_at_once() -> None:
    room, (ann, *_) = crowd(RtcSettings())
    others = Others(room)
    others.settle(0.0)
    others.offers.clear()
    toggle(room, ann, 0, 60.0)
    others.settle(60.0)
    assert set(others.offers.values()) == {2}
    assert others.due_at is None


def test_it_is_paid_by_the_number_of_people_it_concerns() -> None:
    room, (bad, *rest) = crowd(RtcSettings(request_rate=1e-9))
    others = Others(room)
    others.settle(0.0)
    times = 0
    while bad.sid in room.sessions:
        assert times < 500
        toggle(room, bad, times, 0.0)
        others.settle(0.0)
        times += 1
    change = PEOPLE // PER_REQUEST
    most = (500 + (SETTINGS.max_tracks - 2) * change) // (7 + 2 * change)  # it had a camera and a microphone
    assert most - 5 <= times <= most + 1
    assert others.gone == [bad.sid]
    assert all(session.sid in room.sessions for session in rest)


def test_in_the_largest_room_the_tracks_that_one_may_have_are_free_once() -> None:
    """As of an SDK that makes an offer for every track: it is not cut off for it."""
    room, (one, *_) = crowd(RtcSettings(request_rate=1e-9))
    while len(room.sessions) < SETTINGS.max_sessions:
        enter(room)
    left = one.requests.level(0.0)
    (track, *_) = one.publisher.tracks
    for _ in range(SETTINGS.max_tracks - 2):
        room._charge(one, Bound(started=[track]))
    assert one.requests.level(0.0) == left
    room._charge(one, Bound(started=[track]))
    room._charge(one, Bound(ended=[track]))
    assert one.requests.level(0.0) == left - 2 * (SETTINGS.max_sessions // PER_REQUEST)


async def test_an_offer_that_waited_comes_by_itself() -> None:
    bounds = RtcSettings(offer_burst=1, offer_rate=10, tick=1e6)
    async with serve(RecordedRelay(), settings=bounds) as world, world.join("a") as a, world.join("b") as b:
        first = (await a.expect("offer")).offer
        await a.send(answer=SessionDescription(type="answer", sdp=peers.answer(first.sdp), id=first.id))
        await b.send(add_track=camera())
        await b.send(offer=SessionDescription(sdp=peers.RECORDED, id=1))
        assert "offer" not in await a.settled()
        second = (await a.expect("offer")).offer
        assert len(second.mid_to_track_id) == 1
