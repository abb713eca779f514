"""Media on a machine that has no network at all: aioice leaves 127.0.0.1 out of its candidates, even where it is all there is.

A server and a room on one machine (the demo, a test) must meet there too.
"""

from __future__ import annotations

from typing import Final

from aioice import ice

LOOPBACK: Final = "127.0.0.1"
_others = ice.get_host_addresses


def host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    """The machine's addresses; loopback only where there is no other."""
    return _others(use_ipv4, use_ipv6) or ([LOOPBACK] if use_ipv4 else [])


def allow() -> None:
    """Let aioice use loopback where there is nothing else."""
    ice.get_host_addresses = host_addresses
