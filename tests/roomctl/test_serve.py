"""Panel and display as a browser meets them: pages, live documents, actions, and who is refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from roomctl.serve import MAX_ACTION, agents_app
from tests.roomctl.linkserver import LinkServer
from tests.roomctl.rooms import TestRoom
from web import Pages
from wire.live import Patch, Replica, Snapshot

PANEL = "/rooms/lln-lauzelle/live/panel"
Client = TestClient[Any, Any]


@pytest_asyncio.fixture
async def client(room: TestRoom, tmp_path: Path) -> AsyncIterator[Client]:
    """The room's pages, from a build that has a panel and a display only."""
    dist = tmp_path / "dist"
    (dist / ".vite").mkdir(parents=True)
    built = {f"src/pages/{page}/main.tsx": {"file": f"assets/{page}.js"} for page in ("panel", "display", "message")}
    (dist / ".vite" / "manifest.json").write_text(json.dumps(built))
    (dist / "probe.txt").write_text("static")
    async with TestClient(TestServer(agents_app([room.agent], pages=Pages(dist)))) as client:
        yield client


async def answer_to(socket: aiohttp.ClientWebSocketResponse, id: int) -> Any:
    """The result with this id; changes before it are passed over."""
    while True:
        message = await socket.receive_json(timeout=5)
        if message["type"] == "result" and message["id"] == id:
            return message


async def test_a_panel_gets_a_snapshot_then_patches(client: Client, room: TestRoom) -> None:
    async with client.ws_connect(PANEL) as socket:
        snapshot = await socket.receive_json(timeout=5)
        assert (snapshot["type"], snapshot["topic"]) == ("snapshot", "panel")
        assert snapshot["data"]["phase"] == "idle"
        assert snapshot["data"]["server"] is True
        await socket.send_json({"id": 4, "op": "set_volume", "volume": 0.75})
        replica = Replica()
        replica.apply(msgspec.convert(snapshot, Snapshot))
        result = None
        while result is None or replica.data["media"].get("volume") != 0.75:
            message = await socket.receive_json(timeout=5)
            if message["type"] == "result":
                result = message
            else:
                replica.apply(msgspec.convert(message, Patch))
        assert result["devices"][0]["outcome"] == "done"


async def test_several_panels_stay_in_step(client: Client) -> None:
    async with client.ws_connect(PANEL) as one, client.ws_connect(PANEL) as other:
        await one.receive_json(timeout=5)
        await other.receive_json(timeout=5)
        await one.send_json({"id": 1, "op": "set_camera", "on": True})
        patch = await other.receive_json(timeout=5)
        assert patch["data"]["media"]["camera_wanted"] is True


async def test_the_camera_polls_faster_while_a_panel_is_open(client: Client, room: TestRoom) -> None:
    async with client.ws_connect(PANEL) as socket:
        await socket.receive_json(timeout=5)
        await socket.send_json({"id": 1, "op": "resync"})
        await answer_to(socket, 1)
        assert room.devices.watched


async def test_resync_sends_a_fresh_snapshot(client: Client) -> None:
    async with client.ws_connect(PANEL) as socket:
        first = await socket.receive_json(timeout=5)
        await socket.send_json({"id": 9, "op": "resync"})
        seen = [await socket.receive_json(timeout=5) for _ in range(2)]
        assert {message["type"] for message in seen} == {"snapshot", "result"}
        assert next(message for message in seen if message["type"] == "snapshot")["data"] == first["data"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"id": 5, "op": "open_door"}', '{"id": 5, "op": "end", "surplus": 1}', '{"id": 5}']
)
async def test_what_is_no_action_is_answered_as_such(client: Client, text: str) -> None:
    async with client.ws_connect(PANEL) as socket:
        await socket.receive_json(timeout=5)
        await socket.send_str(text)
        result = await answer_to(socket, 5 if "5" in text else 0)
        assert result["problem"]["code"] == "bad_request"


@pytest.mark.parametrize(
    "action",
    [
        {"op": "set_volume"},
        {"op": "set_volume", "volume": 1.5},
        {"op": "set_mic"},
        {"op": "device"},
    ],
)
async def test_actions_that_lack_something_are_refused(client: Client, action: dict[str, Any]) -> None:
    async with client.ws_connect(PANEL) as socket:
        await socket.send_json({"id": 1, **action})
        assert (await answer_to(socket, 1))["problem"]["code"] == "bad_request"


async def test_an_oversized_message_ends_only_that_panel(client: Client) -> None:
    async with client.ws_connect(PANEL) as one, client.ws_connect(PANEL) as other:
        await one.receive_json(timeout=5)
        await other.receive_json(timeout=5)
        await one.send_str("x" * (MAX_ACTION + 1))
        ended = await one.receive(timeout=5)
        assert ended.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        await other.send_json({"id": 1, "op": "resync"})
        await answer_to(other, 1)


async def test_a_display_only_shows(client: Client) -> None:
    async with client.ws_connect("/rooms/lln-lauzelle/live/display") as socket:
        snapshot = await socket.receive_json(timeout=5)
        assert snapshot["topic"] == "display"
        await socket.send_json({"id": 1, "op": "set_mic", "on": True})
        assert (await answer_to(socket, 1))["problem"]["code"] == "forbidden"


async def test_other_origins_and_foreign_names_are_refused(client: Client) -> None:
    foreign = await client.get(PANEL, headers={"Origin": "http://evil.example", "Connection": "Upgrade"})
    assert foreign.status == 403
    assert (await foreign.json())["code"] == "bad_origin"
    rebound = await client.get("/rooms/lln-lauzelle/panel", headers={"Host": "evil.example"})
    assert rebound.status == 421
    async with client.ws_connect(PANEL, origin=f"http://{client.host}:{client.port}") as socket:
        await socket.receive_json(timeout=5)


async def test_an_unknown_room_is_said(client: Client) -> None:
    assert (await client.get("/rooms/nowhere/panel")).status == 404
    assert (await client.get("/rooms/nowhere/live/panel")).status == 404


@pytest.mark.parametrize("page", ["panel", "display"])
async def test_pages_reload_without_the_server(client: Client, server: LinkServer, page: str) -> None:
    await server.stop()
    response = await client.get(f"/rooms/lln-lauzelle/{page}", headers={"Accept-Language": "en"})
    assert response.status == 200
    text = await response.text()
    assert f"assets/{page}.js" in text
    assert 'lang="en"' in text
    assert response.headers["Cache-Control"] == "no-store"
    assert "object-src 'none'" in response.headers["Content-Security-Policy"]
    assert await (await client.get("/static/probe.txt")).text() == "static"


async def test_says_how_its_rooms_are(client: Client) -> None:
    health = await (await client.get("/healthz")).json()
    assert health["rooms"] == {"lln-lauzelle": {"phase": "idle", "link": True}}
