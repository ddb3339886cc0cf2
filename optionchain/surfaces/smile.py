"""What a smile is: frozen parameters that give every strike of an expiration its volatility."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

from optionchain.arrays import Floats
from optionchain.declared.parts import Parts

# Of a total variance: where less time or volatility is left, a smile keeps the shape that it has here.
LEAST_VARIANCE = 1e-10


@runtime_checkable
class Smile(Protocol):
    """A family of smiles: frozen, validated parameters and one method. All arrays are one entry a contract."""

    def volatilities(self, log_moneyness: Floats, years: Floats, level: Floats) -> Floats:
        """The implied volatility of each contract.

        Args:
            log_moneyness: ``ln(strike / forward)``.
            years: To expiration, >= 0.
            level: Annualised volatility at the money, >= 0.

        Returns:
            Annualised, >= 0.
        """
        ...


S = TypeVar("S", bound=type)

SMILES: Parts[Smile] = Parts("smile", "optionchain.smiles")


def smile(name: str) -> Callable[[S], S]:
    """Make a family of smiles known by a name."""
    return SMILES.register(name=name)
