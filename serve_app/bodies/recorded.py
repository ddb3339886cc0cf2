"""The parameters of a simulation whose days are recorded: what the history has of them, and what a request adds."""

from __future__ import annotations

from datetime import datetime, timedelta

from cluster.sweeps.of_the_past import with_recording
from optionchain.chains.recorded import recorded_rule
from optionchain.context import Context
from optionchain.declared.parameters import declared_parameters
from optionchain.errors import InvalidInput
from optionchain.expirations import WEEKDAYS_V1, Schedule, schedule_from_wire
from optionchain.expirations.wire import rule_to_wire, time_to_wire
from optionchain.parameters import SimulationParameters
from optionchain.recorded_days import CLOSE, values_of_days
from optionchain.time_frame import TimeFrame
from optionchain.wire.instants import instant_from_wire
from serve_app.bodies.declared import DEFAULTS, resolved
from serve_app.bodies.simulations import SimulationRequest, check_release
from serve_app.shared_services import HistoryService

# What may be said beside the days; everything else is of prices of ours.
_BESIDE = frozenset(
    {"symbol", "steps", "seed", "risk_free_rate", "dividend_yield", "exercise", "settlement", "multiplier"}
    | {"currency", "rate_curve", "dividends", "dividend_growth", "borrow_cost"}
)
_SAME = ("initial_price", "volatility")


async def recorded_parameters(
    body: SimulationRequest, history: HistoryService, context: Context
) -> SimulationParameters:
    """All parameters of a simulation of recorded days.

    Raises:
        InvalidInput: The days have no chain, or too many contracts; or something is said that they say otherwise.
    """
    method = await with_recording(body.method, history, context)
    schedule = _schedule(body)
    check_release(body, schedule)
    found = values_of_days(method)
    said = {name: value for name in declared_parameters() if (value := getattr(body, name)) is not None}
    for name, value in said.items():
        checked = resolved(name, value, DEFAULTS)
        if name in _BESIDE:
            found[name] = checked
        elif checked != found.get(name, DEFAULTS.get(name)):
            reason = f"is {found[name]} in the days" if name in _SAME else "says nothing of recorded chains"
            raise InvalidInput(name, f"{reason}: leave it out")
    _check_times(body, found["start_at"])
    return SimulationParameters(**found, expirations=schedule)


def _schedule(body: SimulationRequest) -> Schedule:
    calendar = WEEKDAYS_V1 if body.calendar is None else body.calendar
    at = body.expiration_time
    if at is None and calendar == WEEKDAYS_V1:
        at = time_to_wire(CLOSE)
    rules = [rule_to_wire(recorded_rule())]
    if body.product is not None:
        raise InvalidInput("product", "says nothing of recorded chains: leave it out")
    if body.schedules is not None and body.schedules != rules:
        raise InvalidInput("schedules", "recorded chains have their own expirations: leave it out")
    return schedule_from_wire(
        {
            "timezone": "UTC" if body.timezone is None else body.timezone,
            "calendar": calendar,
            "expiration_time": at,
            "schedules": rules,
        }
    )


def _check_times(body: SimulationRequest, start_at: datetime) -> None:
    for name in ("start_at", "effective_start"):
        text = getattr(body, name)
        if text is not None and instant_from_wire(name, text) != start_at:
            raise InvalidInput(name, f"is {start_at:%Y-%m-%dT%H:%M:%SZ} in the days: leave it out")
    if body.time_frame is not None and TimeFrame.from_wire(body.time_frame, "time_frame") != TimeFrame.DAY:
        raise InvalidInput("time_frame", "is Day of recorded chains: leave it out")
    if body.step_interval_seconds not in (None, int(timedelta(days=1).total_seconds())):
        raise InvalidInput("step_interval_seconds", "says nothing of recorded chains: leave it out")
