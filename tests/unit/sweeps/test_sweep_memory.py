"""Small documents that are refused cost little: what a sweep would be is named and counted before it is built."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from optionchain import InvalidInput
from optionchain.measures import terminal_price
from optionchain.sweeps import Sweep, design
from optionchain.sweeps.scenarios import MOST_SCENARIOS
from optionchain.sweeps.wire import MOST_LINEAR_POINTS, Limits, sweep_from_wire
from tests.unit.sweeps.sweep_documents import BASE, DOCUMENT
from tests.unit.sweeps.sweep_examples import BASE as PARAMETERS

SMALL_BYTES = 100_000
MOST_BYTES = 4 << 20
# As of HTTP callers by default.
LIMITS = Limits(scenarios=100_000, prices=1e11, numbers=10_000_000)
LINEAR = {"from": 0.1, "to": 0.2, "points": MOST_LINEAR_POINTS}
NAMES = [
    "volatility", "initial_price", "risk_free_rate", "dividend_yield", "steps", "seed", "chain_size", "strike_interval",
    "spread", "skew_slope", "smile_curve", "days_to_expiration", "method.dt", "method.drift", "method.volatility",
]  # fmt: skip
POINTS = 1 << 20
DISTINCT = [{"touch_probability": {"level": 1.0 + index / 1000}} for index in range(1000)]


def without(*names: str, **others: Any) -> dict[str, Any]:
    return {name: value for name, value in DOCUMENT.items() if name not in names} | others


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "one long axis": (without(grid={"volatility": LINEAR}), "grid"),
    "long axes of every name": (without(grid=dict.fromkeys(NAMES, LINEAR)), "grid"),
    "a long axis and an unknown one": (without(grid={"volatility": LINEAR, "volatilty": LINEAR}), "grid.volatilty"),
    "many unknown axes": (without(grid={f"x{index}": LINEAR for index in range(1000)}), "grid.x0"),
    "a long axis and an empty one": (without(grid={"volatility": LINEAR, "steps": []}), "grid.steps"),
    "a long axis and a wrong base": (without(base=BASE | {"steps": 0}, grid={"volatility": LINEAR}), "base.steps"),
    "a long axis of too many paths": (
        without(grid={"volatility": LINEAR | {"points": 100_000}}, paths=1 << 32),
        "paths",
    ),
    "a long axis and wrong paths": (without(grid={"volatility": LINEAR | {"points": 100_000}}, paths=0), "paths"),
    "a long axis and a wrong measure": (
        without(grid={"volatility": LINEAR | {"points": 100_000}}, measures=["x"]),
        "measures[0]",
    ),
    "many covariances": (without(measures=DISTINCT, covariances=True, grid={"steps": list(range(2, 30))}), "measures"),
    "too many measures": (without(measures=["terminal_price"] * 5000), "measures"),
    "a grid and a design": (without(design={"bounds": {"volatility": [0.1, 0.2]}, "points": POINTS}), "scenarios"),
    "a large design": (
        without("grid", design={"bounds": {name: [0.1, 0.2] for name in NAMES}, "points": POINTS}),
        "scenarios",
    ),
    "a large design of unknown names": (
        without("grid", design={"bounds": {f"x{index}": [0.1, 0.2] for index in range(1000)}, "points": POINTS}),
        "design.bounds.x0",
    ),
    "a design of wrong bounds": (
        without("grid", design={"bounds": {"volatility": [0.1]}, "points": 100_000}),
        "design.bounds.volatility",
    ),
    "a long unknown name": (without(**{"x" * 90_000: 1}), "x" * 90_000),
    "a long unknown parameter": (without(grid={"x" * 90_000: [1]}), f"grid.{'x' * 90_000}"),
    "many shocks": (
        without(grid={"volatility": LINEAR | {"points": 100_000}}, shocks=[{"name": f"s{i}"} for i in range(1000)]),
        "grid",
    ),
}  # fmt: skip


def peak_of(build: Any) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput) as caught:
            build()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        peak_of.field = caught.value.field  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", REFUSED)
def test_a_document_that_is_refused_took_no_memory(name: str) -> None:
    document, field = REFUSED[name]
    sent = json.dumps(document)

    peak = peak_of(lambda: sweep_from_wire(document, limits=LIMITS))

    assert len(sent) < SMALL_BYTES
    assert peak_of.field == field  # type: ignore[attr-defined]
    assert peak < MOST_BYTES, f"{peak / (1 << 20):.0f} MB"


def test_a_grid_from_python_is_counted_before_it_is_built() -> None:
    axis = range(1, MOST_SCENARIOS)

    peak = peak_of(
        lambda: Sweep(base=PARAMETERS, measures=[terminal_price], grid={"steps": axis, "chain_size": axis})
    )

    assert peak_of.field == "grid"  # type: ignore[attr-defined]
    assert peak < MOST_BYTES


def test_a_design_of_wrong_bounds_is_refused_before_its_points_are_made() -> None:
    assert peak_of(lambda: design({"volatility": (0.2, 0.1)}, POINTS)) < MOST_BYTES
    assert peak_of(lambda: design({"volatility": (0.1, 0.2)}, POINTS, kind="halton")) < MOST_BYTES  # type: ignore[arg-type]
