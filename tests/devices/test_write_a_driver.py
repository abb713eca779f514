"""The page on writing a driver: what it shows is installed, run and tested, by the commands that it shows."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from devices.emulators.process import free_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "write-a-driver.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCK = re.compile(r"^```\w+\n# (?P<file>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = {found["file"]: found["text"] for found in BLOCK.finditer(TEXT)}
LINES = [line for block in COMMANDS.findall(TEXT) for line in block.splitlines()]
PORT = "4000"  # on the page
LONGEST_DRIVER = 200  # lines
SHOWN = {"drivers", "probe", "send", "selftest"}  # of `roomctl devices`
PATIENCE = 60.0  # seconds


def line(start: str) -> list[str]:
    """The one command line of the page that starts so."""
    (found,) = [one for one in LINES if one.startswith(start)]
    return shlex.split(found)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page's package was installed by the page's command, into a folder of its own."""
    folder = tmp_path_factory.mktemp("acme")
    command = line("pip install")
    package = folder / command[-1]
    for name, text in FILES.items():
        if name == "pyproject.toml" or name.startswith("acme_screen/"):
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            (package / name).write_text(text, encoding="utf-8")
    pip = [sys.executable, "-m", "uv", *command[:2], "--quiet", "--no-deps", "--target", str(folder / "site")]
    subprocess.run([*pip, *command[2:]], cwd=folder, check=True, timeout=PATIENCE)
    return folder / "site"


def environment(site: Path) -> dict[str, str]:
    """With the package beside what is installed here, and the commands of this environment first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {"PATH": path, "PYTHONPATH": str(site), "HOME": os.environ.get("HOME", "/"), "COLUMNS": "200"}


async def run(site: Path, command: list[str], *, cwd: Path = ROOT, within: float = PATIENCE) -> tuple[int, str]:
    """Its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment(site),
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(within):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, said.decode()


@asynccontextmanager
async def emulator(site: Path, port: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The page's emulator, run by the page's command, at another port."""
    command = [port if part == PORT else part for part in line("python -m devices.emulators")]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, env=environment(site), cwd=ROOT, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            said = ""
            while "`end` to end" not in said:
                part = await process.stdout.readline()
                assert part, f"it did not start: {said}"
                said += part.decode()
        assert f"roomctl devices probe --driver acme --set host=127.0.0.1 --set port={port}" in said
        yield process
        process.stdin.write(b"end\n")
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_installed_driver_is_found_tried_and_examined_by_the_commands_of_the_page(site: Path) -> None:
    shown = [one for one in LINES if one.startswith("roomctl devices")]
    assert {shlex.split(one)[2] for one in shown} == SHOWN
    port = str(free_port())
    async with emulator(site, port) as screen:
        for one in shown:
            code, said = await run(site, shlex.split(one.replace(f"port={PORT}", f"port={port}")))
            assert code == 0, f"{one}: {said}"
            assert "Acme" in said or "mute" in said, f"{one}: {said}"
        assert screen.stdin is not None
        assert screen.stdout is not None
        screen.stdin.write(b"state\n")
        assert b"MUTE=ON" in await screen.stdout.readline(), "`send` reached it"
        screen.stdin.write(b"unplugged\n")
        assert b"unplugged is on" in await screen.stdout.readline()
        code, said = await run(site, [part.replace(PORT, port) for part in line("roomctl devices probe")])
        assert code == 3, f"it does not answer: {said}"


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_the_suite_runs_it_under_every_fault_and_the_matrix_has_its_row(site: Path, tmp_path: Path) -> None:
    """In a copy of the tests, where its case is added as the page says."""
    for name in ("pyproject.toml", "docs/devices.md", "tests/__init__.py", "tests/conftest.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "tests" / "devices", tmp_path / "tests" / "devices")
    (tmp_path / "tests/devices/cases/acme.py").write_text(FILES["tests/devices/cases/acme.py"], encoding="utf-8")
    code, said = await run(site, [*line("pytest"), "-q", "-p", "no:cacheprovider"], cwd=tmp_path, within=170)
    assert code == 0, said
    passed = re.search(r"(\d+) passed", said)
    assert passed is not None
    assert int(passed[1]) > 12, "a row of faults"
    assert line("make matrix") == ["make", "matrix"]
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nmatrix:")[2].splitlines()[1]
    command = [sys.executable, *shlex.split(recipe.strip().lstrip("@"))[1:]]
    code, said = await run(site, command, cwd=tmp_path)
    assert code == 0, said
    page = (tmp_path / "docs/devices.md").read_text(encoding="utf-8")
    assert re.search(r"^\| acme \| fails: unreachable \| works \|", page, re.MULTILINE), "lost answers, and late ones"


def test_every_driver_is_short() -> None:
    """What a driver would need more lines for belongs to the framework, or to a noun beside it."""
    drivers = sorted((ROOT / "devices").glob("*/driver.py"))
    assert len(drivers) >= 12
    lengths = {file.parent.name: len(file.read_text(encoding="utf-8").splitlines()) for file in drivers}
    lengths["acme"] = len(FILES["acme_screen/driver.py"].splitlines())
    assert {name: length for name, length in lengths.items() if length >= LONGEST_DRIVER} == {}
