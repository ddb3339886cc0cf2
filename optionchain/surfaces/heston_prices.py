"""Calls of Heston's model, by one integral over its characteristic function."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.models import Heston
from optionchain.models.heston import LEAST_XI

# Where the characteristic function is this small the integral is cut; towards there panels double in length.
_NEGLIGIBLE = 1e-14
_PANELS, _NODES = 8, 64
# What so many nodes can follow of a wave, in radians, and how many of them half of the integral may have.
_PHASE, _MOST_PARTS = 60.0, 24
# Deviations from the money, beyond which no price is left.
_FARTHEST = 20.0
# Contracts times nodes that are held at a time.
_TOGETHER = 1 << 21


def heston_calls(model: Heston, log_moneyness: Floats, years: Floats, level: Floats) -> Floats:
    """Calls, undiscounted, on a forward of one.

    What is integrated is the difference to a model of one volatility, whose price is known: its integrand is smooth at
    zero and smaller everywhere.

    Args:
        model: kappa, theta, xi and rho.
        log_moneyness: ``[contracts]`` ``ln(strike / forward)``.
        years: ``[contracts]`` to expiration, >= 0.
        level: ``[contracts]`` root of the present variance.

    Returns:
        ``[contracts]``; NaN where a strike is so far out that nothing is left of the price.

    Source:
        A. Lewis, "Option Valuation under Stochastic Volatility", 2000, equation 2.10 of chapter 2; L. Andersen, V.
        Piterbarg, "Interest Rate Modeling", 2010, section 9.1, for the difference.
    """
    pairs, which = np.unique(np.stack([years, level]), axis=1, return_inverse=True)
    time, volatility, which = pairs[0], pairs[1], which.ravel()
    total = np.sqrt(np.maximum(_mean_variance(model, time, volatility), 1e-14))
    cut = _cuts(model, time, volatility, total)
    reach = np.minimum(np.abs(log_moneyness), _FARTHEST * total[which])
    waves_in_half = float(np.max(reach * cut[which], initial=0.0)) / 2.0
    parts = int(np.clip(np.ceil(waves_in_half / _PHASE), 1, _MOST_PARTS))
    inner, inner_weights = _panels(parts)
    nodes, weights = cut[:, None] * inner, cut[:, None] * inner_weights
    gap = np.exp(-0.5 * (total**2)[:, None] * (nodes * nodes + 0.25)) - _characteristic(
        model, time, volatility, nodes
    )
    gap *= weights / (nodes * nodes + 0.25)
    calls = _black(log_moneyness, total[which])
    for start in range(0, log_moneyness.size, _TOGETHER // nodes.shape[1]):
        some = slice(start, start + _TOGETHER // nodes.shape[1])
        k, ladder = log_moneyness[some, None], which[some]
        waves = np.exp(-1j * k * nodes[ladder]) * gap[ladder]
        calls[some] += np.exp(0.5 * k[:, 0]) / np.pi * waves.real.sum(axis=1)
    is_followed = np.abs(log_moneyness) * cut[which] <= 2.0 * _PHASE * parts
    return np.where(is_followed, calls, np.nan)


def _mean_variance(model: Heston, years: Floats, level: Floats) -> Floats:
    """The expected integral of the variance until expiration."""
    periods = np.maximum(model.kappa * years, 1e-12)
    weight = -np.expm1(-periods) / periods
    return np.asarray(years * (model.theta + (level * level - model.theta) * weight))


def _characteristic(model: Heston, years: Floats, level: Floats, nodes: Floats) -> NDArray[np.complex128]:
    """``[moments, nodes]`` of ``ln(S / forward)`` at ``u - i / 2``, in the form whose logarithm never jumps.

    Source:
        H. Albrecher, P. Mayer, W. Schoutens, J. Tistaert, "The little Heston trap", 2007.
    """
    xi = max(model.xi, LEAST_XI)
    time, variance = years[:, None], (level * level)[:, None]
    argument = nodes - 0.5j
    drag = model.kappa - 1j * model.rho * xi * argument
    root = np.sqrt(drag * drag + xi * xi * (1j * argument + argument * argument))
    ratio = (drag - root) / (drag + root)
    decay = np.exp(-root * time)
    in_mean = (drag - root) * time - 2.0 * np.log((1.0 - ratio * decay) / (1.0 - ratio))
    in_variance = (drag - root) * (1.0 - decay) / (1.0 - ratio * decay)
    return np.asarray(np.exp((model.kappa * model.theta * in_mean + variance * in_variance) / (xi * xi)))


def _cuts(model: Heston, years: Floats, level: Floats, total: Floats) -> Floats:
    """``[moments]`` up to where there is something to integrate."""
    farthest = np.geomspace(4.0, 2.0e4, 64) / total[:, None]
    left = np.abs(_characteristic(model, years, level, farthest))
    is_gone = left < _NEGLIGIBLE
    return np.asarray(
        farthest[np.arange(total.size), np.where(is_gone.any(axis=1), is_gone.argmax(axis=1), -1)]
    )


@lru_cache(maxsize=_MOST_PARTS)
def _panels(parts: int) -> tuple[Floats, Floats]:
    """Nodes of Gauss and Legendre in (0, 1) and their weights, in panels of which each has so many parts."""
    x, w = np.polynomial.legendre.leggauss(_NODES)
    doubling = [0.0, *(2.0 ** np.arange(1 - _PANELS, 1)).tolist()]
    edges = [0.0]
    for index, (a, b) in enumerate(pairwise(doubling)):
        # The shorter a panel the fewer waves are in it.
        count = max(1, -(-parts // 2 ** (_PANELS - 1 - index)))
        edges += np.linspace(a, b, count + 1)[1:].tolist()
    nodes = [0.5 * ((b - a) * x + a + b) for a, b in pairwise(edges)]
    weights = [0.5 * (b - a) * w for a, b in pairwise(edges)]
    return np.concatenate(nodes), np.concatenate(weights)


def _black(log_moneyness: Floats, total: Floats) -> Floats:
    d1 = -log_moneyness / total + 0.5 * total
    return np.asarray(numerics.ndtr(d1) - np.exp(log_moneyness) * numerics.ndtr(d1 - total))
