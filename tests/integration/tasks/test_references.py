"""What parameters say of a time that has yet to come: the second night does not find the first night's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from adapters.mongo.connection import open_mongo
from adapters.mongo.history import MongoHistoricalRepository
from adapters.settings import MongoSettings
from cluster.tasks.references import resolved, resolved_now, sample
from optionchain.chains import build_chain
from optionchain.errors import InvalidInput, NotFound
from optionchain.expirations import Expiration
from optionchain.history.chains import HistoricalChain, Quotes
from optionchain.surfaces import Ssvi, Surface
from tests.unit.history.samples import prices

pytestmark = pytest.mark.anyio

FIRST, SECOND = (datetime(2026, 1, day, 21, 30, tzinfo=UTC) for day in (5, 6))


@pytest.fixture
async def history(mongo_there: MongoSettings) -> AsyncIterator[MongoHistoricalRepository]:
    repository = MongoHistoricalRepository(open_mongo(mongo_there), mongo_there.database)
    yield repository
    await repository.close()


def chain_of(day: date, volatility: float) -> HistoricalChain:
    """A chain that a smile and a volatility have made."""
    quote_time = datetime(day.year, day.month, day.day, 21, tzinfo=UTC)
    expiration = Expiration(expires_at=quote_time + timedelta(days=30), labels=())
    made = build_chain(
        symbol="SPX",
        quote_time=quote_time,
        spot=5000.0,
        base_volatility=volatility,
        expirations=[expiration],
        chain_size=20,
        spread=0.0,
        risk_free_rate=0.03,
        dividend_yield=0.01,
        surface=Surface(smile=Ssvi(rho=-0.5, eta=0.9)),
    )
    sides = {
        side: Quotes.of(made.strikes.size, bid=getattr(made, f"{side}_bid"), ask=getattr(made, f"{side}_ask"))
        for side in ("call", "put")
    }
    return HistoricalChain(
        asset="SPX",
        day=day,
        quote_time=quote_time,
        underlying_price=5000.0,
        expirations=[expiration.expires_at.date()] * made.strikes.size,
        strikes=made.strikes,
        calls=sides["call"],
        puts=sides["put"],
    )


def test_a_run_knows_the_time_that_it_is_for() -> None:
    said = {"a": [{"$run": "date"}], "b": {"$run": "instant"}, "c": {"d": {"$run": "number"}}}

    assert resolved(said, FIRST, sample) == {
        "a": ["2026-01-05"],
        "b": "2026-01-05T21:30:00Z",
        "c": {"d": 1767648600},
    }


async def test_each_night_has_the_last_close_before_it(history: MongoHistoricalRepository) -> None:
    await history.save_time_series(prices([100.0, 101.0, 102.0, 103.0], start="2026-01-04"))
    base = {"initial_price": {"$last_close": "SPX"}}

    found = [await resolved_now(base, night, history) for night in (FIRST, SECOND)]

    assert found == [{"initial_price": 101.0}, {"initial_price": 102.0}]
    with pytest.raises(NotFound, match="a close of the last 30 days not found: SPX"):
        await resolved_now(base, FIRST + timedelta(days=60), history)


async def test_each_night_has_the_parameters_fitted_to_its_last_chain(
    history: MongoHistoricalRepository,
) -> None:
    for moment, volatility in ((FIRST, 0.2), (SECOND, 0.3)):
        await history.save_historical_chain(chain_of(moment.date(), volatility))
    terms = {"asset": "SPX", "risk_free_rate": 0.03, "dividend_yield": 0.01}
    base = {"symbol": "MINE", "$calibration": terms}

    first, second, given = [
        await resolved_now(asked, night, history)
        for asked, night in ((base, FIRST), (base, SECOND), (base | {"volatility": 0.5}, FIRST))
    ]

    assert [first["volatility"], second["volatility"]] == pytest.approx([0.2, 0.3], abs=2e-3)
    assert first["smile"]["ssvi"]["rho"] == pytest.approx(-0.5, abs=0.05)
    assert (first["symbol"], given["volatility"]) == ("MINE", 0.5)
    with pytest.raises(NotFound):
        await resolved_now(base, FIRST - timedelta(days=60), history)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"base": {"seed": {"$run": "mood"}}}, "base.seed.$run"),
        ({"base": {"initial_price": {"$last_close": "../x"}}}, "base.initial_price.$last_close"),
        ({"base": {"$calibration": "SPX"}}, "base.$calibration"),
        ({"base": {"$calibration": {"asset": "SPX", "days": 3}}}, "base.$calibration"),
        ({"base": {"$calibration": {"asset": "SPX", "family": "sabr"}}}, "base.$calibration.family"),
    ],
)
def test_what_refers_to_nothing_is_refused_by_its_field(said: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        resolved(said, FIRST, sample)

    assert refusal.value.field == field
