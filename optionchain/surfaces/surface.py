"""A surface: a smile, a term structure and what the smile sticks to, as the pricing of ladders takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.errors import InvalidInput
from optionchain.models import MarketModel
from optionchain.pricing.kernel import Offsets
from optionchain.pricing.kernel import Term as Row
from optionchain.surfaces.hyperbolas import Hyperbolas
from optionchain.surfaces.model_prices import ModelSmile
from optionchain.surfaces.smile import Smile
from optionchain.surfaces.terms import Flat, HestonTerm, TermStructure

Dynamics: TypeAlias = Literal["sticky_delta", "sticky_strike"]
DYNAMICS: tuple[Dynamics, ...] = get_args(Dynamics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """What gives every contract of a simulation its volatility, in place of the parabola that all have by default.

    Attributes:
        smile: The family; None is the parabola of `skew_slope` and `smile_curve`.
        term: At the money; None is flat.
        sticks_to: The price that strikes are compared with in place of each step's, so that a strike keeps its
            volatility when the price moves; None lets the smile move along with the price.
    """

    smile: Smile | None = None
    term: TermStructure | None = None
    sticks_to: float | None = None

    @classmethod
    def of(
        cls, smile: Smile | None, term: TermStructure | None, sticks_to: float | None, model: MarketModel
    ) -> Surface | None:
        """The surface of a simulation; None where nothing asks for one.

        Raises:
            InvalidInput: The parts do not go together, or lack what the model does not know.
        """
        if smile is None and term is None and sticks_to is None:
            return None
        if smile is None and sticks_to is not None:
            raise InvalidInput("smile", "must be given where smile_dynamics is sticky_strike")
        if isinstance(smile, ModelSmile):
            if term is not None or sticks_to is not None:
                field = "smile_dynamics" if term is None else "volatility_term"
                raise InvalidInput(
                    field, "must be left out where the model itself prices: it follows from the model"
                )
            smile = smile.of_model(model)
        if getattr(type(smile), "needs_flat_term", False) and not isinstance(term, Flat | None):
            raise InvalidInput(
                "volatility_term", "must be flat with this smile, whose expirations it would set apart"
            )
        if isinstance(term, HestonTerm):
            try:
                term = term.of_model(model)
            except InvalidInput as error:
                raise error.under("volatility_term") from None
        return cls(smile=smile, term=term, sticks_to=sticks_to)

    @property
    def is_always_priced(self) -> bool:
        """Whether nothing can refuse a time or a volatility that a simulation comes to."""
        return self.smile is None or isinstance(self.smile, Hyperbolas)

    def levelled(self, terms: Floats) -> None:
        """Write the volatility at the money of each ladder, ``[8, ladders]``, over that of the market."""
        if self.term is not None:
            terms[Row.VOLATILITY] = self.term.levels(terms[Row.VOLATILITY], terms[Row.YEARS])

    def kernel_terms(self, offsets: Offsets, terms: Floats, columns: Floats) -> Floats:
        """What the pricing loop takes for these ladders; volatilities that it cannot compute are written to row 1.

        Args:
            offsets: ``[ladders + 1]`` where the contracts of each ladder begin.
            terms: ``[8, ladders]`` with the volatilities at the money.
            columns: ``[rows, contracts]`` with the strikes.
        """
        if self.smile is None:
            return terms
        shift = None if self.sticks_to is None else numerics.log(terms[Row.SPOT] / self.sticks_to)
        if isinstance(self.smile, Hyperbolas):
            rows = self.smile.rows(terms)
            if shift is not None:
                rows[Row.VOLATILITY + 3] -= shift
            return rows
        which = np.repeat(np.arange(terms.shape[1]), np.diff(offsets))
        each = terms[:, which]
        forwards = each[Row.SPOT] * numerics.exp(
            (each[Row.RATE] - each[Row.DIVIDEND_YIELD]) * each[Row.YEARS]
        )
        log_moneyness = numerics.log(columns[0] / forwards)
        if shift is not None:
            log_moneyness = log_moneyness + shift[which]
        columns[1] = self.smile.volatilities(log_moneyness, each[Row.YEARS], each[Row.VOLATILITY])
        return np.concatenate([terms[: Row.VOLATILITY], terms[Row.SPREAD :]])
