"""What is done of a sweep, in a folder that survives its driver: Parquet parts, and a manifest with their checksums.

::

    <output>/<sweep id>/
        sweep.json             the definition
        manifest.json          [{"file", "sha256", "blocks": [[start, stop], ...]}, ...]
        parts/*.parquet        rows of finished scenarios, and pieces of unfinished ones
        paths/*.parquet        the paths, with keep="paths"
        results.parquet        the table, when the sweep is complete

A part that is missing or damaged is forgotten and its blocks are computed again.
"""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from cluster.sweep.blocks import Failure, Outcome, Piece, Row
from cluster.sweep.definition import Sweep
from cluster.sweep.kept_paths import PATHS_FOLDER, path_file
from cluster.sweep.reduction import Part, part_from
from cluster.sweep.storage import open_folder
from optionchain.arrays import Floats

if TYPE_CHECKING:
    import pyarrow as pa

SECONDS_BETWEEN_PARTS = 2.0


class Journal:
    """Records outcomes, a few seconds of them in one part.

    Args:
        sweep: What is computed.
        output: A folder, local or of any file system that fsspec knows.
        clock: Monotonic seconds.
        seconds_between_parts: What a kill may cost.

    Raises:
        InvalidInput: The output cannot be written to.
    """

    def __init__(
        self,
        sweep: Sweep,
        output: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        seconds_between_parts: float = SECONDS_BETWEEN_PARTS,
    ) -> None:
        files, root = open_folder(output)
        self.folder = f"{output.rstrip('/')}/{sweep.id}"
        self._files, self._root = files, f"{root}/{sweep.id}"
        self._clock = clock
        self._seconds_between_parts = seconds_between_parts
        self._last_part = clock()
        self._waiting: list[Outcome] = []
        self._entries: list[dict[str, Any]] = []
        self._files.makedirs(f"{self._root}/parts", exist_ok=True)
        self._write("sweep.json", orjson.dumps(sweep.description(), option=orjson.OPT_INDENT_2))

    def recorded(self) -> Iterator[Outcome]:
        """What earlier runs had done, as outcomes without blocks of their own beyond their range."""
        for entry in self._manifest():
            content = self._content(entry)
            if content is not None:
                self._entries.append(entry)
                yield from _outcomes(content, entry["blocks"])
        self._forget_unrecorded_paths()

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
        blocks = [[outcome.start, outcome.stop] for outcome in self._waiting]
        digest = hashlib.sha256(content).hexdigest()
        file = f"parts/{blocks[0][0]:012d}-{digest[:16]}.parquet"
        self._write(file, content)
        self._entries.append({"file": file, "sha256": digest, "blocks": blocks})
        self._write("manifest.json", orjson.dumps(self._entries))
        self._waiting.clear()
        self._last_part = self._clock()

    def complete(self, results: bytes) -> None:
        """Store the table of a complete sweep."""
        self._write("results.parquet", results)

    def _forget_unrecorded_paths(self) -> None:
        """Remove the kept paths of blocks that were not recorded: they will be computed again, in other tasks."""
        recorded = {path_file(*blocks) for entry in self._entries for blocks in entry["blocks"]}
        for path in self._files.glob(f"{self._root}/{PATHS_FOLDER}/*"):
            if path.rpartition("/")[2] not in recorded:
                self._files.rm_file(path)

    def _manifest(self) -> list[dict[str, Any]]:
        try:
            entries: list[dict[str, Any]] = orjson.loads(self._files.cat_file(f"{self._root}/manifest.json"))
        except FileNotFoundError:
            return []
        return entries

    def _content(self, entry: Mapping[str, Any]) -> bytes | None:
        try:
            content: bytes = self._files.cat_file(f"{self._root}/{entry['file']}")
        except FileNotFoundError:
            return None
        return content if hashlib.sha256(content).hexdigest() == entry["sha256"] else None

    def _write(self, file: str, content: bytes) -> None:
        """Whole or not at all: a reader never sees half a file."""
        path = f"{self._root}/{file}"
        self._files.pipe_file(path + ".part", content)
        self._files.mv(path + ".part", path)


def _part_bytes(outcomes: list[Outcome]) -> bytes:
    import pyarrow.parquet as pq  # noqa: PLC0415  heavy, and needed with an output only

    stream = io.BytesIO()
    pq.write_table(_table(outcomes), stream, compression="zstd")
    return stream.getvalue()


def _table(outcomes: list[Outcome]) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415

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
        ]
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


def _outcomes(content: bytes, blocks: list[list[int]]) -> Iterator[Outcome]:
    """One outcome with all rows and pieces of a part, and empty ones for the rest of its ranges."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    done = [_read(record) for record in pq.read_table(io.BytesIO(content)).to_pylist()]
    rows = tuple(each for each in done if isinstance(each, Row))
    pieces = tuple(each for each in done if isinstance(each, Piece))
    (start, stop), *others = blocks
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
