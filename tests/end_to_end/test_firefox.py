"""A guest joins from a real Firefox.

Firefox sends no media to a loopback address, so demo and browser run in a network namespace of their own, whose only
other address belongs to a pair of virtual interfaces that lead nowhere.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from tests.network.marks import NETWORK

pytestmark = [pytest.mark.browser, pytest.mark.timeout(150)]

WEB = Path(__file__).parents[2] / "web"
FRAMES = 20  # of each of the two rooms
ADDRESS = "10.77.0.1"
PORT = 7880
_SCRIPT = """
set -eu
ip link set lo up
ip link add east type veth peer name west
ip addr add {address}/24 dev east
ip link set east up
ip link set west up
ip route add default dev east
{python} -m demo --port {port} --data {data} --media {address} > {data}/said &
demo=$!
trap 'kill -INT $demo; wait $demo || true' EXIT
for _ in $(seq 600); do grep -q 'Logs ' {data}/said && break; sleep 0.1; done
cd {web} && {node} tools/firefox.js "$(grep -o 'http[^ ]*/join/[^ ]*' {data}/said)" {frames}
"""


@NETWORK
async def test_firefox_sees_and_hears_both_rooms(tmp_path: Path) -> None:
    node, unshare = shutil.which("node"), shutil.which("unshare")
    assert node is not None
    assert unshare is not None
    script = _SCRIPT.format(
        address=ADDRESS,
        port=PORT,
        python=shlex.quote(sys.executable),
        data=shlex.quote(str(tmp_path)),
        web=shlex.quote(str(WEB)),
        node=shlex.quote(node),
        frames=FRAMES,
    )
    process = await asyncio.create_subprocess_exec(
        unshare, "--net", "bash", "-c", script, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(120):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    counts = json.loads(said)
    assert sum(frames >= FRAMES for frames in counts["frames"]) >= 2, counts
    assert sum(energy > 0 for energy in counts["energies"]) >= 2, counts
    # Firefox names AES-128-GCM first, so it has DTLS 1.3 (0xfefc); the rooms' aiortc knows 1.2 only.
    assert set(counts["versions"]) == {"FEFC"}, counts
    assert set(counts["ciphers"]) == {"SRTP_AEAD_AES_128_GCM"}, counts
    log = (tmp_path / "server.log").read_text()
    assert re.search(r"'guest:\w+': connected DTLS 1\.3, AEAD_AES_128_GCM", log), log
    assert re.search(r": connected DTLS 1\.2, AEAD_AES_256_GCM", log), log
