"""The random numbers of simulated paths; `antithetic` and `sobol` beside them draw with less noise."""

from optionchain.draws.philox import RNG_NAME, Draws, Factor, PhiloxDraws

__all__ = ["RNG_NAME", "Draws", "Factor", "PhiloxDraws"]
