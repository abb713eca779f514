"""Templates of announcements (Jinja, as Home Assistant's): the value that a payload holds. They come from the network.

What reads one value without looping, calling or building long text is taken, in Jinja's sandbox, and nothing else; most
only name a key, and need no Jinja at all.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import Any, Literal

import msgspec
from jinja2 import Environment, Template, nodes
from jinja2.exceptions import TemplateError, UndefinedError
from jinja2.filters import do_round
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST = 512  # characters of a template
MOST_DIGITS = 9  # to round to
KEPT = 256  # templates compiled at a time
LONGEST_VALUE = 1024  # characters of what comes of one
FILTERS = ("default", "d", "float", "int", "round", "abs", "lower", "upper", "trim", "is_defined")
TESTS = (
    "defined",
    "undefined",
    "none",
    "number",
    "string",
    "mapping",
    "true",
    "false",
    "eq",
    "ne",
    "lt",
    "gt",
    "le",
    "ge",
    "in",
)
TAKEN = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem),
    *(nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.CondExpr, nodes.If, nodes.And, nodes.Or, nodes.Not),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos),
    *(nodes.List, nodes.Tuple),
)
NAMES = ("value", "value_json")
_PLAIN = re.compile(
    r"^\{\{\s*value(?P<path>_json(?:\.\w+|\[\s*'[^']*'\s*\]|\[\s*\"[^\"]*\"\s*\])+)?"
    r"(?:\s*\|\s*(?:float|int|round|is_defined)(?:\([\w., ]*\))?)*\s*\}\}$"
)
_STEP = re.compile(r"\.(\w+)|\[\s*['\"]([^'\"]*)['\"]\s*\]")

Path = tuple[str, ...]


class Unread(ValueError):
    """Nothing can be read from a payload by this template."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Arithmetic is of numbers alone: text and lists would grow."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """See Jinja."""
        numbers = [float(one) if isinstance(one, int | float) else None for one in (left, right)]
        if None in numbers:
            raise Unread(f"{operator} of what is no number")
        return super().call_binop(context, operator, *numbers)


def _rounded(value: float, precision: int = 0, method: Literal["common", "ceil", "floor"] = "common") -> float:
    """As in Jinja, for a precision that does not take for ever."""
    if not isinstance(precision, int) or abs(precision) > MOST_DIGITS:
        raise Unread("rounds too far")
    return do_round(float(value), precision, method)


def _environment() -> Environment:
    made = _Sandbox(finalize=lambda value: str(value).lower() if isinstance(value, bool) else value, cache_size=0)
    made.filters = {name: made.filters[name] for name in FILTERS if name in made.filters}
    made.filters |= {"is_defined": lambda one: one, "round": _rounded}
    made.tests = {name: test for name, test in made.tests.items() if name in TESTS}
    made.globals = {}
    return made


_ENVIRONMENT = _environment()


def path_of(template: str) -> Path | None:
    """The steps into a JSON payload that a template takes; None when it does more than that."""
    if len(template) > LONGEST or not (found := _PLAIN.match(template.strip())):
        return None
    return tuple(dot or bracket for dot, bracket in _STEP.findall(found["path"] or ""))


@lru_cache(KEPT)
def known(template: str) -> bool:
    """It can be read by."""
    if path_of(template) is not None:
        return True
    if len(template) > LONGEST:
        return False
    try:
        return all(map(_taken, _nodes(_ENVIRONMENT.parse(template))))
    except (TemplateError, RecursionError, ValueError):
        return False


def _nodes(root: nodes.Node) -> list[nodes.Node]:
    found = [root]
    for one in found:
        found += one.iter_child_nodes()
    return found


def _taken(node: nodes.Node) -> bool:
    match node:
        case nodes.Name(name=name):
            return name in NAMES
        case nodes.Filter(name=name):
            return name in FILTERS and node.dyn_args is None and node.dyn_kwargs is None
        case nodes.Test(name=name):
            return name in TESTS
    return isinstance(node, TAKEN)


@lru_cache(KEPT)
def _compiled(template: str) -> Template:
    if not known(template):
        raise Unread("is not read")
    return _ENVIRONMENT.from_string(template)


def render(template: str, payload: str) -> str | None:
    """What comes of a payload, None when it says nothing of this; raises Unread."""
    try:
        said: dict[str, Any] = {"value": payload}
        with suppress(msgspec.DecodeError):
            said["value_json"] = msgspec.json.decode(payload)
        text = _compiled(template).render(said).strip()
    except UndefinedError:
        return None
    except (TemplateError, RecursionError, ArithmeticError, TypeError, ValueError, SyntaxError) as error:
        raise Unread(str(error)[:100]) from None
    if len(text) > LONGEST_VALUE:
        raise Unread("too long")
    return text if text not in ("", "None") else None
