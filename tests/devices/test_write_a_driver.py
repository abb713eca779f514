"""The page on writing a driver: its code is installed as a package and passes the conformance suite."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.registry import ENTRY_POINTS, Registry
from tests.devices import conformance, wheels
from tests.devices.cases.case import EVERY_FAULT, Case

PAGE = Path(__file__).parents[2] / "docs" / "write-a-driver.md"
BLOCK = re.compile(r"^```\w+\n# (?P<file>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LONGEST_DRIVER = 200  # lines
FILES = {found["file"]: found["text"] for found in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))}
FAULTS = [*EVERY_FAULT[:-3], "clock"]  # those that its case does not leave out


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """The page's case, its package installed."""
    folder = tmp_path_factory.mktemp("acme")
    points = tomllib.loads(FILES["pyproject.toml"])["project"]["entry-points"][ENTRY_POINTS]
    sources = {name: text for name, text in FILES.items() if name.startswith("acme_screen/")}
    site = wheels.install(folder, "acme_screen", {"acme_screen/__init__.py": "", **sources}, points)
    sys.path.insert(0, str(site))
    try:
        (folder / "case.py").write_text(FILES["tests/devices/cases/acme.py"])
        spec = importlib.util.spec_from_file_location("acme_case", folder / "case.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module.CASES[0]
    finally:
        sys.path.remove(str(site))
        for name in [name for name in sys.modules if name.startswith("acme_screen")]:
            del sys.modules[name]


def test_the_driver_is_short_and_found_by_its_entry_point(case: Case) -> None:
    driver = Registry.installed().driver("acme")
    assert driver is not None
    assert set(driver.capabilities()) == {"power", "mute"}
    assert len(FILES["acme_screen/driver.py"].splitlines()) < LONGEST_DRIVER


async def test_it_works(case: Case, tmp_path: Path) -> None:
    await conformance.works(case, tmp_path)


@pytest.mark.parametrize("fault", FAULTS)
async def test_it_holds_under_each_fault(case: Case, fault: str, tmp_path: Path) -> None:
    assert fault in case.tested
    await conformance.holds(case, fault, tmp_path)


def test_its_case_leaves_no_fault_unsaid(case: Case) -> None:
    assert {*case.tested, *case.without} == set(EVERY_FAULT)
    assert set(FAULTS) == set(case.tested)
