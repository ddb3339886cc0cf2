"""Smiles of every family, drawn over all that a family allows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optionchain.errors import InvalidInput
from optionchain.surfaces import GivenTerm, HestonTerm, Quadratic, Sabr, Smile, Ssvi, Svi, TermStructure

FAMILIES = ("ssvi", "svi", "sabr", "quadratic")


def random_smile(family: str, rng: np.random.Generator) -> Smile:
    rho = float(rng.choice([rng.uniform(-0.999, 0.999), rng.choice([-0.999, 0.0, 0.999])]))
    if family == "ssvi":
        most = 2.0 / (1.0 + abs(rho)) * (1.0 - 1e-15)
        share = float(rng.choice([1.0, rng.uniform(0.001, 1.0)]))
        return Ssvi(
            rho=rho, eta=min(most * share, 2.0), gamma=float(rng.choice([0.5, rng.uniform(1e-3, 0.5)]))
        )
    if family == "sabr":
        beta = float(rng.choice([0.0, 1.0, rng.uniform()]))
        return Sabr(rho=rho, nu=float(np.exp(rng.uniform(-5.0, 2.99))), beta=beta)
    if family == "quadratic":
        slope = float(np.clip(rng.normal() * np.exp(rng.uniform(-3.0, 2.3)), -10.0, 10.0))
        return Quadratic(slope=slope, curve=float(rng.choice([0.0, np.exp(rng.uniform(-5.0, 4.6))])))
    return next(_allowed_svi(rng))


def random_term(rng: np.random.Generator) -> TermStructure | None:
    kind = rng.integers(3)
    if kind == 0:
        return None
    if kind == 1:
        return HestonTerm(
            kappa=float(np.exp(rng.uniform(-3.0, 4.0))), theta=float(np.exp(rng.uniform(-7.0, 1.0)))
        )
    days = np.cumsum(np.exp(rng.uniform(0.0, 5.0, 5)))
    variances = np.cumsum(np.exp(rng.uniform(0.0, 5.0, 5)))
    return GivenTerm(
        days=tuple(days.tolist()), multiples=tuple(np.clip(np.sqrt(variances / days), 0.3, 3.0).tolist())
    )


def _allowed_svi(rng: np.random.Generator) -> Iterator[Svi]:
    while True:
        try:
            yield Svi(
                b=float(np.exp(rng.uniform(-4.0, 0.69))),
                rho=float(rng.uniform(-0.999, 0.999)),
                m=float(rng.normal() * rng.choice([0.1, 1.0, 3.0])),
                sigma=float(np.exp(rng.uniform(-4.0, 4.0))),
            )
        except InvalidInput:
            continue
