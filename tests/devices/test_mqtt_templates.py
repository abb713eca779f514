"""Templates of sensors' announcements: what is read, and that no other does harm."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nodes

from devices.mqtt import templates


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ 'ON' if value_json.o else 'OFF' }}", "ON"),
        ("{{ value_json.missing | default('OFF') }}", "OFF"),
        ("{% if value_json.a.b > 4 %}ON{% else %}OFF{% endif %}", "ON"),
        ("{{ (value_json.t | float(0) * 1.8 + 32) | round(1) }}", "69.8"),
        ("{{ value_json.t | int }}", "21"),
        ("{{ value_json['a'].b | round(1) }}", "4.6"),
        ("{{ value_json.o and value_json.t > 2 }}", "true"),
        ("{{ value_json.missing }}", None),
        ("{{ value_json.missing | float + 1 }}", None),
        ("{{ value_json.l[0] }}", "7"),
    ],
)
def test_common_templates_are_read(template: str, said: str | None) -> None:
    assert templates.known(template)
    assert templates.render(template, '{"o": true, "t": 21, "a": {"b": 4.567}, "l": [7]}') == said


@pytest.mark.parametrize(
    "template",
    [
        "{% for one in value_json %}{{ one }}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}",
        "{% set x = value %}{{ x }}",
        "{{ value.__class__.__mro__ }}",
        "{{ value.format(value) }}",
        "{{ states('x') }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ value ~ value }}",
        "{{ '9' * 999999999 }}",
        "{{ [1] * 999999999 }}",
        "{{ '%0999999999d' % 1 }}",
        "{{ value | center(999999999) }}",
        "{{ 1 | round(999999999, 'ceil') }}",
        "{{ 1 | round(-999999999) }}",
        "{{ " + "(" * 200 + "1" + ")" * 200 + " }}",
        "{{ value }}" * 47,
        "x" * 513,
    ],
)
def test_templates_that_loop_call_or_grow_are_not(template: str) -> None:
    with pytest.raises(templates.Unread):
        templates.render(template, "x" * 60_000)


LONG = {  # each as long as may be, or nearly
    "steps": "{{ value" + ".a" * 240 + " }}",
    "signs": "{{ " + "-" * 180 + "1 }}",
    "filters": "{{ value" + "|abs" * 120 + " }}",
    "denials": "{{ " + "not " * 120 + "1 }}",
    "brackets": "{{ value" + "[0]" * 160 + " }}",
    "parentheses": "{{ " + "(" * 250 + "1" + ")" * 250 + " }}",
    "lists": "{{ " + "[" * 250 + "]" * 250 + " }}",
    "sums": "{{ 1" + "+1" * 250 + " }}",
    "powers of conditions": "{{ " + "1 if 1 else " * 41 + "1 }}",
    "comparisons": "{{ 1" + "<1" * 250 + " }}",
    "conjunctions": "{{ 1" + " and 1" * 83 + " }}",
    "tests": "{{ 1" + " is none" * 60 + " }}",
    "items": "{{ [" + "1," * 250 + "] }}",
    "arguments": "{{ value|default(" + "1," * 240 + ") }}",
    "outputs": "{{value}}" * 56,
    "conditions": "{%if 1%}" * 28 + "{%endif%}" * 28,
    "branches": "{%if 1%}" + "{%elif 1%}" * 48 + "{%endif%}",
    "braces": "{" * 512,
    "comments": "{#" * 256,
    "quotes": "{{" + "'" * 510,
}


@pytest.mark.parametrize("shape", LONG)
def test_a_template_that_would_take_long_to_compile_is_refused_before_and_once(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = LONG[shape]
    parsed: list[str] = []
    parse = templates._ENVIRONMENT.parse
    assert len(template) <= templates.LONGEST

    def compile_it(*_: object) -> None:
        pytest.fail("compiled")

    def parse_it(text: str) -> nodes.Template:
        parsed.append(text)
        return parse(text)

    monkeypatch.setattr(templates._ENVIRONMENT, "from_string", compile_it)
    monkeypatch.setattr(templates._ENVIRONMENT, "parse", parse_it)
    templates._compiled.cache_clear()
    for _ in range(3):
        assert not templates.known(template)
        with pytest.raises(templates.Unread):
            templates.render(template, "1")
    words = sum(1 for _ in islice(templates._ENVIRONMENT.lexer.tokeniter(template, None), 200)) if parsed else 999
    assert len(parsed) <= 1, "a refusal is kept"
    assert not parsed or words <= templates.MOST_WORDS, "nothing long is parsed"


def test_what_cannot_be_compiled_is_not_read_and_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def fail(text: str) -> None:
        tried.append(text)
        raise SyntaxError("too many nested parentheses")

    templates._compiled.cache_clear()
    monkeypatch.setattr(templates._ENVIRONMENT, "from_string", fail)
    assert [templates.known("{{ value + 1 }}") for _ in range(3)] == [False] * 3
    assert len(tried) == 1
    templates._compiled.cache_clear()


def test_a_template_is_read_up_to_its_bounds() -> None:
    steps = templates.DEEPEST - 3  # within the template, its output and the value
    assert templates.known("{{ value" + ".a" * steps + " }}")
    assert not templates.known("{{ value" + ".a" * (steps + 1) + " }}")
    items = templates.MOST_NODES - 3
    assert templates.known("{{ [" + "1," * items + "] }}")
    assert not templates.known("{{ [" + "1," * (items + 1) + "] }}")
    assert templates.known("{{ value_json" + ".a" * 200 + " }}"), "keys alone need no Jinja"


def test_as_many_templates_as_many_sensors_have_stay_compiled() -> None:
    templates._compiled.cache_clear()
    for _ in range(2):
        for number in range(16 * 64):
            assert templates.known(f"{{{{ value + {number} }}}}")
    assert templates._compiled.cache_info().misses == 16 * 64


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_template_is_read_or_not(template: str, payload: str) -> None:
    for text in (template, "{{ " + template + " }}", "{% " + template + " %}"):
        with suppress(templates.Unread):
            templates.render(text, payload)
