"""What is done of a sweep, in a folder that survives its driver: Parquet parts, each written once.

::

    <output>/<sweep id>/
        sweep.json             the definition
        manifest.json          what it is computed with: Python, packages; and what is doubtful of its measures
        parts/*.parquet        rows of finished scenarios, and pieces of unfinished ones; the name has the content's
                               SHA-256, the metadata has the blocks
        paths/*.parquet        the paths, with keep="paths"
        results.parquet        the table, when the sweep is complete

A part that is missing or damaged is forgotten and its blocks are computed again.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from adapters.files.folders import Folder
from cluster.sweeps.path_files import PathFiles, path_file
from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.sweeps.blocks import Failure, Outcome, Piece, Row
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.reduction import Part, part_from
from optionchain.sweeps.releases import computed_with, python_release
from optionchain.sweeps.results import PATHS_FOLDER
from optionchain.sweeps.surroundings import InDoubt

if TYPE_CHECKING:
    import pyarrow as pa

SECONDS_BETWEEN_PARTS = 2.0
_PARTS = "parts/*.parquet"
_BLOCKS = b"blocks"


class FolderJournal:
    """Records outcomes, a few seconds of them in one part.

    Args:
        sweep: What is computed.
        output: A folder, local or of any file system that fsspec knows.
        in_doubt: What to do with a record that may be of another computation.
        clock: Monotonic seconds.
        seconds_between_parts: What a kill may cost.

    Raises:
        InvalidInput: The output cannot be written to, or it is in doubt what it has.
    """

    def __init__(
        self,
        sweep: SweepDefinition,
        output: str,
        *,
        in_doubt: InDoubt = "refuse",
        clock: Callable[[], float] = time.monotonic,
        seconds_between_parts: float = SECONDS_BETWEEN_PARTS,
    ) -> None:
        self._files = Folder(output).below(sweep.id)
        self._clock = clock
        self._seconds_between_parts = seconds_between_parts
        self._last_part = clock()
        self._waiting: list[Outcome] = []
        identity = sweep.identity
        made_with = computed_with(identity.packages)
        is_begun = bool(self._files.names(_PARTS))
        doubts = [*identity.doubts, *self._other_releases(made_with)] if is_begun else []
        if doubts and in_doubt == "refuse":
            raise InvalidInput("output", _doubtful(self.folder, doubts))
        if doubts:
            self._forget_all()
        if doubts or not is_begun:
            self._write("sweep.json", sweep.description())
            manifest = {"computed_with": made_with, "python": python_release(), "doubts": identity.doubts}
            self._write("manifest.json", manifest)

    @property
    def folder(self) -> str:
        """Where the sweep is recorded."""
        return self._files.url

    def keeper(self) -> PathFiles:
        """Keeps paths beside the parts."""
        return PathFiles(self.folder)

    def recorded(self) -> Iterator[Outcome]:
        """What earlier runs had done, as outcomes without blocks of their own beyond their range."""
        path_files: set[str] = set()
        for name in self._files.names(_PARTS):
            content = self._files.read(name)
            if hashlib.sha256(content).hexdigest() in name:
                for outcome in _outcomes(content):
                    path_files.add(path_file(outcome.start, outcome.stop))
                    yield outcome
            else:
                self._files.remove(name)
        self._forget_other_paths(path_files)

    def add(self, outcome: Outcome) -> None:
        """Record an outcome, soon."""
        self._waiting.append(outcome)
        if self._clock() >= self._last_part + self._seconds_between_parts:
            self.flush()

    def flush(self) -> None:
        """Record what waits."""
        if not self._waiting:
            return
        content = _part_bytes(self._waiting)
        digest = hashlib.sha256(content).hexdigest()
        self._files.write(f"parts/{self._waiting[0].start:012d}-{digest}.parquet", content)
        self._waiting.clear()
        self._last_part = self._clock()

    def complete(self, results: bytes) -> None:
        """Store the table of a complete sweep."""
        self._files.write("results.parquet", results)

    def _other_releases(self, made_with: Mapping[str, str]) -> list[str]:
        """What it was begun with that is another now, in sentences."""
        try:
            begun_with: Mapping[str, str] = orjson.loads(self._files.read("manifest.json"))["computed_with"]
        except (FileNotFoundError, orjson.JSONDecodeError, KeyError):
            return ["it does not say what it was begun with"]
        return [
            f"it was begun with {name} {begun_with.get(name) or 'unknown'}, this is {made_with.get(name) or 'unknown'}"
            for name in sorted({*begun_with, *made_with})
            if begun_with.get(name) != made_with.get(name)
        ]

    def _forget_all(self) -> None:
        for name in ("parts", PATHS_FOLDER, "results.parquet"):
            with suppress(FileNotFoundError):
                self._files.remove(name)

    def _forget_other_paths(self, recorded: set[str]) -> None:
        """Remove the kept paths of blocks that were not recorded: they will be computed again, in other tasks."""
        for name in self._files.names(f"{PATHS_FOLDER}/*"):
            if name.rpartition("/")[2] not in recorded:
                self._files.remove(name)

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        self._files.write(name, orjson.dumps(value, option=orjson.OPT_INDENT_2))


def _doubtful(folder: str, doubts: list[str]) -> str:
    return (
        f"has a record of this definition ({folder}), of which it is not certain that it is of the same computation: "
        f"{'; '.join(doubts)}. Choose another output, or begin anew: in_doubt='anew', --in-doubt anew"
    )


def _part_bytes(outcomes: list[Outcome]) -> bytes:
    import pyarrow.parquet as pq  # noqa: PLC0415  heavy, and needed with an output only

    stream = io.BytesIO()
    pq.write_table(_table(outcomes), stream, compression="zstd")
    return stream.getvalue()


def _table(outcomes: list[Outcome]) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415

    blocks = [[outcome.start, outcome.stop] for outcome in outcomes]
    records = [_record(row) for outcome in outcomes for row in outcome.rows]
    records += [_record(piece) for outcome in outcomes for piece in outcome.pieces]

    schema = pa.schema(
        [
            ("scenario", pa.int64()),
            ("first_block", pa.int64()),
            ("stop_block", pa.int64()),
            ("error", pa.string()),
            ("statistics", pa.list_(pa.float64())),
            ("part", pa.binary()),
        ],
        metadata={_BLOCKS: orjson.dumps(blocks)},
    )
    return pa.Table.from_pylist(records, schema=schema)


def _record(done: Row | Piece) -> dict[str, Any]:
    match done:
        case Row(scenario, Failure(reason)):
            return {"scenario": scenario, "error": reason}
        case Row(scenario, numbers):
            return {"scenario": scenario, "statistics": numbers}
        case Piece(scenario, first, stop, part):
            record = {"scenario": scenario, "first_block": first, "stop_block": stop}
            if isinstance(part, Failure):
                return record | {"error": part.reason}
            return record | {"part": _packed(part)}


def _outcomes(content: bytes) -> Iterator[Outcome]:
    """One outcome with all rows and pieces of a part, and empty ones for the rest of its ranges."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = pq.read_table(io.BytesIO(content))
    done = [_read(record) for record in table.to_pylist()]
    rows = tuple(each for each in done if isinstance(each, Row))
    pieces = tuple(each for each in done if isinstance(each, Piece))
    (start, stop), *others = orjson.loads(table.schema.metadata[_BLOCKS])
    yield Outcome(start=start, stop=stop, rows=rows, pieces=pieces)
    yield from (Outcome(start=start, stop=stop, rows=(), pieces=()) for start, stop in others)


def _read(record: Mapping[str, Any]) -> Row | Piece:
    failure = None if record["error"] is None else Failure(record["error"])
    if record["first_block"] is None:
        return Row(record["scenario"], failure or np.array(record["statistics"], dtype=np.float64))
    part = failure or _unpacked(record["part"])
    return Piece(record["scenario"], record["first_block"], record["stop_block"], part)


def _packed(part: Part) -> bytes:
    stream = io.BytesIO()
    arrays: dict[str, Any] = part.arrays()
    np.savez(stream, **arrays)
    return stream.getvalue()


def _unpacked(content: bytes) -> Part:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        named: dict[str, Floats] = dict(arrays)
    return part_from(named)
