"""`python -m tests.signaling.rtc.barred BARRIER`: two tabs of Chromium meet, a firewall between them and the relay.

To be run in a network namespace of its own. Prints one line of JSON: `Seen`, for `turn-expired` `Allocated`.

Tabs and relay share the namespace; what goes out to the relay's port is filtered, what comes in from the TURN server's
namespace is not.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from aioice.stun import TransactionFailed
from aioice.turn import create_turn_endpoint

from relay import Relay, RelayConfig
from relay.messages import Event, TransportState
from signaling.rtc import RtcSettings, TurnServers, turn
from tests.signaling.rtc.browser import Tab, chromium, routes
from tests.signaling.rtc.world import serve

RELAY, PORT = "10.77.0.1", 7882
IPV6 = "fd77::1"
OUTSIDE = "203.0.113.7"  # what the NAT makes of RELAY
TURN = "10.78.0.2"
SECRET = "a secret of coturn"
FRAMES = 30
BARRIERS = {
    "none": (),
    "udp": ("udp",),
    "udp-later": (),
    "ipv6": (),
    "ipv6-udp": ("udp",),
    "nat": (),
    "nat-udp": ("udp",),
    "turn-udp": ("udp", "tcp"),
    "turn-tcp": ("udp", "tcp"),
    "turn-tls": ("udp", "tcp"),
}
URLS = {
    "turn-udp": f"turn:{TURN}:3478?transport=udp",
    "turn-tcp": f"turn:{TURN}:3478?transport=tcp",
    "turn-tls": f"turns:{TURN}:5349?transport=tcp",
}

# The candidate pair in use on the connection that receives: [our type, what leads to the relay, what leads to TURN,
# the relay's address].
_PAIR = """(async () => {
  const { publisher, subscriber } = room.engine.pcManager ?? {};
  const report = await (subscriber ?? publisher)?.getStats() ?? new Map();
  const transport = [...report.values()].find((stats) => stats.type === 'transport');
  const pair = report.get(transport?.selectedCandidatePairId);
  const [local, remote] = [report.get(pair?.localCandidateId), report.get(pair?.remoteCandidateId)];
  return [local?.candidateType ?? null, local?.protocol ?? null, local?.relayProtocol ?? null, remote?.address ?? null];
})()"""


class Seen(msgspec.Struct):
    """What `bob` received: frames, his candidate pair; and (protocol, address) of every transport at the relay."""

    frames: int
    pair: list[str | None]
    transports: Sequence[tuple[str, str]]


class WatchedRelay(Relay):
    """Keeps which transports connected."""

    def listen(self, listener: Callable[[list[Event]], None]) -> None:
        self.connected: list[TransportState] = []

        def hear(events: list[Event]) -> None:
            self.connected += [e for e in events if isinstance(e, TransportState) and e.phase == "connected"]
            listener(events)

        super().listen(hear)


def run(*commands: str) -> None:
    """Run commands to their end. Raises CalledProcessError."""
    for command in commands:
        subprocess.run(shlex.split(command), check=True, stdout=subprocess.DEVNULL)


def bar(*protocols: str) -> None:
    """Nothing of these protocols goes out to the relay's port any more."""
    for protocol in protocols:
        run(f"nft add rule inet wall out {protocol} dport {PORT} drop")


def network() -> None:
    """An address for media besides loopback, and a firewall that bars nothing yet."""
    run(
        "ip link set lo up",
        "ip link add east type veth peer name west",
        f"ip addr add {RELAY}/24 dev east",
        "ip link set east up",
        "ip link set west up",
        "ip route add default dev east",
        "nft add table inet wall",
        "nft add chain inet wall out { type filter hook output priority 0 ; }",
    )


@asynccontextmanager
async def turn_server(folder: Path) -> AsyncIterator[None]:
    """A coturn in a namespace of its own, as docs/operations.md says."""
    run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -batch -subj /CN=turn"
        f" -keyout {folder}/key.pem -out {folder}/cert.pem"
    )
    options = (
        f"-n --listening-ip={TURN} --relay-ip={TURN} --listening-port=3478 --tls-listening-port=5349"
        f" --use-auth-secret --static-auth-secret={shlex.quote(SECRET)} --realm=example.org"
        f" --denied-peer-ip=0.0.0.0-255.255.255.255 --denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        f" --allowed-peer-ip={RELAY}"
        f" --cert={folder}/cert.pem --pkey={folder}/key.pem --no-cli --userdb={folder}/users"
        f" --log-file=stdout --simple-log --pidfile={folder}/pid"
    )
    with (folder / "turn.log").open("wb") as log:
        server = await asyncio.create_subprocess_exec(
            "unshare", "--net", "sh", "-c", f"read go && exec turnserver {options}",
            stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
        )  # fmt: skip
        assert server.stdin is not None
        try:
            await _apart(server.pid)
            run(f"ip link add north type veth peer name south netns {server.pid}")
            run("ip addr add 10.78.0.1/24 dev north", "ip link set north up")
            inside = f"nsenter --net=/proc/{server.pid}/ns/net"
            run(f"{inside} ip link set lo up", f"{inside} ip addr add {TURN}/24 dev south")
            run(f"{inside} ip link set south up", f"{inside} ip route add default via 10.78.0.1")
            server.stdin.write(b"go\n")
            await _answers(TURN, 5349)
            yield
        finally:
            server.kill()
            await server.wait()


async def _apart(pid: int) -> None:
    """Until the process has its own namespace."""
    async with asyncio.timeout(10):
        while os.readlink(f"/proc/{pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            await asyncio.sleep(0.01)


async def _answers(host: str, port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return writer.close()


class Allocated(msgspec.Struct):
    """What the TURN server answers who asks for an address: the code of its error, None where it gives one."""

    fresh: int | None
    expired: int | None


async def allocate(expiry: int) -> int | None:
    """Ask the TURN server for an address, with credentials that end at `expiry`, Unix seconds. The client is aioice's."""
    name, password = turn.credentials(SECRET, "ann", expiry)
    try:
        transport, _ = await create_turn_endpoint(asyncio.DatagramProtocol, (TURN, 3478), name, password)
    except TransactionFailed as failed:
        return int(failed.response.attributes["ERROR-CODE"][0])
    transport.close()
    return None


async def meet(
    barrier: str, urls: tuple[str, ...] = (), announce: tuple[str, ...] = (), bind: str = f"{RELAY}:{PORT}"
) -> Seen:
    """Two tabs join; one shows its camera."""
    relay = WatchedRelay.start(RelayConfig(bind=[bind], announce=list(announce)))
    assert isinstance(relay, WatchedRelay)
    settings = RtcSettings(turn=TurnServers(urls, SECRET, 600.0)) if urls else RtcSettings()
    async with (
        serve(relay, settings=settings, routes=routes()) as world,
        chromium("--ignore-certificate-errors") as all_,
    ):
        ann, bob = Tab(await all_.new_page()), Tab(await all_.new_page())
        await ann.join(world.url, world.token("ann"))
        await bob.join(world.url, world.token("bob"))
        await ann.run("room.localParticipant.setCameraEnabled(true)")
        await bob.more_frames("ann", FRAMES)
        if barrier == "udp-later":
            bar("udp")
            await bob.until(f"(await {_PAIR})[1] === 'tcp'", 40)
            await bob.more_frames("ann", FRAMES)
        pair: list[str | None] = await bob.run(_PAIR)
        transports = [(state.protocol or "", state.remote or "") for state in relay.connected]
        seen = Seen(await bob.frames("ann"), pair, transports)
    relay.close()
    return seen


async def main(barrier: str) -> None:
    """One meeting behind one barrier; or none, and two who ask the TURN server for an address."""
    network()
    if barrier == "turn-expired":
        with tempfile.TemporaryDirectory() as folder:
            async with turn_server(Path(folder)):
                allocated = Allocated(await allocate(int(time.time()) + 60), await allocate(int(time.time()) - 60))
        print(msgspec.json.encode(allocated).decode())
        return
    bar(*BARRIERS[barrier])
    if barrier.startswith("nat"):
        run(
            "nft add table ip nat",
            "nft add chain ip nat out { type nat hook output priority -100 ; }",
            f"nft add rule ip nat out ip daddr {OUTSIDE} dnat to {RELAY}",
        )
        seen = await meet(barrier, announce=(OUTSIDE,))
    elif barrier.startswith("ipv6"):
        run(f"ip -6 addr add {IPV6}/64 dev east nodad", "ip -6 route add default dev east")
        seen = await meet(barrier, bind=f"[{IPV6}]:{PORT}")
    elif barrier not in URLS:
        seen = await meet(barrier)
    else:
        with tempfile.TemporaryDirectory() as folder:
            async with turn_server(Path(folder)):
                seen = await meet(barrier, (URLS[barrier],))
    print(msgspec.json.encode(seen).decode())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
