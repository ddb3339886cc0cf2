"""Where the cache has what of history: whoever changes the store makes these old."""

from __future__ import annotations

from datetime import date

from optionchain.history import DateRange

ASSETS = "history:assets"
MOST_USED = "history:most-used"


def chain_key(asset: str, day: date) -> str:
    """The chain of a day."""
    return f"history:chain:{asset}:{day}"


def range_key(asset: str) -> str:
    """What is stored of an asset."""
    return f"history:range:{asset}"


def generation_key(asset: str) -> str:
    """A name for all that was computed of an asset's chains, which nobody could list."""
    return f"history:generation:{asset}"


def volatility_key(asset: str, generation: str, period: DateRange) -> str:
    """The smiles of a period, of one generation."""
    return f"history:volatility:{asset}:{generation}:{period.first}:{period.last}"


def keys_of_chain(asset: str, day: date) -> tuple[str, ...]:
    """What a new chain makes old, beside the generation."""
    return (chain_key(asset, day), range_key(asset), ASSETS)


def keys_of_prices(asset: str) -> tuple[str, ...]:
    """What new prices make old."""
    return (range_key(asset), ASSETS)
