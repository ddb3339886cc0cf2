"""What can be asked of an export, and which format the name of a file means."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Literal, TypeAlias, get_args

from optionchain_client.parameters import Greeks

Dataset: TypeAlias = Literal["underlying", "volatility", "option_chains"]
KnownFormat: TypeAlias = Literal["json", "csv", "arrow", "packed", "parquet"]
Format: TypeAlias = KnownFormat | str
"""One whose files are known by their names, or another that the service has."""
Layout: TypeAlias = Literal["standard", "ironcondor"]

FORMATS: tuple[KnownFormat, ...] = get_args(KnownFormat)
ENDINGS: dict[str, KnownFormat] = {"ocsp" if format == "packed" else format: format for format in FORMATS}
"""What the name of a file of each format ends with."""


def export_query(
    *,
    dataset: Dataset = "option_chains",
    format: Format,
    layout: Layout = "standard",
    greeks: Greeks = "none",
    from_step: int | None = None,
    to_step: int | None = None,
) -> dict[str, Any]:
    """The query of an export."""
    return {
        "dataset": dataset,
        "format": format,
        "layout": layout,
        "greeks": greeks,
        "from_step": from_step,
        "to_step": to_step,
    }


def format_of(path: object, given: Format | None) -> Format:
    """The format of a file: the one that was given, or that of its name's ending.

    Raises:
        ValueError: The ending says nothing, or something else than what was given.
    """
    ending = PurePath(str(path)).suffix.removeprefix(".").lower()
    meant = ENDINGS.get(ending)
    if given and meant and given != meant:
        raise ValueError(f"{str(path)!r} is not the name of a file of format {given!r}: rename it")
    if chosen := given or meant:
        return chosen
    endings = ", ".join(f".{ending}" for ending in ENDINGS)
    raise ValueError(f"{str(path)!r} does not end in one of {endings}: rename it, or give format=")
