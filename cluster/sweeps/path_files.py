"""``keep="paths"``: every path of a task with its measures, in one Parquet file that a retry writes again alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from adapters.files.folders import Folder
from optionchain.arrays import Floats, Paths
from optionchain.measures import PathBlock
from optionchain.sweeps.blocks import KeepPaths
from optionchain.sweeps.definition import SweepDefinition
from optionchain.sweeps.results import PATHS_FOLDER

if TYPE_CHECKING:
    import pyarrow as pa


def path_file(start: int, stop: int) -> str:
    """The name of the file of a task's blocks."""
    return f"blocks-{start:012d}-{stop:012d}.parquet"


@dataclass(frozen=True, slots=True)
class PathFiles:
    """The `PathKeeper` of a folder.

    Attributes:
        folder: Of the recorded sweep.
    """

    folder: str

    @contextmanager
    def keeping(self, sweep: SweepDefinition, start: int, stop: int) -> Iterator[KeepPaths]:
        """As `PathKeeper.keeping`."""
        import pyarrow.parquet as pq  # noqa: PLC0415  heavy, and needed here only

        schema = _schema(sweep)
        name = f"{PATHS_FOLDER}/{path_file(start, stop)}"
        with (
            Folder(self.folder).writing(name) as stream,
            pq.ParquetWriter(stream, schema, compression="zstd") as writer,
        ):

            def keep(scenario: int, block: PathBlock, values: Floats) -> None:
                writer.write_table(_table(schema, scenario, block, values))

            yield keep


def _schema(sweep: SweepDefinition) -> pa.Schema:
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
