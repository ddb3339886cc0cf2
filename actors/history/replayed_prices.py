"""The prices that a historical model replays, drawn from the store."""

from __future__ import annotations

import numpy as np

from optionchain.arrays import Floats
from optionchain.errors import InvalidInput, NotFound
from optionchain.history.bars import stored_time_frame
from optionchain.history.chains import asset_name
from optionchain.history.results import AssetSummary
from optionchain.history.window import window_of_closes
from optionchain.ports import HistoricalDataRepository
from optionchain.time_frame import TimeFrame


async def drawn_closes(
    repository: HistoricalDataRepository,
    asset: str,
    timeframe: TimeFrame,
    *,
    steps: int,
    seed: int,
    max_bars: int,
) -> tuple[float, ...]:
    """Return `steps` consecutive closes; where they begin is drawn from the seed.

    Args:
        repository: The store.
        asset: Whose closes.
        timeframe: What a bar spans; made of a finer one where it is not stored.
        steps: How many, >= 1.
        seed: 0 to 2^64 - 1.
        max_bars: Bound of the bars that are read.

    Raises:
        InvalidInput: There are too few or too many, or one is not above 0; the reason says what is there.
    """
    try:
        asset_name(asset, "symbol")
        stored_time_frame(timeframe)
        stored = await _stored(repository, asset)
        closes = await _closes(repository, stored, timeframe, max_bars) if stored else np.empty(0)
        if closes.size < steps:
            reason = (
                f"{steps} {timeframe.name} prices of {asset} are needed and the history has {closes.size}"
                f"{_what_is_there(stored)}: give prices, fewer steps, another symbol or time frame, or import more"
            )
            raise InvalidInput("prices", reason)
        return window_of_closes(closes, steps, seed)
    except InvalidInput as refusal:
        raise refusal.under("method.Historical") from None


async def _stored(repository: HistoricalDataRepository, asset: str) -> AssetSummary | None:
    try:
        return await repository.get_asset(asset)
    except NotFound:
        return None


async def _closes(
    repository: HistoricalDataRepository, stored: AssetSummary, timeframe: TimeFrame, max_bars: int
) -> Floats:
    parts, bars = [np.empty(0)], 0
    try:
        async for part in repository.query_time_series(stored.asset, stored.days, timeframe):
            parts.append(part.close)
            bars += len(part)
            if bars > max_bars:
                reason = f"{stored.asset} has more than {max_bars} such prices: choose a coarser one"
                raise InvalidInput("timeframe", reason)
    except NotFound:  # only coarser ones are stored
        return np.empty(0)
    return np.concatenate(parts)


def _what_is_there(stored: AssetSummary | None) -> str:
    series = [
        f"{name} from {days.first} to {days.last}" for name, days in (stored.prices if stored else {}).items()
    ]
    return f" (it has {', '.join(series)})" if series else ""
