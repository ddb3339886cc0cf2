"""Chains in the forms that others read: a writer each, by the name of its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path

from adapters.history_files.exports.lean import lean_folder
from adapters.history_files.exports.tables import dolthub_table, optopsy_table
from adapters.history_files.exports.written import ChainWriter
from optionchain.errors import InvalidInput

__all__ = ["EXPORTS", "FOLDERS", "ChainWriter"]


def nautilus_catalog(path: Path) -> AbstractContextManager[ChainWriter]:
    """A Parquet catalogue of nautilus_trader.

    Raises:
        InvalidInput: The package is not installed.
    """
    try:
        module = import_module("adapters.history_files.exports.nautilus")
    except ImportError as error:
        raise InvalidInput("format", "nautilus needs the package nautilus_trader: install it") from error
    catalog: AbstractContextManager[ChainWriter] = module.nautilus_catalog(path)
    return catalog


# What is written takes its place when the context ends well.
EXPORTS: Mapping[str, Callable[[Path], AbstractContextManager[ChainWriter]]] = {
    "optopsy": optopsy_table,
    "dolthub": dolthub_table,
    "lean": lean_folder,
    "nautilus": nautilus_catalog,
}
FOLDERS = frozenset({"lean", "nautilus"})
"""The forms that are a folder, and not one table."""
