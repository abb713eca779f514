"""`roomctl keygen`: the agent's key."""

from __future__ import annotations

import sys
from pathlib import Path

from roomctl.errors import AgentError
from roomctl.keys import AgentKey


def make_key(path: Path) -> int:
    """Write a new key and print its public half; an existing key is kept and its public half printed."""
    try:
        if path.exists():
            key = AgentKey.read(path)
            print(f"{path} exists and is kept", file=sys.stderr)
        else:
            key = AgentKey.generate()
            key.write(path)
    except (AgentError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(key.public)
    return 0
