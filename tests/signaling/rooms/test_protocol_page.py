"""docs/protocol.md names every message, request, command and code that it explains."""

from __future__ import annotations

from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from wire import link
from wire.problems import Code

PAGE = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text()
ELSEWHERE = {  # explained where they arise: devices (docs/architecture.md), and codes of one agent's own
    Code.AGENT_REPLACED,
    Code.COMMAND_UNKNOWN,
    Code.DEVICE_UNKNOWN,
    Code.DEVICE_UNSUPPORTED,
    Code.DEVICE_TIMED_OUT,
    Code.DEVICE_FAILED,
    Code.DEVICE_UNREACHABLE,
}


@pytest.mark.parametrize("code", [code for code in Code if code not in ELSEWHERE])
def test_every_code_is_named(code: Code) -> None:
    assert f"`{code}`" in PAGE


@pytest.mark.parametrize("struct", [link.Request, link.Command])
def test_every_operation_is_named(struct: type) -> None:
    for op in get_args(get_type_hints(struct)["op"]):
        assert f"`{op}`" in PAGE


@pytest.mark.parametrize("message", [*get_args(link.FromAgent), *get_args(link.FromServer)])
def test_every_message_is_named(message: type) -> None:
    assert message.__name__.lower() in PAGE.lower()
