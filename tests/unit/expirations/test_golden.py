"""Numbers that the reference service's own tests assert."""

from datetime import datetime, time, timedelta

import pytest

from optionchain.expirations import (
    ExpirationPlan,
    days_to_expiration,
    load_zone,
    local_to_instant,
    schedule_from_wire,
)
from optionchain.models import GeometricBrownian
from optionchain.parameters import SimulationParameters


def active(inputs):
    schedule = schedule_from_wire(
        {
            "timezone": inputs["timezone"],
            "expiration_time": inputs["expiration_time"],
            "schedules": inputs["rules"],
        }
    )
    return ExpirationPlan(schedule).active(datetime.fromisoformat(inputs["simulated_at"]))


def as_wire(expiration):
    return {
        "expires_at": f"{expiration.expires_at:%Y-%m-%dT%H:%M:%SZ}",
        "labels": list(expiration.labels),
    }


@pytest.mark.parametrize(
    "name",
    [
        "planner_daily_before_cutoff",
        "planner_daily_at_cutoff_rolls",
        "planner_weekly_three",
        "planner_weekly_replenish",
    ],
)
def test_the_reference_lists_the_same_expirations(golden, name):
    expected = golden[name]["expected"]

    expirations = [as_wire(expiration) for expiration in active(golden[name]["inputs"])]

    assert [
        {key: found[key] for key in wanted} for found, wanted in zip(expirations, expected, strict=True)
    ] == expected


def test_the_reference_has_the_same_twelve_months(golden):
    vector = golden["planner_monthly_twelve"]

    instants = [as_wire(expiration)["expires_at"] for expiration in active(vector["inputs"])]

    assert len(instants) == vector["expected"]["count"]
    assert instants[:3] == vector["expected"]["first3"]
    assert instants[-1] == vector["expected"]["last"]


def test_the_reference_has_the_same_fifteen_chains(golden):
    vector = golden["planner_reference_fifteen_chains"]

    expirations = active(vector["inputs"])

    assert len(expirations) == vector["expected"]["count"]
    assert as_wire(expirations[0]) == vector["expected"]["first"]


def test_the_reference_counts_the_same_fraction_of_a_day(golden):
    vector = golden["planner_fractional_days"]
    simulated_at, expires_at = (
        datetime.fromisoformat(vector["inputs"][name]) for name in ("simulated_at", "expires_at")
    )

    assert days_to_expiration(simulated_at, expires_at) == vector["expected"]


@pytest.mark.parametrize("name", ["dst_fold_madrid", "dst_gap_lord_howe_30min", "dst_gap_cairo_friday"])
def test_the_reference_changes_its_clocks_at_the_same_instant(golden, name):
    inputs = golden[name]["inputs"]
    local = datetime.combine(datetime.fromisoformat(inputs["date"]), time.fromisoformat(inputs["local_time"]))

    instant = local_to_instant(local, load_zone(inputs["timezone"]))

    assert instant == datetime.fromisoformat(golden[name]["expected"])


def test_the_reference_has_the_same_simulated_instant(golden):
    inputs = golden["v2_simulated_at_cursor_3"]["inputs"]
    parameters = SimulationParameters(
        symbol="SPX",
        steps=10,
        initial_price=100.0,
        volatility=0.2,
        method=GeometricBrownian(dt=1 / 252, drift=0.0, volatility=0.2),
        expirations=schedule_from_wire(
            {
                "timezone": "America/New_York",
                "expiration_time": "17:00",
                "schedules": [{"rule_id": "zero_dte", "kind": "daily", "target_count": 1}],
            }
        ),
        seed=1,
        start_at=datetime.fromisoformat(inputs["start"]),
        step_interval=timedelta(seconds=inputs["step_interval_seconds"]),
    )

    simulated_at = parameters.simulated_at(inputs["cursor"])

    assert simulated_at == datetime.fromisoformat(golden["v2_simulated_at_cursor_3"]["expected"])
