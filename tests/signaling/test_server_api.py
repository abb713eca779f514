"""The server API through LiveKit's own package `livekit-api`, webhooks through its receiver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from livekit import api, rtc
from livekit.api.twirp_client import TwirpError
from livekit.protocol.models import DataPacket, ParticipantInfo, ParticipantPermission, TrackSource, TrackType
from livekit.protocol.rtc import AddTrackRequest, SessionDescription
from livekit.protocol.webhook import WebhookEvent
from prometheus_client import REGISTRY

from relay import Relay, RelayConfig
from relay.messages import MuteTrack, SendData
from signaling.rtc import RtcSettings
from signaling.rtc.effects import Happened
from signaling.server_api import ServerApi, Webhooks
from tests.signaling.rtc import peers
from tests.signaling.rtc.world import KEYS, Client, RecordedRelay, World, serve

KEY, SECRET = next(iter(KEYS.items()))


@asynccontextmanager
async def service(relay: RecordedRelay | Relay) -> AsyncIterator[tuple[World, api.LiveKitAPI]]:
    """Media signaling with the server API, and a client of it."""
    async with serve(relay, settings=RtcSettings(tick=0.05), extend=_extend) as world:
        client = api.LiveKitAPI(world.url, KEY, SECRET, failover=False)
        try:
            yield world, client
        finally:
            await client.aclose()


def _extend(world: World, app: web.Application) -> None:
    app.add_routes(ServerApi(world.server, world.tokens).routes())


async def publish(client: Client) -> tuple[str, str]:
    """Microphone and camera of a recorded Chromium; returns their sids."""
    await client.send(
        add_track=AddTrackRequest(cid=peers.AUDIO_ID, type=TrackType.AUDIO, source=TrackSource.MICROPHONE)
    )
    audio = (await client.expect("track_published")).track_published.track.sid
    await client.send(
        add_track=AddTrackRequest(
            cid=peers.VIDEO_ID, type=TrackType.VIDEO, source=TrackSource.CAMERA, width=1280, height=720
        )
    )
    video = (await client.expect("track_published")).track_published.track.sid
    await client.send(offer=SessionDescription(type="offer", sdp=peers.publisher(), id=1))
    await client.expect("answer")
    return audio, video


async def refused(call: object, code: str) -> str:
    with pytest.raises(TwirpError) as caught:
        await call  # type: ignore[misc]
    assert caught.value.code == code
    return caught.value.message


# --- rooms --------------------------------------------------------------------------------------------------------------


async def test_a_room_that_was_created_waits_for_people_and_ends_by_itself() -> None:
    async with service(RecordedRelay()) as (world, client):
        made = await client.room.create_room(
            api.CreateRoomRequest(name="class", empty_timeout=1, max_participants=1, metadata="5b")
        )
        assert (made.name, made.metadata, made.max_participants) == ("class", "5b", 1)
        assert [room.name for room in (await client.room.list_rooms(api.ListRoomsRequest())).rooms] == ["class"]
        assert not (await client.room.list_rooms(api.ListRoomsRequest(names=["other"]))).rooms
        async with world.http.get(f"{world.url}/rtc/validate?access_token={world.token(media='class')}") as answer:
            assert answer.status == 200
        async with asyncio.timeout(5):
            while (await client.room.list_rooms(api.ListRoomsRequest())).rooms:
                await asyncio.sleep(0.05)


async def test_metadata_of_a_room_is_told_and_its_end_sends_everyone_away() -> None:
    async with service(RecordedRelay()) as (world, client), world.join() as ann:
        await client.room.update_room_metadata(api.UpdateRoomMetadataRequest(room="demo", metadata="agenda"))
        while (await ann.expect("room_update")).room_update.room.metadata != "agenda":
            pass
        await client.room.delete_room(api.DeleteRoomRequest(room="demo"))
        assert (await ann.closed())[1] == "ended"
        assert "demo" in await refused(client.room.delete_room(api.DeleteRoomRequest(room="demo")), "not_found")


# --- participants -------------------------------------------------------------------------------------------------------


async def test_participants_are_listed_renamed_and_removed() -> None:
    async with service(RecordedRelay()) as (world, client), world.join("ann", attributes={"seat": "1"}) as ann:
        listed = (await client.room.list_participants(api.ListParticipantsRequest(room="demo"))).participants
        assert [(p.identity, p.state) for p in listed] == [("ann", ParticipantInfo.JOINED)]
        await client.room.update_participant(
            api.UpdateParticipantRequest(room="demo", identity="ann", name="Ann", attributes={"seat": "", "hand": "up"})
        )
        told = (await ann.expect("update")).update.participants[0]
        assert (told.name, dict(told.attributes)) == ("Ann", {"hand": "up"})
        who = api.RoomParticipantIdentity(room="demo", identity="ann")
        assert (await client.room.get_participant(who)).name == "Ann"
        message = await refused(
            client.room.update_participant(
                api.UpdateParticipantRequest(room="demo", identity="ann", attributes={"room": "lln-lauzelle"})
            ),
            "permission_denied",
        )
        assert "room" in message
        for long in ({"name": "x" * 257}, {"attributes": {str(number): "1" for number in range(65)}}):
            asked = api.UpdateParticipantRequest(room="demo", identity="ann", **long)
            await refused(client.room.update_participant(asked), "invalid_argument")
        await client.room.remove_participant(who)
        assert (await ann.closed())[1] == "removed"
        await refused(client.room.get_participant(who), "not_found")


async def test_a_track_is_muted_and_never_opened_from_afar() -> None:
    relay = RecordedRelay()
    async with service(relay) as (world, client), world.join("ann") as ann:
        audio, _ = await publish(ann)

        def mute(muted: bool, sid: str = audio) -> object:
            asked = api.MuteRoomTrackRequest(room="demo", identity="ann", track_sid=sid, muted=muted)
            return client.room.mute_published_track(asked)

        answer = await mute(True)  # type: ignore[misc]
        assert answer.track.muted
        assert (await ann.expect("mute")).mute.sid == audio
        assert MuteTrack(audio, muted=True) in relay.commands
        await refused(mute(False), "permission_denied")
        await refused(mute(True, "TR_none"), "not_found")


async def test_rights_taken_away_end_the_tracks_they_allowed() -> None:
    async with service(RecordedRelay()) as (world, client), world.join("ann") as ann, world.join("bob") as bob:
        audio, video = await publish(ann)
        await client.room.update_participant(
            api.UpdateParticipantRequest(
                room="demo",
                identity="ann",
                permission=ParticipantPermission(
                    can_subscribe=True, can_publish=True, can_publish_sources=[TrackSource.MICROPHONE]
                ),
            )
        )
        assert (await ann.expect("track_unpublished")).track_unpublished.track_sid == video
        while [t.sid for t in (await bob.expect("update")).update.participants[0].tracks] != [audio]:
            pass


async def test_subscriptions_are_changed_from_afar() -> None:
    async with (
        service(RecordedRelay()) as (world, client),
        world.join("ann") as ann,
        world.join("bob", query="&auto_subscribe=0") as bob,
    ):
        audio, video = await publish(ann)

        async def ask(subscribe: bool, *sids: str) -> None:
            await client.room.update_subscriptions(
                api.UpdateSubscriptionsRequest(room="demo", identity="bob", track_sids=sids, subscribe=subscribe)
            )

        first = (await bob.expect("offer")).offer
        await bob.send(answer=SessionDescription(type="answer", sdp=peers.answer(first.sdp), id=first.id))
        await ask(True, video)
        offer = (await bob.expect("offer")).offer
        assert video in offer.sdp
        assert audio not in offer.sdp
        await bob.send(answer=SessionDescription(type="answer", sdp=peers.answer(offer.sdp), id=offer.id))
        await ask(False, video)
        assert video not in (await bob.expect("offer")).offer.sdp
        await refused(ask(True, "TR_none"), "not_found")


async def test_a_room_is_not_given_its_own_sound_from_afar_either() -> None:
    relay = RecordedRelay()
    room = {"room": "lln-lauzelle", "kind": "room"}
    async with service(relay) as (world, client), world.join("room:lln-lauzelle", attributes=room) as ann:
        sound, picture = await publish(ann)
        display = "room:lln-lauzelle/display"
        async with world.join(display, attributes=room, hidden=True) as screen:

            def ask(sid: str) -> object:
                asked = api.UpdateSubscriptionsRequest(room="demo", identity=display, track_sids=[sid], subscribe=True)
                return client.room.update_subscriptions(asked)

            first = (await screen.expect("offer")).offer
            await screen.send(answer=SessionDescription(type="answer", sdp=peers.answer(first.sdp), id=first.id))
            assert sound in await refused(ask(sound), "permission_denied")
            await ask(picture)  # type: ignore[misc]
            offer = (await screen.expect("offer")).offer
            assert picture in offer.sdp
            assert sound not in offer.sdp


async def test_data_reaches_everyone_or_those_named() -> None:
    relay = RecordedRelay()
    async with service(relay) as (world, client), world.join("ann") as ann, world.join("bob") as bob:
        relay.connect(f"{ann.sid}/sub", f"{bob.sid}/sub")
        await client.room.send_data(api.SendDataRequest(room="demo", data=b"hi", topic="t"))
        await client.room.send_data(
            api.SendDataRequest(room="demo", data=b"you", kind=DataPacket.LOSSY, destination_identities=["bob"])
        )
        everyone, named = relay.of(SendData)
        assert {*everyone.transports} == {f"{ann.sid}/sub", f"{bob.sid}/sub"}
        packet = DataPacket.FromString(everyone.payload)
        assert (everyone.label, packet.user.payload, packet.user.topic) == ("_reliable", b"hi", "t")
        assert packet.participant_identity == ""
        assert (named.label, named.transports) == ("_lossy", [f"{bob.sid}/sub"])
        too_much = api.SendDataRequest(room="demo", data=bytes(70_000))
        await refused(client.room.send_data(too_much), "invalid_argument")


# --- webhooks -----------------------------------------------------------------------------------------------------------


@dataclass
class Hook:
    """A program that receives webhooks, checking signatures with LiveKit's receiver; `fail` refuses that many first."""

    fail: int = 0
    url: str = ""
    events: list[WebhookEvent] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    verify: api.WebhookReceiver = field(default_factory=lambda: api.WebhookReceiver(api.TokenVerifier(KEY, SECRET)))

    async def handle(self, request: web.Request) -> web.Response:
        if self.fail:
            self.fail -= 1
            return web.Response(status=500)
        self.events.append(self.verify.receive(await request.text(), request.headers["Authorization"]))
        self.news.set()
        return web.Response()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()

    @property
    def names(self) -> list[str]:
        return [event.event for event in self.events]


@asynccontextmanager
async def hooked(world: World, hook: Hook) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_post("/", hook.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    webhooks = Webhooks([hook.url], world.tokens, pauses=(0.01, 0.02))
    world.server.watch(webhooks.happened)
    sending = asyncio.create_task(webhooks.run())
    try:
        yield
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        await runner.cleanup()


async def test_webhooks_tell_a_rooms_life_in_order_and_signed() -> None:
    relay, hook = RecordedRelay(), Hook(fail=1)
    async with serve(relay) as world, hooked(world, hook):
        async with world.join("ann") as ann:
            relay.connect(f"{ann.sid}/sub")
            await publish(ann)
        await hook.until(lambda: "room_finished" in hook.names)
    assert hook.names == [
        "room_started",
        "participant_joined",
        "track_published",
        "track_published",
        "track_unpublished",
        "track_unpublished",
        "participant_left",
        "room_finished",
    ]
    assert {event.room.name for event in hook.events} == {"demo"}
    assert hook.events[1].participant.identity == "ann"
    assert hook.events[2].track.sid.startswith("TR_")
    assert len({event.id for event in hook.events}) == len(hook.events)
    assert all(event.created_at for event in hook.events)


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("roomctl_webhooks_total", {"outcome": outcome}) or 0.0


async def test_so_many_events_wait_for_one_receiver() -> None:
    async with serve(RecordedRelay()) as world:
        webhooks = Webhooks(["http://127.0.0.1:9/"], world.tokens)  # not run: takes none
        room = world.server.open("demo")
        before = counted("dropped")
        for _ in range(1003):
            webhooks.happened(room, Happened("room_started"))
    [receiver] = webhooks._receivers
    assert (len(receiver._waiting), receiver._dropped) == (1000, 3)
    assert counted("dropped") == before + 3


async def test_what_a_receiver_never_took_is_counted_in_the_next_one() -> None:
    relay, hook = RecordedRelay(), Hook(fail=3)  # the first event and its two new tries
    async with serve(relay) as world, hooked(world, hook):
        async with world.join("ann") as ann:
            relay.connect(f"{ann.sid}/sub")
            await hook.until(lambda: "participant_joined" in hook.names)
        await hook.until(lambda: "room_finished" in hook.names)
    assert hook.events[0].num_dropped == 1
    assert hook.events[-1].num_dropped == 0


# --- a real client ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(90)
async def test_a_python_client_hears_what_the_api_does() -> None:
    relay = Relay.start(RelayConfig(bind=["127.0.0.1:0"]))
    room, data = rtc.Room(), asyncio.Queue[rtc.DataPacket]()
    gone, muted = asyncio.Event(), asyncio.Event()
    room.on("data_received", data.put_nowait)
    room.on("disconnected", lambda *_: gone.set())
    room.on("track_muted", lambda *_: muted.set())
    async with service(relay) as (world, client), asyncio.timeout(40):
        await room.connect(world.url.replace("http", "ws", 1), world.token("ann"))
        source = rtc.AudioSource(48000, 1)
        track = rtc.LocalAudioTrack.create_audio_track("mic", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        publication = await room.local_participant.publish_track(track, options)
        await client.room.send_data(api.SendDataRequest(room="demo", data=b"hello", topic="t"))
        packet = await data.get()
        assert (packet.data, packet.topic, packet.participant) == (b"hello", "t", None)
        await client.room.mute_published_track(
            api.MuteRoomTrackRequest(room="demo", identity="ann", track_sid=publication.sid, muted=True)
        )
        await muted.wait()
        await client.room.remove_participant(api.RoomParticipantIdentity(room="demo", identity="ann"))
        await gone.wait()
        assert not (await client.room.list_rooms(api.ListRoomsRequest())).rooms
    relay.close()
