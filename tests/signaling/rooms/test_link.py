"""`/link` with a real server and a real WebSocket client: proof, bounds, heartbeats, two agents for one room."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosed

from signaling.rooms import RoomSettings
from signaling.rooms.link import OUTBOX, SILENCE, Link
from tests.signaling.rooms.world import (
    LAUZELLE,
    SENNE,
    SETTINGS,
    Agent,
    World,
    devices,
    dialled,
    linked,
    serving,
    world,
)
from wire.link import Beat, Command, Document, Phase, Refused, Reply, Report, Request, Welcome
from wire.live import Snapshot
from wire.meetings import StartMeeting
from wire.problems import Code, Problem


@dataclass
class Server:
    """A world on a real socket."""

    world: World
    url: str

    async def refusal(self, agent: Agent, **changes: Any) -> Problem:
        """What an agent is told that tries to link."""
        async with dialled(self.url) as wire:
            challenge: Any = await wire.receive()
            await wire.send(agent.hello(challenge.nonce, **changes))
            problem = await wire.ended()
        assert problem is not None
        return problem


async def serve(folder: Path, settings: RoomSettings) -> AsyncIterator[Server]:
    async with world(folder, settings) as made, serving(made.service) as url:
        running = asyncio.create_task(made.service.run())
        try:
            yield Server(made, url)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async for made in serve(tmp_path, SETTINGS):
        yield made


@pytest.fixture
async def quick(tmp_path: Path) -> AsyncIterator[Server]:
    """A server whose heartbeats are short: who says nothing for 1.5 s is silent."""
    async for made in serve(tmp_path, replace(SETTINGS, heartbeat=0.5)):
        yield made


@pytest.fixture
async def agent(server: Server) -> Agent:
    agent = Agent(SENNE)
    await agent.enrol(server.world.store)
    return agent


async def test_an_enrolled_agent_gets_its_documents_and_its_commands(server: Server, agent: Agent) -> None:
    async with linked(server.url, agent) as wire:
        topics = {(await wire.until(Document)).change.topic for _ in range(2)}
        assert topics == {"directory", "room"}
        await wire.send(Report(phase=Phase.IDLE, devices=devices()))
        change = await wire.until(Document, lambda message: "verdict" in message.change.data)
        assert change.change.data["verdict"]["health"] == "ready"
        meeting = await server.world.service.start("it:ann", None, StartMeeting([SENNE]))
        ring = await wire.until(Command)
        assert (ring.op, ring.args["meeting"]) == ("ring", meeting.id)
        await wire.send(Request(1, "answer", {"meeting": meeting.id}))
        prepare = await wire.until(Command)
        assert prepare.args["media"]["url"] == "wss://meet.example"
        assert (await wire.until(Reply)).problem is None


async def test_refused_requests_are_answered_and_the_link_stays(server: Server, agent: Agent) -> None:
    async with linked(server.url, agent) as wire:
        await wire.send(Report(phase=Phase.IDLE, devices=devices()))
        for id, (op, code) in enumerate(
            [("end", Code.MEETING_UNKNOWN), ("start_meeting", Code.BAD_REQUEST), ("fly", Code.BAD_REQUEST)]
        ):
            await wire.send({"type": "request", "id": id, "op": op, "args": {"meeting": "x"}})
            reply = await wire.until(Reply)
            assert (reply.id, reply.problem.code) == (id, code)


async def test_wrong_proofs(server: Server, agent: Agent) -> None:
    stranger = Agent(SENNE)
    revoked = Agent(SENNE)
    await revoked.enrol(server.world.store, revoked_at=2.0)
    other_room = Agent(LAUZELLE, agent.key)
    cases: list[tuple[Agent, dict[str, Any], Code]] = [
        (stranger, {}, Code.KEY_UNKNOWN),
        (revoked, {}, Code.KEY_REVOKED),
        (other_room, {}, Code.KEY_UNKNOWN),
        (agent, {"room": LAUZELLE}, Code.SIGNATURE_INVALID),
        (agent, {"key": stranger.public}, Code.SIGNATURE_INVALID),
        (agent, {"signature": base64.b64encode(bytes(64)).decode()}, Code.SIGNATURE_INVALID),
        (agent, {"signature": "####"}, Code.BAD_REQUEST),
        (agent, {"key": "AAAA"}, Code.BAD_REQUEST),
        (agent, {"boot": ""}, Code.BAD_REQUEST),
        (agent, {"protocols": (7, 9)}, Code.PROTOCOL_UNSUPPORTED),
    ]
    for who, changes, code in cases:
        assert (await server.refusal(who, **changes)).code is code
    assert server.world.service.counts[f"link_{Code.SIGNATURE_INVALID}"] == 3
    assert server.world.service.counts[f"link_{Code.KEY_REVOKED}"] == 1


async def test_an_old_signature_is_worth_nothing(server: Server, agent: Agent) -> None:
    async with dialled(server.url) as wire:
        challenge: Any = await wire.receive()
        recorded = agent.hello(challenge.nonce)
        await wire.send(recorded)
        assert isinstance(await wire.receive(), Welcome)
    problem = await server.refusal(agent, signature=recorded.signature)
    assert problem.code is Code.SIGNATURE_INVALID


async def test_many_bad_tries_are_told_to_wait_and_a_good_key_is_never_shut_out(server: Server, agent: Agent) -> None:
    stranger = Agent(SENNE)
    codes = [(await server.refusal(stranger)).code for _ in range(SETTINGS.tries_per_minute + 1)]
    assert codes[0] is Code.KEY_UNKNOWN
    assert codes[-1] is Code.TOO_MANY
    assert (await server.refusal(stranger)).retry_after
    async with linked(server.url, agent):
        pass


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("no json at all", Code.BAD_REQUEST),
        ('{"type":"report","devices":[1]}', Code.BAD_REQUEST),
        ('{"type":"nothing we know"}', Code.BAD_REQUEST),
        (b"\x00\x01binary", Code.BAD_REQUEST),
        ("x" * (300 * 1024), Code.TOO_LARGE),
    ],
)
async def test_garbage_ends_this_link_only(server: Server, agent: Agent, frame: str | bytes, code: Code) -> None:
    other = Agent(LAUZELLE)
    await other.enrol(server.world.store)
    async with linked(server.url, other) as bystander:
        for first in (None, agent):
            async with dialled(server.url) if first is None else linked(server.url, first) as wire:
                await wire.socket.send(frame)
                problem = await wire.ended()
                assert problem is not None
                assert problem.code is code
        await bystander.send(Request(1, "end", {"meeting": "x"}))
        assert (await bystander.until(Reply)).problem.code is Code.MEETING_UNKNOWN


async def test_an_enormous_frame_is_cut(server: Server, agent: Agent) -> None:
    async with linked(server.url, agent) as wire:
        with pytest.raises(ConnectionClosed):
            await wire.socket.send("x" * (3 * 1024 * 1024))
            while True:
                await wire.receive()
        assert wire.socket.close_code == 1009


async def test_browsers_are_turned_away(server: Server) -> None:
    async with aiohttp.ClientSession() as session:
        url = server.url.replace("ws:", "http:")
        async with session.get(url, headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 403
            assert (await response.json())["code"] == "bad_origin"


async def test_who_says_nothing_is_closed(tmp_path: Path) -> None:
    async for server in serve(tmp_path, replace(SETTINGS, hello_seconds=0.2)):
        async with dialled(server.url) as wire:
            problem = await wire.ended()
            assert problem is not None
            assert problem.code is Code.UNAUTHENTICATED


async def test_the_mute_do_not_shut_agents_out(tmp_path: Path) -> None:
    async for server in serve(tmp_path, replace(SETTINGS, links_pending=2, hello_seconds=60.0)):
        agent = Agent(SENNE)
        await agent.enrol(server.world.store)
        async with dialled(server.url) as first, dialled(server.url) as second:
            await first.receive()
            await second.receive()
            async with linked(server.url, agent):
                problem = await first.ended()
                assert problem is not None
                assert problem.code == Code.UNAUTHENTICATED
                await second.send(agent.hello("an old nonce"))
                problem = await second.ended()
                assert problem is not None
                assert problem.code == Code.SIGNATURE_INVALID


async def test_a_silent_agent_is_closed_and_a_beating_one_is_not(quick: Server) -> None:
    agent = Agent(SENNE)
    await agent.enrol(quick.world.store)
    async with linked(quick.url, agent) as wire:
        for _ in range(SILENCE + 1):
            await wire.until(Beat)
            await wire.send(Beat(1.0))
        await wire.ended()
    assert quick.world.service.counts["link_silent"] == 1
    assert quick.world.service.counts["link_closed"] == 0


async def test_revoking_a_key_ends_the_link_that_it_opened(quick: Server) -> None:
    agent = Agent(SENNE)
    await agent.enrol(quick.world.store)
    async with linked(quick.url, agent) as wire:
        await wire.until(Beat)
        await wire.send(Beat(1.0))
        await agent.enrol(quick.world.store, revoked_at=2.0)
        assert (await wire.until(Refused)).problem.code is Code.KEY_REVOKED


async def test_our_own_errors_show_no_more_than_a_reference(
    server: Server, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    async with linked(server.url, agent) as wire:
        with monkeypatch.context() as fault:
            fault.setattr(server.world.service, "ask_help", broken)
            await wire.send(Request(1, "help", {}))
            problem = (await wire.until(Reply)).problem
        assert (problem.code, len(problem.reference)) == (Code.INTERNAL, 8)
        assert "secret" not in problem.message
        with monkeypatch.context() as fault:
            fault.setattr(server.world.store, "credential", broken)
            assert (await server.refusal(agent)).code is Code.INTERNAL


async def test_the_newest_agent_speaks_for_the_room(server: Server, agent: Agent) -> None:
    second = Agent(SENNE, boot="boot-2")
    await second.enrol(server.world.store)
    async with linked(server.url, agent) as old, linked(server.url, second) as new:
        problem = await old.ended()
        assert problem is not None
        assert problem.code is Code.AGENT_REPLACED
        assert (await server.refusal(agent)).code is Code.AGENT_PRESENT, "the two would replace each other for ever"
        await new.send(Request(1, "end", {"meeting": "x"}))
        assert (await new.until(Reply)).id == 1


async def test_an_agent_that_dials_again_takes_over_from_itself(server: Server, agent: Agent) -> None:
    async with linked(server.url, agent) as old:
        async with linked(server.url, agent) as new:
            assert (await old.ended()) is not None
            await new.send(Report(phase=Phase.IDLE, devices=devices()))
            await new.until(Document, lambda message: message.change.data.get("verdict", {}).get("health") == "ready")
        async with linked(server.url, agent) as again:
            assert isinstance((await again.until(Document)).change, Snapshot)


async def test_a_replaced_agent_returns_when_the_other_is_gone(server: Server, agent: Agent) -> None:
    second = Agent(SENNE, boot="boot-2")
    await second.enrol(server.world.store)
    async with linked(server.url, agent), linked(server.url, second) as new:
        await new.send(Report(phase=Phase.IDLE))
    gone = server.world.desk._rooms[SENNE]
    async with asyncio.timeout(5):
        while gone.online:
            await asyncio.sleep(0)
    async with linked(server.url, agent):
        pass


def test_an_agent_that_does_not_read_is_cut_and_nobody_waits_for_it() -> None:
    link = Link(SENNE, "boot-1")
    taken = 0
    while link.offer(Beat(1.0)):
        taken += 1
    assert taken == OUTBOX
    assert link.closing.is_set()
    assert link.ending.problem is not None
    assert link.ending.problem.code is Code.TOO_MANY


async def test_the_server_says_when_it_stops(server: Server, agent: Agent) -> None:
    async with linked(server.url, agent) as wire:
        await server.world.service.close()
        assert (await wire.until(Refused)).problem.code is Code.UNAVAILABLE
