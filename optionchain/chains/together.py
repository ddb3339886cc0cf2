"""The chains of markets that need have nothing in common, all expirations of all of them in one pricing call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats
from optionchain.chains.chain import OptionChain
from optionchain.chains.priced import priced
from optionchain.chains.refusals import check_growth, check_prices
from optionchain.contracts.carried_ladders import Carried
from optionchain.contracts.carry import Carry
from optionchain.contracts.terms import Exercise
from optionchain.declared.limits import MOST_GROWTH
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration, days_to_expiration
from optionchain.expirations.listing import microseconds
from optionchain.pricing.american import AMERICAN
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.pricing.kernel import QUOTED, Term
from optionchain.pricing.spreads import Spreads
from optionchain.surfaces import Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTerms:
    """What decides a chain, in range; see `optionchain.chains.build.build_chain`."""

    symbol: str
    quote_time: datetime
    spot: float
    base_volatility: float
    expirations: tuple[Expiration, ...]
    chain_size: int
    strike_interval: float | None
    skew_slope: float
    smile_curve: float
    spread: float
    risk_free_rate: float
    dividend_yield: float
    ladder_price: float | None = None
    ladder_highest: float | None = None
    spreads: Spreads | None = None
    exercise: Exercise = "european"
    strike_rule: str | None = None
    carry: Carry | None = None
    surface: Surface | None = None
    in_coin: bool = False


def is_surely_priced(terms: ChainTerms) -> bool:
    """Whether such a chain is priced wherever the spot goes, up to the highest price of a path.

    Only a given interval can be too fine for a price, only a negative rate make a put too dear, and only growth over
    a long time discount too strongly, and only a smile with code of its own refuse.

    Args:
        terms: At the instant from which its expirations are farthest.
    """
    if terms.strike_interval is not None or terms.strike_rule is not None or terms.risk_free_rate < 0.0:
        return False
    if terms.surface is not None and not terms.surface.is_always_priced:
        return False
    growth = max(terms.risk_free_rate, terms.dividend_yield)
    days = [days_to_expiration(terms.quote_time, one.expires_at) for one in terms.expirations]
    return min(days, default=0.0) >= 0.0 and growth * (max(days, default=0.0) / DAYS_PER_YEAR) <= MOST_GROWTH


def build_chains(terms: Sequence[ChainTerms]) -> list[OptionChain]:
    """Build the chains of several markets, which need have nothing in common, in one pricing call.

    Args:
        terms: Of each chain.

    Returns:
        One chain for each of the terms: the same numbers, to the bit, in any company.

    Raises:
        InvalidInput: As `build_chain`, for the first that it refuses.
    """
    try:
        return _built_by_kind(terms)
    except InvalidInput:
        for each in terms if len(terms) > 1 else ():  # of which one it is, only each alone can tell
            _built([each])
        raise


def _built_by_kind(group: Sequence[ChainTerms]) -> list[OptionChain]:
    """Chains of one surface and kind of carry together; those without either are the most."""
    if len(group) == 1 or all(each.surface is None and each.carry is None for each in group):
        return _built(group)
    sharing: dict[Any, list[int]] = {}
    for index, each in enumerate(group):
        kind = None if each.carry is None else each.carry.kind
        sharing.setdefault((each.surface, kind), []).append(index)
    built: dict[int, OptionChain] = {}
    for indices in sharing.values():
        built |= dict(zip(indices, _built([group[index] for index in indices]), strict=True))
    return [built[index] for index in range(len(group))]


def _built(group: Sequence[ChainTerms]) -> list[OptionChain]:
    """Of one surface and kind of carry. Axes: ``[ladders]``, one expiration of one chain, and ``[contracts]``."""
    days = [
        np.array(
            [days_to_expiration(each.quote_time, one.expires_at) for one in each.expirations], dtype=float
        )
        for each in group
    ]
    counts = [each.size for each in days]
    terms = np.repeat(_rows(group), counts, axis=1)
    terms[Term.YEARS] = np.concatenate([*days, ()]) / DAYS_PER_YEAR
    check_growth(terms)
    surface = group[0].surface if group else None
    if surface is not None:
        surface.levelled(terms)
    intervals = np.repeat(np.array([each.strike_interval for each in group], dtype=float), counts)
    sizes = {each.chain_size for each in group}
    strikes_per_side = (
        sizes.pop()
        if len(sizes) == 1
        else np.repeat(np.array([float(each.chain_size) for each in group]), counts)
    )
    american = np.repeat(np.array([each.exercise != "european" for each in group], dtype=bool), counts)
    carried = _carried(group, counts, terms)
    offsets, columns = priced(
        terms,
        intervals,
        strikes_per_side,
        centres=_centres(group, counts),
        carried=None if carried is None else Carried.together(carried),
        rules=_rules(group, counts),
        in_coin=_in_coin(group, counts),
        american=american,
        surface=surface,
    )
    check_prices(terms, offsets, columns[0])
    chains = [
        OptionChain(
            symbol=each.symbol,
            quote_time=each.quote_time,
            underlying_price=float(each.spot),
            base_volatility=float(each.base_volatility),
            risk_free_rate=float(each.risk_free_rate),
            dividend_yield=float(each.dividend_yield),
            expirations=each.expirations,
            days_to_expiration=own_days,
            offsets=tuple((offsets[first : stop + 1] - offsets[first]).tolist()),
            columns=columns[
                : QUOTED if each.exercise == "european" else AMERICAN, offsets[first] : offsets[stop]
            ],
            carried=None if carried is None or each.carry is None else carried[index],
            in_coin=each.in_coin,
        )
        for index, (each, own_days, (first, stop)) in enumerate(
            zip(group, days, pairwise(accumulate(counts, initial=0)), strict=True)
        )
    ]
    for each, chain in zip(group, chains, strict=True):
        if each.spreads is not None:
            chain.quote_by(each.spreads)
    return chains


def _centres(group: Sequence[ChainTerms], counts: Sequence[int]) -> Floats | None:
    """``[2, ladders]`` the lowest and highest prices around which strikes are; None where that is the spot of all."""
    if all(each.ladder_price is None for each in group):
        return None
    lowest = [each.spot if each.ladder_price is None else each.ladder_price for each in group]
    highest = [
        low if each.ladder_highest is None else each.ladder_highest
        for each, low in zip(group, lowest, strict=True)
    ]
    return np.repeat([lowest, highest], counts, axis=1)


def _carried(group: Sequence[ChainTerms], counts: Sequence[int], terms: Floats) -> list[Carried] | None:
    """On which terms each chain is priced; None where those of all are the plain ones."""
    if all(each.carry is None for each in group):
        return None
    parts = []
    for each, (first, stop) in zip(group, pairwise(accumulate(counts, initial=0)), strict=True):
        carry = each.carry or Carry(rate=each.risk_free_rate, dividend_yield=each.dividend_yield)
        at = np.full(stop - first, microseconds(each.quote_time))
        parts.append(carry.at(at, terms[Term.SPOT, first:stop], terms[Term.YEARS, first:stop]))
    return parts


def _in_coin(group: Sequence[ChainTerms], counts: Sequence[int]) -> NDArray[np.bool_] | None:
    """``[ladders]`` whether prices are in coin; None where none are."""
    if not any(each.in_coin for each in group):
        return None
    return np.repeat([each.in_coin for each in group], counts)


def _rules(group: Sequence[ChainTerms], counts: Sequence[int]) -> list[str | None] | None:
    """``[ladders]`` by which rule strikes are listed; None where there is none."""
    if all(each.strike_rule is None for each in group):
        return None
    return [each.strike_rule for each, count in zip(group, counts, strict=True) for _ in range(count)]


def _rows(group: Sequence[ChainTerms]) -> Floats:
    """``[8, chains]`` as the kernel takes them, the years still to be filled in."""
    return np.array(
        [
            (
                each.spot,
                0.0,
                each.risk_free_rate,
                each.dividend_yield,
                each.base_volatility,
                each.skew_slope,
                each.smile_curve,
                each.spread,
            )
            for each in group
        ]
    ).T
