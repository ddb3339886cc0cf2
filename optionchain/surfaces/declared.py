"""What a simulation declares of its surface: who leaves it out has the parabola as before, and sees nothing of it."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from optionchain.declared.fields import Choice, Omission
from optionchain.declared.parts import Part
from optionchain.surfaces.smile import SMILES, Smile
from optionchain.surfaces.surface import DYNAMICS, Dynamics
from optionchain.surfaces.terms import TERM_STRUCTURES, TermStructure

SmileParameter: TypeAlias = Annotated[
    Smile | None,
    Part("Family of smiles with its parameters, such as an `ssvi`, which cannot be arbitraged", SMILES),
    Omission("means the parabola of skew_slope and smile_curve", is_silent=True),
]
DynamicsParameter: TypeAlias = Annotated[
    Dynamics,
    Choice("What keeps its volatility when the price moves: a delta, or a strike", DYNAMICS),
    Omission(is_silent=True),
]
TermParameter: TypeAlias = Annotated[
    TermStructure | None,
    Part("How the volatility at the money depends on the time to expiration", TERM_STRUCTURES),
    Omission("means that it does not", is_silent=True),
]
