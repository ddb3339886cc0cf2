"""``keep="paths"``: every path of a task with its measures, in one Parquet file that a retry writes again alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from cluster.sweep.blocks import KeepPaths, Outcome, run_blocks
from cluster.sweep.definition import Sweep
from cluster.sweep.storage import open_folder
from optionchain.arrays import Floats, Paths
from optionchain.measures import PathBlock

if TYPE_CHECKING:
    import pyarrow as pa

PATHS_FOLDER = "paths"


def path_file(start: int, stop: int) -> str:
    """The name of the file of a task's blocks."""
    return f"blocks-{start:012d}-{stop:012d}.parquet"


def run_and_keep(sweep: Sweep, start: int, stop: int, folder: str | None) -> Outcome:
    """`run_blocks`, whose paths go to a file of the folder where there is one."""
    if folder is None:
        return run_blocks(sweep, start, stop)
    with _path_file(sweep, f"{folder}/{PATHS_FOLDER}", path_file(start, stop)) as keep:
        return run_blocks(sweep, start, stop, keep)


@contextmanager
def _path_file(sweep: Sweep, folder: str, name: str) -> Iterator[KeepPaths]:
    import pyarrow.parquet as pq  # noqa: PLC0415  heavy, and needed here only

    schema = _schema(sweep)
    files, root = open_folder(folder)
    path = f"{root}/{name}"
    part = path + ".part"
    with files.open(part, "wb") as stream, pq.ParquetWriter(stream, schema, compression="zstd") as writer:

        def keep(scenario: int, block: PathBlock, values: Floats) -> None:
            writer.write_table(_table(schema, scenario, block, values))

        yield keep
    files.mv(part, path)


def _schema(sweep: Sweep) -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415

    path = pa.list_(pa.float64())
    head = [("scenario", pa.int64()), ("path", pa.int64())]
    measures = [(name, pa.float64()) for name in sweep.names]
    return pa.schema([*head, *measures, ("prices", path), ("volatilities", path)])


def _table(schema: pa.Schema, scenario: int, block: PathBlock, values: Floats) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415

    paths = np.arange(block.first_path, block.first_path + block.paths)
    columns = [np.full(block.paths, scenario), paths, *values]
    return pa.table(
        [*map(pa.array, columns), _lists(block.prices), _lists(block.volatilities)], schema=schema
    )


def _lists(path: Paths) -> pa.ListArray:
    import pyarrow as pa  # noqa: PLC0415

    offsets = np.arange(0, path.size + 1, path.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(path.ravel()))
