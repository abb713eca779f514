"""What the inputs of a projector are called: by the settings, by the projector itself, or by their kind.

Source: "PJLink Specifications" class 1 (1.04), 4.4 and 4.10 (`INPT`, `INST`): an input is a kind and a number; class 2
(2.00), 4.19 (`INNM`): what the projector calls it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from devices.errors import NotNow, NotSupported, Rejected

USUAL: Mapping[str, str] = {"hdmi1": "31", "hdmi2": "32"}
"""What may be chosen where the settings name no input, whatever the projector calls it; offered until it said what it has."""

KINDS = {"1": "rgb", "2": "video", "3": "digital", "4": "storage", "5": "network", "6": "internal"}
MOST = 16  # inputs whose names are asked
LONGEST = 64  # characters of a name
_CODE = re.compile("[1-6][1-9A-Z]")


def read_inputs(value: str) -> list[str]:
    """INST: the codes of the inputs there are; what is no code is left out."""
    return list(dict.fromkeys(code for code in value.upper().split() if _CODE.fullmatch(code)))


def read_name(value: str) -> str:
    """INNM: what people can read of a name."""
    return "".join(letter for letter in value if letter.isprintable()).strip()[:LONGEST]


class Inputs:
    """Name to code of the inputs that are offered; `missing`: those of the settings that the projector does not have.

    What it told is kept over connections, and asked again over each: names one by one, and no more of a
    slow one at a time than it can answer in time.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._codes = dict(settings or USUAL)
        self._model = ""
        self._told: dict[str, str] = {}  # code to name
        self._kept: set[str] = set()  # codes that were chosen by their kind, and are called so from then on
        self._listed = False  # it told what there is, over this connection
        self._due: list[str] = []  # codes whose names are to be asked
        self.missing: list[str] = []
        self.codes: list[str] = []  # there are, once it told

    @property
    def names(self) -> list[str]:
        """In the order in which they are offered."""
        return list(self._codes)

    @property
    def more(self) -> bool:
        """Whether there is more to ask, of what it told there is."""
        return bool(self._due)

    def connected(self, model: str) -> None:
        """Ask again over this connection; of another `model` nothing is known yet."""
        self._listed, self._due = False, []
        if model and self._model and model != self._model:
            self.codes, self.missing, self._codes = [], [], dict(self._settings or USUAL)
            self._told.clear()
            self._kept.clear()
        self._model = model or self._model

    async def ask(self, ask: Callable[[str, str], Awaitable[str]], enough: Callable[[], bool], *, names: bool) -> bool:
        """Learn which there are, and their `names` where the settings have none, until it is `enough`; False: it tells none."""
        if not self._listed:
            try:
                codes = read_inputs(await ask("INST", "?"))
            except (NotSupported, NotNow, Rejected):
                return False
            if not codes:
                return False
            self.codes, self._listed = codes, True
            asked = codes[:MOST] if names and not self._settings else []
            self._due = sorted(asked, key=lambda code: code in self._told)
        while self._due and not enough():
            with suppress(NotSupported, NotNow, Rejected):
                self._told[self._due[0]] = read_name(await ask("INNM", f"?{self._due[0]}"))
            del self._due[0]
        self.learn(self.codes, self._told)
        return True

    def learn(self, codes: list[str], told: Mapping[str, str]) -> None:
        """The projector has `codes` and calls them as it `told`; names that two inputs share tell nothing of either."""
        self.codes = codes
        if self._settings:
            self.missing = [f"{name} = {code}" for name, code in self._settings.items() if code not in codes]
            self._codes = {name: code for name, code in self._settings.items() if code in codes}
            return
        names = [(told.get(code) if code not in self._kept else None) or _by_kind(code) for code in codes]
        clear = len(set(names)) == len(codes)
        self._codes = {name if clear else _by_kind(code): code for name, code in zip(names, codes, strict=True)}

    def choose(self, name: str) -> str | None:
        """The code of `name`; an input that is asked for by its kind or usual name is called so from then on."""
        if self._settings or name in self._codes:
            code = self._codes.get(name)
        else:
            code = next((code for code in self._codes.values() if _by_kind(code) == name), None)
            self._codes = {name if one == code else called: one for called, one in self._codes.items()}
        if code is not None and name == _by_kind(code):
            self._kept.add(code)
        return code

    def name(self, code: str) -> str | None:
        """What the input shown is called, None when the projector does not say which that is."""
        called = next((name for name, one in self._codes.items() if one == code), None)
        return called or (_by_kind(code) if _CODE.fullmatch(code) else code) or None


def _by_kind(code: str) -> str:
    usual = next((name for name, one in USUAL.items() if one == code), None)
    return usual or f"{KINDS[code[0]]} {code[1]}"
