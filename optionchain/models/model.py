"""What a market model is: frozen parameters that turn random draws into paths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar, runtime_checkable

from optionchain.arrays import Paths
from optionchain.declared.parts import Parts
from optionchain.draws.philox import Draws

MIN_VOLATILITY, MAX_VOLATILITY = 1e-4, 5.0
MIN_PRICE = 0.01


@dataclass(frozen=True, slots=True)
class SampledPaths:
    """The factors of some paths.

    Attributes:
        prices: ``[paths, steps]`` underlying price; column 0 is the start. Always finite, at most 1e12, and
            at least one cent (or a hundredth of a start below it; a replayed history is as it was given).
        volatilities: ``[paths, steps]`` annualised volatility that prices the chain, in [1e-4, 5].
    """

    prices: Paths
    volatilities: Paths


@runtime_checkable
class MarketModel(Protocol):
    """A market model: frozen, validated parameters and one method."""

    def sample(self, spot: float, steps: int, draws: Draws) -> SampledPaths:
        """Draw one path for each path of `draws`.

        Args:
            spot: Price at step 0, in (0, 1e12].
            steps: Number of snapshots, >= 1; the path has `steps` columns and `steps - 1` moves. A shorter
                path is a prefix of a longer one.
            draws: The random numbers of the paths.

        Returns:
            A path of shape ``[draws.paths, steps]``.

        Raises:
            InvalidInput: The parameters drive a price above 1e12; the one most at fault is named.
        """
        ...


@lru_cache(maxsize=256)
def is_model(kind: type) -> bool:
    """Whether the values of a class are market models; a protocol is looked up name by name, so each is asked once.

    A class itself, which has `sample` too, is none.
    """
    return callable(getattr(kind, "sample", None)) and not issubclass(kind, type)


M = TypeVar("M", bound=type)

MARKET_MODELS: Parts[MarketModel] = Parts("model", "optionchain.market_models")


def market_model(model: M) -> M:
    """Make a model known by its class name to the HTTP API and its schema."""
    return MARKET_MODELS.register(model)
