"""The loops that the compiler is given, run by Python itself: the same bytes as NumPy, with no compiler at hand.

What a compiler makes of them is compared elsewhere, with many more numbers. Here a mistake in a loop shows without one,
and in the process in which it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from optionchain import numerics
from optionchain.arrays import Floats
from optionchain.chains.ladder import ladders
from optionchain.numerics import engine
from optionchain.pricing import exercise_boundary, exercise_grid, exercise_steps, implied_volatility, kernel
from optionchain.pricing.boundary_panels import panels_of
from optionchain.pricing.early_exercise import Premium, premiums
from optionchain.pricing.exercise_grid import Ahead, early_exercise
from optionchain.pricing.kernel import QUOTED, SLICED, VALUED, price
from optionchain.surfaces import hyperbolas

# A core's first cache is not what is tried here.
FEW = 4


def _compared(each: engine.Kernel, compared: list[engine.Kernel]) -> Callable[..., None]:
    plain = each.plain

    def run(*arrays: Floats) -> None:
        again = [array.copy() for array in arrays]
        plain(*arrays)
        each.loop(*again)
        compared.append(each)
        for ours, theirs in zip(again, arrays, strict=True):
            np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
            assert np.nan_to_num(ours).tobytes() == np.nan_to_num(theirs).tobytes()

    return run


@contextmanager
def run_twice() -> Iterator[None]:
    """Every kernel that is called meanwhile is run by NumPy and by Python, and gives the same bytes."""
    ran: list[engine.Kernel] = []
    with pytest.MonkeyPatch.context() as patch:
        for each in engine._KERNELS:
            patch.setattr(each, "_compiled", None)
            patch.setattr(each, "plain", _compared(each, ran))
        yield
    assert ran


def test_functions() -> None:
    with run_twice():
        for function in (numerics.exp, numerics.log, numerics.ndtr, numerics.ndtri):
            function(np.array([-800.0, -1.5, 0.0, 0.25, 0.75, 1.0, 40.0, np.nan]))


def test_ladders() -> None:
    with run_twice():
        offsets, strikes = ladders(np.array([101.3, 0.2, 12.0]), np.array([2.5, 0.1, 0.25]), 2)

    assert offsets.tolist() == [0, 5, 9, 14]
    assert strikes[[0, 5, 13]].tolist() == [97.5, 0.1, 12.5]


@pytest.mark.parametrize(("terms", "columns"), [(4, VALUED), (5, QUOTED), (8, VALUED), (8, QUOTED)])
def test_contracts(terms: int, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_TOGETHER", FEW)

    with run_twice():
        _price(_terms()[[0, 1, 2, 3, 7]] if terms == 5 else _terms()[:terms], columns)


def test_contracts_on_hyperbolas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_TOGETHER", FEW)
    rows = np.empty((SLICED, 4))
    shape = np.array([0.3, 0.2, -0.5, 0.1, 0.4, 0.4])

    with run_twice():
        hyperbolas._ROWS(_terms(), shape, rows)
        _price(rows, QUOTED)


def _terms() -> Floats:
    """Of four ladders: spot, years, rate, yield, volatility, slope, curve and spread."""
    return np.array(
        [
            [100.0, 50.0, 80.0, 1.0],
            [0.5, 1.0, 0.0, 2.0],
            [0.03, 0.05, 0.02, -0.01],
            [0.01, 0.0, 0.04, 0.0],
            [0.2, 0.5, 0.3, 1.5],
            [-0.2, 0.1, 0.0, 0.3],
            [0.4, 0.2, 0.1, 0.0],
            [0.02, 0.1, 0.05, 0.3],
        ]
    )


def _price(terms: Floats, rows: int) -> None:
    """Two of one ladder in one go, some of it in the next; one ladder is empty."""
    sizes = [6, 0, 3, 2]
    columns = np.zeros((rows, sum(sizes)))
    columns[0] = np.repeat(terms[0], sizes) * np.array(
        [0.5, 0.8, 0.9, 1.0, 1.1, 3.0, 0.7, 1.0, 1.2, 1.0, 1.3]
    )
    columns[1] = np.linspace(0.1, 0.9, columns.shape[1])
    price(np.concatenate([[0], np.cumsum(sizes)]), np.ascontiguousarray(terms), columns)


def test_implied_volatilities() -> None:
    with run_twice():
        found = implied_volatility(
            [5.0, 0.02, 41.0, 1e-9, 60.0, -1.0, 0.5, np.nan],
            spot=42.0,
            strike=[42.0, 60.0, 3.0, 90.0, 1e5, 40.0, 41.99, 40.0],
            expiry_years=0.5,
            option_type="call",
        )

    assert np.isnan(found).tolist() == [False, False, False, False, True, True, False, True]


def test_exercise_boundaries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exercise_boundary, "_ITERATIONS", 2)
    monkeypatch.setattr(exercise_boundary, "_SLOW_ITERATIONS", 3)
    rates, yields, volatilities = [0.05, 0.0, 0.04], [0.02, -0.2, 0.09], [0.3, 0.6, 0.2]
    years, slow = [1.0, 4.0, 0.25], [0.0, 1.0, 0.0]
    gathers = [
        exercise_boundary.gathering(*each) for each in zip(rates, yields, volatilities, years, strict=True)
    ]

    with run_twice():
        exercise_boundary.boundaries(np.array([rates, yields, volatilities, years, gathers, slow]))


@pytest.mark.parametrize("by_yield", [False, True])
def test_early_exercise(by_yield: bool) -> None:
    given = np.array(
        [
            # Ever nearer to the boundary, and beyond it; later, with another yield, and another rate.
            [0.0, -0.19, -0.3354, -0.9, 0.0, 0.05, 0.0, 0.0],
            [2.5, 2.5, 2.5, 2.5, 3.0, 3.0, 3.0, 3.0],
            [0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.06],
            [0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.08, 0.08],
            [0.21, 0.22, 0.21, 0.23, 0.21, 0.24, 0.21, 0.21],
        ]
    )
    which, panels = panels_of(*given[1:], by_yield=by_yield)

    with run_twice():
        found = premiums(given, which, panels, by_yield=by_yield)

    assert found[Premium.IS_EXERCISED].tolist() == [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("dates", [None, [0.6]])
def test_steps_with_the_right_and_without_it(
    dates: list[float] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exercise_grid, "_NODES_APART", 0.5)
    # Two terms bumped in each direction make ten of two contracts.
    monkeypatch.setattr(exercise_steps, "_BLOCK", FEW)
    ahead = Ahead(
        years=0.7,
        curve=np.array([[0.0, 0.06]]),
        dividend_yield=0.01,
        dividends=np.array([[0.5, 0.03]]),
        exercises=None if dates is None else np.array(dates),
    )

    with run_twice():
        found = early_exercise(ahead, 1.0, np.array([0.95, 1.2]), np.array([0.2, 0.4]), is_call=False)

    assert (found.value > 0.0).all()
