"""Quasi-random draws: replicates of Sobol's sequence, each shifted at random, so that the error can be estimated."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import numpy as np
from numpy.typing import NDArray

from optionchain import numerics
from optionchain.arrays import Paths
from optionchain.declared.checks import whole
from optionchain.draws.philox import MAX_WORD, Factor
from optionchain.errors import InvalidInput

REPLICATES = 16
_BITS = 30
_UNIFORM_BITS = 53
# Keys the shifts apart from every path of `PhiloxDraws`: no sweep has so many paths.
_SHIFT_KEY = MAX_WORD


@dataclass(frozen=True, slots=True)
class SobolDraws:
    """Path p is point ``p // 16`` of replicate ``p % 16``; a replicate is Sobol's sequence under a digital shift.

    Within a replicate the paths fill the cube evenly, so the error of a smooth measure's mean falls almost as
    1 / paths; the 16 replicates are independent, so the spread of their means estimates that error. Step i of
    factor f is dimension ``4 i + f``: a shorter path is a prefix of a longer one, up to 5,300 steps.

    Args:
        seed: 0 to 2^64 - 1; decides the shifts.
        first_path: A multiple of 16, >= 0.
        paths: A multiple of 16, >= 16. Powers of two fill the cube best.

    Raises:
        InvalidInput: One of them is out of range.

    Example:
        >>> uniforms = SobolDraws(7, paths=16 * 8).uniforms(Factor.PRICE, 1)
        >>> one_replicate = np.sort(uniforms[0::16, 0])
        >>> (one_replicate * 8).astype(int).tolist()  # one point in each eighth
        [0, 1, 2, 3, 4, 5, 6, 7]

    Source:
        A. Owen, "Monte Carlo theory, methods and examples", chapter 17 (digital shifts, replicates);
        S. Joe, F. Kuo, "Constructing Sobol sequences with better two-dimensional projections", 2008.
    """

    seed: int
    _: KW_ONLY
    first_path: int = 0
    paths: int = REPLICATES

    def __post_init__(self) -> None:
        paths = whole("paths", self.paths, low=REPLICATES, high=REPLICATES << _BITS)
        first_path = whole("first_path", self.first_path, low=0, high=(REPLICATES << _BITS) - paths)
        for field, number in (("first_path", first_path), ("paths", paths)):
            if number % REPLICATES:
                raise InvalidInput(field, f"must be a multiple of {REPLICATES}, the number of replicates")
            object.__setattr__(self, field, number)
        object.__setattr__(self, "seed", whole("seed", self.seed, low=0, high=MAX_WORD))

    def normals(self, factor: Factor, steps: int) -> Paths:
        """Standard normals by inversion, ``[paths, steps]``."""
        uniforms = self.uniforms(factor, steps)
        uniforms += 2.0 ** -(_UNIFORM_BITS + 1)  # the middle of each cell: never 0, whose normal is infinite
        return numerics.ndtri(np.minimum(uniforms, 1.0 - 2.0**-_UNIFORM_BITS))

    def uniforms(self, factor: Factor, steps: int) -> Paths:
        """Multiples of 2^-53 in [0, 1), ``[paths, steps]``."""
        if steps == 0:
            return np.empty((self.paths, 0))
        points = self._points(factor, steps)
        shifted = points[:, None, :] ^ self._shifts(factor, steps)
        return shifted.reshape(self.paths, steps).astype(np.float64) * 2.0**-_UNIFORM_BITS

    def _points(self, factor: Factor, steps: int) -> NDArray[np.uint64]:
        """``[points, steps]`` of the unshifted sequence, as whole multiples of 2^-53."""
        dimensions = len(Factor) * steps
        # Here, for it takes half a second and 50 MB that nothing else of ours needs.
        from scipy.stats import qmc  # noqa: PLC0415

        if dimensions > qmc.Sobol.MAXDIM:
            most = qmc.Sobol.MAXDIM // len(Factor)
            raise InvalidInput("steps", f"Sobol's sequence is known for at most {most} steps")
        sequence = qmc.Sobol(dimensions, scramble=False, bits=_BITS)
        if self.first_path:
            sequence.fast_forward(self.first_path // REPLICATES)
        # The first point on its own, for SciPy warns where the first call's number is no power of two.
        calls = (1, self.paths // REPLICATES - 1)
        points = np.concatenate([sequence.random(count) for count in calls])[:, factor :: len(Factor)]
        return (points * 2.0**_BITS).astype(np.uint64) << np.uint64(_UNIFORM_BITS - _BITS)

    def _shifts(self, factor: Factor, steps: int) -> NDArray[np.uint64]:
        """``[replicates, steps]`` random words of 53 bits."""
        shifts = np.empty((REPLICATES, steps), dtype=np.uint64)
        for replicate, row in enumerate(shifts):
            key = np.array([self.seed, _SHIFT_KEY], dtype=np.uint64)
            counter = np.array([0, 0, replicate, factor], dtype=np.uint64)
            row[:] = np.random.Philox(key=key, counter=counter).random_raw(steps)
        return shifts >> np.uint64(64 - _UNIFORM_BITS)
