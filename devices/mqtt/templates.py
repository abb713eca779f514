"""Templates of announcements (Jinja, as Home Assistant's): the value that a payload holds. They come from the network.

What reads one value without looping, calling or building long text is taken, in Jinja's sandbox, and nothing else; most
only name a key, and need no Jinja at all. The others are bounded before they are parsed (by words) and before they are
compiled (by nodes and by depth, of which the time is more than the square), so that a message costs a few milliseconds.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any, Literal

import msgspec
from jinja2 import Environment, Template, nodes
from jinja2.exceptions import TemplateError, UndefinedError
from jinja2.filters import do_round
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST = 512  # characters of a template
MOST_DIGITS = 9  # to round to
MOST_WORDS = 160  # tokens, with the spaces between
MOST_NODES = 32  # of the tree that is compiled
DEEPEST = 16  # of these within another
KEPT = 2048  # templates compiled at a time: a template per source of 32 devices
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
    made = _Sandbox(
        finalize=lambda value: str(value).lower() if isinstance(value, bool) else value,
        cache_size=0,
        optimized=False,  # which takes as long as all the rest, for constants that these have not
    )
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


def known(template: str) -> bool:
    """It can be read by."""
    return path_of(template) is not None or _compiled(template) is not None


@lru_cache(KEPT)
def _compiled(template: str) -> Template | None:
    """None, for good, of one that is not read."""
    if len(template) > LONGEST:
        return None
    try:
        words = islice(_ENVIRONMENT.lex(template), MOST_WORDS + 1)
        if sum(1 for _ in words) > MOST_WORDS or not all(map(_taken, _nodes(_ENVIRONMENT.parse(template)))):
            return None
        return _ENVIRONMENT.from_string(template)
    except (TemplateError, RecursionError, ArithmeticError, MemoryError, SyntaxError, TypeError, ValueError):
        return None


def _nodes(root: nodes.Node) -> list[nodes.Node]:
    """Every node; raises Unread as soon as they are too many or too deep."""
    found = level = [root]
    for _ in range(DEEPEST):
        level = [each for one in level for each in one.iter_child_nodes()]
        if not level:
            return found
        found = found + level
        if len(found) > MOST_NODES:
            break
    raise Unread("is too long")


def _taken(node: nodes.Node) -> bool:
    match node:
        case nodes.Name(name=name):
            return name in NAMES
        case nodes.Filter(name=name):
            return name in FILTERS and node.dyn_args is None and node.dyn_kwargs is None
        case nodes.Test(name=name):
            return name in TESTS
    return isinstance(node, TAKEN)


def render(template: str, payload: str) -> str | None:
    """What comes of a payload, None when it says nothing of this; raises Unread."""
    try:
        if (compiled := _compiled(template)) is None:
            raise Unread("is not read")
        said: dict[str, Any] = {"value": payload}
        with suppress(msgspec.DecodeError):
            said["value_json"] = msgspec.json.decode(payload)
        text = compiled.render(said).strip()
    except UndefinedError:
        return None
    except (TemplateError, RecursionError, ArithmeticError, TypeError, ValueError, SyntaxError) as error:
        raise Unread(str(error)[:100]) from None
    if len(text) > LONGEST_VALUE:
        raise Unread("too long")
    return text if text not in ("", "None") else None
