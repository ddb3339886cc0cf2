"""The JSON bytes of a chain's contracts, as the HTTP interface defines them.

A dictionary per contract would cost most of a step's time. Instead orjson prints all numbers as one flat
array; each comma is overwritten with a mark that tells which field follows; and each mark is replaced with
that field's constant text. Marks are control characters, which JSON cannot contain.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from itertools import chain as concatenated
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.chains.chain import OptionChain
from optionchain.chains.columns import GREEK_SETS, SIDES, Column, GreekSet, Stored
from optionchain.chains.contracts import COLUMNS, greek_labels, of_side
from optionchain.expirations import Expiration
from optionchain.expirations.listing import EPOCH

_COMMA = ord(",")
_NUMBERS = orjson.OPT_SERIALIZE_NUMPY
_INSTANTS = orjson.OPT_UTC_Z


def v1_contracts(chain: OptionChain, greeks: GreekSet = "none") -> bytes:
    """Encode the contracts of a chain with one expiration, which every contract names.

    Args:
        chain: With exactly one expiration.
        greeks: Which greeks the contracts show beside delta and gamma.

    Returns:
        ``[{"strike": ..., "expiration": ..., "call": {...}, "put": {...}, "implied_volatility": ...}, ...]``

    Raises:
        ValueError: The chain has no expiration or several.
    """
    [expiration] = chain.expirations
    named = b',"expiration":' + orjson.dumps(expiration.expires_at, option=_INSTANTS)
    [contracts] = _contract_arrays(chain, greeks, after_strike=named)
    return b"".join(contracts)


def v2_chains(chain: OptionChain, greeks: GreekSet = "none") -> bytes:
    """Encode all expirations, each with its contracts.

    Args:
        chain: With any number of expirations.
        greeks: Which greeks the contracts show beside delta and gamma.

    Returns:
        ``[{"expires_at": ..., "days_to_expiration": ..., "labels": [...], "contracts": [...]}, ...]``, with ``root``,
        ``settlement`` and ``last_trade_at`` after the labels where rules say them, and ``date`` where it is another one
        than in UTC.
    """
    heads = (
        orjson.dumps(
            {"expires_at": expiration.expires_at, "days_to_expiration": days, "labels": expiration.labels}
            | _series(expiration)
            | future,
            option=_INSTANTS,
        )[:-1]
        for expiration, days, future in zip(
            chain.expirations, chain.days_to_expiration.tolist(), _futures(chain), strict=True
        )
    )
    arrays = _contract_arrays(chain, greeks, after_strike=b"")
    chains = ((b",", head, b',"contracts":', *array, b"}") for head, array in zip(heads, arrays, strict=True))
    parts = list(concatenated.from_iterable(chains))
    return b"".join((b"[", *parts[1:], b"]"))


def _futures(chain: OptionChain) -> list[dict[str, Any]]:
    """The future that the contracts of each expiration are on; nothing where all are on the one price."""
    if chain.carried is None:
        return [{}] * len(chain.expirations)
    return [
        {}
        if math.isnan(expires)
        else {"future": {"expires_at": EPOCH + timedelta(microseconds=expires), "price": price}}
        for expires, price in zip(chain.carried.futures.tolist(), chain.carried.spots.tolist(), strict=True)
    ]


def _series(expiration: Expiration) -> dict[str, Any]:
    """What names an expiration beside its instant: root, settlement and last trade where its rules say them, and the
    exchange's date where that is not the one in UTC.
    """
    said = {
        "root": expiration.root,
        "settlement": expiration.settlement,
        "last_trade_at": expiration.last_trade_at,
        "date": None if expiration.date == expiration.expires_at.date() else expiration.date,
    }
    return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How a contract is printed.

    Attributes:
        columns: Whose numbers a contract shows, in order.
        rows: The same as rows of the kernel's columns; None where some are derived from others.
        marks: The mark before each column's number; columns with the same text before them share one.
        texts: Each mark, and the text that it stands for; the first one closes a contract and opens the next.
    """

    columns: tuple[Column, ...]
    rows: list[int] | None
    marks: tuple[int, ...]
    texts: tuple[tuple[bytes, bytes], ...]


@lru_cache
def _layout(greeks: GreekSet, is_american: bool) -> _Layout:
    """The strike, the object of each side with its block of greeks, and what is of both sides."""
    shown = [column for column in COLUMNS if column.is_always_shown]
    strike, *shared = [column for column in shown if column.side is None]
    before = [(strike, b'},{"strike":')]
    after = b""
    for side in SIDES:
        before += _object(after + b',"%b":{' % side.encode(), [each for each in shown if each.side == side])
        after = b"}"
        if greeks != "none":
            block = [each for label in _block(greeks) if (each := of_side(label, side)) is not None]
            before += _object(b',"greeks":{', block)
            after = b"}}"
    before += _object(after + b",", shared)
    texts = list(dict.fromkeys(text for _, text in before))
    rows = [
        column.american_row if is_american else column.row
        for column, _ in before
        if isinstance(column, Stored)
    ]
    return _Layout(
        columns=tuple(column for column, _ in before),
        rows=rows if len(rows) == len(before) else None,
        marks=tuple(texts.index(text) for _, text in before),
        texts=tuple((bytes([mark]), text) for mark, text in enumerate(texts)),
    )


def _block(greeks: GreekSet) -> tuple[str, ...]:
    """The labels of a block: with all greeks, it has also those that are always shown."""
    return greek_labels(*GREEK_SETS) if greeks == "all" else greek_labels(greeks)


def _object(opening: bytes, columns: Sequence[Column]) -> Iterator[tuple[Column, bytes]]:
    """Each column with the text before its number, the first after `opening`."""
    for column in columns:
        yield column, opening + b'"%b":' % column.label.encode()
        opening = b","


@lru_cache(maxsize=64)
def _marks(greeks: GreekSet, is_american: bool, contracts: int) -> NDArray[np.uint8]:
    """``[contracts * columns - 1]`` what stands between the numbers of so many contracts."""
    marks = np.tile(np.array(_layout(greeks, is_american).marks, dtype=np.uint8), contracts)[1:]
    marks.flags.writeable = False
    return marks


def _contract_arrays(
    chain: OptionChain, greeks: GreekSet, after_strike: bytes
) -> Iterator[tuple[bytes, ...]]:
    """Yield each expiration's JSON array of contracts, in parts; `after_strike` follows every strike."""
    layout, marks = _layout(greeks, chain.is_american), partial(_marks, greeks, chain.is_american)
    if layout.rows is None:
        numbers = np.column_stack([column.of(chain) for column in layout.columns])
    else:
        numbers = np.ascontiguousarray(chain.columns[layout.rows].T)
    strike, (call, opening), *others = layout.texts
    texts = (strike, (call, after_strike + opening), *others)
    for start, stop in pairwise(chain.offsets):
        # One expiration at a time, so that its text stays in the core's cache.
        yield (
            (b'[{"strike":', _print(numbers[start:stop].ravel(), marks(stop - start), texts), b"}]")
            if stop > start
            else (b"[]",)
        )


def _print(numbers: Floats, marks: NDArray[np.uint8], texts: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """Print the numbers one after the other, with the texts of the marks between them."""
    printed = np.frombuffer(bytearray(orjson.dumps(numbers, option=_NUMBERS)), dtype=np.uint8)[1:-1]
    printed[np.flatnonzero(printed == _COMMA)] = marks
    rows = printed.tobytes()
    for mark, text in texts:
        rows = rows.replace(mark, text)
    return rows
