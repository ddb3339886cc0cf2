"""The smile that a market model itself implies: chains that agree with the law of their own underlying."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.models import GeometricBrownian, Heston, JumpDiffusion, MarketModel
from optionchain.pricing.implied_volatility import implied_volatility
from optionchain.surfaces.heston_prices import heston_calls
from optionchain.surfaces.merton_prices import MOST_JUMPS, merton_calls
from optionchain.surfaces.smile import smile

# Of a forward of one: what an option out of the money is worth at least for its price to tell its volatility.
_LEAST_PRICE = 1e-11
# Decimals of a volatility. Beyond them what the machine's own functions of complex numbers give may differ.
_DECIMALS = 10


@smile("model")
@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSmile:
    """Prices by the market model itself: Heston by its characteristic function, JumpDiffusion by Merton's series.

    GeometricBrownian has one volatility for every strike. The implied volatility of a contract is that of its
    price, and its greeks are those of Black and Scholes at it. Rates and yields are the chain's, so the prices are
    those under which nothing can be arbitraged, whatever the drift of the path.
    """

    model: MarketModel | None = None

    def of_model(self, model: MarketModel) -> ModelSmile:
        """The smile of a model.

        Raises:
            InvalidInput: No formula is known for it.
        """
        if not isinstance(model, Heston | JumpDiffusion | GeometricBrownian):
            known = "Heston, JumpDiffusion or GeometricBrownian"
            raise InvalidInput("smile.model", f"prices by {known}, not by {type(model).__name__}")
        return ModelSmile(model=model)

    def volatilities(self, log_moneyness: Floats, years: Floats, level: Floats) -> Floats:
        """The implied volatility of each contract; see `Smile.volatilities`.

        Raises:
            InvalidInput: There are more jumps until expiration than the series can have.
        """
        model = self.model
        if isinstance(model, Heston):
            calls = heston_calls(model, log_moneyness, years, level)
        elif isinstance(model, JumpDiffusion):
            if model.intensity * float(np.max(years, initial=0.0)) > MOST_JUMPS:
                raise InvalidInput(
                    "method.JumpDiffusion.intensity",
                    f"brings more than {MOST_JUMPS:g} jumps until an expiration: lower it, or leave out smile.model",
                )
            calls = merton_calls(model, log_moneyness, years, level)
        else:
            return level
        return np.round(_implied(calls, log_moneyness, years, level), _DECIMALS)


def _implied(calls: Floats, log_moneyness: Floats, years: Floats, level: Floats) -> Floats:
    """The volatilities of calls on a forward of one; beyond where prices tell it, that of the last that does."""
    strikes = np.exp(log_moneyness)
    out = np.where(log_moneyness >= 0.0, calls, calls - 1.0 + strikes)
    sides = np.where(log_moneyness >= 0.0, "call", "put")
    found = implied_volatility(
        np.where(out > _LEAST_PRICE, out, np.nan),
        spot=1.0,
        strike=strikes,
        expiry_years=years,
        option_type=sides,
    )
    return _filled(found, log_moneyness, years, level)


def _filled(found: Floats, log_moneyness: Floats, years: Floats, level: Floats) -> Floats:
    """Give each contract without a volatility that of the nearest one towards the money of its expiration."""
    lacking = np.isnan(found)
    if not lacking.any():
        return found
    # Contracts of one ladder stand together, with ascending strikes.
    starts = np.flatnonzero(
        np.concatenate(
            [[True], (np.diff(log_moneyness) <= 0.0) | (np.diff(years) != 0.0) | (np.diff(level) != 0.0)]
        )
    )
    which = np.arange(found.size)
    first = np.repeat(starts, np.diff(np.append(starts, found.size)))
    last = np.repeat(np.append(starts[1:], found.size) - 1, np.diff(np.append(starts, found.size)))
    above = log_moneyness >= 0.0
    before = np.maximum.accumulate(np.where(lacking, -1, which))
    after = np.minimum.accumulate(np.where(lacking, found.size, which)[::-1])[::-1]
    source = np.where(above, before, after)
    is_own = (source >= first) & (source <= last)
    return np.where(is_own, found[np.clip(source, 0, found.size - 1)], level)
