"""Refreshed tokens: whatever a participant says of itself, the server takes the token that it minted."""

from __future__ import annotations

import pytest
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.rtc import RequestResponse, UpdateParticipantMetadata

from signaling.rtc import RtcSettings
from tests.signaling.rtc.breaks import active, cut, lost, until
from tests.signaling.rtc.world import RecordedRelay, serve
from tests.signaling.test_rtc_join import Clock

MANY = {f"a{number}": "1" for number in range(40)}


@pytest.mark.parametrize(
    ("metadata", "attributes", "left"),
    [
        ("x" * 100, {"hand": "up"}, ("x" * 100, {"hand": "up"})),
        ("x" * 6000, {"hand": "up"}, ("", {"hand": "up"})),
        ("x" * 100, MANY, ("x" * 100, {})),
        ("\u20ac" * 2000, {"hand": "up"}, ("", {"hand": "up"})),
        ("x" * 6000, MANY, ("", {})),
        ("", {"long": "\u20ac" * 5000}, ("", {})),
    ],
    ids=["short", "long metadata", "many attributes", "not ASCII", "both", "a long attribute"],
)
async def test_a_refreshed_token_lets_its_owner_come_back(
    metadata: str, attributes: dict[str, str], left: tuple[str, dict[str, str]]
) -> None:
    clock, relay = Clock(50.0), RecordedRelay()
    settings = RtcSettings(tick=0.01, silence=1e6, connect=1e6, answer=1e6)
    own = {"room": "lln-lauzelle", "kind": "room"}
    async with (
        serve(relay, settings=settings, clock=clock) as world,
        world.join("ann", name="Anna", attributes=own, can_update_own_metadata=True) as ann,
    ):
        await active(relay, ann)
        await ann.send(update_metadata=UpdateParticipantMetadata(metadata=metadata, attributes=attributes))
        assert (await ann.expect("request_response")).request_response.reason == RequestResponse.OK
        clock.now += 301
        token = (await ann.expect("refresh_token")).refresh_token
        async with world.http.get(f"{world.url}/rtc/validate?access_token={token}") as answer:
            assert (answer.status, await answer.text()) == (200, "success")
        fresh = world.tokens.verify(token)
        assert (fresh.name, fresh.metadata, fresh.attributes) == ("Anna", left[0], {**own, **left[1]})
        cut(ann)
        await until(lambda: lost(world, ann.sid))
        url = f"{world.url}/rtc?access_token={token}&reconnect=1&sid={ann.sid}"
        async with world.http.ws_connect(url) as socket:
            first = await socket.receive_bytes()
            assert first
            (me,) = world.server.rooms["demo"].sessions.values()
            info: ParticipantInfo = me.info()
            assert (info.sid, info.metadata, dict(info.attributes)) == (ann.sid, metadata, {**own, **attributes})
