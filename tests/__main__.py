"""Run the Python tests: `python -m tests [PART…]`, by default all parts. Exit code 0 when every test has passed.

Devices mostly wait for time-outs and meetings compute, so these two run side by side; the whole network runs by itself.
Files in which a test failed are run once more at the end, when nothing else runs, and are named (decision 056).
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

SECOND_CHANCES = 3  # failures of a whole run; of more, the machine is not the cause
FAILED = 1  # pytest's exit code when tests failed
ABORTED = 2  # ours when it could not run them all
DEVICES = ["tests/devices", "tests/roomctl"]
NETWORK = ["tests/end_to_end"]
SIDE_BY_SIDE = {"rooms": DEVICES, "meetings": [f"--ignore={one}" for one in DEVICES + NETWORK]}
PARTS = [SIDE_BY_SIDE, {"end_to_end": NETWORK}]


async def _pytest(name: str, arguments: Sequence[str], folder: Path) -> int:
    """Run pytest in `folder` with each of its lines under `name`; its exit code."""
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", *arguments]
    command += ["-o", f"cache_dir={_cache(folder, name)}"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, limit=1 << 24
    )
    assert process.stdout is not None
    async for line in process.stdout:
        print(f"{name:10} | {line.decode(errors='replace')}", end="", flush=True)
    return await process.wait()


def _cache(folder: Path, name: str) -> Path:
    return folder / ".build" / "pytest" / name


def _failed(folder: Path, name: str) -> list[str]:
    """The tests of a part that failed, by pytest's cache."""
    kept = _cache(folder, name) / "v" / "cache" / "lastfailed"
    return list(json.loads(kept.read_bytes())) if kept.exists() else []


async def run(parts: Sequence[Mapping[str, Sequence[str]]], folder: Path) -> int:
    """Run groups of parts, a name and pytest's arguments each: those of a group side by side. The exit code."""
    failed: list[str] = []
    worst = 0
    for group in parts:
        for name in group:
            shutil.rmtree(_cache(folder, name), ignore_errors=True)
        codes = await asyncio.gather(*(_pytest(name, arguments, folder) for name, arguments in group.items()))
        for name, code in zip(group, codes, strict=True):
            names = _failed(folder, name)
            ended = code == 0 or (code == FAILED and names)
            worst = max(worst, code if ended else ABORTED)
            failed += names
    if worst != FAILED or not 0 < len(failed) <= SECOND_CHANCES:
        return worst
    files = list(dict.fromkeys(name.partition("::")[0] for name in failed))
    print(f"Once more, with nothing beside it: {', '.join(files)}", flush=True)
    again = await _pytest("again", files, folder)
    if again == 0:
        print("Passed only when nothing ran beside it; find out why:", *failed, sep="\n  ", flush=True)
    return again


def main(names: Sequence[str]) -> int:
    """Run the parts of these names, or all."""
    known = [name for group in PARTS for name in group]
    for name in names:
        if name not in known:
            print(f"There is no part {name!r}; there are {', '.join(known)}.", file=sys.stderr)
            return 2
    chosen = [{name: group[name] for name in group if not names or name in names} for group in PARTS]
    return asyncio.run(run([group for group in chosen if group], Path(__file__).parent.parent))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
