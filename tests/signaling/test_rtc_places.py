"""Tracks there is no media section for: they wait, come when there is one, and voices go before pictures."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import replace

from livekit.protocol.models import SubscriptionError, TrackInfo, TrackSource, TrackType
from livekit.protocol.rtc import AddTrackRequest, LeaveRequest, SessionDescription, SignalRequest

from relay.messages import Subscribe, Unsubscribe
from signaling.rtc import RtcSettings
from signaling.rtc.receiver import Receiver
from signaling.rtc.subscriber import Subscriber
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import Client, RecordedRelay, serve
from tests.signaling.test_rtc_costs import answered, enter, full_room
from tests.signaling.test_rtc_single import publish
from tests.signaling.test_rtc_subscribe import accept


async def share(client: Client) -> str:
    """Publish a screen; its sid."""
    asked = AddTrackRequest(cid=peers.VIDEO_ID, type=TrackType.VIDEO, source=TrackSource.SCREEN_SHARE)
    await client.send(add_track=asked)
    await client.send(offer=SessionDescription(type="offer", sdp=peers.publisher(audio="recvonly"), id=1))
    return (await client.expect("track_published")).track_published.track.sid


async def leave(client: Client) -> None:
    await client.send(leave=LeaveRequest())
    await client.closed()


async def offered(client: Client, sdp: str, number: int) -> SessionDescription:
    """The answer to an offer of path V1."""
    await client.send(offer=SessionDescription(type="offer", sdp=sdp, id=number))
    return (await client.expect("answer")).answer


async def asked(client: Client) -> tuple[int, int]:
    """Lines of each kind that the server asks for."""
    wanted = (await client.expect("media_sections_requirement")).media_sections_requirement
    return wanted.num_audios, wanted.num_videos


def refused(client: Client) -> dict[str, int]:
    """Tracks that the client was told it does not get, and why."""
    told = [m.subscription_response for m in client.seen if m.WhichOneof("message") == "subscription_response"]
    return {entry.track_sid: entry.err for entry in told}


def in_place_of(sdp: str, mid: str, kind: str) -> str:
    """The client's next offer: a new line in the section that an answer rejected, as JSEP recycles it."""
    parts = peers.sections(sdp)
    model = next(part for part in parts if part.startswith(f"m={kind}"))
    at = next(number for number, part in enumerate(parts) if peers.value(part, "mid") == [mid])
    parts[at] = re.sub(r"(?m)^a=mid:.*\r$", f"a=mid:{mid}new\r", model)
    bundle = " ".join(peers.value(part, "mid")[0] for part in parts[1:])
    parts[0] = re.sub(r"(?m)^a=group:BUNDLE.*\r$", f"a=group:BUNDLE {bundle}\r", parts[0])
    return "".join(parts)


async def test_a_track_that_found_no_line_comes_when_another_goes() -> None:
    relay = RecordedRelay()
    settings = RtcSettings(max_lines=8, tick=0.01)
    async with serve(relay, settings=settings) as world, world.single(offer=peers.SINGLE) as ann:
        await ann.expect("answer")
        async with AsyncExitStack() as stack:
            people = [await stack.enter_async_context(world.join(f"bob{number}")) for number in range(6)]
            sids = [await publish(bob) for bob in people]
            more = peers.more_lines(peers.SINGLE, 0, 1)
            assert await asked(ann) == (0, 0)
            assert sorted((await offered(ann, more, 2)).mid_to_track_id.values()) == sorted(sids[:4])
            await ann.settled()
            assert refused(ann) == dict.fromkeys(sids[4:], SubscriptionError.SE_UNKNOWN)
            await leave(people[0])
            await leave(people[4])  # waits no longer
            assert await asked(ann) == (0, 0)
            await offered(ann, more, 3)  # the line is inactive once
            assert await asked(ann) == (0, 0)
            assert sids[5] in dict((await offered(ann, more, 4)).mid_to_track_id).values()
            assert relay.of(Subscribe)[-1].track == sids[5]


async def test_the_same_on_path_v0() -> None:
    relay = RecordedRelay()
    async with serve(relay, settings=RtcSettings(max_subscriptions=2, tick=0.01)) as world, world.join("ann") as ann:
        await accept(ann)
        async with world.join("bob") as bob, world.join("eve") as eve:
            first, second = await publish(bob), await publish(eve)
            assert list((await accept(ann)).mid_to_track_id.values()) == [first]
            await ann.settled()
            assert refused(ann) == {second: SubscriptionError.SE_UNKNOWN}
            await leave(bob)
            assert list((await accept(ann)).mid_to_track_id.values()) == []
            assert list((await accept(ann)).mid_to_track_id.values()) == [second]


def test_an_offer_of_path_v0_has_so_many_sections() -> None:
    """As many as the server says unless set, one of them for data; tracks beyond them wait."""
    room, (bob, *_) = full_room()
    subscriber = enter(room).subscriber
    assert isinstance(subscriber, Subscriber)
    model = bob.publisher.tracks[0]
    for number in range(450):
        subscriber.subscribe(replace(model, info=TrackInfo(sid=f"TR_{number}", type=model.info.type)))
    subscriber.restart(0.0)
    offer = subscriber.due(0.0)
    assert offer is not None
    assert len(peers.value(offer.sdp, "mid")) == room.settings.max_subscriptions == 400
    assert set(offer.mid_to_track.values()) == set(subscriber.sids)
    assert len(subscriber.sids) == 399
    assert [subscriber.waits(f"TR_{number}") for number in (0, 449)] == [False, True]


def test_a_meeting_of_very_many_pictures_is_asked_for_in_several_offers() -> None:
    """A hundred new lines at once would be more than we read of an offer (`sdp.MAX_WORK`), and all of it refused."""
    room, (bob, *_) = full_room()
    ann = enter(room, single=True)
    picture = bob.publisher.tracks[1]
    for number in range(90):
        ann.subscriber.subscribe(replace(picture, info=TrackInfo(sid=f"TR_{number}", type=picture.info.type)))
    told = answered(room, offering(1, 0, 0), ann)
    more, rounds = (0, 0), []
    for number in range(2, 10):
        asked = [m.media_sections_requirement for m in told if m.WhichOneof("message") == "media_sections_requirement"]
        if not asked:
            break
        rounds.append((asked[-1].num_audios, asked[-1].num_videos))
        more = (more[0] + rounds[-1][0], more[1] + rounds[-1][1])
        told = answered(room, offering(number, *more), ann)
        assert [m.request_response for m in told if m.WhichOneof("message") == "request_response"] == []
    assert rounds == [(7, 41), (0, 48), (0, 8)]
    assert isinstance(ann.subscriber, Receiver)
    assert len(ann.subscriber.mids) == 110


def offering(number: int, audios: int, videos: int) -> SignalRequest:
    """An offer of path V1 with so many more lines than the first."""
    return SignalRequest(offer=SessionDescription(sdp=peers.more_lines(peers.SINGLE, audios, videos), id=number))


async def test_a_voice_takes_the_place_of_a_picture() -> None:
    """Seven sections of which three are for voices: the fourth voice gets the last picture's, by two offers."""
    relay = RecordedRelay()
    settings = RtcSettings(max_lines=7)
    async with serve(relay, settings=settings) as world, world.single(offer=peers.SINGLE) as ann:
        await ann.expect("answer")
        async with AsyncExitStack() as stack:
            people = [await stack.enter_async_context(world.join(f"bob{number}")) for number in range(7)]
            pictures = [await publish(bob) for bob in people[:3]]
            await offered(ann, peers.SINGLE, 2)
            voices = [await publish(bob, "audio") for bob in people[3:]]
            answer = await offered(ann, peers.SINGLE, 3)
            assert set(answer.mid_to_track_id.values()) == {*pictures[:2], *voices[:3]}
            assert len(relay.of(Unsubscribe)) == 1
            assert re.findall(r"(?m)^m=(\w+) 0 ", answer.sdp) == ["video"]
            assert "5" not in peers.value(answer.sdp, "group")[0].split()
            assert refused(ann) == {pictures[2]: SubscriptionError.SE_UNKNOWN}
            assert await asked(ann) in ((0, 0), (1, 0))
            await ann.settled()
            assert ann.last("media_sections_requirement").media_sections_requirement.num_audios == 1
            answer = await offered(ann, in_place_of(peers.SINGLE, "5", "audio"), 4)
            assert dict(answer.mid_to_track_id)["5new"] == voices[3]
            assert re.findall(r"(?m)^m=\w+ 0 ", answer.sdp) == []
            # The picture has no section left of its kind: it comes back when another picture goes.
            await leave(people[0])
            again = in_place_of(peers.SINGLE, "5", "audio")
            await offered(ann, again, 5)
            assert set((await offered(ann, again, 6)).mid_to_track_id.values()) == {*pictures[1:], *voices}


async def test_screens_are_the_last_pictures_to_go_and_voices_never_do() -> None:
    relay = RecordedRelay()
    settings = RtcSettings(max_lines=7)
    async with serve(relay, settings=settings) as world, world.single(offer=peers.SINGLE) as ann:
        await ann.expect("answer")
        async with AsyncExitStack() as stack:
            people = [await stack.enter_async_context(world.join(f"bob{number}")) for number in range(8)]
            screen = await share(people[0])
            picture = await publish(people[1])
            voices = [await publish(bob, "audio") for bob in people[2:]]
            await ann.settled()
            # Five lines but the one for data: three voices have lines, one the idle one's, one the picture's, one the screen's.
            assert list(refused(ann)) == [picture, screen]
            session = world.server.rooms["demo"].sessions[ann.sid]
            assert set(session.subscriber.sids) == set(voices)
