"""What a request for recorded days becomes: the history's chains, and what it says beside them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from actors.history.recorded_days import recorded_days
from cluster.sweeps.of_the_past import with_past
from optionchain.context import HOUSEKEEPING
from optionchain.errors import InvalidInput
from optionchain.sweeps.wire import sweep_from_wire
from serve_app.bodies.recorded import recorded_parameters
from serve_app.bodies.simulations import SimulationRequest
from tests.unit.history.kept import Kept
from tests.unit.history.recorded_examples import PRICES, stored_days

pytestmark = pytest.mark.anyio
METHOD = {"Recorded": {"asset": "XYZ", "from": "2024-01-15", "to": "2024-01-31"}}


class Past:
    """The history service over chains in memory."""

    def __init__(self):
        self._kept = Kept()
        self._kept.chains = {chain.day: chain for chain in stored_days()}

    def on_behalf_of(self, context):
        return self

    async def recording(self, asset, period):
        return await recorded_days(self._kept, asset, period)


async def asked(**said):
    return await recorded_parameters(SimulationRequest(method=METHOD, **said), Past(), HOUSEKEEPING)


async def test_the_method_is_enough():
    parameters = await asked()

    assert (parameters.symbol, parameters.total_steps, parameters.initial_price) == ("XYZ", 3, PRICES[0])
    assert parameters.simulated_at(1) == datetime(2024, 1, 18, 21, tzinfo=UTC)
    assert parameters.expirations.timezone == "UTC"


async def test_what_may_be_said_beside_the_days_counts():
    parameters = await asked(
        symbol="MINE", steps=2, exercise="american", timezone="America/New_York", multiplier=100.0
    )

    assert (parameters.symbol, parameters.total_steps) == ("MINE", 2)
    assert (parameters.has_early_exercise, parameters.multiplier) == (True, 100.0)
    assert parameters.expirations.timezone == "America/New_York"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"steps": 4}, "steps"),
        ({"initial_price": 5.0}, "initial_price"),
        ({"volatility": 0.9}, "volatility"),
        ({"chain_size": 5}, "chain_size"),
        ({"smile": {"ssvi": {"rho": -0.5, "eta": 1.0}}}, "smile"),
        ({"product": "SPX"}, "product"),
        ({"start_at": "2024-01-01T00:00:00Z"}, "start_at"),
        ({"time_frame": "Hour"}, "time_frame"),
        ({"step_interval_seconds": 60}, "step_interval_seconds"),
        ({"schedules": [{"rule_id": "d", "kind": "daily", "target_count": 1}]}, "schedules"),
        ({"timezone": "Nowhere"}, "timezone"),
    ],
)
async def test_what_the_days_say_otherwise_is_refused(said, field):
    with pytest.raises(InvalidInput) as refusal:
        await asked(**said)

    assert refusal.value.field == field


async def test_another_method_needs_what_it_always_needed():
    with pytest.raises(ValidationError, match="steps"):
        SimulationRequest(method={"GeometricBrownian": {"drift": 0.0, "volatility": 0.2}})


@pytest.mark.parametrize(
    ("named", "field"),
    [
        ({"asset": "NOBODY"}, "method.Recorded.asset"),
        ({"to": "2024-01-15"}, "method.Recorded.asset"),
        ({"from": "soon"}, "method.Recorded.from"),
        ({"recording": "AAAA"}, "method.Recorded.recording"),
    ],
)
async def test_days_that_are_not_there_are_refused(named, field):
    body = SimulationRequest(method={"Recorded": METHOD["Recorded"] | named})

    with pytest.raises(InvalidInput) as refusal:
        await recorded_parameters(body, Past(), HOUSEKEEPING)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("days", "rows", "is_refused"), [(3, 18, False), (2, 18, True), (3, 17, True), (2, 17, True)]
)
async def test_as_many_days_and_strikes_as_may_be_are_read_and_no_more(days, rows, is_refused, monkeypatch):
    monkeypatch.setattr("actors.history.recorded_days.MAX_DAYS", days)
    monkeypatch.setattr("actors.history.recorded_days.MAX_ROWS", rows)

    if not is_refused:
        assert (await asked()).total_steps == 3
        return
    with pytest.raises(
        InvalidInput, match=f"has 3 days with 18 strikes .* at most {days} and {rows}"
    ) as refusal:
        await asked()
    assert refusal.value.field == "method.Recorded.to"


async def test_a_sweep_has_the_chains_in_its_definition():
    document = {
        "base": {"method": METHOD, "timezone": "America/New_York"},
        "measures": ["terminal_price"],
        "paths": 1,
    }
    sweep = sweep_from_wire(await with_past(document, Past(), HOUSEKEEPING))

    assert sweep.base.total_steps == 3
    assert sweep.base.method.days.days.prices.tolist() == list(PRICES)
    assert sweep.base.expirations.timezone == "America/New_York"
