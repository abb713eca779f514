"""What a command loads before it does anything: seconds on a slow machine, so only what it needs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "av",
    "numpy",
    "pysnmp",
    "zeroconf",
    "pulsectl",
    "aiohttp",
    "aiortc",
    "sqlalchemy",
    "cryptography",
    "rich",
    "relay",
}
PROGRAM = """
import json, sys
from roomctl.cli.main import main
assert main(sys.argv[1:]) == 0
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--help"], set[str]()),
        (["devices", "--help"], set[str]()),
        (["devices", "drivers"], {"pulsectl"}),
        (["completion", "bash"], set[str]()),
    ],
)
def test_a_command_loads_nothing_heavy_that_it_does_not_need(arguments: list[str], needed: set[str]) -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True)
    assert HEAVY & set(json.loads(ran.stdout.splitlines()[-1])) <= needed
