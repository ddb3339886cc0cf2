"""The prices that a historical model replays: a window of what is stored, drawn by the seed."""

from __future__ import annotations

import numpy as np

from optionchain.arrays import Floats
from optionchain.declared.checks import whole
from optionchain.errors import InvalidInput

# A word of the counter that no path and no factor of `optionchain.draws.philox` uses.
_STREAM = 2**63


def window_of_closes(closes: Floats, steps: int, seed: int) -> tuple[float, ...]:
    """Return `steps` consecutive closes; where they begin follows from the seed alone.

    Args:
        closes: ``[bars]`` all that is stored, in order of time.
        steps: How many are needed, >= 1.
        seed: 0 to 2^64 - 1.

    Raises:
        InvalidInput: There are too few, or a price is not above 0, from which none follows by a return.

    Example:
        >>> window_of_closes(np.array([1.0, 2.0, 3.0]), 3, seed=42)
        (1.0, 2.0, 3.0)
        >>> window_of_closes(np.arange(1.0, 100.0), 2, seed=7) == window_of_closes(np.arange(1.0, 100.0), 2, seed=7)
        True
    """
    seed = whole("seed", seed, low=0, high=2**64 - 1)
    if closes.size < steps:
        raise InvalidInput("steps", f"{steps} prices are needed and {closes.size} are stored")
    generator = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, _STREAM]))
    start = int(generator.integers(closes.size - steps + 1))
    window = closes[start : start + steps]
    if not np.all(window > 0.0):
        reason = (
            f"the history has a close of {np.min(window):g}, and prices that are replayed must be above 0"
        )
        raise InvalidInput("prices", reason)
    return tuple(window.tolist())
