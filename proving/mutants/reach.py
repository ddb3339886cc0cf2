"""Which tests can tell a mutant from the right code: those that run what is wrong, the quick and the lucky first."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import coverage

from proving.mutants.operators import Mutant

# Of tests on a mutant, as long as they take on the right code. The first that is red ends it.
SECONDS_OF_TESTS = 30.0
# A mutant may be so much slower, and take some seconds more, before it is said never to end.
SLOWER = 5.0
SECONDS_MORE = 10.0


@dataclass(slots=True)
class Reach:
    """What the tests do to the right code, and what they have found so far.

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
        """The tests that run its statement, best first, as many as there is time for.

        What the import makes is looked at by any test of a file of tests that has to do with it.
        """
        if mutant.is_in_function:
            found = {test for line in mutant.lines for test in self.tests.get((mutant.file, line), ())}
        else:
            found = self._of_the_files_that_reach(mutant.file)
        best = sorted(found, key=lambda test: (-self.kills[test], self.seconds[test]))
        ends = accumulate(self.seconds[test] for test in best)
        return best[: max(1, sum(end < SECONDS_OF_TESTS for end in ends))]

    def allowed_seconds(self, tests: Iterable[str]) -> float:
        """How long the tests may take on a mutant."""
        return SECONDS_MORE + SLOWER * sum(self.seconds[test] for test in tests)

    def _of_the_files_that_reach(self, file: Path) -> set[str]:
        reaching = {
            _file_of(test) for (path, _), tests in self.tests.items() if path == file for test in tests
        }
        return {test for test in self.seconds if _file_of(test) in reaching}


def reached(files: Iterable[Path], runs: Iterable[tuple[str, bool | None]]) -> Reach:
    """Find out which tests run which lines.

    Args:
        files: Whose lines.
        runs: Runs the tests: each is given when it begins, with None, and once it has ended, with whether it is red.
    """
    reach = Reach()
    measured = coverage.Coverage(data_file=None, include=[str(file) for file in files], config_file=False)
    measured.start()
    for test, is_red in runs:
        if is_red is None:
            measured.switch_context(test)
            begin = time.monotonic()
        elif not is_red:
            reach.seconds[test] = time.monotonic() - begin
    measured.stop()
    found = measured.get_data()
    for path in found.measured_files():
        for line, tests in found.contexts_by_lineno(path).items():
            reach.tests[Path(path).relative_to(Path.cwd()), line] = reach.seconds.keys() & tests
    reach.modules = _of_others()
    return reach


def _of_others() -> list[str]:
    files = {name: str(getattr(module, "__file__", "")) for name, module in sys.modules.items()}
    ours = str(Path.cwd())
    return [name for name, file in files.items() if "site-packages" in file or not file.startswith(ours)]


def _file_of(test: str) -> str:
    return test.partition("::")[0]
