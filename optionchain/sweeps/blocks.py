"""What a worker does: simulate blocks of paths, measure and reduce them. A failure is a value."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, reduce
from itertools import groupby
from typing import Protocol, TypeAlias

import numpy as np

from optionchain.arrays import Floats
from optionchain.draws.philox import Draws
from optionchain.errors import InvalidInput, OptionChainError
from optionchain.measures import Measure, PathBlock, measure_name, sample_block
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.reduction import Part
from optionchain.sweeps.sampling import DrawMemory, RememberedDraws

# Draws that one worker keeps for its next scenarios.
DRAW_MEMORY_BYTES = 128 << 20
# The largest piece of memory whose end teaches glibc to keep as much for the next one; see `_keep_freed_memory`.
LESSON_BYTES = (32 << 20) - (1 << 16)

KeepPaths: TypeAlias = Callable[[int, PathBlock, Floats], None]
"""Told of a scenario's simulated block and its measures ``[measures, paths]``."""


class PathKeeper(Protocol):
    """Keeps every path with its measures. It travels to workers."""

    def keeping(self, sweep: SweepDefinition, start: int, stop: int) -> AbstractContextManager[KeepPaths]:
        """Take the paths of blocks `start` to `stop - 1`, all of them or, where the work fails, none."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a scenario has no numbers."""

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A scenario that is done: its statistics, or why there are none."""

    scenario: int
    result: Floats | Failure


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Blocks `first` to `stop - 1` of a scenario, whose other blocks are computed elsewhere."""

    scenario: int
    first: int
    stop: int
    part: Part | Failure

    def merged(self, other: Piece) -> Piece:
        """With the piece that follows; the failure of the earlier block counts."""
        match self.part, other.part:
            case Part() as one, Part() as another:
                part: Part | Failure = one.merged(another)
            case Failure() as failure, _:
                part = failure
            case _:
                part = other.part
        return Piece(self.scenario, self.first, other.stop, part)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What became of the sweep's blocks `start` to `stop - 1`.

    Attributes:
        rows: Scenarios whose blocks were all among them.
        pieces: Of the others.
        seconds: That it took the worker.
        paths: That were simulated.
        contracts: That were priced.
    """

    start: int
    stop: int
    rows: tuple[Row, ...]
    pieces: tuple[Piece, ...]
    seconds: float = 0.0
    paths: int = 0
    contracts: int = 0


def blocks_per_scenario(sweep: SweepDefinition) -> int:
    """Blocks are numbered through the sweep: those of scenario 0, of scenario 1, ..."""
    return -(-sweep.paths // block_size(sweep))


def block_size(sweep: SweepDefinition) -> int:
    """Paths of every block but a scenario's last."""
    assert sweep.block_paths is not None  # noqa: S101  a sweep settles it
    return sweep.block_paths


def total_blocks(sweep: SweepDefinition) -> int:
    """Of all scenarios."""
    return len(sweep.plan) * blocks_per_scenario(sweep)


def run_blocks(sweep: SweepDefinition, start: int, stop: int, keep: KeepPaths | None = None) -> Outcome:
    """Compute blocks `start` to `stop - 1`; never raises for what a scenario or a measure does."""
    began = time.perf_counter()
    _keep_freed_memory()
    tally = _Tally()
    rows, pieces = [], []
    per_scenario = blocks_per_scenario(sweep)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for scenario, numbers in groupby(range(start, stop), lambda number: number // per_scenario):
            blocks = [number % per_scenario for number in numbers]
            parts = _parts(sweep, scenario, blocks, tally, keep)
            whole = reduce(
                Piece.merged,
                (Piece(scenario, block, block + 1, part) for block, part in zip(blocks, parts, strict=True)),
            )
            if whole.stop - whole.first == per_scenario:
                rows.append(finished(sweep, whole))
            else:
                pieces.append(whole)
    return Outcome(
        start=start,
        stop=stop,
        rows=tuple(rows),
        pieces=tuple(pieces),
        seconds=time.perf_counter() - began,
        paths=tally.paths,
        contracts=tally.contracts,
    )


def run_and_keep(sweep: SweepDefinition, start: int, stop: int, keeper: PathKeeper | None) -> Outcome:
    """`run_blocks`, whose paths are kept where there is somebody who keeps them."""
    if keeper is None:
        return run_blocks(sweep, start, stop)
    with keeper.keeping(sweep, start, stop) as keep:
        return run_blocks(sweep, start, stop, keep)


def finished(sweep: SweepDefinition, piece: Piece) -> Row:
    """The row of a scenario from the piece that is all of it."""
    if isinstance(piece.part, Failure):
        return Row(piece.scenario, piece.part)
    try:
        known = None if sweep.control is None else sweep.control.mean(sweep.plan.parameters(piece.scenario))
        return Row(piece.scenario, sweep.statistics.row(piece.part, known))
    except Exception as error:
        return Row(piece.scenario, Failure(_reason("control", error)))


def block_of(sweep: SweepDefinition, scenario: int, first_path: int, paths: int) -> PathBlock:
    """Simulate paths of a scenario.

    Raises:
        InvalidInput: The scenario's parameters are not allowed together, or lead out of range.
    """
    parameters = sweep.plan.parameters(scenario)
    original = sweep.way.draws(parameters.seed, first_path=first_path, paths=paths)
    needed = 2 * sweep.paths * parameters.total_steps * 8
    # Paths that do not all fit would push each other out before any is used again.
    fits = needed <= DRAW_MEMORY_BYTES
    draws: Draws = RememberedDraws(original, _draw_memory()) if fits else original
    return sample_block(
        parameters,
        draws,
        first_path=first_path,
        open_stream=lambda seed: sweep.way.draws(seed, first_path=first_path, paths=paths),
    )


def measured(measure: Measure, block: PathBlock) -> Floats:
    """A measure's values on a block, ``[paths]``.

    Raises:
        InvalidInput: It raises, or returns something else than one finite number a path.
    """
    name = measure_name(measure)
    try:
        values = np.asarray(measure(block))
    except Exception as error:
        raise InvalidInput(f"measures.{name}", _reason("raises", error)) from error
    if values.shape != (block.paths,) or values.dtype.kind not in "fiub":
        raise InvalidInput(
            f"measures.{name}",
            f"must return one number a path, [{block.paths}], and returned {values.dtype}{list(values.shape)}",
        )
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        wrong = int(np.argmin(np.isfinite(numbers)))
        raise InvalidInput(f"measures.{name}", f"is {numbers[wrong]} on path {block.first_path + wrong}")
    return numbers


@dataclass(slots=True)
class _Tally:
    paths: int = 0
    contracts: int = 0


def _parts(
    sweep: SweepDefinition, scenario: int, blocks: list[int], tally: _Tally, keep: KeepPaths | None
) -> Iterator[Part | Failure]:
    for block in blocks:
        first_path = block * block_size(sweep)
        paths = min(block_size(sweep), sweep.paths - first_path)
        try:
            yield _part(sweep, scenario, (first_path, paths), tally, keep)
        except OptionChainError as error:
            yield Failure(str(error))
        except (ArithmeticError, ValueError, TypeError, LookupError, MemoryError) as error:
            yield Failure(_reason("the scenario", error))


def _part(
    sweep: SweepDefinition, scenario: int, span: tuple[int, int], tally: _Tally, keep: KeepPaths | None
) -> Part:
    first_path, paths = span
    simulated = block_of(sweep, scenario, first_path, paths)
    control = () if sweep.control is None else (sweep.control.measure,)
    values = np.stack([measured(measure, simulated) for measure in (*sweep.measures, *control)])
    tally.paths += paths
    tally.contracts += simulated.contracts_priced
    if keep is not None:
        keep(scenario, simulated, values[: len(sweep.measures)])
    return Part.of(values, measures=len(sweep.measures), sampling=sweep.way, paths=sweep.paths)


@cache
def _keep_freed_memory() -> None:
    """Let this process keep what a block frees for the next one.

    Giving it back to the system and getting it again was a quarter of a cheap scenario's time. glibc raises its
    threshold to the size of whatever large piece is freed (mallopt(3), M_MMAP_THRESHOLD); others take no notice.
    The piece is not touched, so it costs nothing.
    """
    np.empty(LESSON_BYTES, dtype=np.uint8)


@cache
def _draw_memory() -> DrawMemory:
    return DrawMemory(DRAW_MEMORY_BYTES)


def _reason(what: str, error: BaseException) -> str:
    return f"{what}: {type(error).__name__}: {error}"
