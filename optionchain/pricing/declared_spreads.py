"""What a simulation declares of how its spread widens."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from optionchain.declared.fields import Number, Omission
from optionchain.declared.limits import HIGHEST_GIVEN

MAX_TICK = 1e3

_CONFIGURED = Omission(is_configurable=True)

ProportionalParameter: TypeAlias = Annotated[
    float, Number("What the spread grows by, as a part of the mid", high=1.0), _CONFIGURED
]
MoneynessParameter: TypeAlias = Annotated[
    float,
    Number(
        "What the spread grows by per unit of abs(ln(strike / price)), in currency units", high=HIGHEST_GIVEN
    ),
    _CONFIGURED,
]
TenorParameter: TypeAlias = Annotated[
    float,
    Number(
        "What the spread grows by per root of a year to expiration, in currency units", high=HIGHEST_GIVEN
    ),
    _CONFIGURED,
]
TickParameter: TypeAlias = Annotated[
    float | None,
    Number("Least move and least spread of quotes, in currency units, whole cents", low=0.01, high=MAX_TICK),
    Omission("means a cent, and no least spread", is_configurable=True),
]
