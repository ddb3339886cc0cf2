"""The JSON bytes of a chain's contracts, as the HTTP interface defines them.

A dictionary per contract would cost most of a step's time. Instead orjson prints all numbers as one flat
array; each comma is overwritten with a mark that tells which field follows; and each mark is replaced with
that field's constant text. Marks are control characters, which JSON cannot contain.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain as concatenated
from itertools import pairwise

import numpy as np
import orjson

from optionchain.arrays import Floats
from optionchain.chains.chain import GreekSet, OptionChain

_COMMA = ord(",")
_NEW_CHAIN = 31
_NUMBERS = orjson.OPT_SERIALIZE_NUMPY
_INSTANTS = orjson.OPT_UTC_Z


def v1_contracts(chain: OptionChain, greeks: GreekSet = "first") -> bytes:
    """Encode the contracts of a chain with one expiration, which every contract names.

    Args:
        chain: With exactly one expiration.
        greeks: Which greeks the contracts show; theta and rho are the call's.

    Returns:
        ``[{"strike": ..., "expiration": ..., "call": {...}, "put": {...}, "implied_volatility": ...}, ...]``

    Raises:
        ValueError: The chain has no expiration or several.
    """
    [expiration] = chain.expirations
    named = b',"expiration":' + orjson.dumps(expiration.expires_at, option=_INSTANTS)
    [contracts] = _contract_arrays(chain, greeks, after_strike=named)
    return b"".join(contracts)


def v2_chains(chain: OptionChain, greeks: GreekSet = "first") -> bytes:
    """Encode all expirations, each with its contracts.

    Args:
        chain: With any number of expirations.
        greeks: Which greeks the contracts show; theta and rho are the call's.

    Returns:
        ``[{"expires_at": ..., "days_to_expiration": ..., "labels": [...], "contracts": [...]}, ...]``
    """
    heads = (
        orjson.dumps(
            {"expires_at": expiration.expires_at, "days_to_expiration": days, "labels": expiration.labels},
            option=_INSTANTS,
        )[:-1]
        for expiration, days in zip(chain.expirations, chain.days_to_expiration.tolist(), strict=True)
    )
    arrays = _contract_arrays(chain, greeks, after_strike=b"")
    chains = ((b",", head, b',"contracts":', *array, b"}") for head, array in zip(heads, arrays, strict=True))
    parts = list(concatenated.from_iterable(chains))
    return b"".join((b"[", *parts[1:], b"]"))


def _contract_arrays(
    chain: OptionChain, greeks: GreekSet, after_strike: bytes
) -> Iterator[tuple[bytes, ...]]:
    """Yield each expiration's JSON array of contracts, in parts; `after_strike` follows every strike."""
    fields, texts = _layout(greeks, after_strike)
    numbers = np.empty((chain.strikes.size, len(fields)))
    for column, field in enumerate(fields):
        values = getattr(chain, field)
        numbers[:, column] = values() if callable(values) else values
    first_rows = [start for start, stop in pairwise(chain.offsets) if stop > start]
    rows = iter(_print_marked(numbers, first_rows).split(bytes([_NEW_CHAIN]))[1:])
    for start, stop in pairwise(chain.offsets):
        yield (b'[{"strike":', _unmark(next(rows), texts), b"}]") if stop > start else (b"[]",)


def _print_marked(numbers: Floats, first_rows: list[int]) -> bytes:
    """Print ``[contracts, fields]`` row by row, each number after the mark of its field or of a new chain."""
    if not numbers.size:
        return b""
    printed = np.frombuffer(orjson.dumps(numbers.ravel(), option=_NUMBERS), dtype=np.uint8)[:-1].copy()
    printed[0] = _COMMA  # the opening bracket
    marks = np.empty(numbers.shape, dtype=np.uint8)
    marks[:] = np.arange(numbers.shape[1])
    marks[first_rows, 0] = _NEW_CHAIN
    printed[np.flatnonzero(printed == _COMMA)] = marks.ravel()
    return printed.tobytes()


def _unmark(marked: bytes, texts: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """Replace every mark with its text."""
    for mark, text in texts:
        marked = marked.replace(mark, text)
    return marked


@lru_cache
def _layout(greeks: GreekSet, after_strike: bytes) -> tuple[tuple[str, ...], tuple[tuple[bytes, bytes], ...]]:
    """The fields of a contract in order, and each one's mark and the text before its number."""
    fields = {"strikes": b'},{"strike":'}
    for side, opening in (("call", after_strike + b',"call":{"bid":'), ("put", b'},"put":{"bid":')):
        fields |= {f"{side}_bid": opening, f"{side}_ask": b',"ask":', f"{side}_mid": b',"mid":'}
        if greeks != "none":
            fields[f"{side}_delta"] = b',"delta":'
    fields["implied_volatilities"] = b'},"implied_volatility":'
    if greeks != "none":
        fields["gamma"] = b',"gamma":'
    if greeks == "all":
        fields |= {"call_theta": b',"theta":', "vega": b',"vega":', "call_rho": b',"rho":'}
    return tuple(fields), tuple((bytes([mark]), text) for mark, text in enumerate(fields.values()))
