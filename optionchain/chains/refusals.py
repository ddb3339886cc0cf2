"""What no chain can be made of, because its prices would have lost their digits."""

from __future__ import annotations

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.declared.limits import HIGHEST_QUOTED, MOST_GROWTH
from optionchain.errors import InvalidInput
from optionchain.pricing.kernel import Offsets, Term


def check_growth(terms: Floats) -> None:
    """Refuse what expires before it is quoted, and discounting so strong that a price would vanish."""
    years = terms[Term.YEARS]
    if years.min(initial=0.0) < 0.0:
        raise InvalidInput("expirations", "must not be before quote_time")
    rates = terms[Term.RATE : Term.DIVIDEND_YIELD + 1]
    if np.abs(rates * years).max(initial=0.0) <= MOST_GROWTH:
        return
    for field, row in (("risk_free_rate", Term.RATE), ("dividend_yield", Term.DIVIDEND_YIELD)):
        if np.abs(terms[row] * years).max(initial=0.0) > MOST_GROWTH:
            raise InvalidInput(
                field, f"times the years to expiration must be at most {MOST_GROWTH:g} in size"
            )


def check_prices(terms: Floats, offsets: Offsets, strikes: Floats) -> None:
    """Refuse strikes and puts beyond what whole cents can express."""
    if strikes.max(initial=0.0) > HIGHEST_QUOTED:
        raise InvalidInput("strike_interval", f"puts strikes beyond {HIGHEST_QUOTED:g}")
    rates = terms[Term.RATE]
    if rates.min(initial=0.0) < 0.0 and strikes.size:
        worth = numerics.exp(np.maximum(-rates * terms[Term.YEARS], 0.0))
        is_listed = np.diff(offsets) > 0
        highest = strikes[(offsets[1:] - 1)[is_listed]] * worth[is_listed]
        if highest.max() > HIGHEST_QUOTED:
            raise InvalidInput(
                "risk_free_rate", f"is so negative that puts would cost more than {HIGHEST_QUOTED:g}"
            )
