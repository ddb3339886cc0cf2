"""The small mistakes that tests are tried against."""

from __future__ import annotations

from pathlib import Path

import pytest

from proving.mutants.operators import Mutant, mutants_of
from proving.mutants.patches import functions_of, is_patch, patch


def mutants(folder: Path, source: str) -> list[Mutant]:
    file = folder / "module.py"
    file.write_text(source)
    return list(mutants_of(file))


@pytest.mark.parametrize(
    ("line", "mistakes"),
    [
        ("a < b", {"a <= b"}),
        ("a < b == c", {"a <= b == c", "a < b != c"}),
        ("a is not None", {"a is None"}),
        ("x - y / z", {"x + y / z", "y * z"}),
        ("a += 2", {"a -= 2", "3"}),
        ("not a or b", {"not a and b", "a"}),
        ("f(True)", {"pass", "False"}),
        ("await f()", {"pass"}),
        ("return f(1)", {"2"}),
        ("return 'a' < b", {"'a' <= b"}),
    ],
)
def test_a_mistake_is_one_small_thing(tmp_path: Path, line: str, mistakes: set[str]) -> None:
    found = mutants(tmp_path, f"async def g(a, b, c, x, y, z):\n    {line}\n")

    assert {mutant.after for mutant in found} == mistakes


@pytest.mark.parametrize(
    "source",
    [
        "from typing import Literal\na: Literal[1]\n",
        "def f(a: int = None) -> Literal[1]: ...\n",
        "@dataclass(frozen=True)\nclass A: ...\n",
        "def f(a):\n    return zip(a, a, strict=True)\n",
        "def f(a):\n    raise ValueError(f'{a + 1}')\n",
        "def f(a):\n    assert_never(a)\n",
        "'''1 < 2'''\n",
    ],
)
def test_types_texts_and_declarations_are_left_as_they_are(tmp_path: Path, source: str) -> None:
    assert [mutant.after for mutant in mutants(tmp_path, source)] == []


def test_what_follows_a_mistake_stays_on_its_line(tmp_path: Path) -> None:
    source = "def f(a):\n    b = (\n        a +\n        a\n    )\n    f(\n        b\n    )\n    return b\n"

    found = mutants(tmp_path, source)

    assert [(mutant.line, mutant.lines) for mutant in found] == [(3, range(2, 6)), (6, range(6, 9))]
    assert {mutant.source.splitlines()[8] for mutant in found} == {"    return b"}
    assert {len(mutant.source.splitlines()) for mutant in found} == {9}


def test_a_mistake_is_in_a_function_or_made_by_the_import(tmp_path: Path) -> None:
    found = mutants(tmp_path, "A = 1\ndef f(a=2):\n    return a + A\n")

    assert [(mutant.after, mutant.is_in_function) for mutant in found] == [
        ("2", False),
        ("3", False),
        ("a - A", True),
    ]
    assert [is_patch(mutant) for mutant in found] == [False, False, True]


def test_a_function_that_somebody_holds_has_the_mistake_too(tmp_path: Path) -> None:
    source = "def outer(n):\n    def inner(a):\n        return a + n\n    return inner\n"
    [mutant] = mutants(tmp_path, source)
    names: dict[str, object] = {}
    exec(compile(source, str(mutant.file.resolve()), "exec"), names)
    outer = names["outer"]
    inner = outer(2)  # type: ignore[operator]

    patch(functions_of(mutant.file), mutant)

    assert inner(5) == 3
    assert outer(1)(5) == 4  # type: ignore[operator]


def test_a_function_with_other_outer_variables_cannot_be_patched(tmp_path: Path) -> None:
    source = "def outer(n):\n    def inner(a):\n        print(n)\n        return a\n    return inner\n"

    [mutant] = mutants(tmp_path, source)

    assert mutant.after == "pass"
    assert not is_patch(mutant)
