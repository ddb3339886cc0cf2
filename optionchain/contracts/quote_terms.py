"""How products are listed and quoted, declared once: by which rule strikes lie, and by which ticks quotes move."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import numpy as np

from optionchain.arrays import Floats, Paths
from optionchain.chains.strike_rules import STRIKE_RULES
from optionchain.declared.fields import Choice, Number, Omission
from optionchain.declared.limits import HIGHEST_GIVEN
from optionchain.errors import InvalidInput
from optionchain.pricing.spreads import CENTS, COIN_TICK, SpreadModel

# `SimulationParameters`, which imports this module and so cannot be named here.
Parameters: TypeAlias = Any

MIN_TICK, MAX_TICK = 1e-12, 1e3
# Of the strikes a side: how many more join on each side of a growing ladder, so that no chain grows without end.
MOST_JOINING = 4

_SAME_TICK = Omission("means the same tick at every price", is_silent=True)

StrikeRuleTerm: TypeAlias = Annotated[
    str | None,
    Choice(
        "Strikes at intervals that grow with distance and days, as listed for such products",
        tuple(STRIKE_RULES),
    ),
    Omission("lists them at one interval", is_silent=True),
]
TickTerm: TypeAlias = Annotated[
    float | None,
    Number("Least move of quotes, in currency units", low=MIN_TICK, high=MAX_TICK, above=True),
    Omission("means a cent, or `spread_tick`", is_silent=True),
]
CoarseFromTerm: TypeAlias = Annotated[
    float | None,
    Number("Price from which quotes move by `coarse_tick_size`", high=HIGHEST_GIVEN, above=True),
    _SAME_TICK,
]
CoarseTickTerm: TypeAlias = Annotated[
    float | None,
    Number("Least move of quotes from `tick_size_above` on", low=MIN_TICK, high=MAX_TICK, above=True),
    _SAME_TICK,
]


def tick_of(parameters: Parameters) -> float | None:
    """The least move of quotes; None is a cent, and no least spread."""
    given = parameters.spread_tick if parameters.tick_size is None else parameters.tick_size
    return COIN_TICK if given is None and parameters.settlement == "coin" else given


def widened_spreads(parameters: Parameters) -> SpreadModel:
    """The spreads that `spread` and what widens it make."""
    return SpreadModel(
        base=parameters.spread,
        proportional=parameters.spread_proportional,
        moneyness=parameters.spread_moneyness_widening,
        tenor=parameters.spread_tenor_widening,
        tick=tick_of(parameters),
        coarse_from=parameters.tick_size_above,
        coarse_tick=parameters.coarse_tick_size,
    )


def check_quotes(parameters: Parameters) -> None:
    """Refuse a ladder without an interval, and ticks that do not lie in each other; whole cents become just that.

    Raises:
        InvalidInput: One is missing, or no multiple of another; it is named.
    """
    ladder, has_rule = parameters.strike_ladder, parameters.strike_rule is not None
    if parameters.strike_interval is None and (ladder == "growing" or (ladder == "pinned" and not has_rule)):
        raise InvalidInput("strike_interval", f"must be given where the strike_ladder is {ladder}")
    if ladder == "growing" and has_rule:
        raise InvalidInput("strike_rule", "must be left out where the strike_ladder is growing")
    if parameters.spread_tick is not None:
        cents = round(parameters.spread_tick * CENTS)
        if abs(parameters.spread_tick * CENTS - cents) > 1e-9 * cents:
            raise InvalidInput("spread_tick", "must be whole cents")
        object.__setattr__(parameters, "spread_tick", cents / CENTS)
    fine, coarse, above = parameters.tick_size, parameters.coarse_tick_size, parameters.tick_size_above
    if (above is None) != (coarse is None):
        raise InvalidInput("tick_size_above", "and coarse_tick_size must be given together")
    if coarse is None or above is None:
        return
    if fine is None:
        raise InvalidInput("tick_size", "must be given beside coarse_tick_size")
    for field, number, unit in (("coarse_tick_size", coarse, fine), ("tick_size_above", above, coarse)):
        if abs(number / unit - round(number / unit)) > 1e-9 * (number / unit):
            raise InvalidInput(field, f"must be a multiple of {unit:g}")


def ladder_prices(parameters: Parameters, prices: Paths) -> Floats | None:
    """The lowest and the highest prices around which steps list their strikes, ``[2, paths, steps]``.

    Args:
        parameters: Of the simulation.
        prices: ``[paths, steps]`` from step 0 on.

    Returns:
        None where each step's strikes are around its own price.
    """
    if parameters.strike_ladder == "rolling":
        return None
    first = parameters.first_price
    if parameters.strike_ladder == "pinned":
        return np.full((2, *prices.shape), first)
    farthest = max(MOST_JOINING * parameters.chain_size - 1, 0) * parameters.strike_interval
    lowest = np.minimum.accumulate(np.clip(prices, first - farthest, first), axis=-1)
    highest = np.maximum.accumulate(np.clip(prices, first, first + farthest), axis=-1)
    return np.stack([lowest, highest])
