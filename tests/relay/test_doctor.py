"""The doctor looks at real sockets of this machine, and at a machine made of files."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from relay.config import RelayConfig
from relay.doctor import Finding, Machine, Verdict, examine, main, verdict

LOOPBACK = RelayConfig(bind=["127.0.0.1:0"], receive_buffer=65536, send_buffer=65536)


def machine(folder: Path, **files: str) -> Machine:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Machine(proc=folder, cpus=2)


def of(check: str, config: RelayConfig, on: Machine) -> Finding:
    return next(finding for finding in examine(config, on) if finding.check.startswith(check))


def test_on_this_machine_offload_works_and_nothing_is_broken() -> None:
    findings = {finding.check: finding for finding in examine(LOOPBACK)}
    assert findings["UDP segmentation offload (GSO)"].verdict is Verdict.OK
    assert findings["UDP 127.0.0.1:0"].verdict is Verdict.OK
    assert not [finding for finding in findings.values() if finding.verdict is Verdict.BROKEN]


@pytest.mark.parametrize(("kind", "name"), [(socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP")])
def test_a_port_in_use_is_named_with_how_to_find_who(kind: int, name: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        finding = of(name, RelayConfig(bind=[f"127.0.0.1:{port}"]), Machine())
    assert finding.verdict is Verdict.BROKEN
    assert f"sport = :{port}" in finding.remedy


def test_an_address_that_is_not_ours_is_broken_once(tmp_path: Path) -> None:
    config = RelayConfig(bind=["192.0.2.77:7882"], shards=4)
    broken = [finding for finding in examine(config, Machine()) if finding.verdict is Verdict.BROKEN]
    assert [finding.check for finding in broken] == ["UDP 192.0.2.77:7882"]
    assert "ip address" in broken[0].remedy


def test_small_buffers_come_with_the_command_that_raises_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.doctor._may_force", lambda name, size: False)
    small = machine(tmp_path, sys__net__core__rmem_max="212992\n", sys__net__core__wmem_max="9000000\n")
    config = RelayConfig(bind=["127.0.0.1:0"])
    assert "sysctl -w net.core.rmem_max=8388608" in of("socket receive", config, small).remedy
    assert of("socket send", config, small).verdict is Verdict.OK


def test_what_the_kernel_dropped_counts_against_all_it_carried(tmp_path: Path) -> None:
    lines = "Udp: InDatagrams OutDatagrams RcvbufErrors SndbufErrors\nUdp: {} 100 {} 0\n"
    assert of("datagrams", LOOPBACK, machine(tmp_path, net__snmp=lines.format(900, 50))).verdict is Verdict.WORSE
    assert of("datagrams", LOOPBACK, machine(tmp_path, net__snmp=lines.format(900000, 50))).verdict is Verdict.OK


def test_shards_and_processor(tmp_path: Path) -> None:
    slow = machine(tmp_path, cpuinfo="flags\t\t: fpu sse2\n")
    assert "shards = 2" in of("shards", RelayConfig(bind=["127.0.0.1:0"], shards=3), slow).remedy
    assert of("AES", LOOPBACK, slow).verdict is Verdict.WORSE
    assert of("AES", LOOPBACK, machine(tmp_path, cpuinfo="flags\t\t: fpu aes\n")).verdict is Verdict.OK


def test_announced_addresses(tmp_path: Path) -> None:
    def announced(bind: str, *announce: str) -> Finding:
        return of("announced", RelayConfig(bind=[bind], announce=list(announce)), Machine())

    assert announced("0.0.0.0:0", "1.2.3.4").found == "1.2.3.4"
    assert "announce" in announced("127.0.0.1:0").remedy or "0.0.0.0" in announced("127.0.0.1:0").remedy
    assert announced("0.0.0.0:0", "127.0.0.1").verdict is Verdict.BROKEN
    assert "public" in announced("0.0.0.0:0", "10.1.2.3").remedy


def test_as_a_command_with_a_servers_configuration(tmp_path: Path) -> None:
    config = tmp_path / "signaling.toml"
    config.write_text('[media]\nbind = ["192.0.2.77:7882"]\n')
    command = [sys.executable, "-m", "relay.doctor", "--config", str(config), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 1
    assert json.loads(run.stdout)[0]["check"] == "UDP 192.0.2.77:7882"


def written(folder: Path, media: str) -> str:
    file = folder / "signaling.toml"
    file.write_text(f"[media]\n{media}\n")
    return str(file)


def checks(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    main([*arguments, "--json"])
    return [finding["check"] for finding in json.loads(capsys.readouterr().out)]


def test_where_tcp_is_off_it_is_not_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        media = f'bind = ["127.0.0.1:{port}"]\ntcp = '
        assert main(["--config", written(tmp_path, media + "true")]) == 1
        capsys.readouterr()
        looked_at = checks(capsys, "--config", written(tmp_path, media + "false"))
        assert main(["--config", written(tmp_path, media + "false")]) != 1
    assert f"UDP 127.0.0.1:{port}" in looked_at
    assert not [check for check in looked_at if check.startswith(("TCP", "open files"))]


def test_what_a_configuration_leaves_out_is_as_the_server_takes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checks(capsys, "--config", written(tmp_path, ""))[:2] == ["UDP 127.0.0.1:7882", "TCP 127.0.0.1:7882"]
    assert checks(capsys)[:1] == ["UDP 0.0.0.0:7882"]  # no server's configuration: as one that others reach would


@pytest.mark.parametrize(
    ("media", "words"),
    [
        ("shards = 0", "media.shards must be 1 to 64"),
        ("last_video = 0", "media.last_video"),
        ('bnd = ["127.0.0.1:7882"]', "bnd"),
        ('bind = "127.0.0.1:7882"', "bind"),
        ("shards = ", "signaling.toml"),
    ],
)
def test_what_the_server_refuses_is_refused(
    media: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--config", written(tmp_path, media)])
    assert words in capsys.readouterr().err


def test_options_take_the_place_of_what_the_configuration_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = written(tmp_path, 'bind = ["127.0.0.1:7882"]\nshards = 2')
    looked_at = checks(capsys, "--config", config, "--bind", "127.0.0.1:0", "--shards", "1")
    assert looked_at[:3] == ["UDP 127.0.0.1:0", "TCP 127.0.0.1:0", "announced for 127.0.0.1:0"]
    with pytest.raises(SystemExit):
        main(["--config", config, "--shards", "0"])


@pytest.mark.parametrize(
    "wrong",
    [
        *("7882", ":7882", "localhost:7882", "1.2.3.4:x", "127.0.0.1:70000", "127.0.0.1:-1", "127.0.0.1:65536"),
        *("[::1]:+1", "::1:7882", "[127.0.0.1]:7882", "[::1:7882", "::1]:7882", "[[::1]]:7882"),
    ],
)
def test_a_malformed_address_says_how_to_write_it(
    wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["--bind", wrong], ["--config", written(tmp_path, f'bind = ["{wrong}"]')]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        said = capsys.readouterr().err
        assert f"{wrong!r} is no address; write it like 0.0.0.0:7882 or [::]:7882" in said


def test_an_address_of_an_interface_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--bind", "[fe80::1%eth0]:7882"])
    assert ended.value.code == 2
    assert "'[fe80::1%eth0]:7882' names an interface" in capsys.readouterr().err


def test_what_cannot_be_announced_says_how_to_write_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--bind", "127.0.0.1:0", "--announce", "meet.example.org"])
    assert "'meet.example.org' is no address; write it like 203.0.113.7" in capsys.readouterr().err


def test_the_last_shards_port_is_a_port(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--bind", "127.0.0.1:65535", "--shards", "2"]) == 1
    said = capsys.readouterr().out
    assert "the last shard's port would be 65,536" in said and "up to 65534" in said


def test_the_verdict_is_the_worst() -> None:
    order = [Finding("a", Verdict.WORSE, ""), Finding("b", Verdict.BROKEN, ""), Finding("c", Verdict.OK, "")]
    assert verdict(order) is Verdict.BROKEN
    assert verdict([]) is Verdict.OK


def test_files_are_enough_for_the_connections_that_the_relay_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = (Path(__file__).parents[2] / "relay/engine/src/streams.rs").read_text()
    most = re.search(r"MAX_STREAMS: usize = (\d+)", streams)
    assert most is not None
    needed = 256 + 2 * (int(most[1]) + 2 * 2)  # of two shards, each with two sockets at each of two addresses
    config = RelayConfig(bind=["127.0.0.1:0", "[::1]:0"], shards=2)
    for limit, found in ((needed, Verdict.OK), (needed - 1, Verdict.WORSE)):
        monkeypatch.setattr("resource.getrlimit", lambda which, limit=limit: (limit, limit))
        assert of("open files", config, machine(tmp_path)).verdict is found
