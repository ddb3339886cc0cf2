"""The random numbers of simulated paths; `antithetic` and `sobol` beside them draw with less noise.

Sobol's sequence is not imported here: it takes half a second of scipy.stats that a session does not need.
"""

from optionchain.draws.philox import RNG_NAME, Draws, Factor, PhiloxDraws

__all__ = ["RNG_NAME", "Draws", "Factor", "PhiloxDraws"]
