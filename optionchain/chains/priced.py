"""Ladders of strikes, listed and priced together: the columns of chains, of blocks of them and of those of paths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from optionchain.arrays import Floats, Strikes
from optionchain.chains.ladder import ladders, strike_intervals
from optionchain.chains.strike_rules import STRIKE_RULES
from optionchain.contracts.carried_ladders import Carried
from optionchain.pricing.american import (
    AMERICAN,
    CALL_RHO,
    CALL_THETA,
    PUT_GAMMA,
    PUT_RHO,
    PUT_THETA,
    PUT_VEGA,
    exercise,
)
from optionchain.pricing.american_on_terms import exercise_on_grid, rhos_on_futures, thetas_by_clock
from optionchain.pricing.black_scholes import DAYS_PER_YEAR
from optionchain.pricing.exercise_grid import Ahead
from optionchain.pricing.kernel import QUOTED, VALUED, Offsets, price
from optionchain.pricing.kernel import Term as Row
from optionchain.pricing.quotes import quote
from optionchain.surfaces import Surface


def priced(
    terms: Floats,
    strike_interval: Floats,
    strikes_per_side: Floats | int,
    *,
    centres: Floats | None = None,
    rules: Sequence[str | None] | None = None,
    carried: Carried | None = None,
    in_coin: NDArray[np.bool_] | bool | None = None,
    quoted: bool = True,
    american: NDArray[np.bool_] | bool = False,
    surface: Surface | None = None,
) -> tuple[Offsets, Floats]:
    """List the strikes of some ladders, and price them.

    Args:
        terms: ``[8, ladders]`` as the kernel takes them.
        strike_interval: ``[ladders]`` currency units, > 0; NaN where one is to be chosen.
        strikes_per_side: >= 0; one whole number, or ``[ladders]``.
        centres: ``[2, ladders]`` the lowest and the highest prices around which the strikes are; None means the spots.
        rules: ``[ladders]`` names of `STRIKE_RULES`, in place of the interval where there is one; None is none at all.
        carried: ``[ladders]`` on which terms; None is on those of `terms`.
        in_coin: Whether prices are in units of the underlying; one truth, or ``[ladders]``. Quotes are not yet.
        quoted: Whether to quote them.
        american: Whether they can be exercised early; one truth, or ``[ladders]``. Where any can, all have the rows
            of those that can.
        surface: What gives them their volatilities in place of the parabola of the terms.

    Returns:
        Where the contracts of each ladder begin, ``[ladders + 1]``, and their columns.

    Raises:
        InvalidInput: An interval is too fine for a price.
    """
    around, highest = (terms[Row.SPOT], None) if centres is None else centres
    if carried is not None and centres is None:
        around = np.where(np.isnan(carried.futures), around, carried.spots)
    if rules is None:
        offsets, strikes = _by_interval(terms, strike_interval, strikes_per_side, around, highest)
    else:
        offsets, strikes = _by_rule(terms, strike_interval, strikes_per_side, around, rules)
    has_early = american is not False and np.any(american)
    columns = np.empty((AMERICAN if has_early else QUOTED if quoted else VALUED, strikes.size))
    columns[0] = strikes
    price_each(
        offsets,
        terms,
        columns,
        carried=carried,
        in_coin=in_coin,
        quoted=quoted,
        american=american,
        surface=surface,
    )
    return offsets, columns


def _by_interval(
    terms: Floats,
    strike_interval: Floats,
    strikes_per_side: Floats | int,
    around: Floats,
    highest: Floats | None = None,
) -> tuple[Offsets, Strikes]:
    """As `ladders`, with an interval that fits where none is given."""
    intervals = strike_interval
    if np.isnan(intervals).any():
        chosen = strike_intervals(
            spot=terms[Row.SPOT],
            volatility=terms[Row.VOLATILITY],
            expiry_years=terms[Row.YEARS],
            chain_size=strikes_per_side,
        )
        intervals = np.where(np.isnan(intervals), chosen, intervals)
    return ladders(around, intervals, strikes_per_side, highest_spots=highest)


def _by_rule(
    terms: Floats,
    strike_interval: Floats,
    strikes_per_side: Floats | int,
    around: Floats,
    rules: Sequence[str | None],
) -> tuple[Offsets, Strikes]:
    """The strikes of each ladder by its rule, or by its interval where it has none."""
    sizes = np.broadcast_to(strikes_per_side, around.shape).astype(int).tolist()
    listed = []
    for ladder, (rule, size) in enumerate(zip(rules, sizes, strict=True)):
        if rule is None:
            alone = slice(ladder, ladder + 1)
            _, strikes = _by_interval(terms[:, alone], strike_interval[alone], size, around[alone])
        else:
            days = round(float(terms[Row.YEARS, ladder]) * DAYS_PER_YEAR, 9)
            strikes = STRIKE_RULES[rule].strikes(float(around[ladder]), days, size)
        listed.append(strikes)
    offsets = np.cumsum([0, *(strikes.size for strikes in listed)])
    return offsets, np.concatenate([*listed, ()])


def price_each(
    offsets: Offsets,
    terms: Floats,
    columns: Floats,
    *,
    carried: Carried | None = None,
    in_coin: NDArray[np.bool_] | bool | None = None,
    quoted: bool,
    american: NDArray[np.bool_] | bool,
    surface: Surface | None = None,
) -> None:
    """As `price`, and with the right to exercise early where there is one.

    Args:
        offsets: ``[ladders + 1]`` where the contracts of each ladder begin.
        terms: ``[8, ladders]``.
        columns: ``[rows, contracts]`` with the strikes.
        carried: As `priced` takes it.
        in_coin: As `priced` takes it.
        quoted: Whether to quote them.
        american: As `priced` takes it; the columns have the rows for it.
        surface: As `priced` takes it.
    """
    _in_currency(offsets, terms, columns, carried, surface, quoted=quoted, american=american)
    if in_coin is not None and np.any(in_coin):
        coins = np.where(in_coin, terms[Row.SPOT], 1.0)
        columns[2:4] /= np.repeat(coins, np.diff(offsets))


def _in_currency(
    offsets: Offsets,
    terms: Floats,
    columns: Floats,
    carried: Carried | None,
    surface: Surface | None,
    *,
    quoted: bool,
    american: NDArray[np.bool_] | bool,
) -> None:
    """As `price_each`, in the currency of the price."""
    if carried is not None:
        terms = terms.copy()
        terms[[Row.SPOT, Row.RATE, Row.DIVIDEND_YIELD]] = carried.spots, carried.rates, carried.yields
        terms[Row.VOLATILITY] *= carried.volatility_scales
        listed = columns[0].copy()
        columns[0] += np.repeat(carried.strike_shifts, np.diff(offsets))
    smiled = terms if surface is None else surface.kernel_terms(offsets, terms, columns)
    price(offsets, smiled, columns[: QUOTED if quoted else VALUED])
    if carried is not None:
        columns[0] = listed
    if american is False:
        return
    which = np.flatnonzero(np.repeat(np.broadcast_to(american, terms.shape[1:]), np.diff(offsets)))
    if not which.size:
        return
    ladder = np.repeat(np.arange(terms.shape[1]), np.diff(offsets))[which]
    spots, years, rates, yields = (
        terms[row, ladder] for row in (Row.SPOT, Row.YEARS, Row.RATE, Row.DIVIDEND_YIELD)
    )
    some = columns if which.size == columns.shape[1] else columns[:, which]
    european = some[:8].copy() if carried is not None else some
    if carried is None or not carried.is_bermudan:
        exercise(spots, years, rates, yields, some)
    if carried is not None:
        if carried.is_future and not carried.is_bermudan:
            rhos_on_futures(some, years, rates)
        thetas_by_clock(some, years, carried.paces[ladder])
        _exercise_on_grids(terms, carried, ladder, european, some)
    if quoted:
        some[8:10], some[10:12] = quote(some[2:4], terms[Row.SPREAD, ladder])
    if some is not columns:
        columns[:, which] = some


def _exercise_on_grids(
    terms: Floats, carried: Carried, ladder: NDArray[np.intp], european: Floats, columns: Floats
) -> None:
    """Price early exercise anew where no single boundary tells when it pays: where dividends in cash come before
    expiration, the rate changes, it is on dates, or rate and yield are both negative.

    Args:
        terms: ``[8, ladders]`` with the spots that they were priced on.
        carried: ``[ladders]``.
        ladder: ``[contracts]`` of which each is.
        european: ``[8, contracts]`` as the kernel wrote them.
        columns: ``[AMERICAN, contracts]`` to be written to.
    """
    pays = carried.coming[:, :, 1].any(axis=1)
    is_bent = terms[Row.YEARS] > carried.curve[0][0] if len(carried.curve) > 1 else np.zeros_like(pays)
    rates, yields = terms[Row.RATE], terms[Row.DIVIDEND_YIELD]
    is_between = (rates < 0.0) & (yields < 0.0) & (rates != yields)
    is_alive = terms[Row.YEARS] > 0.0
    for number in np.flatnonzero((pays | is_bent | is_between) & is_alive | carried.is_bermudan):
        which = np.flatnonzero(ladder == number)
        if not which.size:
            continue
        own = columns[:, which]
        own[:8] = european[:, which]
        own[[PUT_GAMMA, PUT_VEGA]] = own[6:8]
        years, present = float(terms[Row.YEARS, number]), float(carried.present_values[number])
        _european_slopes(own, carried, int(number), years)
        dates = carried.exercises[number]
        dates = dates[~np.isnan(dates)]
        if dates.size or not carried.is_bermudan:
            exercise_on_grid(
                own,
                Ahead(
                    years=years,
                    curve=np.array(carried.curve or [(years, carried.rates[number])]),
                    dividend_yield=float(carried.yields[number]),
                    dividends=carried.coming[number][carried.coming[number, :, 1] > 0.0],
                    is_future=carried.is_future,
                    is_escrowed=carried.is_escrowed,
                    exercises=dates if carried.is_bermudan else None,
                ),
                spot=float(carried.spots[number]) + present,
                present_value=present,
                pace=float(carried.paces[number]),
            )
        columns[:, which] = own


def _european_slopes(columns: Floats, carried: Carried, ladder: int, years: float) -> None:
    """Write theta and rho of the European contracts of one ladder."""

    def of(values: Floats) -> Floats:
        return values[ladder : ladder + 1]

    for worth, delta, decay, by_rate in ((2, 4, CALL_THETA, CALL_RHO), (3, 5, PUT_THETA, PUT_RHO)):
        columns[decay] = carried.theta(
            of,
            prices=columns[worth],
            deltas=columns[delta],
            gammas=columns[6],
            years=years,
            volatilities=columns[1],
        )
        columns[by_rate] = carried.rho(
            of, prices=columns[worth], deltas=columns[delta], strikes=columns[0], years=years
        )
