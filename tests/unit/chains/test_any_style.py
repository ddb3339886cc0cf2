"""No quote of any style gives money away: exercise, parity, verticals, butterflies, calendars, over random chains."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from optionchain import numerics
from optionchain.chains.together import ChainTerms, build_chains
from optionchain.contracts.carry import Carry
from optionchain.expirations import Expiration
from optionchain.expirations.listing import microseconds
from optionchain.pricing.market_maker import MarketMaker
from optionchain.pricing.spreads import SpreadModel
from optionchain.surfaces import Surface
from tests.unit.surfaces.random_smiles import random_smile

NOW = datetime(2026, 1, 5, 15, tzinfo=UTC)
TOGETHER, PARTS = 250, 20
STYLES = (
    "european",
    "american",
    "future",
    "american future",
    "margined future",
    "coin",
    "curve",
    "dividends",
    "forward dividends",
    "ssvi",
)
"""Those that a grid prices are a hundred times as dear, so that there are fewer of them."""
ON_GRIDS = (
    "american curve",
    "american dividends",
    "american forward dividends",
    "american future curve",
    "bermudan",
    "bermudan dividends",
    "bermudan future curve",
)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    numerics.compile_kernels()


def random_carry(style: str, rng: np.random.Generator, terms: dict[str, Any]) -> Carry | None:
    rate, dividend_yield = terms["risk_free_rate"], terms["dividend_yield"]
    if not any(word in style for word in ("future", "curve", "dividends", "bermudan")):
        return None
    curve: tuple[tuple[float, float], ...] = ()
    if "curve" in style:
        # Forward rates are not negative, or holding money would cost what an exercise saves.
        years = np.sort(rng.uniform(0.05, 3.0, 3))
        grown = np.cumsum(np.diff(years, prepend=0.0) * rng.uniform(0.0, 0.1, 3))
        curve = tuple(zip(years.tolist(), (grown / years).tolist(), strict=True))
    paid: tuple[tuple[int, float], ...] = ()
    if "dividends" in style:
        ahead = np.sort(rng.uniform(1.0, 700.0, 3))
        amounts = terms["spot"] * rng.uniform(0.002, 0.03, 3)
        paid = tuple(
            (microseconds(NOW + timedelta(days=float(day))), float(amount))
            for day, amount in zip(ahead, amounts, strict=True)
        )
    dates: tuple[int, ...] | None = None
    if "bermudan" in style:
        ahead = np.sort(rng.uniform(1.0, 700.0, 4))
        dates = tuple(microseconds(NOW + timedelta(days=float(day))) for day in ahead)
    return Carry(
        rate=rate,
        dividend_yield=0.0 if "future" in style else dividend_yield,
        curve=curve,
        underlying="future" if "future" in style else "spot",
        premium="margined" if "margined" in style else "upfront",
        dividends=paid,
        model="forward" if "forward" in style else "escrowed",
        exercises=dates,
    )


def random_terms(style: str, rng: np.random.Generator) -> ChainTerms:
    """With one volatility a chain, or a smile that cannot be arbitraged itself."""
    days = np.cumsum(rng.uniform(0.2, 250.0, 3))
    exercise = next((each for each in ("american", "bermudan") if each in style), "european")
    in_coin = style == "coin"
    terms: dict[str, Any] = {
        "symbol": "X",
        "quote_time": NOW,
        "spot": float(np.exp(rng.uniform(1.5, 9.0))),
        "base_volatility": float(rng.uniform(0.06, 0.9)),
        "expirations": tuple(
            Expiration(expires_at=NOW + timedelta(days=float(each)), labels=()) for each in days
        ),
        "chain_size": int(rng.integers(3, 15)),
        "strike_interval": None,
        "skew_slope": 0.0,
        "smile_curve": 0.0,
        "spread": 0.01,
        "risk_free_rate": float(rng.choice([0.0, rng.uniform(-0.02, 0.0), rng.uniform(0.0, 0.12)])),
        "dividend_yield": float(rng.choice([0.0, rng.uniform(0.0, 0.08)])),
        "ladder_price": None,
        "exercise": exercise,
        "in_coin": in_coin,
    }
    if in_coin:
        terms["spreads"] = SpreadModel(base=0.0002, tick=0.0001)
    elif rng.random() < 0.3:
        terms["spreads"] = MarketMaker(tick=0.01)
    if style == "ssvi":
        terms["surface"] = Surface(smile=random_smile("ssvi", rng))
    return ChainTerms(**terms, carry=random_carry(style, rng, terms))


def check(styles: tuple[str, ...], chains: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    chosen = [styles[index % len(styles)] for index in range(chains)]
    terms = [random_terms(style, rng) for style in chosen]
    for style, own, chain in zip(chosen, terms, build_chains(terms), strict=True):
        violations = chain.arbitrage("quotes")
        assert violations == (), (style, own, *map(str, violations))


def test_a_few_chains_of_every_style_give_no_money_away() -> None:
    check(STYLES, chains=200, seed=1)


def test_a_few_chains_on_grids_give_no_money_away() -> None:
    check(ON_GRIDS, chains=len(ON_GRIDS), seed=2)


@pytest.mark.long
@pytest.mark.timeout(2 * 3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_million_chains_of_every_style_give_no_money_away(part: int) -> None:
    for batch in range(part, 1_000_000 // TOGETHER, PARTS):
        check(STYLES, TOGETHER, seed=1000 + batch)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_thousands_of_chains_on_grids_give_no_money_away() -> None:
    for batch in range(50):
        check(ON_GRIDS, 40, seed=10_000_000 + batch)
