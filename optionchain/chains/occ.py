"""The 21-character symbols by which the Options Clearing Corporation names listed contracts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from optionchain.arrays import Strikes
from optionchain.expirations import Expiration

_ROOT = re.compile(r"[A-Z0-9]{1,6}")
_MOST_MILLS = 99_999_999
_CENTURY = 20


def contract_symbols(
    symbol: str, expirations: Sequence[Expiration], offsets: Sequence[int], strikes: Strikes
) -> list[str | None]:
    """Return the symbols of all contracts, by expiration and strike, the call before the put.

    A symbol is the root padded to six characters, the exchange's date of expiration as yymmdd, C or P, and the strike
    in thousandths with eight digits. It is None where the root is longer or has other characters than capital
    letters and digits, where the strike is not a whole number of thousandths below 100,000, and where two
    digits are not enough for the year: outside 2000 to 2099.

    Args:
        symbol: The root of expirations that have none of their own.
        expirations: In the order of the contracts.
        offsets: ``[expirations + 1]`` where each one's contracts begin.
        strikes: ``[contracts]``.

    Source:
        OCC, "Options Symbology Initiative".
    """
    mills = np.rint(strikes * 1000.0)
    expressible = (mills <= _MOST_MILLS) & (mills / 1000.0 == strikes)
    numbers = np.where(expressible, mills, 0.0).astype(np.int64).tolist()
    symbols: list[str | None] = []
    for expiration, (start, stop) in zip(expirations, pairwise(offsets), strict=True):
        root, day = expiration.root or symbol, expiration.date
        series = f"{root:6}{day:%y%m%d}"
        is_named = day.year // 100 == _CENTURY and _ROOT.fullmatch(root)
        for number in numbers[start:stop]:
            is_expressible = is_named and number
            symbols += (f"{series}C{number:08}", f"{series}P{number:08}") if is_expressible else (None, None)
    return symbols
