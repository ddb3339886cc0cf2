"""Numbers as files write them: `1,234.5`, `1,23,456`, `1.234,5`, `$12`, `21.5%`, `1.2M`, `2 Cr`, or nothing."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from optionchain.arrays import Floats
from optionchain.errors import InvalidInput

DECIMALS = (".", ",")
ROUNDING = 1e-9
# What stands where the source knows nothing.
_NOTHING = r"(?i)^(|-+|\.+|#?n/?a|nan|null|none|nil)$"
_UNITS = {"%": 0.01, "k": 1e3, "m": 1e6, "b": 1e9, "l": 1e5, "lac": 1e5, "lakh": 1e5, "cr": 1e7, "crore": 1e7}
_UNIT = r"(?i)(%|[kmbl]|lac|lakh|cr|crore)s?$"
_EXPONENT = r"([eE][+-]?\d+)?$"
# Whole numbers in groups of three, or as in India in groups of two behind the first of three, or digits; then a
# fraction.
_LAKHS = r"\d{1,2}(,\d{2})+,\d{3}"
_SHAPES = {
    ".": rf"^[+-]?(\d{{1,3}}(,\d{{3}})+|{_LAKHS}|\d+)?(\.\d*)?" + _EXPONENT,
    ",": r"^[+-]?(\d{1,3}(\.\d{3})+|\d+)?(,\d*)?" + _EXPONENT,
}
# A mark that can only be the decimal one: not before three digits alone, or after a group of the other.
_DECISIVE = r"^[+-]?(\d+{0}(\d{{1,2}}|\d{{4,}})|0\d*{0}\d+|\d{{4,}}{0}\d+|\d{{1,3}}({1}\d{{3}})+{0}\d+)$"
_POINT = _DECISIVE.format(r"\.", ",")
_COMMA = _DECISIVE.format(",", r"\.")
_DECORATION = r"[\s\x{a0}\x{202f}'’$€£¥₹]"


def number_texts(columns: Iterable[pl.Series]) -> pl.Series:
    """Numbers as they are written, of several columns."""
    return pl.concat([column.cast(pl.String).str.strip_chars().alias("") for column in columns])


def detect_decimal(cells: pl.Series, *, delimiter: str) -> str:
    """The mark before the fraction of numbers.

    Args:
        cells: Texts of numbers.
        delimiter: Of the file: where it is a comma, `1,234` has a thousand, else a fraction.

    Raises:
        InvalidInput: Some cells say the one and some the other.
    """
    texts = cells.drop_nulls().str.replace_all(_DECORATION, "").str.replace(_UNIT, "")
    has_point = bool(texts.str.contains(rf"{_POINT}|^[+-]?{_LAKHS}(\.\d*)?$").any())
    has_comma = bool(texts.str.contains(_COMMA).any())
    if has_point and has_comma:
        raise InvalidInput(
            "decimal", "the file has numbers such as 1,5 and such as 1.5: say which, `.` or `,`"
        )
    if has_comma or has_point:
        return "," if has_comma else "."
    return "," if delimiter != "," and texts.str.contains(r"^[+-]?\d{1,3},\d{3}$").any() else "."


def numbers(cells: pl.Series, decimal: str) -> tuple[pl.Series, pl.Series]:
    """Cells as numbers, null where they say nothing; and which of them are something else.

    Args:
        cells: Of any type.
        decimal: One of `DECIMALS`.
    """
    if cells.dtype != pl.String:
        return cells.cast(pl.Float64, strict=False).fill_nan(None), pl.repeat(False, len(cells), eager=True)
    texts = cells.str.strip_chars()
    # Nearly every cell of nearly every file is plain; only the others are looked at closely.
    plain = texts if decimal == "." else texts.set(texts.str.contains(r"[.,]"), None)
    values = plain.cast(pl.Float64, strict=False)
    odd = (values.is_null() & texts.is_not_null() & (texts != "")).arg_true()
    if odd.is_empty():
        return values.fill_nan(None), pl.repeat(False, len(cells), eager=True)
    decorated = _decorated(texts.gather(odd), decimal)
    is_unreadable = decorated.is_null() & ~texts.gather(odd).str.contains(_NOTHING)
    unreadable = pl.repeat(False, len(cells), eager=True).scatter(odd.filter(is_unreadable), True)
    return values.scatter(odd, decorated).fill_nan(None), unreadable


def scaled(values: Floats, factor: float) -> Floats:
    """Values times a factor: 350 thousandths are 0.35, to the last digit.

    Args:
        values: In some unit.
        factor: Where its inverse is a whole number, they are divided by that. (By NumPy: polars multiplies.)
    """
    divisor = round(1 / factor) if factor else 0
    is_whole = divisor > 1 and abs(divisor * factor - 1) < ROUNDING
    return values / divisor if is_whole else values * factor


def _decorated(texts: pl.Series, decimal: str) -> pl.Series:
    """Numbers with separators, a currency, a percent sign or a unit; null where they are none."""
    bare = texts.str.replace_all(_DECORATION, "").str.replace_all("\N{MINUS SIGN}", "-", literal=True)
    bare = bare.str.replace(r"^\((.+)\)$", "-$1")
    digits = bare.str.replace(_UNIT, "")
    digits = digits.set(~digits.str.contains(_SHAPES[decimal]), None)
    if decimal == ",":
        digits = digits.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    else:
        digits = digits.str.replace_all(",", "", literal=True)
    units = bare.str.to_lowercase().str.extract(_UNIT, 1).replace_strict(_UNITS, default=1.0)
    return digits.cast(pl.Float64, strict=False) * units
