"""Where the cache has what of history: whoever changes the store makes these old."""

from __future__ import annotations

from datetime import date, datetime

from optionchain.history.chains import DateRange

ASSETS = "history:assets"
MOST_USED = "history:most-used"


def chain_key(asset: str, day: date) -> str:
    """The chain of a day."""
    return f"history:chain:{asset}:{day}"


def range_key(asset: str) -> str:
    """What is stored of an asset."""
    return f"history:range:{asset}"


def generation_key(asset: str) -> str:
    """A name for all that was computed of an asset, which nobody could list."""
    return f"history:generation:{asset}"


def volatility_key(asset: str, period: DateRange, generation: str) -> str:
    """The smiles of a period, of one generation."""
    return f"history:volatility:{asset}:{generation}:{period.first}:{period.last}"


def realised_volatility_key(asset: str, period: DateRange, generation: str) -> str:
    """The realised volatility of a period, of one generation."""
    return f"history:realised:{asset}:{generation}:{period.first}:{period.last}"


def bars_key(asset: str, period: DateRange, timeframe: str, begin: datetime | None, generation: str) -> str:
    """A page of bars, of one generation."""
    return f"history:bars:{asset}:{generation}:{timeframe}:{period.first}:{period.last}:{begin or ''}"


def keys_of_chain(asset: str, day: date) -> tuple[str, ...]:
    """What a new chain makes old, beside the generation."""
    return (chain_key(asset, day), *keys_of_prices(asset))


def keys_of_prices(asset: str) -> tuple[str, ...]:
    """What new prices make old, beside the generation."""
    return (range_key(asset), ASSETS)
