"""The control link's core and the ledger of commands, in virtual time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from roomctl.keys import AgentKey
from roomctl.ledger import KEPT, Ledger
from roomctl.link import (
    MAX_OUTBOX,
    MAX_PENDING,
    Answered,
    Changed,
    ClockSeen,
    Closed,
    Commanded,
    Link,
    LinkPhase,
    Opened,
)
from wire.link import Beat, Challenge, Command, Document, FromAgent, Hello, Refused, Reply, Report, Request, Welcome
from wire.live import Patch, Snapshot
from wire.problems import Code, Problem

COMMAND = Command("c1", "k1", "ring", {}, deadline=1000.0, actor="server")


def frame(message: msgspec.Struct) -> str:
    return msgspec.json.encode(message).decode()


def sent(link: Link) -> list[Any]:
    return [msgspec.json.decode(text, type=FromAgent) for text in link.take()]


def new_link() -> Link:
    return Link("lln-lauzelle", AgentKey.generate(), boot="b", software="s", now=0.0)


def open_link(heartbeat: float = 15.0) -> Link:
    link = new_link()
    link.receive(frame(Challenge("bm9uY2U=")), 0.0, 500.0)
    (opened,) = link.receive(frame(Welcome(1, heartbeat, 502.0)), 0.0, 500.0)
    assert isinstance(opened, Opened)
    assert opened.offset == 2.0
    assert isinstance(sent(link)[0], Hello)
    return link


def test_beats_in_time_and_closes_on_silence() -> None:
    link = open_link()
    assert link.deadline() == 15.0
    assert link.tick(15.0, 515.0) == []
    assert sent(link) == [Beat(515.0)]
    assert link.receive(frame(Beat(523.5)), 20.0, 520.0) == [ClockSeen(3.5)]
    link.tick(40.0, 540.0)
    assert link.tick(64.9, 564.9) == []
    assert link.tick(65.0, 565.0) == [Closed("the server is silent")]
    assert link.phase is LinkPhase.CLOSED


def test_no_welcome_in_time_closes() -> None:
    link = new_link()
    (closed,) = link.tick(link.deadline(), 0.0)
    assert isinstance(closed, Closed)


def test_a_refusal_is_told_apart_from_an_outage() -> None:
    link = new_link()
    problem = Problem(Code.KEY_UNKNOWN, "enrol it")
    assert link.receive(frame(Refused(problem)), 0.0, 0.0) == [Closed("refused: key_unknown", problem)]


def test_requests_are_answered_once_or_time_out() -> None:
    link = open_link()
    first = link.request("help", None, 0.0)
    second = link.request("help", None, 0.0, timeout=5.0)
    assert first is not None
    assert second is not None
    assert [message.id for message in sent(link) if isinstance(message, Request)] == [first, second]
    assert link.receive(frame(Reply(first, {"a": 1})), 1.0, 0.0) == [Answered(first, {"a": 1}, None)]
    assert link.receive(frame(Reply(first, {"a": 2})), 1.0, 0.0) == []
    (late,) = link.tick(5.0, 0.0)
    assert isinstance(late, Answered)
    assert late.problem is not None
    assert late.problem.code is Code.UNAVAILABLE


def test_what_was_asked_fails_when_the_link_is_lost() -> None:
    link = open_link()
    id = link.request("help", None, 0.0)
    answered, closed = link.lose("connection lost")
    assert isinstance(answered, Answered)
    assert answered.id == id
    assert closed == Closed("connection lost")
    assert link.lose("again") == []


def test_too_many_requests_are_refused_here() -> None:
    link = open_link()
    assert all(link.request("help", None, 0.0) is not None for _ in range(MAX_PENDING))
    assert link.request("help", None, 0.0) is None


def test_an_outbox_nobody_reads_is_bounded() -> None:
    link = open_link()
    for _ in range(MAX_OUTBOX + 1):
        link.report(Report())
    assert link.choked
    assert len(link.take()) == MAX_OUTBOX


def test_documents_follow_their_revisions_and_a_gap_starts_anew() -> None:
    link = open_link()
    (changed,) = link.receive(frame(Document(Snapshot("room", 4, {"a": 1}))), 0.0, 0.0)
    assert changed == Changed("room", {"a": 1})
    (changed,) = link.receive(frame(Document(Patch("room", 5, {"b": 2}))), 0.0, 0.0)
    assert changed == Changed("room", {"a": 1, "b": 2})
    (closed,) = link.receive(frame(Document(Patch("room", 7, {}))), 0.0, 0.0)
    assert isinstance(closed, Closed)


@pytest.mark.parametrize("garbage", ["", "{", "[]", "null", '{"type": "hello"}', '{"type": "beat"}', "\ud800"])
def test_garbage_closes_the_link(garbage: str) -> None:
    link = open_link()
    (closed,) = link.receive(garbage, 0.0, 0.0)
    assert isinstance(closed, Closed)


def test_what_comes_out_of_turn_closes_the_link() -> None:
    link = new_link()
    (closed,) = link.receive(frame(COMMAND), 0.0, 0.0)
    assert isinstance(closed, Closed)
    assert link.receive(frame(Challenge("x")), 0.0, 0.0) == []


def test_commands_reach_the_room() -> None:
    assert open_link().receive(frame(COMMAND), 0.0, 0.0) == [Commanded(COMMAND)]


def test_a_command_runs_once_and_its_result_is_repeated() -> None:
    ledger = Ledger()
    accepted, fresh = ledger.admit(COMMAND, 999.0)
    assert (accepted.outcome, fresh) == ("accepted", True)
    again = msgspec.structs.replace(COMMAND, id="c2")
    assert ledger.admit(again, 999.5)[1] is False
    assert ledger.finish(COMMAND, None, []).outcome == "done"
    repeated, fresh = ledger.admit(again, 2000.0)
    assert (repeated.id, repeated.outcome, fresh) == ("c2", "done", False)


def test_an_expired_command_never_runs() -> None:
    result, fresh = Ledger().admit(COMMAND, 1000.0)
    assert not fresh
    assert result.problem is not None
    assert result.problem.code is Code.COMMAND_EXPIRED


def test_the_ledger_is_bounded() -> None:
    ledger = Ledger()
    for number in range(KEPT + 1):
        ledger.admit(msgspec.structs.replace(COMMAND, idempotency_key=str(number)), 0.0)
    assert ledger.admit(msgspec.structs.replace(COMMAND, idempotency_key="0"), 0.0)[1]
    assert not ledger.admit(msgspec.structs.replace(COMMAND, idempotency_key=str(KEPT)), 0.0)[1]
