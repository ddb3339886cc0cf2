"""The random numbers of simulated paths: a path's numbers follow from (seed, path) and from nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from enum import IntEnum
from typing import Protocol, TypeAlias

import numpy as np

from optionchain import numerics
from optionchain.arrays import Paths, Steps
from optionchain.declared.checks import whole

RNG_NAME = "philox-v1"
MAX_WORD = 2**64 - 1

# Where NumPy's ziggurat of 256 layers ends, and one over it as it is written there.
_TAIL, _PER_TAIL = 3.6541528853610088, 0.27366123732975828
# A uniform is known from its tail to 10^-15, and its neighbours in the stream are 10^-4 away or so.
_SAME_UNIFORM = 1e-13
_WORDS_A_BLOCK, _MORE_WORDS = 4, 128

Draw: TypeAlias = Callable[[np.random.Generator, Steps], object]


class Factor(IntEnum):
    """What a stream of random numbers drives. A number is part of `philox-v1`: never change one."""

    PRICE = 0
    VOLATILITY = 1
    JUMP_COUNT = 2
    JUMP_SIZE = 3


class Draws(Protocol):
    """The random numbers of some paths, a separate stream for each factor.

    A model asks for each factor once, by one of the two methods. Every answer must be the prefix of a
    longer one, so that a path does not depend on the number of steps simulated. Models that need another
    distribution derive it from these two by inversion, so an antithetic or quasi-random source has only
    ``-z`` and ``1 - u``, or one inverse normal, to write.
    """

    @property
    def paths(self) -> int:
        """Number of paths, >= 1."""
        ...

    def normals(self, factor: Factor, steps: int) -> Paths:
        """Independent standard normals, ``[paths, steps]``; a fresh array that the caller may overwrite."""
        ...

    def uniforms(self, factor: Factor, steps: int) -> Paths:
        """Independent uniforms in [0, 1), ``[paths, steps]``; a fresh array that the caller may overwrite."""
        ...


@dataclass(frozen=True, slots=True)
class PhiloxDraws:
    """Pseudo-random numbers by Philox 4x64-10, keyed by (seed, path), counted from (0, 0, 0, factor).

    The block of paths that is drawn, its order and the process that draws it do not matter.

    Args:
        seed: 0 to 2^64 - 1.
        first_path: Index of the first path of this block, >= 0.
        paths: Number of paths in this block, >= 1.

    Raises:
        InvalidInput: One of them is out of range.

    Example:
        >>> block = PhiloxDraws(seed=7, first_path=0, paths=3).normals(Factor.PRICE, 2)
        >>> alone = PhiloxDraws(seed=7, first_path=2).normals(Factor.PRICE, 5)
        >>> bool((block[2] == alone[0, :2]).all())
        True

    Source:
        Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC'11.
    """

    seed: int
    _: KW_ONLY
    first_path: int = 0
    paths: int = 1

    def __post_init__(self) -> None:
        first_path = whole("first_path", self.first_path, low=0, high=MAX_WORD)
        settled = {
            "seed": whole("seed", self.seed, low=0, high=MAX_WORD),
            "first_path": first_path,
            "paths": whole("paths", self.paths, low=1, high=MAX_WORD - first_path + 1),
        }
        for name, number in settled.items():
            object.__setattr__(self, name, number)

    def normals(self, factor: Factor, steps: int) -> Paths:
        """Standard normals, ``[paths, steps]``, by NumPy's ziggurat.

        Beyond 3.65 it takes a logarithm of the C library's, whose last digit depends on the machine: those few
        numbers are computed again. What is left of the C library is two comparisons, which decide whether one
        draw in seventy is taken; they fall differently on another machine once in some 10^15 draws.
        """
        numbers = self._fill(factor, steps, lambda generator, row: generator.standard_normal(out=row))
        is_tail = np.abs(numbers) > _TAIL
        if is_tail.any():
            paths, steps_of_tails = (each.tolist() for each in np.nonzero(is_tail))
            drawn = np.abs(numbers[is_tail])
            uniforms = [
                self._uniform_of_tail(factor, self.first_path + path, step, size)
                for path, step, size in zip(paths, steps_of_tails, drawn.tolist(), strict=True)
            ]
            tails = _TAIL - numerics.log1p(-np.array(uniforms)) * _PER_TAIL
            numbers[is_tail] = np.copysign(tails, numbers[is_tail])
        return numbers

    def uniforms(self, factor: Factor, steps: int) -> Paths:
        """Multiples of 2^-53 in [0, 1), ``[paths, steps]``."""
        return self._fill(factor, steps, lambda generator, row: generator.random(out=row))

    def _uniform_of_tail(self, factor: Factor, path: int, step: int, size: float) -> float:
        """The uniform, from the words of a path's stream, that the size of a tail was made from."""
        about = -math.expm1((_TAIL - size) / _PER_TAIL)
        block = step // _WORDS_A_BLOCK
        words = _MORE_WORDS + step // 16  # each draw before it took at least one word, and 1.02 on average
        while True:
            key = np.array([self.seed, path], dtype=np.uint64)
            counter = np.array([block, 0, 0, factor], dtype=np.uint64)
            stream = np.random.Philox(key=key, counter=counter).random_raw(words)
            uniforms = (stream >> np.uint64(11)) * 2.0**-53
            nearest = float(uniforms[np.abs(uniforms - about).argmin()])
            if abs(nearest - about) < _SAME_UNIFORM:
                return nearest
            words *= 2  # more were rejected than usual

    def _fill(self, factor: Factor, steps: int, draw: Draw) -> Paths:
        numbers = np.empty((self.paths, steps))
        # One bit generator whose key is changed costs 5 us a path of 252 steps; a new one each, 11 us.
        philox = np.random.Philox(key=0)
        generator = np.random.Generator(philox)
        start = philox.state
        start["state"]["counter"][3] = factor
        key = start["state"]["key"]
        key[0] = self.seed
        for path, row in enumerate(numbers, start=self.first_path):
            key[1] = path
            philox.state = start
            draw(generator, row)
        return numbers
