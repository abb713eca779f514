"""What the server API refuses, why, and that it is counted."""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from livekit import api
from prometheus_client import REGISTRY

from tests.signaling.rtc.world import RecordedRelay
from tests.signaling.test_server_api import KEY, SECRET, refused, service


def token(**grants: object) -> str:
    return api.AccessToken(KEY, SECRET).with_identity("eve").with_grants(api.VideoGrants(**grants)).to_jwt()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bearer", "method", "body", "status", "code"),
    [
        ("", "ListRooms", "{}", 401, "unauthenticated"),
        ("nonsense", "ListRooms", "{}", 401, "unauthenticated"),
        (token(room_create=True), "ListRooms", "{}", 403, "permission_denied"),
        (token(room_admin=True, room="other"), "ListParticipants", '{"room": "demo"}', 403, "permission_denied"),
        (token(room_join=True, room="demo"), "ListParticipants", '{"room": "demo"}', 403, "permission_denied"),
        (token(room_list=True), "ListRooms", "{}", 200, ""),
        (token(room_list=True), "ListRooms", "{", 400, "invalid_argument"),
        (token(room_list=True), "ListRooms", "[" * 5000, 400, "invalid_argument"),
        (token(room_list=True), "ListRooms", '{"names": ["' + "x" * 200_000 + '"]}', 400, "invalid_argument"),
        (token(room_create=True), "CreateRoom", '{"name": ""}', 400, "invalid_argument"),
        (token(room_create=True), "MoveParticipant", "{}", 501, "unimplemented"),
    ],
)
async def test_refusals_say_why_in_json(bearer: str, method: str, body: str, status: int, code: str) -> None:
    async with service(RecordedRelay()) as (world, _):
        headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
        url = f"{world.url}/twirp/livekit.RoomService/{method}"
        async with world.http.post(url, data=body, headers=headers) as answer:
            assert answer.status == status
            said = json.loads(await answer.text())
        assert said.get("code", "") == code
        if code:
            assert said["msg"]


@pytest.mark.parametrize(
    ("method", "content_type", "chunks", "status", "code"),
    [
        ("ListRooms", "text/plain", 1, 404, "bad_route"),
        ("MoveParticipant", "application/json", 1, 501, "unimplemented"),
        ("ListRooms", "application/json", 40, 413, "too_large"),
    ],
)
async def test_refusals_of_http_are_counted_with_a_reason(
    method: str, content_type: str, chunks: int, status: int, code: str
) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(chunks):
            yield b" " * 64 * 1024

    def counted() -> float:
        name, labels = "roomctl_rtc_refused_total", {"code": code, "request": "server_api"}
        return REGISTRY.get_sample_value(name, labels) or 0.0

    async with service(RecordedRelay()) as (world, _):
        before = counted()
        headers = {"Authorization": f"Bearer {token(room_list=True)}", "Content-Type": content_type}
        with suppress(ConnectionError):  # told before it read all
            async with world.http.post(
                f"{world.url}/twirp/livekit.RoomService/{method}", data=body(), headers=headers
            ) as answer:
                assert answer.status == status
        assert counted() == before + 1


async def test_names_of_one_call_have_a_bound() -> None:
    async with service(RecordedRelay()) as (world, client), world.join("ann"):
        many = [f"TR_{number}" for number in range(501)]
        await refused(client.room.list_rooms(api.ListRoomsRequest(names=many)), "resource_exhausted")
        await refused(
            client.room.update_subscriptions(
                api.UpdateSubscriptionsRequest(room="demo", identity="ann", track_sids=many, subscribe=True)
            ),
            "resource_exhausted",
        )
        await refused(
            client.room.send_data(api.SendDataRequest(room="demo", data=b"1", destination_identities=many)),
            "resource_exhausted",
        )


async def test_a_join_token_of_a_guest_opens_nothing() -> None:
    async with service(RecordedRelay()) as (world, _):
        headers = {"Authorization": f"Bearer {world.token('guest:eve')}", "Content-Type": "application/protobuf"}
        for method in ("ListRooms", "CreateRoom", "ListParticipants"):
            url = f"{world.url}/twirp/livekit.RoomService/{method}"
            async with world.http.post(url, data=b"\x0a\x04demo", headers=headers) as answer:
                assert answer.status == 403


async def test_an_expired_token_is_told_so() -> None:
    old = api.AccessToken(KEY, SECRET).with_grants(api.VideoGrants(room_list=True))
    old.with_ttl(datetime.timedelta(hours=-1))
    async with service(RecordedRelay()) as (world, _):
        headers = {"Authorization": f"Bearer {old.to_jwt()}", "Content-Type": "application/json"}
        async with world.http.post(f"{world.url}/twirp/livekit.RoomService/ListRooms", headers=headers) as answer:
            assert answer.status == 401
            assert "expired" in (await answer.json())["msg"]
