"""What a measure is: it follows everything that the measure refers to, and nothing that does not change its numbers."""

from __future__ import annotations

import copy
import importlib
import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from optionchain.measures import short_strangle, terminal_price
from optionchain.sweeps.identity import Identity, identified

MINE = '''\
"""A module of somebody's own."""
import dataclasses
import enum
import functools
import math

import numpy as np

import theirs
from theirs import scaled

LEVEL = 100.0
WEIGHTS = {"near": 0.75, "far": (0.25, [1, 2])}


def plain(block):
    """How far beyond the level a path ends."""
    return helper(block.prices[:, -1])  # in currency units


def helper(values):
    return scaled(np.maximum(values - LEVEL, 0.0)) * WEIGHTS["near"]


def by_module(block):
    return theirs.scaled(block.prices[:, -1])


def imports_late(block):
    from theirs import scaled as late

    return late(block.prices[:, -1])


def above(limit, *, sign=1.0):
    def measure(block, offset=0.0):
        """Nested."""
        return sign * (block.prices[:, -1] - limit - offset)

    return measure


class Base:
    def value(self, block):
        return helper(block.prices[:, -1])


class Callable_(Base):
    """An object with a measure."""

    name = "callable"
    factor = 2.0

    def __init__(self, power):
        self.power = power

    def __call__(self, block):
        """Call it."""
        return self.value(block) ** self.power * self.factor

    def method(self, block):
        return self(block)


@functools.cache
def cached(x):
    return math.exp(x) * LEVEL


def uses_cache(block):
    return block.prices[:, -1] * cached(1.0)


def even(block, n=4):
    return block.prices[:, 0] if n == 0 else odd(block, n - 1)


def odd(block, n=3):
    return block.prices[:, 1] if n == 0 else even(block, n - 1)


class Side(enum.Enum):
    UP = 1.0
    DOWN = -1.0


@dataclasses.dataclass(frozen=True)
class Term:
    side: Side
    weights: tuple[float, ...] = (1.0, 2.0)

    @property
    def label(self) -> str:
        return f"{self.side.name:>5} {len(self.weights)}"

    def __call__(self, block) -> "list[float]":
        """As a function."""
        def inner(x: float) -> float:
            "Within."
            return x * self.side.value

        match block.paths:
            case 0:
                return []
            case int(n) if (m := n) > 1:
                pass
        try:
            total = sum(w * inner(y) for w in self.weights for y in [LEVEL, *self.weights])
        except (ValueError, KeyError) as error:
            raise RuntimeError(f"not {error!r}") from error
        return [helper(x) + total for x in {k: v for k, v in zip("ab", block.prices)}.values()]


class Deeper(Callable_):
    def __call__(self, block):
        return super().__call__(block) + 1.0


twice = lambda block: 2.0 * helper(block.prices[:, -1])  # noqa: E731
'''
THEIRS = """\
def scaled(values):
    return values * 3.0


def unused(values):
    return values
"""
MEASURES: dict[str, Callable[[ModuleType], object]] = {
    "plain": lambda mine: mine.plain,
    "by_module": lambda mine: mine.by_module,
    "imports_late": lambda mine: mine.imports_late,
    "closure": lambda mine: mine.above(3.0),
    "instance": lambda mine: mine.Callable_(2.0),
    "bound": lambda mine: mine.Callable_(2.0).method,
    "cached": lambda mine: mine.uses_cache,
    "recursive": lambda mine: mine.even,
    "lambda": lambda mine: mine.twice,
    "dataclass": lambda mine: mine.Term(mine.Side.DOWN),
    "subclass": lambda mine: mine.Deeper(2.0),
}


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[..., ModuleType]]:
    """Import somebody's modules, with other texts in the places of some."""
    numbers = itertools.count()
    before = list(sys.path)

    def imported(*changes: tuple[str, str], path: Path | None = None) -> ModuleType:
        folder = path or tmp_path / str(next(numbers))
        folder.mkdir(exist_ok=True)
        texts = {"mine": MINE, "theirs": THEIRS}
        for old, new in changes:
            assert any(old in text for text in texts.values()), old
            texts = {name: text.replace(old, new) for name, text in texts.items()}
        for name, text in texts.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
            sys.modules.pop(name, None)
        sys.path[:] = [str(folder), *before]
        importlib.invalidate_caches()
        return importlib.import_module("mine")

    yield imported
    sys.path[:] = before
    for name in ("mine", "theirs"):
        sys.modules.pop(name, None)


def of(module: ModuleType, measure: str) -> Identity:
    return identified(MEASURES[measure](module))


@pytest.mark.parametrize("measure", MEASURES)
def test_the_same_text_elsewhere_is_the_same_measure(load, measure):
    assert of(load(), measure) == of(load(), measure)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "change",
    [
        ('"""How far beyond the level a path ends."""', '"""Something else\n\n    at length."""'),
        ('    """How far beyond the level a path ends."""\n', ""),
        ('        """Nested."""\n', '        """Within, a dollar\'s worth."""\n'),
        ('    """Call it."""\n', ""),
        ('    """An object with a measure."""\n', ""),
        ("  # in currency units", ""),
        ("helper(block.prices[:, -1])  # in", "helper(\n        block.prices[:, -1]\n    )  # in"),
        ('"""A module of somebody\'s own."""\n', '"""A module."""\n\n\n'),
        ('        """As a function."""\n', ""),
        ('            "Within."\n', ""),
        ("def unused(values):\n    return values", "def unused(values):\n    return -values"),
    ],
)
def test_what_changes_no_number_changes_no_identity(load, measure, change):
    assert of(load(), measure) == of(load(change), measure)


@pytest.mark.parametrize(
    ("measures", "change"),
    [
        (("plain", "instance", "bound", "lambda"), ("    return scaled(np", "    return 1.5 * scaled(np")),
        (("plain", "instance", "bound", "cached", "lambda"), ("LEVEL = 100.0", "LEVEL = 100.00000000000001")),
        (("plain", "instance", "lambda"), ('"near": 0.75', '"near": 0.5')),
        (("plain", "by_module", "imports_late", "instance", "lambda"), ("values * 3.0", "values * 4.0")),
        (("closure",), ("- limit - offset", "- limit + offset")),
        (("closure",), ("offset=0.0", "offset=1.0")),
        (("closure",), ("sign=1.0", "sign=-1.0")),
        (("instance", "bound"), ("factor = 2.0", "factor = 2.5")),
        (("instance", "bound"), ("** self.power", "** -self.power")),
        (("instance", "bound"), ("        return helper(block", "        return -helper(block")),
        (("bound",), ("return self(block)", "return -self(block)")),
        (("cached",), ("math.exp(x)", "math.exp(-x)")),
        (("recursive",), ("return block.prices[:, 1] if", "return block.prices[:, 2] if")),
        (("lambda",), ("2.0 * helper", "2.5 * helper")),
        (("dataclass",), ("DOWN = -1.0", "DOWN = -2.0")),
        (("dataclass",), ("(1.0, 2.0)", "(1.0, 2.5)")),
        (("dataclass",), ("x * self.side.value", "x / self.side.value")),
        (("dataclass",), ("case 0:", "case 1:")),
        (("subclass",), ("+ 1.0", "+ 2.0")),
        (("subclass",), ("** self.power", "** -self.power")),
    ],
)  # fmt: skip
def test_what_a_measure_uses_is_a_part_of_it(load, measures, change):
    before = {measure: of(load(), measure).digest for measure in measures}
    after = {measure: of(load(change), measure).digest for measure in measures}

    assert [measure for measure in measures if before[measure] == after[measure]] == []


def test_a_measure_is_the_same_after_it_was_copied(load):
    mine = load()
    before = [of(mine, measure).digest for measure in MEASURES]

    copy.deepcopy([mine.Callable_(1.0), mine.Term(mine.Side.UP), mine.Deeper(1.0)])

    assert [of(mine, measure).digest for measure in MEASURES] == before


def test_what_is_given_to_a_measure_is_a_part_of_it(load):
    mine = load()
    given = [
        mine.above(3.0), mine.above(4.0), mine.above(3.0, sign=-1.0), mine.Callable_(2.0), mine.Callable_(3.0),
        mine.Callable_(np.array([1.0])), mine.Callable_(np.array([1.0], dtype=np.float32)), mine.Callable_({"a"}),
        mine.Callable_(short_strangle()), mine.Callable_(short_strangle(delta=0.2)),
    ]  # fmt: skip

    assert len({identified(each).digest for each in given}) == len(given)


@pytest.mark.parametrize("measure", MEASURES)
def test_another_python_finds_the_same_identity(load, measure):
    """Written down by Python 3.11, and found by 3.12 and 3.13."""
    assert of(load(), measure).digest[:16] == PINNED[measure]


PINNED = {
    "bound": "1ff2a4095a4bea5d",
    "by_module": "09ff4241883fc4ea",
    "cached": "b132ec20c5ac8419",
    "closure": "8fdaa31ca428acd7",
    "dataclass": "407301c150e5b4a2",
    "imports_late": "d0e4b99034e50b52",
    "instance": "e00ee13fda0a4ff3",
    "lambda": "f5e178e115467719",
    "plain": "a8fdaa7a2b7d6080",
    "recursive": "d17e2ed204afdcc2",
    "subclass": "40fc26632575b67c",
}


def test_a_version_stands_for_the_source(load):
    def versioned(version: int, level: float) -> ModuleType:
        mark = f"from optionchain.measures import measure\n\n@measure(version={version})\ndef plain(block):"
        return load(("def plain(block):", mark), ("LEVEL = 100.0", f"LEVEL = {level}"))

    one, same, other = versioned(1, 100.0), versioned(1, 90.0), versioned(2, 100.0)

    assert of(one, "plain").digest == of(same, "plain").digest != of(other, "plain").digest


def test_a_file_that_changed_since_it_was_imported_is_not_what_runs(load, tmp_path):
    mine = load(path=tmp_path / "here")
    before = of(mine, "plain").digest

    (tmp_path / "here" / "mine.py").write_text(MINE.replace("np.maximum", "np.minimum"))
    edited = of(mine, "plain").digest
    reloaded = of(load(("np.maximum", "np.minimum"), path=tmp_path / "here"), "plain").digest

    assert len({before, edited, reloaded}) == 3  # the second by its bytecode: it is neither text


def test_a_function_without_a_source_is_known_by_its_bytecode():
    def made(text: str) -> object:
        names: dict[str, object] = {"__name__": "somewhere"}
        exec(text, names)
        return names["f"]

    text = 'def f(block):\n    """{}"""\n    return block.prices[:, {}]\n'
    one, other_words, other_code = (made(text.format(*each)) for each in (("a", 0), ("b", 0), ("a", 1)))

    assert identified(one).digest == identified(other_words).digest != identified(other_code).digest


def test_two_functions_of_one_line_are_told_apart():
    one, other = (lambda block: block.prices[:, 0]), (lambda block: block.prices[:, 1])

    assert identified(one).digest != identified(other).digest


def test_packages_are_known_by_their_names_and_releases(load):
    assert of(load(), "plain").packages == {"numpy": np.__version__}
    assert identified((terminal_price, short_strangle())).packages == {}
    assert of(load(), "by_module").packages == {}


def test_what_cannot_be_read_is_a_doubt_that_says_where(load):
    lock = threading.Lock()

    def locked(block):
        with lock:
            return block.prices[:, -1]

    assert identified(terminal_price).doubts == of(load(), "plain").doubts == ()
    assert identified(locked).doubts == ("locked uses a _thread.lock, which cannot be read",)
    late = load(
        ("    from theirs import scaled as late\n", "    import theirs\n\n    late = theirs.scaled\n")
    )
    assert of(late, "imports_late").doubts == (
        "imports_late imports the module theirs when it is called: import it at the top of yours",
    )


def test_containers_count_by_what_they_have():
    differing = [[1, 2], (1, 2), [1.0, 2.0], [2, 1], [1, True], ["1", 2], {"a": 1}, {"a": 2}, {"b": 1}, {1, 2}, {1, 3},
                 [2**70, 1], [[1], 2], [[1, 2]], b"12", "12", None, [None], [0.0], [-0.0]]  # fmt: skip

    assert len({identified(each).digest for each in differing}) == len(differing)
    assert identified({"x", "y", "z"}) == identified({"z", "y", "x"})
    shared = [1.5, "a"]
    assert identified([shared, shared]) == identified([[1.5, "a"], [1.5, "a"]])
    circle: list[object] = ["a"]
    circle.append(circle)
    assert identified(circle).digest != identified(["a"]).digest
