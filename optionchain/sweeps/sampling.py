"""The ways to draw paths, and which groups of them are independent: that decides the error of a mean."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from optionchain.arrays import Floats, Paths
from optionchain.draws.antithetic import AntitheticDraws
from optionchain.draws.philox import Draws, Factor, PhiloxDraws
from optionchain.draws.sobol import REPLICATES, SobolDraws
from optionchain.sweeps.moments import Moments, Replicates

SamplingName: TypeAlias = Literal["independent", "antithetic", "sobol"]
Groups: TypeAlias = Moments | Replicates


class OpenDraws(Protocol):
    """Makes the draws of a block."""

    def __call__(self, seed: int, *, first_path: int, paths: int) -> Draws: ...


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the paths of a scenario are drawn.

    Attributes:
        draws: Makes the draws of a block.
        multiple: The number of paths of a block and of a scenario is a multiple of it.
        grouped: The independent observations in values ``[variables, paths]``.
    """

    draws: OpenDraws
    multiple: int
    grouped: Callable[[Floats], Groups]


def _pairs(values: Floats) -> Moments:
    return Moments.of((values[:, 0::2] + values[:, 1::2]) / 2.0)


def _replicates(values: Floats) -> Replicates:
    points = values.shape[1] // REPLICATES
    return Replicates(points, values.reshape(len(values), points, REPLICATES).sum(axis=1))


SAMPLINGS: dict[SamplingName, Sampling] = {
    "independent": Sampling(PhiloxDraws, 1, Moments.of),
    "antithetic": Sampling(AntitheticDraws, 2, _pairs),
    "sobol": Sampling(SobolDraws, REPLICATES, _replicates),
}


class DrawMemory:
    """Remembers draws, for the scenarios of a sweep share their seed: drawing is most of a cheap scenario's cost.

    Args:
        capacity_bytes: What it may keep; the longest unused goes first.
    """

    def __init__(self, capacity_bytes: int) -> None:
        self._capacity_bytes = capacity_bytes
        self._kept: OrderedDict[tuple[object, ...], Paths] = OrderedDict()
        self._bytes = 0

    def recall(self, key: tuple[object, ...], draw: Callable[[], Paths]) -> Paths:
        """The numbers of `key`, drawn where they are not known; the caller may overwrite them."""
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            self._keep(key, draw())
        return self._kept[key].copy()

    def _keep(self, key: tuple[object, ...], numbers: Paths) -> None:
        self._kept[key] = numbers
        self._bytes += numbers.nbytes
        while self._bytes > self._capacity_bytes and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes


@dataclass(frozen=True, slots=True)
class RememberedDraws:
    """The same numbers as `original`, drawn once as long as the memory lasts."""

    original: Draws
    memory: DrawMemory

    @property
    def paths(self) -> int:
        return self.original.paths

    def normals(self, factor: Factor, steps: int) -> Paths:
        """Standard normals, ``[paths, steps]``."""
        key = (self.original, "normals", factor, steps)
        return self.memory.recall(key, lambda: self.original.normals(factor, steps))

    def uniforms(self, factor: Factor, steps: int) -> Paths:
        """Uniforms in [0, 1), ``[paths, steps]``."""
        key = (self.original, "uniforms", factor, steps)
        return self.memory.recall(key, lambda: self.original.uniforms(factor, steps))
