"""What failed runs once more, alone: what is broken still fails, and nothing that could not run passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.__main__ import SECOND_CHANCES, main, run

PASSES = "def test_good(): pass\n"
BROKEN = "def test_broken(): assert False\n"
ONCE = """
import pathlib
def test_once():
    seen = pathlib.Path("seen")
    before = seen.exists()
    seen.touch()
    assert before
"""
CRASHES = "import os\ndef test_crash(): os._exit({code})\n"


async def told(folder: Path, capfd: pytest.CaptureFixture[str], **files: str) -> tuple[int, str]:
    """The exit code and the words of a run of these files, each a part."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    code = await run([{name: [f"test_{name}.py"] for name in files}], folder)
    return code, capfd.readouterr().out


async def test_what_passes_runs_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, words = await told(tmp_path, capfd, a=PASSES, b=PASSES)
    assert code == 0
    assert "a          | 1 passed" in words
    assert "again" not in words


async def test_what_failed_beside_others_is_run_alone_and_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, words = await told(tmp_path, capfd, a=ONCE, b=PASSES)
    assert code == 0
    assert "again      | 1 passed" in words
    assert "find out why:\n  test_a.py::test_once" in words


async def test_what_is_broken_fails_though_others_pass_at_last(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, words = await told(tmp_path, capfd, a=ONCE, b=BROKEN)
    assert code == 1
    assert "again      | 1 failed, 1 passed" in words


async def test_what_its_own_file_breaks_fails_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    leaks = "left = []\ndef test_leaks(): left.append(1)\ndef test_clean(): assert not left\n"
    code, words = await told(tmp_path, capfd, a=leaks)
    assert code == 1
    assert "again      | 1 failed, 1 passed" in words


async def test_many_failures_have_no_second_chance(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    many = "".join(ONCE.replace("once", f"once{number}").replace("seen", f"s{number}") for number in range(4))
    assert many.count("def ") > SECOND_CHANCES
    code, words = await told(tmp_path, capfd, a=many)
    assert code == 1
    assert "again" not in words


@pytest.mark.parametrize("broken", [CRASHES.format(code=1), CRASHES.format(code=9), "import nowhere\n"])
async def test_a_run_that_ended_early_is_no_pass(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], broken: str
) -> None:
    code, _ = await told(tmp_path, capfd, a=broken, b=ONCE)
    assert code == 2


def test_a_wrong_name_is_told_the_right_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["room"]) == 2
    assert "rooms, meetings, end_to_end" in capsys.readouterr().err
