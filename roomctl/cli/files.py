"""Files that settings of devices name: whether they are there, and what is needed of them."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from devices import DeviceConfig
from devices.marks import READS, WRITES, marked
from devices.registry import Registry
from roomctl.cli.fields import written
from roomctl.config import Problem

Wrong = tuple[str, str] | None  # the problem, and its remedy


def problems_of_files(config: Path, devices: Mapping[int, DeviceConfig], known: Registry) -> list[Problem]:
    """What is wrong with the files of `devices`, by their number in the room's file, from whose folder paths are taken."""
    looks: tuple[tuple[Mapping[str, object], Callable[[Path], Wrong]], ...] = ((READS, _unread), (WRITES, _unwritten))
    problems = []
    for index, device in devices.items():
        driver = known.driver(device.driver)
        settings = driver.manifest.settings if driver is not None else Struct
        for mark, wrong_with in looks:
            for at, value in marked(device.settings, settings, mark):
                if isinstance(value, str) and (wrong := wrong_with(config.resolve().parent / value)):
                    key = written(("devices", index, "settings", *at))
                    problems.append(Problem(key, *wrong, "config.file_missing"))
    return problems


def _unread(file: Path) -> Wrong:
    """Certificates of an authority."""
    remedy = "put the certificate (PEM) of who signed the device's there, or correct the path"
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        return f"names {file}, which holds no certificate", remedy
    except OSError as error:
        return f"names {file}, which cannot be read ({error.strerror})", remedy
    return None


def _unwritten(file: Path) -> Wrong:
    """A file that a driver keeps, and makes with its folder when there is none."""
    if file.is_dir():
        return f"names {file}, which is a folder", "name a file in it"
    there = next(folder for folder in file.parents if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        return f"names {file}, which cannot be written", f"give the agent's user the right to write in {there}"
    return None
