"""`python -m relay.doctor`: is this machine fit to relay media, and what to change where it is not.

It opens sockets of its own as the relay would, reads what the kernel allows, and says for each finding what to do.
Nothing is changed. Exit code 0: fit; 1: something will not work; 2: it works, but worse than this machine could.
"""

from __future__ import annotations

import argparse
import errno
import ipaddress
import json
import os
import resource
import socket
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

import msgspec

from relay.config import Media, RelayConfig

UDP_SEGMENT, UDP_GRO = 103, 104  # linux/udp.h
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33  # asm-generic/socket.h
SEGMENT, SEGMENTS = 1200, 8  # bytes of one datagram of the trial, and how many are sent in one call
MOST_PORT = 65535
NOTICEABLE = 0.001  # part of all datagrams lost in the kernel
TCP_PEERS = 512  # connections one shard takes: MAX_STREAMS of relay/engine/src/streams.rs
WORDS = {"ok": "ok    ", "worse": "worse ", "broken": "BROKEN"}


class Verdict(StrEnum):
    """How a finding matters."""

    OK = "ok"
    WORSE = "worse"  # works, at a cost
    BROKEN = "broken"  # media will not flow


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found, and what to do about it (empty when nothing)."""

    check: str
    verdict: Verdict
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Machine:
    """Where the machine is read. Tests point `proc` elsewhere."""

    proc: Path = Path("/proc")
    cpus: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))

    def number(self, path: str) -> int | None:
        """The first number of a file below /proc, None where there is none."""
        try:
            return int((self.proc / path).read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def udp_errors(self, name: str) -> int:
        """A counter of the `Udp:` lines of /proc/net/snmp since the machine started (RFC 4113)."""
        try:
            lines = [
                line.split() for line in (self.proc / "net/snmp").read_text().splitlines() if line.startswith("Udp:")
            ]
        except OSError:
            return 0
        return dict(zip(lines[0][1:], map(int, lines[1][1:]), strict=True)).get(name, 0) if len(lines) == 2 else 0

    def cpu_flags(self) -> frozenset[str]:
        """Instructions the processor knows."""
        try:
            lines = (self.proc / "cpuinfo").read_text().splitlines()
        except OSError:
            return frozenset()
        named = (line.partition(":")[2] for line in lines if line.partition(":")[0].strip() in ("flags", "Features"))
        return frozenset(next(named, "").split())


def examine(config: RelayConfig, machine: Machine | None = None) -> Iterator[Finding]:
    """Everything worth knowing about this machine for a relay with this configuration."""
    machine = machine or Machine()
    for bind in config.bind:
        yield from _ports(bind, config)
        yield _announced(bind, config.announce)
    yield _segmentation(config)
    yield _grouping()
    yield from _buffers(config, machine)
    yield _lost(machine)
    yield _shards(config, machine)
    if config.tcp:
        yield _files(config)
    yield _cipher(machine)


def _address(bind: str) -> tuple[str, int]:
    """Address and port of a socket, as the server reads them. Raises ValueError."""
    host, _, port = bind.rpartition(":")
    if "%" in host:
        raise ValueError(f"{bind!r} names an interface, which is not read; write it without the % and what follows it")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    try:
        sound = ipaddress.ip_address(host).version == (6 if bracketed else 4)
    except ValueError:
        sound = False
    if not (sound and port.isascii() and port.isdigit() and int(port) <= MOST_PORT):
        raise ValueError(f"{bind!r} is no address; write it like 0.0.0.0:7882 or [::]:7882")
    return host, int(port)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _ports(bind: str, config: RelayConfig) -> Iterator[Finding]:
    host, first = _address(bind)
    kinds = ((socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP"))[: 2 if config.tcp else 1]
    last = first + (config.shards if first else 1) - 1
    if last > MOST_PORT:
        remedy = f"Shard i listens on port + i: choose one up to {MOST_PORT - config.shards + 1}, or fewer shards."
        yield Finding(f"UDP {bind}", Verdict.BROKEN, f"the last shard's port would be {last:,}", remedy)
        return
    for port in range(first, last + 1):
        for kind, name in kinds:
            check = f"{name} {bind.rpartition(':')[0]}:{port}"
            try:
                with socket.socket(_family(host), kind) as trial:
                    if kind is socket.SOCK_STREAM:
                        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    if trial.family == socket.AF_INET6:
                        trial.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    trial.bind((host, port))
            except OSError as error:
                yield Finding(check, Verdict.BROKEN, error.strerror or str(error), _bind_remedy(error, host, port))
                if error.errno != errno.EADDRINUSE:
                    return  # the other ports would say the same
            else:
                yield Finding(check, Verdict.OK, "free")


def _bind_remedy(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Something listens there (perhaps the relay itself): ss -lunpt 'sport = :{port}'; or choose a port."
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine: use one that `ip address` lists, or 0.0.0.0 with `announce`."
        case errno.EACCES:
            return "Ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher one."
        case errno.EAFNOSUPPORT:
            return "This machine has no IPv6: remove the address, or enable it (net.ipv6.conf.all.disable_ipv6=0)."
    return "Choose an address and port of this machine."


def _announced(bind: str, announce: list[str]) -> Finding:
    host, _ = _address(bind)
    check = f"announced for {bind}"
    own = ipaddress.ip_address(host)
    named = [ip for ip in map(_announceable, announce) if ip.version == own.version]
    addresses = named or [_outward(own) if own.is_unspecified else own]
    found = ", ".join(map(str, addresses))
    if not own.is_loopback and any(address.is_loopback for address in addresses):
        return Finding(check, Verdict.BROKEN, found, "No route leads off this machine: set `announce` to its address.")
    if own.is_loopback:
        return Finding(check, Verdict.WORSE, found, "Only programs on this machine reach it: bind 0.0.0.0 for others.")
    if all(address.is_private for address in addresses):
        remedy = "Only networks that reach it can join: behind NAT set `announce` to the public one, or run TURN."
        return Finding(check, Verdict.WORSE, f"{found} (private)", remedy)
    return Finding(check, Verdict.OK, found)


def _announceable(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        raise ValueError(f"{address!r} is no address; write it like 203.0.113.7 or 2001:db8::7") from None


def _outward(own: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address of the default route; nothing is sent."""
    far = "2001:db8::1" if own.version == 6 else "192.0.2.1"
    try:
        with socket.socket(_family(far), socket.SOCK_DGRAM) as asking:
            asking.connect((far, 9))
            return ipaddress.ip_address(asking.getsockname()[0])
    except OSError:
        return ipaddress.ip_address("::1" if own.version == 6 else "127.0.0.1")


def _segmentation(config: RelayConfig) -> Finding:
    check = "UDP segmentation offload (GSO)"
    if config.gso == "off":
        return Finding(check, Verdict.WORSE, "switched off", 'Set gso = "auto": forwarding then costs about half.')
    with _pair() as (sender, receiver):
        try:
            sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SEGMENT)
            sender.send(bytes(SEGMENT * SEGMENTS))
            got = [len(receiver.recv(65536)) for _ in range(SEGMENTS)]
        except OSError as error:
            remedy = "Linux 4.18 has it; some containers and virtual networks refuse it. The relay works without."
            return Finding(check, Verdict.WORSE, f"refused ({error.strerror or error})", remedy)
    if got != [SEGMENT] * SEGMENTS:
        return Finding(check, Verdict.WORSE, f"datagrams came as {got}", "The relay must run with gso off.")
    return Finding(check, Verdict.OK, f"{SEGMENTS} datagrams in one call")


def _grouping() -> Finding:
    check = "UDP receive grouping (GRO)"
    with _pair() as (_, receiver):
        try:
            receiver.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        except OSError as error:
            remedy = "Linux 5.0 or newer has it. The relay works without, at a higher cost per packet received."
            return Finding(check, Verdict.WORSE, f"refused ({error.strerror})", remedy)
    return Finding(check, Verdict.OK, "accepted")


@contextmanager
def _pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two UDP sockets on loopback, the first connected to the second."""
    make = (socket.AF_INET, socket.SOCK_DGRAM)
    with socket.socket(*make) as sender, socket.socket(*make) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(1.0)
        sender.connect(receiver.getsockname())
        yield sender, receiver


def _buffers(config: RelayConfig, machine: Machine) -> Iterator[Finding]:
    wanted = (("receive", config.receive_buffer, "rmem_max"), ("send", config.send_buffer, "wmem_max"))
    for name, size, limit in wanted:
        check = f"socket {name} buffer"
        allowed = machine.number(f"sys/net/core/{limit}")
        if allowed is None:
            yield Finding(check, Verdict.OK, "the limit cannot be read here")
        elif allowed >= size or _may_force(name, size):
            yield Finding(check, Verdict.OK, f"{size:,} bytes")
        else:
            remedy = f"sysctl -w net.core.{limit}={size} (and the same line in /etc/sysctl.d/), or CAP_NET_ADMIN."
            yield Finding(
                check, Verdict.WORSE, f"{allowed:,} of {size:,} bytes", remedy + " Bursts are lost meanwhile."
            )


def _may_force(name: str, size: int) -> bool:
    """Whether the limit does not bind us (CAP_NET_ADMIN)."""
    force, read = (SO_RCVBUFFORCE, socket.SO_RCVBUF) if name == "receive" else (SO_SNDBUFFORCE, socket.SO_SNDBUF)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.setsockopt(socket.SOL_SOCKET, force, size)
        except OSError:
            return False
        return trial.getsockopt(socket.SOL_SOCKET, read) >= size


def _lost(machine: Machine) -> Finding:
    check = "datagrams the kernel dropped"
    lost = machine.udp_errors("RcvbufErrors") + machine.udp_errors("SndbufErrors")
    all_of_them = machine.udp_errors("InDatagrams") + machine.udp_errors("OutDatagrams") + lost
    found = f"{lost:,} for want of buffers since the machine started"
    if lost <= NOTICEABLE * all_of_them:
        return Finding(check, Verdict.OK, found)
    remedy = "If it grows while a meeting runs: larger buffers (above), more shards, or fewer neighbours here."
    return Finding(check, Verdict.WORSE, found, remedy)


def _shards(config: RelayConfig, machine: Machine) -> Finding:
    check, found = "shards", f"{config.shards} on {machine.cpus} processors"
    if config.shards > machine.cpus:
        return Finding(check, Verdict.WORSE, found, f"They would wait for each other: set shards = {machine.cpus}.")
    return Finding(check, Verdict.OK, found)


def _files(config: RelayConfig) -> Finding:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 256 + (TCP_PEERS + 2 * len(config.bind)) * config.shards  # of each address one for UDP, one that listens
    found = f"{limit:,} open files allowed"
    if limit < needed:
        remedy = f"Media over TCP may need {needed:,}: LimitNOFILE={needed} in the service, or ulimit -n {needed}."
        return Finding("open files", Verdict.WORSE, found, remedy)
    return Finding("open files", Verdict.OK, found)


def _cipher(machine: Machine) -> Finding:
    flags = machine.cpu_flags()
    if not flags:
        return Finding("AES in hardware", Verdict.OK, "cannot be read here")
    if "aes" not in flags:
        return Finding("AES in hardware", Verdict.WORSE, "no", "Encryption costs several times more here.")
    return Finding("AES in hardware", Verdict.OK, "yes, vectors too" if "vaes" in flags else "yes")


def verdict(findings: list[Finding]) -> Verdict:
    """The worst of them."""
    order = list(Verdict)
    return max((finding.verdict for finding in findings), key=order.index, default=Verdict.OK)


def _configuration(options: argparse.Namespace) -> RelayConfig:
    """From the `[media]` table of a server's configuration, read as the server reads it, and from the options.

    Raises OSError, ValueError.
    """
    media = Media(bind=["0.0.0.0:7882"])
    if options.config is not None:
        try:
            media = msgspec.convert(tomllib.loads(options.config.read_text()).get("media", {}), Media, strict=False)
        except (msgspec.ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{options.config}: {error}") from None
    asked = {key: value for key in ("bind", "announce", "shards") if (value := getattr(options, key)) is not None}
    media = msgspec.structs.replace(media, **asked)
    if (mistake := media.mistake()) is not None:
        raise ValueError(mistake)
    return media.relay()


def _print(findings: list[Finding], write: Callable[[str], object] = print) -> None:
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        write(f"{WORDS[finding.verdict]}  {finding.check:<{width}}  {finding.found}")
        if finding.remedy:
            write(f"{'':<{width + 8}}  -> {finding.remedy}")


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m relay.doctor", description="Is this machine fit to relay media?")
    parser.add_argument("--config", type=Path, help="a server's configuration; its [media] table is used")
    parser.add_argument(
        "--bind",
        action="append",
        help="ip:port, may be given again (default: the configuration's; without one 0.0.0.0:7882)",
    )
    parser.add_argument("--announce", action="append", help="an address peers reach us at, may be given again")
    parser.add_argument("--shards", type=int, help="relay threads")
    parser.add_argument("--json", action="store_true", help="findings as JSON")
    options = parser.parse_args(arguments)
    try:
        config = _configuration(options)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    try:
        findings = list(examine(config))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    return {Verdict.OK: 0, Verdict.BROKEN: 1, Verdict.WORSE: 2}[verdict(findings)]


if __name__ == "__main__":
    sys.exit(main())
