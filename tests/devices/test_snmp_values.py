"""Many values of an agent that can say only a few at once, drops what is too much for it, or refuses some of them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import pytest

from devices import DeviceConfig
from devices.errors import Lost
from devices.snmp.driver import SnmpSwitch
from devices.snmp.objects import no_such
from devices.snmp.refusal import refusal
from devices.snmp.settings import PortSettings, SnmpSettings
from devices.snmp.values import Values
from wire.devices import Role, Value


class Narrow:
    """An agent that says at most so many values at once, and of those `refused` nothing but `genErr`."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked: list[int] = []
        self.refused = {"1.3.6.1.2.1.2.2.1.8.13"}

    async def get(self, oids: list[str]) -> list[int]:
        self.asked.append(len(oids))
        if len(oids) > self.most:
            raise refusal("tooBig")
        if self.refused.intersection(oids):
            raise refusal("genErr")
        return [int(oid.rsplit(".", 1)[1]) for oid in oids]


class Silent(Narrow):
    """It drops what it has no room for; `most` 0: everything."""

    async def get(self, oids: list[str]) -> list[int]:
        if len(oids) > self.most:
            self.asked.append(len(oids))
            raise Lost("no answer")
        return await super().get(oids)


@pytest.mark.parametrize("kind", [Narrow, Silent])
@pytest.mark.parametrize("most", [1000, 11, 1])
async def test_less_is_asked_for_at_once_of_who_cannot_say_all(kind: type[Narrow], most: int) -> None:
    agent = kind(most)
    values = Values(agent.get)
    oids = [f"1.2.{number}" for number in range(40)]
    for _ in range(2):
        agent.asked.clear()
        assert await values.of(oids) == list(range(40))
    assert max(agent.asked) <= most, "what it said the first time is known the second"
    assert await values.of(["1.2.1", "1.3.6.1.2.1.2.2.1.8.13", "1.2.3"]) == [1, None, 3]


@pytest.mark.parametrize("kind", [Narrow, Silent])
async def test_who_could_say_little_for_a_while_is_asked_for_more_again(kind: type[Narrow]) -> None:
    agent = kind(5)
    values = Values(agent.get)
    oids = [f"1.2.{number}" for number in range(40)]
    for _ in range(20):
        await values.of(oids)
    agent.most = 1000
    for _ in range(100):
        assert await values.of(oids) == list(range(40))
    agent.asked.clear()
    await values.of(oids)
    assert agent.asked == [40]


@pytest.mark.parametrize("kind", [Narrow, Silent])
async def test_who_never_can_say_more_is_asked_for_it_ever_less_often(kind: type[Narrow]) -> None:
    agent = kind(5)
    values = Values(agent.get)
    oids = [f"1.2.{number}" for number in range(40)]
    await values.of(oids)
    too_much = list[int]()
    for at in range(1000):
        agent.asked.clear()
        assert await values.of(oids) == list(range(40))
        too_much += [at] * sum(asked > 5 for asked in agent.asked)
    pauses = [later - sooner for sooner, later in pairwise(too_much)]
    assert 3 <= len(too_much) <= 8
    assert pauses == sorted(set(pauses)), "each time later"


async def test_a_switch_that_said_as_much_before_and_is_silent_now_is_gone_at_once() -> None:
    agent = Silent(1000)
    values = Values(agent.get)
    oids = [f"1.2.{number}" for number in range(20)]
    await values.of(oids)
    agent.most = 0
    agent.asked.clear()
    with pytest.raises(Lost):
        await values.of(oids)
    assert agent.asked == [20]
    agent.most = 10  # and when it comes back it may say less
    assert await values.of(oids) == list(range(20))


async def test_an_object_that_is_refused_costs_one_question_more_until_it_is_not() -> None:
    agent = Narrow(1000)
    values = Values(agent.get)
    refused = [f"1.3.6.1.2.1.2.2.1.8.{number}" for number in (13, 213)]
    oids = [refused[0], *(f"1.2.{number}" for number in range(20)), refused[1]]
    agent.refused = set(refused)
    said = [None, *range(20), None]
    assert await values.of(oids) == said
    for _ in range(4):
        agent.asked.clear()
        assert await values.of(oids) == said
        assert agent.asked == [1, 20]
    agent.refused = set(refused[1:])
    for _ in range(2):
        await values.of(oids)
    assert await values.of(oids) == [13, *range(20), None]
    agent.refused = set()
    for _ in range(2):
        await values.of(oids)
    assert await values.of(oids) == [13, *range(20), 213]


@pytest.mark.parametrize(
    ("kept_from", "absent"),
    [((), "9, interface 77"), (("1.3.6.1.2.1.2.2.1.7.77",), None), (("1.3.6.1.2.1.2.2.1.8.77",), None)],
)
async def test_a_port_is_absent_where_the_agent_has_none_not_where_it_refuses(
    kept_from: tuple[str, ...], absent: str | None
) -> None:
    async def get(oids: list[str]) -> list[int | None]:
        if set(kept_from).intersection(oids):
            raise refusal("genErr")
        return [None if oid.endswith(".77") else 1 for oid in oids]

    driver = SnmpSwitch(DeviceConfig("sw", Role.NETWORK_SWITCH, "snmp", "Commutateur"), SETTINGS)
    driver._values = Values(get)
    driver._context = cast(Any, Deaf())
    said = no_such(SETTINGS.ports, await driver._look(SETTINGS.ports))
    assert (said.args["ports"] if said else None) == absent


SETTINGS = SnmpSettings("switch", {"7": PortSettings(7), "9": PortSettings(77)}, community="public")


class Deaf:
    """A context that keeps nothing."""

    def heard(self, words: str) -> None:
        """A sign of life."""

    def report(self, name: str, value: Value) -> None:
        """A word of the device."""
