"""A table as a data frame of the library that the caller has: polars or pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optionchain.extras import brought_by

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow


def polars_frame(table: pyarrow.Table) -> polars.DataFrame:
    """A table as a polars frame.

    Raises:
        ImportError: polars is not installed.
    """
    with brought_by("frames", purpose="to_polars"):
        import polars  # noqa: PLC0415  heavy

    frame = polars.from_arrow(table)
    assert isinstance(frame, polars.DataFrame)  # noqa: S101  what a table becomes
    return frame


def pandas_frame(table: pyarrow.Table) -> pandas.DataFrame:
    """A table as a pandas frame.

    Raises:
        ImportError: pandas is not installed.
    """
    with brought_by("frames", purpose="to_pandas"):
        frame: pandas.DataFrame = table.to_pandas()
    return frame
