"""Tables as data frames, of the library that the caller has: polars or pandas."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    import pandas
    import polars

Kind: TypeAlias = Literal["count", "number", "text", "category", "instant", "day"]
Columns: TypeAlias = Mapping[str, Kind]
Row = TypeVar("Row", bound=Mapping[str, Any])

_IN_PANDAS: dict[Kind, str] = {
    "count": "int64",
    "number": "float64",
    "text": "object",
    "category": "category",
    "instant": "datetime64[us, UTC]",
    "day": "datetime64[s]",
}


class Rows(list[Row]):
    """Rows of a table: a list of objects, which may become a frame.

    Args:
        rows: Each with a value for every column.
        columns: What they are called, and what they hold.
    """

    def __init__(self, rows: Iterable[Row], columns: Columns) -> None:
        super().__init__(rows)
        self._columns = columns

    def to_polars(self) -> polars.DataFrame:
        """As a polars frame.

        Raises:
            ImportError: polars is not installed.
        """
        return polars_frame(self, self._columns)

    def to_pandas(self) -> pandas.DataFrame:
        """As a pandas frame.

        Raises:
            ImportError: pandas is not installed.
        """
        return pandas_frame(self, self._columns)


def polars_frame(rows: Iterable[Mapping[str, Any]], columns: Columns) -> polars.DataFrame:
    """A polars frame whose columns have their types also where they are empty; what a row lacks is null."""
    pl = needed("polars", "to_polars")
    types: dict[Kind, Any] = {
        "count": pl.Int64,
        "number": pl.Float64,
        "text": pl.String,
        "category": pl.Categorical,
        "instant": pl.Datetime("us", "UTC"),
        "day": pl.Date,
    }
    schema = {name: types[kind] for name, kind in columns.items()}
    frame: polars.DataFrame = pl.DataFrame(list(rows), schema=schema, orient="row")
    return frame


def pandas_frame(rows: Iterable[Mapping[str, Any]], columns: Columns) -> pandas.DataFrame:
    """A pandas frame whose columns have their types also where they are empty; what a row lacks is missing."""
    pd = needed("pandas", "to_pandas")
    table = list(rows)
    frame: pandas.DataFrame = pd.DataFrame(
        {
            name: pd.Series([row.get(name) for row in table], dtype=_IN_PANDAS[kind])
            for name, kind in columns.items()
        }
    )
    return frame


def polars_of_arrow(stream: bytes) -> polars.DataFrame:
    """An Arrow stream as a polars frame."""
    frame: polars.DataFrame = needed("polars", "to_polars").read_ipc_stream(io.BytesIO(stream))
    return frame


def pandas_of_arrow(stream: bytes) -> pandas.DataFrame:
    """An Arrow stream as a pandas frame."""
    needed("pandas", "to_pandas")
    reader = needed("pyarrow.ipc", "to_pandas").open_stream(stream)
    frame: pandas.DataFrame = reader.read_all().to_pandas()
    return frame


def needed(module: str, purpose: str) -> Any:
    """A library that only some callers need: half a second and 100 MB that nobody else pays.

    Raises:
        ImportError: It is not installed; the message says what to install.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        advice = f"{purpose} needs {package}: pip install 'optionchain-client[frames]'"
        raise ImportError(advice, name=package) from error
