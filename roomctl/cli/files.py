"""Files that settings of devices name: whether they are there, and what is needed of them."""

from __future__ import annotations

import errno
import ssl
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from devices import DeviceConfig
from devices.marks import READS, WRITES, marked
from devices.registry import Registry
from roomctl.cli.fields import written
from roomctl.config import Problem

Wrong = tuple[str, str] | None  # the problem, and its remedy

ZERO = ("is no path: it holds a zero byte", "correct the path")
CERTAIN = frozenset((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP))
"""What any user would meet at a path; rights, and what a disk is up to, differ."""


def problems_of_files(config: Path, devices: Mapping[int, DeviceConfig], known: Registry) -> list[Problem]:
    """What is wrong with the files of `devices`, by their number in the room's file, from whose folder paths are taken.

    Only what is wrong for everybody: who checks a room's file need not have the rights of the agent's user.
    """
    looks: tuple[tuple[Mapping[str, object], Callable[[Path], Wrong]], ...] = ((READS, _unread), (WRITES, _unwritten))
    problems = []
    for index, device in devices.items():
        driver = known.driver(device.driver)
        settings = driver.manifest.settings if driver is not None else Struct
        for mark, wrong_with in looks:
            for at, value in marked(device.settings, settings, mark):
                if not isinstance(value, str):
                    continue
                wrong = ZERO if "\0" in value else wrong_with(config.resolve().parent / value)
                if wrong is not None:
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
        return (f"names {file}, which cannot be read ({error.strerror})", remedy) if error.errno in CERTAIN else None
    return None


def _unwritten(file: Path) -> Wrong:
    """A file that a driver keeps, and makes with its folder when there is none."""
    try:
        is_folder = stat.S_ISDIR(file.stat().st_mode)
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = f"names {file}, which cannot be written ({error.strerror})"
        return (problem, "correct the path") if error.errno in CERTAIN else None
    return (f"names {file}, which is a folder", "name a file in it") if is_folder else None
