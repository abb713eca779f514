"""Loopback is a candidate only where there is nothing else."""

from __future__ import annotations

import pytest
from aioice import ice

from roomctl.media import loopback, session


@pytest.mark.parametrize(
    ("others", "ipv4", "expected"),
    [([], True, ["127.0.0.1"]), ([], False, []), (["192.0.2.7"], True, ["192.0.2.7"])],
)
def test_loopback_is_the_last_resort(
    monkeypatch: pytest.MonkeyPatch, others: list[str], ipv4: bool, expected: list[str]
) -> None:
    monkeypatch.setattr(loopback, "_others", lambda *_: others)
    assert session.log is not None  # importing the session is what allows it
    assert ice.get_host_addresses(ipv4, True) == expected
