"""What vendors call their columns, and in which units they write: one declarative file each, in `presets/`.

A new vendor is a new file ``presets/NAME.toml``, and nothing else::

    about = "what it is, for the documentation"
    needs = ["date", "strike", "bid"]  # fields without whose columns a file is of another shape

    [columns]  # field = column, or several names that it has had; "Bid#2" is the second column of that name
    date = ["quoteDate", "tradeDate"]

    [scale]  # field = factor into our units; that of implied_volatility says whether it is in percent
    strike = 0.001

Further keys, each optional, are the attributes of `Preset`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "presets"
KINDS = ("chains", "prices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """The columns and units of one vendor.

    Attributes:
        name: As in `--format`.
        about: One line for the documentation.
        columns: Field to the names of its column; the first that a file has counts. A field of a wide table begins
            with ``call_`` or ``put_``.
        needs: Fields without whose columns a file is of another shape.
        kind: One of `KINDS`.
        scale: Factors, by field; one without ``call_`` or ``put_`` holds for both.
        shift: Summands, after the factor.
        values: What these fields may say; a file that says something else is refused.
        in_underlying: Fields that are in units of the underlying, but for contracts that settle in dollars.
        fixed_point: The unit of prices that are whole numbers.
        is_ticks: A contract has many rows a day, of which the last counts.
        symbols_expire: Where a column spells the contracts, that is when they expire; `expiration` is the last day on
            which they are traded, which is a day earlier where they settle in the morning.
        is_detected: Whether a file may be taken for this shape without being asked to.
    """

    name: str
    about: str
    columns: Mapping[str, tuple[str, ...]]
    needs: tuple[str, ...] = ()
    kind: str = "chains"
    scale: Mapping[str, float]
    shift: Mapping[str, float]
    values: Mapping[str, tuple[str, ...]]
    in_underlying: tuple[str, ...] = ()
    fixed_point: float | None = None
    is_ticks: bool = False
    symbols_expire: bool = False
    is_detected: bool = True

    def found(self, names: Mapping[str, str]) -> dict[str, str]:
        """The columns of a file, by field; `names` as `bare_names` gives them."""
        return {
            field: next(names[bare(name)] for name in options if bare(name) in names)
            for field, options in self.columns.items()
            if any(bare(name) in names for name in options)
        }

    def missing(self, found: Mapping[str, str]) -> list[str]:
        """The columns without which a file is of another shape, where these were found."""
        return [" or ".join(self.columns[field]) for field in self.needs if field not in found]


def bare(name: str) -> str:
    """``" [C_BID]"`` and ``"cBid"`` as ``cbid``."""
    name, mark, number = name.partition("#")
    return re.sub(r"[\W_]+", "", name).lower() + mark + number


def bare_names(columns: Sequence[str]) -> dict[str, str]:
    """The columns of a file by their bare names; the second of one name is ``name#2``."""
    names: dict[str, str] = {}
    for column in columns:
        name = bare(_unnumbered(column, columns).replace("#", ""))
        seen = sum(other.partition("#")[0] == name for other in names)
        names[f"{name}#{seen + 1}" if seen else name] = column
    return names


def _unnumbered(column: str, columns: Sequence[str]) -> str:
    """A name without the number that tells it from the same one before: `Bid column 9` of ours, `Bid.1` of pandas."""
    name = re.sub(r"(?<=\S) column \d+$", "", column)
    plain = re.sub(r"\.\d+$", "", name)
    return plain if plain in columns else name


def _preset(path: Path) -> Preset:
    content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    for table in ("columns", "values"):
        content[table] = {
            field: (names,) if isinstance(names, str) else tuple(names)
            for field, names in content.get(table, {}).items()
        }
    lists = {key: tuple(content.get(key, ())) for key in ("needs", "in_underlying")}
    numbers = {table: content.get(table, {}) for table in ("scale", "shift")}
    return Preset(**{"name": path.stem, **content, **lists, **numbers})


PRESETS: Mapping[str, Preset] = {path.stem: _preset(path) for path in sorted(FOLDER.glob("*.toml"))}


def detect_preset(names: Mapping[str, str]) -> Preset | None:
    """The preset that needs the most of the columns that a file has; None where none has all that it needs."""
    fitting = [
        preset
        for preset in PRESETS.values()
        if preset.is_detected and not preset.missing(preset.found(names))
    ]
    return max(fitting, key=lambda preset: len(preset.needs), default=None)
