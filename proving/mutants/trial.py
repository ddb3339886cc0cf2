"""The tests against mutants: collected and run once, then on each mutant in a fork, with the tests that reach it."""

from __future__ import annotations

import importlib
import os
import pickle
import select
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import TypeVar

import pytest

from proving.mutants.operators import Mutant
from proving.mutants.patches import Imported, functions_of, is_patch, patch
from proving.mutants.reach import Reach, reached

# Of all tests together, traced.
_ALL_SECONDS = 1e6
_OPTIONS = ("-qq", "-x", "-p", "no:cacheprovider", "--timeout", "30")
# What is imported already is none of ours, so nobody misses its rewritten assertions.
_IMPORTED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")

T = TypeVar("T")


class Fate(StrEnum):
    """What becomes of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    ENDLESS = "endless"
    """The tests took much longer than on the right code, or their process died."""
    UNREACHED = "unreached"
    """None of the tests runs the line."""


Tell = Callable[[Mutant, Fate, float], None]


def tried(mutants: Sequence[Mutant], tests: Sequence[str], tell: Tell) -> None:
    """Try mutants, and tell of each what became of it and after how many seconds.

    Args:
        mutants: Those that can be patched come first.
        tests: As pytest takes them: files, folders, single ones.
        tell: Is told in another process.
    """
    patches: list[Mutant] = []
    imports: list[Mutant] = []
    for mutant in mutants:
        (patches if is_patch(mutant) else imports).append(mutant)
    trial = Trial({mutant.file for mutant in mutants}, patches, tell)
    reach = _forked(lambda: trial.run(tests), _ALL_SECONDS)
    if reach is None:
        raise SystemExit("the tests cannot be collected: see what pytest says of them")
    # Each mutant of the rest is imported anew, and what others wrote is not.
    for module in reach.modules if imports else ():
        with suppress(Exception):
            importlib.import_module(module)
    for mutant in imports:
        _tell_of(mutant, reach, tell, partial(_fails_with_import, mutant))


def _fails_with_import(mutant: Mutant, tests: list[str]) -> str | None:
    Imported(mutant).install()
    first = _FirstRed()
    is_red = pytest.main([*_OPTIONS, *_IMPORTED, *tests], plugins=[first])
    return (first.test or tests[0]) if is_red else None


class _FirstRed:
    """A plugin of pytest that remembers the first test that is red."""

    test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.test:
            self.test = report.nodeid


def _tell_of(mutant: Mutant, reach: Reach, tell: Tell, failing: Callable[[list[str]], str | None]) -> None:
    begin = time.monotonic()
    tests = reach.of(mutant)
    fate = Fate.UNREACHED
    if tests:
        answer = _forked(lambda: (failing(tests),), reach.allowed_seconds(tests))
        fate = Fate.ENDLESS if answer is None else Fate.KILLED if answer[0] else Fate.SURVIVED
        if answer and answer[0]:
            reach.kills[answer[0]] += 1
    tell(mutant, fate, time.monotonic() - begin)


class Trial(_FirstRed):
    """A plugin of pytest: the tests that it collects are not only run, but tried on mutants."""

    def __init__(self, files: Iterable[Path], mutants: Sequence[Mutant], tell: Tell) -> None:
        self._files = list(files)
        self._mutants = mutants
        self._tell = tell
        self._reach = Reach()

    def run(self, tests: Sequence[str]) -> Reach | None:
        """Collect the tests, and try the mutants; None where no test is green."""
        pytest.main([*_OPTIONS, *tests], plugins=[self])
        return self._reach if self._reach.seconds else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        runs = partial(self._runs, session.items)
        self._reach = _forked(lambda: reached(self._files, runs()), _ALL_SECONDS) or Reach()
        functions = {file: functions_of(file) for file in self._files}
        for mutant in self._mutants:
            failing = partial(self._fails_patched, functions[mutant.file], mutant, items)
            _tell_of(mutant, self._reach, self._tell, failing)
        return True

    def _fails_patched(
        self,
        functions: Sequence[FunctionType],
        mutant: Mutant,
        items: Mapping[str, pytest.Item],
        tests: list[str],
    ) -> str | None:
        patch(functions, mutant)
        return next((test for test, is_red in self._runs([items[test] for test in tests]) if is_red), None)

    def _runs(self, items: Sequence[pytest.Item]) -> Iterator[tuple[str, bool | None]]:
        """Run tests: each is given when it begins, with None, and once it has ended, with whether it is red."""
        for item, following in zip(items, [*items[1:], None], strict=True):
            self.test = ""
            yield item.nodeid, None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            yield item.nodeid, bool(self.test)


def _forked(work: Callable[[], T], seconds: float) -> T | None:
    """What the work gives, done in a fork that prints nothing but its own end; None where there is nothing in time.

    It finds everything imported, and whatever it breaks is gone with it.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        is_answered = bool(select.select([pipe], [], [], seconds)[0])
        answer = pipe.read() if is_answered else b""
    # Servers that its tests started too.
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return pickle.loads(answer) if answer else None  # noqa: S301  our own


def _work(work: Callable[[], object], writing: int) -> None:
    os.setsid()
    told = os.fdopen(os.dup(2), "w")
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        answer = pickle.dumps(work())
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
    except BaseException:
        traceback.print_exc(file=told)
        told.flush()
    finally:
        os._exit(0)
