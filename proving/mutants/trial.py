"""The tests against mutants: collected and run once, then on each mutant in a fork, with the tests that reach it."""

from __future__ import annotations

import importlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from itertools import accumulate
from pathlib import Path
from types import FunctionType

import coverage
import pytest

from proving.mutants.forks import forked
from proving.mutants.operators import Mutant
from proving.mutants.patches import Imported, functions_of, is_patch, patch

# Of tests on a mutant, as long as they take on the right code; the best come first.
_SECONDS_OF_TESTS = 30.0
# A mutant may be so much slower, and take some seconds more, before it is said never to end.
_SLOWER = 5.0
_SECONDS_MORE = 15.0
# Of all tests together, traced.
_ALL_SECONDS = 1e6
_OPTIONS = ("-qq", "-x", "-p", "no:cacheprovider", "--timeout", "30")
# What is imported already is none of ours, so nobody misses its rewritten assertions.
_IMPORTED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")


class Fate(StrEnum):
    """What becomes of a mutant."""

    KILLED = "killed"
    SURVIVED = "SURVIVED"
    ENDLESS = "endless"
    """Nobody has waited for the end."""
    UNREACHED = "unreached"
    """None of the tests runs the line."""


@dataclass(slots=True)
class Reach:
    """What the tests do to the right code, and what they have found.

    Attributes:
        tests: By file and line, those that run the line.
        seconds: How long each test takes that is green.
        kills: How many mutants each test has killed.
        modules: What the tests import that is none of ours.
    """

    tests: dict[tuple[Path, int], set[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    modules: list[str] = field(default_factory=list)

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that can tell, best first: they run its statement.

        What the import makes is looked at by any test of a file that has to do with it.
        """
        if mutant.is_in_function:
            found = {test for line in mutant.lines for test in self.tests.get((mutant.file, line), ())}
        else:
            reached = {
                test for (file, _), tests in self.tests.items() if file == mutant.file for test in tests
            }
            found = _of_the_files_of(reached, self.seconds)
        best = sorted(found, key=lambda test: (-self.kills[test], self.seconds[test]))
        ends = accumulate(self.seconds[test] for test in best)
        return [
            test for test, end in zip(best, ends, strict=True) if end < _SECONDS_OF_TESTS or test is best[0]
        ]

    def allowed_seconds(self, tests: Iterable[str]) -> float:
        """How long the tests may take on a mutant."""
        return _SECONDS_MORE + _SLOWER * sum(self.seconds[test] for test in tests)


def _of_the_files_of(tests: Iterable[str], known: Iterable[str]) -> set[str]:
    files = {test.partition("::")[0] for test in tests}
    return {test for test in known if test.partition("::")[0] in files}


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
    reach = forked(lambda: trial.run(tests), _ALL_SECONDS)
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
    return tests[0] if pytest.main([*_OPTIONS, *_IMPORTED, *tests]) else None


def _tell_of(mutant: Mutant, reach: Reach, tell: Tell, failing: Callable[[list[str]], str | None]) -> None:
    begin = time.monotonic()
    tests = reach.of(mutant)
    fate = Fate.UNREACHED
    if tests:
        answer = forked(lambda: (failing(tests),), reach.allowed_seconds(tests))
        fate = Fate.ENDLESS if answer is None else Fate.KILLED if answer[0] else Fate.SURVIVED
        if answer and answer[0]:
            reach.kills[answer[0]] += 1
    tell(mutant, fate, time.monotonic() - begin)


class Trial:
    """A plugin of pytest: the tests that it collects are not only run, but tried on mutants."""

    def __init__(self, files: Iterable[Path], mutants: Sequence[Mutant], tell: Tell) -> None:
        self._files = list(files)
        self._mutants = mutants
        self._tell = tell
        self._reach = Reach()
        self._failed = ""

    def run(self, tests: Sequence[str]) -> Reach | None:
        """Collect the tests, and try the mutants; None where they cannot be collected."""
        pytest.main([*_OPTIONS, *tests], plugins=[self])
        return self._reach if self._reach.seconds else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed = report.nodeid

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        self._reach = forked(lambda: self._reached(session.items), _ALL_SECONDS) or Reach()
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
        return next((test for test, is_red in self._run([items[test] for test in tests]) if is_red), None)

    def _run(self, items: Sequence[pytest.Item]) -> Iterator[tuple[str, bool]]:
        """Run tests, and say of each whether it is red once it is done."""
        for item, following in zip(items, [*items[1:], None], strict=True):
            self._failed = ""
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            yield item.nodeid, bool(self._failed)

    def _reached(self, items: Sequence[pytest.Item]) -> Reach:
        reach = Reach()
        measured = coverage.Coverage(
            data_file=None, include=[str(file) for file in self._files], config_file=False
        )
        measured.start()
        measured.switch_context(items[0].nodeid)
        begin = time.monotonic()
        for (test, is_red), following in zip(self._run(items), [*items[1:], None], strict=True):
            if not is_red:
                reach.seconds[test] = time.monotonic() - begin
            if following is not None:
                measured.switch_context(following.nodeid)
            begin = time.monotonic()
        measured.stop()
        ours = str(Path.cwd())
        reach.modules = [
            name
            for name, module in sys.modules.items()
            if "site-packages" in (path := str(getattr(module, "__file__", ""))) or not path.startswith(ours)
        ]
        for path in (data := measured.get_data()).measured_files():
            for line, tests in data.contexts_by_lineno(path).items():
                reach.tests[Path(path).relative_to(Path.cwd()), line] = reach.seconds.keys() & tests
        return reach
