"""What the grid alone gives: in any unit, however far it reaches, and with what bumps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optionchain.pricing import exercise_grid
from optionchain.pricing.exercise_grid import Ahead, early_exercise

NONE = np.empty((0, 2))
FLAT = Ahead(years=1.0, curve=np.array([[0.0, 0.06]]), dividend_yield=0.0, dividends=NONE)
PAID = np.array([[0.2, 2.0], [0.6, 3.0]])
BENT = np.array([[0.2, 0.01], [0.6, 0.08], [2.0, 0.05]])
KINDS = {
    "escrowed": replace(FLAT, years=0.7, dividend_yield=0.02, dividends=PAID),
    "forward": replace(FLAT, years=0.7, dividend_yield=0.02, dividends=PAID, is_escrowed=False),
    "curve": replace(FLAT, years=1.5, dividend_yield=0.04, curve=BENT),
    "future": replace(FLAT, curve=BENT, is_future=True),
    "dates": replace(FLAT, dividends=PAID, curve=BENT, exercises=np.array([0.0, 0.15, 0.55])),
}
STRIKES, VOLATILITIES = np.array([70.0, 95.0, 105.0, 130.0]), np.array([0.3, 0.25, 0.2, 0.25])


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_unit_of_currency_is_nothing(kind: str, is_call: bool) -> None:
    ahead, unit = KINDS[kind], 1.0 / 4096.0
    small = replace(ahead, dividends=ahead.dividends * [1.0, unit])

    ours = early_exercise(ahead, 100.0, STRIKES, VOLATILITIES, is_call=is_call)
    theirs = early_exercise(small, 100.0 * unit, STRIKES * unit, VOLATILITIES, is_call=is_call)

    assert theirs.value.tolist() == (ours.value * unit).tolist()
    assert theirs.slope.tolist() == ours.slope.tolist()
    assert theirs.curvature.tolist() == (ours.curvature / unit).tolist()
    assert theirs.is_exercised.tolist() == ours.is_exercised.tolist()


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_known_at_the_edges_stands_for_what_lies_beyond(
    kind: str, is_call: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = early_exercise(KINDS[kind], 100.0, STRIKES, VOLATILITIES, is_call=is_call)
    monkeypatch.setattr(exercise_grid, "_REACH", 3.0)
    nearer = early_exercise(KINDS[kind], 100.0, STRIKES, VOLATILITIES, is_call=is_call)

    # One price in four hundred gets there: were it worth nothing, or twice as much, it would cost 0.2 or more.
    np.testing.assert_allclose(nearer.value, ours.value, atol=2e-3)
    np.testing.assert_allclose(nearer.slope, ours.slope, atol=3e-4)


@pytest.mark.parametrize("is_call", [True, False])
def test_at_the_edges_the_best_date_to_come_is_known(is_call: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = early_exercise(KINDS["dates"], 100.0, STRIKES, VOLATILITIES, is_call=is_call)
    monkeypatch.setattr(exercise_grid, "_REACH", 2.5)
    nearer = early_exercise(KINDS["dates"], 100.0, STRIKES, VOLATILITIES, is_call=is_call)

    # Between dates the forwards at the edges are all but exact: twice what the nearer ones cost.
    np.testing.assert_allclose(nearer.slope, ours.slope, atol=5e-6)


@pytest.mark.parametrize(("ahead", "is_call"), [(replace(FLAT, dividend_yield=0.1), True), (FLAT, False)])
def test_the_bumps_of_vega_and_rho_move_nothing_else(
    ahead: Ahead, is_call: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    strikes = np.linspace(50.0, 150.0, 101)
    volatilities = np.full(strikes.size, 0.2)

    ours = early_exercise(ahead, 100.0, strikes, volatilities, is_call=is_call)
    monkeypatch.setattr(exercise_grid, "_VOLATILITY_BUMP", 0.2)
    monkeypatch.setattr(exercise_grid, "_RATE_BUMP", 0.01)
    theirs = early_exercise(ahead, 100.0, strikes, volatilities, is_call=is_call)

    assert 10 < ours.is_exercised.sum() < 50
    for field in ("value", "slope", "curvature", "is_exercised"):
        assert getattr(theirs, field).tolist() == getattr(ours, field).tolist(), field


@pytest.mark.parametrize("kind", KINDS)
def test_the_short_rate_is_what_one_unit_earns_in_the_next_instant(kind: str) -> None:
    instant = 1e-9

    earned = KINDS[kind].earned(np.array([instant]))

    assert earned[0] / instant == pytest.approx(KINDS[kind].short_rate, rel=1e-12)


def test_who_may_exercise_only_once_the_dividend_is_paid_has_nothing_of_the_right() -> None:
    ahead = replace(FLAT, dividends=np.array([[0.5, 8.0]]))

    before, after = (
        early_exercise(replace(ahead, exercises=np.array([date])), 100.0, STRIKES, VOLATILITIES, is_call=True)
        for date in (0.45, 0.55)
    )

    assert before.value[0] > 1.0
    assert after.value.max() < 1e-6


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_slope_and_curvature_are_those_of_the_value_by_the_spot(kind: str, is_call: bool) -> None:
    def at(spot: float) -> exercise_grid.Early:
        return early_exercise(KINDS[kind], spot, STRIKES, VOLATILITIES, is_call=is_call)

    here, up, down = at(100.0), at(101.0), at(99.0)

    # The nodes move with the spot, and with them the grid's own error of 1e-5 of the spot.
    np.testing.assert_allclose(here.slope, (up.value - down.value) / 2.0, atol=1e-3)
    np.testing.assert_allclose(here.curvature, (up.slope - down.slope) / 2.0, atol=5e-4)
