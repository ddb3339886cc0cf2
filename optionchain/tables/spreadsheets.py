"""Tables that spreadsheets open: no text of a caller's becomes a formula there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars

# What makes a spreadsheet take the text of a cell for a formula.
_FORMULA = r"^([=+\-@\t\r])"


def without_formulas(frame: polars.DataFrame, texts: Iterable[str] | None = None) -> polars.DataFrame:
    """The frame with texts that a spreadsheet would run as formulas made plain, by the apostrophe that it knows.

    Args:
        frame: The rows.
        texts: The columns to look at, where the names are known to be plain; None looks at all texts, and at the names.

    Source:
        OWASP, "CSV Injection".
    """
    import polars as pl  # noqa: PLC0415  heavy

    names = frame.select(pl.col(pl.String)).columns if texts is None else texts
    formulas = [name for name in names if frame[name].unique().str.contains(_FORMULA).any()]
    if formulas:
        frame = frame.with_columns(pl.col(formulas).str.replace(_FORMULA, "'$1"))
    if texts is None:
        frame = frame.rename({name: f"'{name}" for name in frame.columns if re.match(_FORMULA, name)})
    return frame
