"""Which column of a table is which field of a chain: by the vendor's preset, by common names, or as the user says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain as chained

import polars as pl

from adapters.history_files.chain_names import FIELDS, NAMES, SIDES
from adapters.history_files.contracts import are_contracts
from adapters.history_files.numbers import DECIMALS, numbers
from adapters.history_files.presets import PRESETS, Preset, bare, bare_names, detect_preset
from optionchain.errors import InvalidInput
from optionchain.history.bars import COLUMNS as PRICE_COLUMNS
from optionchain.history.chains import QUOTE_FIELDS

# What no file of bars has.
OPTION_TERMS = frozenset({"strike", "expiration"})
PRICES = ("bid", "ask", "last")
NEEDLESS_IN_WIDE = frozenset({"option_type", "contract", *QUOTE_FIELDS})
ANY_TABLE = Preset(
    name="chain",
    about="any table of options, by the names of its columns",
    columns={},
    scale={},
    shift={},
    values={},
)


def field_of(name: str) -> str | None:
    """The field that a user means: ``quote_date`` is the date; None where there is none of that name."""
    if name in FIELDS:
        return name
    word, _, rest = name.partition("_")
    side = next((side for side, words in SIDES.items() if word.lower() in words), None)
    if side is not None and rest and (field := field_of(rest)) in QUOTE_FIELDS:
        return f"{side}_{field}"
    # A name that several fields share means the first: `symbol` is the underlying's.
    return next((field for field, names in NAMES.items() if bare(name) in names), None)


def chain_columns(
    columns: tuple[str, ...], sample: pl.DataFrame, form: str, given: Mapping[str, str]
) -> tuple[Preset, dict[str, str]] | None:
    """The preset of a table of options and its columns by field; None where it is no table of options.

    Args:
        columns: Of the table.
        sample: Some of its rows: whether symbols name contracts is seen only there.
        form: The name of a preset of chains; ``chain`` goes by common names; ``auto`` finds out.
        given: Columns by field, as the user says.

    Raises:
        InvalidInput: It is not of the form that is asked for, or a field or column is unknown.
    """
    names = bare_names(columns)
    preset = detect_preset(names) if form == "auto" else PRESETS.get(form)
    if preset is not None and preset.kind != "chains":
        return None
    known = _recognised(_by_last_part(columns) | names, sample)
    found = own = known
    if preset is not None:
        own, beside = preset.found(names), _beside(preset, names, known)
        found = own | beside
        # A vendor's units are of the vendor's columns.
        preset = replace(
            preset, scale={field: scale for field, scale in preset.scale.items() if field not in beside}
        )
    if preset is None and form == "auto" and not (_is_of_options(found) or _are_of_options(given)):
        return None
    said = checked_columns(given, columns)
    found = {field: column for field, column in found.items() if column not in said.values()} | said
    found = {field: column for field, column in found.items() if column}
    # What people add to a vendor's table makes none of another.
    if preset is not None and (missing := preset.missing(own | said)):
        reason = f"is not of the shape {preset.name}: it has no column {', '.join(missing)}"
        raise InvalidInput("file", reason)
    if "contract" not in said:
        found = _with_contract(found, sample)
    if preset is not None and preset.symbols_expire and "contract" in found and "expiration" not in said:
        found.pop("expiration", None)
    return preset or ANY_TABLE, found


def _with_contract(found: Mapping[str, str], sample: pl.DataFrame) -> dict[str, str]:
    """The columns with the one that spells contracts, whatever it is called: only it tells roots apart."""
    others = [column for column in sample.columns if column not in found.values()]
    candidates = [found["contract"]] if "contract" in found else []
    candidates += [column for column in others if sample[column].dtype == pl.String]
    contract = next((column for column in candidates if are_contracts(sample[column])), None)
    rest = {field: column for field, column in found.items() if field != "contract"}
    return rest | ({"contract": contract} if contract is not None else {})


def checked_columns(given: Mapping[str, str], columns: tuple[str, ...]) -> dict[str, str]:
    """What a user says of columns, by field; an empty name says that there is none.

    Raises:
        InvalidInput: A field or a column is unknown, or a field is given twice.
    """
    checked: dict[str, str] = {}
    for name, column in given.items():
        field = field_of(name)
        if field is None:
            raise InvalidInput("column", f"{name} is no field of a chain; these are: {', '.join(FIELDS)}")
        if field in checked:
            raise InvalidInput("column", f"{field} is given twice, as {checked[field]} and {column}")
        if column and column not in columns:
            raise InvalidInput("column", f"the file has no column {column}; it has {', '.join(columns)}")
        checked[field] = column
    return checked


def _is_of_options(fields: Iterable[str]) -> bool:
    named = {field_of(field) for field in fields}
    return bool(named & OPTION_TERMS) or ("contract" in named and bool(named & {"bid", "ask"}))


def _beside(preset: Preset, names: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """The columns that people add to the table of a vendor, or rename, by the fields that it has in none of its own."""
    taken = preset.found(names)
    is_wide = any(field.startswith("call_") for field in taken)
    quotes = () if is_wide else QUOTE_FIELDS
    missing = [field for field in ("date", "underlying_price") if field not in preset.columns]
    return {
        field: known[field]
        for field in (*missing, *quotes)
        if field in known and field not in taken and known[field] not in taken.values()
    }


def _are_of_options(given: Iterable[str]) -> bool:
    """Whether a user means fields that no bar has."""
    return any(field_of(name) not in {*PRICE_COLUMNS, "last", "date", "symbol", None} for name in given)


def _recognised(names: Mapping[str, str], sample: pl.DataFrame) -> dict[str, str]:
    """The columns by common names, where their cells are of the kind."""
    found: dict[str, str] = {}
    for field, aliases in NAMES.items():
        for alias in aliases:
            column = names.get(alias)
            if column is not None and column not in found.values() and _fits(field, sample[column]):
                found[field] = column
                break
    sides = _sides(names) or _doubled(names, sample)
    return (
        {field: column for field, column in found.items() if field not in NEEDLESS_IN_WIDE} | sides
        if sides
        else found
    )


def _by_last_part(columns: tuple[str, ...]) -> dict[str, str]:
    """``greeks.delta`` and ``last_quote.bid`` of records in records, by what is behind the last point."""
    nested = [column for column in columns if "." in column and " " not in column]  # and not `Exp. Date`
    parts = [(bare(column.rpartition(".")[2]), column) for column in nested]
    ends = [part for part, _ in parts]
    return {part: column for part, column in parts if ends.count(part) == 1}


def _sides(names: Mapping[str, str]) -> dict[str, str]:
    """The columns of a wide table: ``c_bid``, ``callBid``, ``Bid (Put)``; none where one side has no price."""
    found = {
        f"{side}_{field}": names[name]
        for side, words in SIDES.items()
        for field in QUOTE_FIELDS
        for name in [
            *chained.from_iterable(
                (word + alias, alias + word) for alias in reversed(NAMES[field]) for word in words
            )
        ]
        if name in names
    }
    has_prices = all(any(f"{side}_{price}" in found for price in PRICES) for side in SIDES)
    return found if has_prices else {}


def _doubled(names: Mapping[str, str], sample: pl.DataFrame) -> dict[str, str]:
    """The columns of a table with the calls and the puts on either side of the strike, under the same names."""
    twice = {
        field: (names[alias], names[f"{alias}#2"])
        for field in QUOTE_FIELDS
        for alias in reversed(NAMES[field])
        if alias in names and f"{alias}#2" in names
    }
    first, second = _told_sides(names, sample)
    if first == second or not any(price in twice for price in PRICES):
        return {}
    return {
        f"{side}_{field}": column
        for field, pair in twice.items()
        for side, column in zip((first, second), pair, strict=True)
    }


def _told_sides(names: Mapping[str, str], sample: pl.DataFrame) -> tuple[str, str]:
    """Of columns that are there twice, the side of the first and of the second: the same where nothing tells."""
    for alias in NAMES["option_type"]:
        if alias in names and f"{alias}#2" in names:
            told = [
                option_types(sample[names[each]]).drop_nulls().unique().to_list()
                for each in (alias, f"{alias}#2")
            ]
            if sorted(told) == [["c"], ["p"]]:
                return ("call", "put") if told[0] == ["c"] else ("put", "call")
    order = list(names)
    if "calls" in names and "puts" in names:
        return ("call", "put") if order.index("calls") < order.index("puts") else ("put", "call")
    # As every board of options has them.
    strike = next((order.index(alias) for alias in NAMES["strike"] if alias in names), None)
    prices = [
        (order.index(alias), order.index(f"{alias}#2"))
        for price in PRICES
        for alias in NAMES[price]
        if f"{alias}#2" in names
    ]
    is_between = strike is not None and all(left < strike < right for left, right in prices)
    has_type = any(
        alias in names and _fits("option_type", sample[names[alias]]) for alias in NAMES["option_type"]
    )
    return ("call", "put") if is_between and not has_type else ("call", "call")


def _fits(field: str, cells: pl.Series) -> bool:
    match field:
        case "contract":
            return are_contracts(cells)
        case "symbol":
            return (
                not are_contracts(cells)
                and cells.cast(pl.String).cast(pl.Float64, strict=False).is_null().any()
            )
        case "strike":
            return not are_contracts(cells)
        case "option_type":
            sides = option_types(cells).drop_nulls()
            return 2 * len(sides) > len(cells.drop_nulls())
        case _ if field in QUOTE_FIELDS:
            return _are_numbers(cells)
        case _:
            return True


def _are_numbers(cells: pl.Series) -> bool:
    """Whether most cells are numbers, or say nothing: `settlement` may be a price, or AM and PM."""
    return any(2 * int(numbers(cells, decimal)[1].sum()) <= len(cells) for decimal in DECIMALS)


def option_types(cells: pl.Series) -> pl.Series:
    """``c`` and ``p``; null where a cell says neither."""
    letters = cells.cast(pl.String).str.strip_chars().str.to_lowercase()
    # CE and PE are European ones of NSE, CA and PA were its American ones.
    return letters.str.extract(r"^(c|p)(?:[ea]|alls?|uts?)?(?:[\s_-]options?)?$", 1)
