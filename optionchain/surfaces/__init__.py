"""Surfaces of implied volatility: smile families, term structures at the money, and what prices them together.

A family is a frozen dataclass marked `smile`, a term structure one marked `term_structure`; JSON, its schema and the
documentation know every marked class, and so do a user's own (see `optionchain.declared.parts`).
"""

from optionchain.surfaces.model_prices import ModelSmile
from optionchain.surfaces.quadratic import Quadratic
from optionchain.surfaces.sabr import Sabr
from optionchain.surfaces.smile import SMILES, Smile, smile
from optionchain.surfaces.ssvi import Ssvi
from optionchain.surfaces.surface import Surface
from optionchain.surfaces.svi import Svi
from optionchain.surfaces.terms import (
    TERM_STRUCTURES,
    Flat,
    GivenTerm,
    HestonTerm,
    TermStructure,
    term_structure,
)

__all__ = [
    "SMILES",
    "TERM_STRUCTURES",
    "Flat",
    "GivenTerm",
    "HestonTerm",
    "ModelSmile",
    "Quadratic",
    "Sabr",
    "Smile",
    "Ssvi",
    "Surface",
    "Svi",
    "TermStructure",
    "smile",
    "term_structure",
]
