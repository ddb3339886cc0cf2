"""No family of smiles, in all that it allows, with any term structure, gives prices that can be arbitraged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.special import ndtr

from optionchain.chains import build_chain
from optionchain.errors import InvalidInput
from optionchain.expirations import Expiration
from optionchain.models import GeometricBrownian, Heston, JumpDiffusion
from optionchain.parameters import SimulationParameters, SingleExpiration
from optionchain.pricing.spreads import SpreadModel
from optionchain.simulation import simulate
from optionchain.surfaces import GivenTerm, Surface
from tests.unit.surfaces.random_smiles import FAMILIES, random_smile, random_term

NOW = datetime(2026, 1, 5, tzinfo=UTC)
# Of a forward of one, where strikes are up to 150: SciPy's normal distribution has an error of 1e-16.
ROUNDING = 1e-11
CHAINS_OF_A_SMILE = 40


def worst_of(family: str, rng: np.random.Generator) -> dict[str, float]:
    """The least that a vertical, a butterfly and a calendar cost, in chains of one smile at many volatilities."""
    chains, expirations, strikes = CHAINS_OF_A_SMILE, 4, 61
    smile = random_smile(family, rng)
    volatility = np.exp(rng.uniform(np.log(0.01), np.log(5.0), chains))
    years = np.sort(np.exp(rng.uniform(np.log(1e-3), np.log(10.0), (expirations, chains))), axis=0)
    shape = (expirations, chains, strikes)
    levels = random_levels(family, volatility, years, rng)
    # Around the money in deviations of one of the expirations, and far out.
    wide = (levels * np.sqrt(years))[rng.integers(expirations), :] * rng.uniform(0.5, 8.0, chains)
    k = np.linspace(-1.0, 1.0, strikes) * np.minimum(wide, 5.0)[:, None]
    every = [np.broadcast_to(each, shape) for each in (k, years[:, :, None], levels[:, :, None])]
    found = smile.volatilities(*(each.ravel() for each in every)).reshape(shape)
    assert np.all(np.isfinite(found)), smile
    deviation = found * np.sqrt(every[1])
    d1 = -k / deviation + 0.5 * deviation
    # On the side that is out of the money nothing cancels.
    out = np.where(
        k >= 0.0,
        ndtr(d1) - np.exp(k) * ndtr(d1 - deviation),
        np.exp(k) * ndtr(deviation - d1) - ndtr(-d1),
    )
    calls = out + np.maximum(1.0 - np.exp(k), 0.0)
    apart = np.diff(np.exp(k), axis=1)
    slopes = np.diff(calls, axis=2) / apart
    return {
        "vertical": min(float((-slopes * apart).min()), float(((1.0 + slopes) * apart).min())),
        "butterfly": float((np.diff(slopes, axis=2) * np.minimum(apart[:, 1:], apart[:, :-1])).min()),
        "calendar": float(np.diff(out, axis=0).min()),
    }


def random_levels(family, volatility, years, rng):
    term = None if family == "sabr" else random_term(rng)
    levels = [volatility if term is None else term.levels(volatility, each) for each in years]
    return np.array(levels)


@pytest.mark.parametrize("family", FAMILIES)
def test_model_prices_of_any_smile_are_in_order(family):
    rng = np.random.default_rng(FAMILIES.index(family))

    for _ in range(40):
        costs = worst_of(family, rng)
        assert min(costs.values()) >= -ROUNDING, costs


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_million_chains_are_in_order(family):
    rng = np.random.default_rng(100 + FAMILIES.index(family))

    for _ in range(1_000_000 // len(FAMILIES) // CHAINS_OF_A_SMILE):
        costs = worst_of(family, rng)
        assert min(costs.values()) >= -ROUNDING, costs


@pytest.mark.parametrize("family", FAMILIES)
def test_quotes_of_a_whole_chain_cannot_be_executed_for_nothing(family):
    rng = np.random.default_rng(7 + FAMILIES.index(family))

    for _ in range(12):
        chain = build_chain(
            symbol="X",
            quote_time=NOW,
            spot=float(np.exp(rng.uniform(0.0, 9.0))),
            base_volatility=float(np.exp(rng.uniform(-3.0, 0.5))),
            expirations=[
                Expiration(expires_at=NOW + timedelta(days=float(days)), labels=())
                for days in np.cumsum(rng.uniform(0.2, 200.0, 3))
            ],
            chain_size=int(rng.integers(5, 40)),
            risk_free_rate=float(rng.uniform(-0.02, 0.12)),
            dividend_yield=float(rng.uniform(0.0, 0.08)),
            spreads=SpreadModel(base=0.01, tick=float(rng.choice([0.01, 0.05]))),
            surface=Surface(
                smile=random_smile(family, rng), term=None if family == "sabr" else random_term(rng)
            ),
        )
        assert chain.arbitrage("mid") == ()
        assert chain.arbitrage("quotes") == ()


@pytest.mark.parametrize(
    "method",
    [
        Heston(dt=1 / 365, drift=0.0, volatility=0.3, kappa=1.5, theta=0.06, xi=0.9, rho=-0.8),
        JumpDiffusion(
            dt=1 / 365, drift=0.0, volatility=0.15, intensity=3.0, jump_mean=-0.1, jump_volatility=0.12
        ),
        GeometricBrownian(dt=1 / 365, drift=0.0, volatility=0.3),
    ],
)
@pytest.mark.parametrize("days", [2.0, 45.0, 700.0])
def test_prices_of_the_model_itself_are_in_order(method, days):
    parameters = SimulationParameters(
        symbol="X",
        steps=2,
        initial_price=100.0,
        volatility=method.volatility,
        risk_free_rate=0.03,
        method=method,
        expirations=SingleExpiration(days=days),
        seed=1,
        start_at=NOW,
        smile={"model": {}},
    )

    assert simulate(parameters).chain(0).arbitrage("mid", tolerance=1e-8) == ()


@pytest.mark.parametrize(
    ("volatility", "days", "slope", "curve"),
    [(0.2, 1000.0, -0.2, 0.4), (0.6, 91.0, -0.2, 0.4), (0.6, 365.0, -0.2, 0.4), (0.2, 365.0, -0.8, 1.5)],
)
def test_the_parabola_that_could_be_arbitraged_is_mended_and_the_same_near_the_money(
    volatility, days, slope, curve
):
    given = SimulationParameters(
        symbol="X",
        steps=1,
        initial_price=100.0,
        volatility=volatility,
        risk_free_rate=0.04,
        method=GeometricBrownian(dt=1 / 365, drift=0.0, volatility=volatility),
        expirations=SingleExpiration(days=days),
        seed=1,
        start_at=NOW,
        skew_slope=slope,
        smile_curve=curve,
    )
    before = simulate(given).chain(0)
    mended = simulate(replace(given, smile={"quadratic": {"slope": slope, "curve": curve}})).chain(0)

    assert before.arbitrage("mid")
    assert mended.arbitrage("mid") == ()
    assert mended.arbitrage() == ()
    forward = 100.0 * np.exp(0.04 * days / 365.0)
    middle = int(np.abs(mended.strikes - forward).argmin())
    k = np.log(mended.strikes[middle] / forward)
    parabola = volatility * (1.0 + slope * k + curve * k * k)
    assert mended.implied_volatilities[middle] == pytest.approx(parabola, rel=1e-9)


def test_a_term_structure_whose_total_variance_falls_is_refused():
    with pytest.raises(InvalidInput, match="multiples: must not fall so fast"):
        GivenTerm(days=(30.0, 60.0), multiples=(1.0, 0.7))
    GivenTerm(days=(30.0, 60.0), multiples=(1.0, 0.7072))
