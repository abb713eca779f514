"""Subscribing: our offers, their order, slots, what a client rejects, rooms that must not hear themselves."""

from __future__ import annotations

import re

import pytest
from livekit.protocol.models import ParticipantTracks, SubscriptionError, TrackSource, VideoQuality
from livekit.protocol.rtc import (
    SessionDescription,
    SimulcastCodec,
    SubscriptionPermission,
    TrackPermission,
    UpdateSubscription,
    UpdateTrackSettings,
)

from relay.messages import SetRemote, SetSubscription, SpeakerLevel, Speakers, Subscribe, Unsubscribe
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import Client, RecordedRelay, World, serve
from tests.signaling.test_rtc_publish import add, camera, microphone, offer


async def publish(client: Client) -> tuple[str, str]:
    """Publish microphone and camera: their sids."""
    sound, picture = await add(client, microphone()), await add(client, camera())
    await offer(client, peers.publisher())
    return sound.sid, picture.sid


async def accept(
    client: Client, *, reject: tuple[str, ...] = (), without_rtx: bool = False, setup: str = "active"
) -> SessionDescription:
    """Answer the server's next offer; returns the offer."""
    made = (await client.expect("offer")).offer
    sdp = peers.answer(made.sdp, reject=reject, without_rtx=without_rtx, setup=setup)
    await client.send(answer=SessionDescription(type="answer", sdp=sdp, id=made.id))
    return made


def subscribed(relay: RecordedRelay, client: Client) -> list[Subscribe]:
    return [c for c in relay.of(Subscribe) if c.transport == f"{client.sid}/sub"]


async def test_one_offer_at_a_time_and_what_changes_meanwhile_in_the_next() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:bob") as bob:
        sound, picture = await publish(ann)
        first = await accept(bob)
        assert dict(first.mid_to_track_id) == {}
        second = await accept(bob)
        assert second.id == first.id + 1
        assert dict(second.mid_to_track_id) == {"0": sound, "1": picture}
        assert peers.value(second.sdp, "msid") == [f"{ann.sid}|{s} {s}" for s in (sound, picture)]
        await bob.settled()
        hears, sees = subscribed(relay, bob)
        assert (hears.track, hears.mid, hears.rtx_ssrc) == (sound, "0", None)
        assert (sees.track, sees.mid) == (picture, "1")
        assert f"a=ssrc-group:FID {sees.ssrc} {sees.rtx_ssrc}" in second.sdp
        assert f"a=rtpmap:{sees.payload_type} VP8/90000" in second.sdp
        assert f"a=fmtp:{sees.rtx_payload_type} apt={sees.payload_type}" in second.sdp
        assert sees.extensions.mid == 1
        assert sees.extensions.transport_cc == 3
        assert (await ann.expect("track_subscribed")).track_subscribed.track_sid == sound
        # One SetRemote: the same credentials in both answers.
        assert len([c for c in relay.of(SetRemote) if c.transport == f"{bob.sid}/sub"]) == 1


async def test_a_client_chooses_its_end_of_dtls_once() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:bob") as bob:
        await accept(bob, setup="passive")
        await bob.settled()
        roles = {c.transport: c.role for c in relay.of(SetRemote)}
        assert roles == {f"{bob.sid}/sub": "client"}
        await publish(ann)
        made = (await bob.expect("offer")).offer
        assert set(peers.value(made.sdp, "setup")) == {"actpass"}  # RFC 8842 section 5.5
        for setup, wrong in (("active", "may not change"), ("actpass", "an answer chooses")):
            answer = SessionDescription(type="answer", sdp=peers.answer(made.sdp, setup=setup), id=made.id)
            await bob.send(answer=answer)
            assert wrong in (await bob.expect("request_response")).request_response.message
        assert not subscribed(relay, bob)
        sdp = peers.answer(made.sdp, setup="passive")
        await bob.send(answer=SessionDescription(type="answer", sdp=sdp, id=made.id))
        await bob.settled()
        assert len(subscribed(relay, bob)) == 2
        assert {c.role for c in relay.of(SetRemote) if c.transport == f"{ann.sid}/pub"} == {"server"}


async def test_who_comes_later_gets_all_in_the_first_offer() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        sids = await publish(ann)
        async with world.join("guest:bob") as bob:
            assert set((await accept(bob)).mid_to_track_id.values()) == set(sids)
            await bob.settled()
            assert len(subscribed(relay, bob)) == 2


async def test_freed_sections_keep_their_place_and_are_reused_after_an_answer() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:bob") as bob:
        _, picture = await publish(ann)
        await accept(bob)
        await accept(bob)
        await bob.settled()
        ssrc = subscribed(relay, bob)[1].ssrc
        await offer(ann, peers.publisher(video="inactive"), 2)
        cleared = await accept(bob)
        assert list(cleared.mid_to_track_id) == ["0"]
        assert "a=inactive" in peers.sections(cleared.sdp)[3]
        await bob.settled()
        following = await add(ann, camera("next"))
        await offer(ann, peers.publisher().replace(peers.VIDEO_ID, "next"), 3)
        reused = await accept(bob)
        assert reused.mid_to_track_id["1"] == following.sid != picture
        assert len(peers.sections(reused.sdp)) == len(peers.sections(cleared.sdp)) == 4
        await bob.settled()
        assert subscribed(relay, bob)[-1].ssrc != ssrc
        # The publisher's end of a track ends the relay's subscriptions; nothing is left to unsubscribe.
        assert relay.of(Unsubscribe) == []


async def test_what_a_client_rejects_is_not_sent() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        sound, picture = await publish(ann)
        async with world.join("guest:bob") as bob:
            await accept(bob, reject=("1",))
            error = (await bob.expect("subscription_response")).subscription_response
            assert (error.track_sid, error.err) == (picture, SubscriptionError.SE_CODEC_UNSUPPORTED)
            assert [c.track for c in subscribed(relay, bob)] == [sound]
            assert "a=inactive" in peers.sections((await accept(bob)).sdp)[3]


async def test_a_client_without_retransmission() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        await publish(ann)
        async with world.join("guest:bob") as bob:
            await accept(bob, without_rtx=True)
            await bob.settled()
            assert {(c.rtx_ssrc, c.rtx_payload_type) for c in subscribed(relay, bob)} == {(None, None)}


async def test_an_answer_to_an_older_offer_is_ignored() -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann, world.join("guest:bob") as bob:
        first = await accept(bob)
        await publish(ann)
        second = (await bob.expect("offer")).offer
        old = SessionDescription(type="answer", sdp=peers.answer(first.sdp), id=first.id)
        await bob.send(answer=old)
        assert await bob.settled() == []
        await bob.send(answer=SessionDescription(type="answer", sdp=peers.answer(second.sdp), id=second.id))
        await bob.settled()


async def test_a_room_does_not_hear_itself() -> None:
    relay = RecordedRelay()
    room = {"room": "lln-lauzelle", "kind": "room"}
    async with serve(relay) as world, world.join("room:lln-lauzelle", attributes=room) as ann:
        sound, picture = await publish(ann)
        async with world.join("room:lln-lauzelle/display", attributes=room, hidden=True) as display:
            first = await accept(display)
            assert dict(first.mid_to_track_id) == {}
            await display.send(subscription=UpdateSubscription(track_sids=[sound, picture], subscribe=True))
            error = (await display.expect("subscription_response")).subscription_response
            assert error.track_sid == sound
            assert list((await accept(display)).mid_to_track_id.values()) == [picture]


async def test_subscribing_by_hand() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:bob", query="&auto_subscribe=0") as bob:
        _, picture = await publish(ann)
        await accept(bob)
        await bob.settled()
        tracks = ParticipantTracks(participant_sid=ann.sid, track_sids=[picture])
        await bob.send(subscription=UpdateSubscription(participant_tracks=[tracks], subscribe=True))
        assert list((await accept(bob)).mid_to_track_id.values()) == [picture]
        await bob.settled()
        await bob.send(subscription=UpdateSubscription(track_sids=[picture], subscribe=False))
        assert list((await accept(bob)).mid_to_track_id.values()) == []
        assert [c.subscription for c in relay.of(Unsubscribe)] == [subscribed(relay, bob)[0].subscription]
        await bob.send(subscription=UpdateSubscription(track_sids=["TR_nowhere"], subscribe=True))
        error = (await bob.expect("subscription_response")).subscription_response
        assert error.err == SubscriptionError.SE_TRACK_NOTFOUND


async def test_without_the_right_to_subscribe() -> None:
    async with serve(RecordedRelay()) as world, world.join() as ann, world.join("bot", can_subscribe=False) as bot:
        assert not bot.joined.subscriber_primary
        sound, _ = await publish(ann)
        await bot.send(subscription=UpdateSubscription(track_sids=[sound], subscribe=True))
        await bot.expect("subscription_response")
        assert "offer" not in [r.WhichOneof("message") for r in bot.seen]


async def test_adaptive_stream() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann:
        _, picture = await publish(ann)
        async with world.join("guest:bob") as bob:
            # Before the answer: remembered, and told once it flows.
            await bob.send(track_setting=UpdateTrackSettings(track_sids=[picture], disabled=True))
            await accept(bob)
            for wanted in (
                UpdateTrackSettings(width=300, height=150),
                UpdateTrackSettings(width=500, height=150),
                UpdateTrackSettings(width=1280, height=720, priority=1),
                UpdateTrackSettings(quality=VideoQuality.LOW, fps=5),
                UpdateTrackSettings(quality=VideoQuality.MEDIUM, priority=9),
                UpdateTrackSettings(quality=VideoQuality.HIGH),
                UpdateTrackSettings(quality=VideoQuality.OFF),
            ):
                wanted.track_sids.append(picture)
                await bob.send(track_setting=wanted)
            await bob.settled()
            told = relay.of(SetSubscription)
            assert [c.paused for c in told] == [True, *[False] * 6, True]
            assert [c.max_layer for c in told[1:7]] == [0, 1, None, 0, 1, None]
            assert [c.visible for c in told[1:]] == [45_000, 75_000, 921_600, None, None, None, None]
            assert [c.priority for c in told[1:]] == [0, 0, 255, 0, 247, 0, 0]  # LiveKit's 1 is the highest
            assert {(c.screen, c.max_temporal) for c in told} == {(False, None)}  # VP8: no layers to choose from


@pytest.mark.parametrize(("fps", "top"), [(0, None), (5, 0), (8, 1), (15, 1), (16, None), (60, None)])
async def test_fewer_frames_of_a_scalable_track(fps: int, top: int | None) -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:bob") as bob:
        await accept(bob)
        track = await add(ann, camera(simulcast_codecs=[SimulcastCodec(codec="vp9", cid=peers.VIDEO_ID)]))
        await offer(ann, re.sub(r"a=(rid|simulcast):.*\r\n", "", peers.publisher()))
        await accept(bob)
        await bob.send(track_setting=UpdateTrackSettings(track_sids=[track.sid], width=1280, height=720, fps=fps))
        await bob.settled()
        assert relay.of(SetSubscription)[-1].max_temporal == top


async def test_screens_are_told_to_be_screens() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:bob") as bob:
        await accept(bob)
        await add(ann, camera(source=TrackSource.SCREEN_SHARE))
        await offer(ann, peers.publisher(audio="inactive"))
        await accept(bob)
        await bob.settled()
        assert [c.screen for c in relay.of(SetSubscription)] == [True]


async def test_owners_say_who_may_subscribe() -> None:
    relay = RecordedRelay()
    async with serve(relay) as world, world.join() as ann, world.join("guest:bob") as bob:
        await accept(bob)
        sound, picture = await publish(ann)
        await accept(bob)
        await bob.settled()
        entry = TrackPermission(participant_identity="guest:bob", track_sids=[sound])
        await ann.send(subscription_permission=SubscriptionPermission(track_permissions=[entry]))
        told = (await bob.expect("subscription_permission_update")).subscription_permission_update
        assert (told.track_sid, told.allowed) == (picture, False)
        assert len(relay.of(Unsubscribe)) == 1
        await accept(bob)
        await bob.send(subscription=UpdateSubscription(track_sids=[picture], subscribe=True))
        again = (await bob.expect("subscription_permission_update")).subscription_permission_update
        assert (again.participant_sid, again.track_sid, again.allowed) == (ann.sid, picture, False)

        # Who comes later is told as well, and gets what it asked for once it may.
        async with world.join("guest:eve", query="&auto_subscribe=0") as eve:
            await accept(eve)
            await eve.send(subscription=UpdateSubscription(track_sids=[sound, picture], subscribe=True))
            barred = [(await eve.expect("subscription_permission_update")) for _ in range(2)]
            assert {update.subscription_permission_update.track_sid for update in barred} == {sound, picture}
            await eve.send(subscription=UpdateSubscription(track_sids=[sound], subscribe=False))
            await eve.settled()
            await ann.send(subscription_permission=SubscriptionPermission(all_participants=True))
            assert set((await accept(bob)).mid_to_track_id.values()) == {sound, picture}
            assert set((await accept(eve)).mid_to_track_id.values()) == {picture}


async def test_speakers_are_told_as_changes() -> None:
    relay = RecordedRelay()

    async def told(client: Client, world: World) -> list[tuple[str, bool]]:
        changed = (await client.expect("speakers_changed")).speakers_changed.speakers
        return [(info.sid, info.active) for info in changed]

    async with serve(relay) as world, world.join() as ann, world.join("guest:bob") as bob:
        sound, _ = await publish(ann)
        relay.play(Speakers("demo", [SpeakerLevel(sound, 0.5, True), SpeakerLevel("TR_gone", 1.0, True)]))
        assert await told(bob, world) == [(ann.sid, True)]
        assert world.server.participants("demo")[0].speaking
        relay.play(Speakers("demo", [SpeakerLevel(sound, 0.5, True)]))  # no change, nothing told
        relay.play(Speakers("demo", []))
        assert await told(bob, world) == [(ann.sid, False)]
