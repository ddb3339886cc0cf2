"""The body of a v2 creation. Types are checked here, ranges by the domain, which every caller shares."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Self, cast

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, WithJsonSchema, model_validator

from cluster.settings import LimitsSettings
from optionchain.contracts.products import PRODUCTS, product
from optionchain.declared.checks import whole
from optionchain.declared.parameters import declared_parameters
from optionchain.draws.philox import RNG_NAME
from optionchain.errors import InvalidInput
from optionchain.expirations import (
    Schedule,
    ScheduleLimits,
    calendar_version,
    schedule_from_wire,
    tzdb_version,
)
from optionchain.models import Historical, MarketModel, model_from_wire, model_to_wire
from optionchain.models.recorded import RECORDED
from optionchain.numerics import IDENTITY
from optionchain.parameters import MAX_STEP_SECONDS
from optionchain.time_frame import YEAR, TimeFrame
from optionchain.wire.instants import instant_from_wire
from serve_app.bodies.chains import Instant, Method, WireTimeFrame
from serve_app.bodies.declared import DEFAULTS, resolved, whole_body_as_in_python
from serve_app.openapi.schedule_schema import TIME_OF_DAY_PATTERN, schedules_schema

StepSeconds = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_STEP_SECONDS})]
_SECOND = timedelta(seconds=1)
_SECONDS_PER_YEAR = 31_536_000

EXAMPLE: dict[str, Any] = {
    "symbol": "SPX",
    "steps": 500,
    "start_at": "2026-01-05T14:30:00Z",
    "step_interval_seconds": 86_400,
    "timezone": "America/New_York",
    "calendar": "weekdays_v1",
    "expiration_time": "17:00",
    "schedules": [
        {"rule_id": "zero_dte", "kind": "daily", "target_count": 1},
        {"rule_id": "weeklies", "kind": "weekly", "target_count": 3, "weekdays": ["Mon", "Wed", "Fri"]},
        {"rule_id": "monthlies", "kind": "monthly", "target_count": 12, "weekday": "Fri"},
    ],
    "initial_price": 5000.0,
    "volatility": 0.18,
    "risk_free_rate": 0.04,
    "dividend_yield": 0.012,
    "method": {"GeometricBrownian": {"dt": 0.00274, "drift": 0.05, "volatility": 0.18}},
    "time_frame": "Day",
    "chain_size": 15,
    "strike_interval": 25.0,
    "seed": 42,
}


# What a body needs where days are recorded and it leaves it out, until the days have said it.
_SAID_BY_DAYS = {"symbol": "-", "steps": 1, "initial_price": 1.0, "volatility": 1.0, "time_frame": "Day"}


def is_of_recorded_days(data: Any) -> bool:
    """Whether a body asks for recorded days."""
    method = data.get("method") if isinstance(data, Mapping) else None
    return isinstance(method, Mapping) and RECORDED in method and len(method) == 1


class SimulationRequest(whole_body_as_in_python()):  # type: ignore[misc]  # its fields are declared in the domain
    """All parameters of a simulation, which never change. Unknown keys are refused; optional ones may be null.

    Of recorded days the method is enough: `{"Recorded": {"asset": "SPX", "from": "2024-01-02", "to": "2024-03-28"}}`.

    The parameters that an answer echoes are themselves a request for the same simulation.
    """

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    start_at: Instant | None = Field(
        None, description="RFC 3339, to the second; null means now, and it is echoed"
    )
    step_interval_seconds: StepSeconds | None = Field(None, description="null derives it from time_frame")
    product: Annotated[str, WithJsonSchema({"type": "string", "enum": list(PRODUCTS)})] | None = Field(
        None,
        description="Gives what else is left out: terms, expirations, strikes and ticks as they are listed",
    )
    timezone: str | None = Field(
        None, description="IANA name; required without a `product`", examples=["America/New_York"]
    )
    calendar: str | None = Field(
        None,
        description="`weekdays_v1` (null means this) or an exchange such as `XNYS`, whose holidays are kept",
    )
    expiration_time: (
        Annotated[str, WithJsonSchema({"type": "string", "pattern": TIME_OF_DAY_PATTERN})] | None
    ) = Field(
        None,
        description="HH:MM or HH:MM:SS in `timezone`, or `open` or `close` of the session; null means `close`, where "
        "the calendar is an exchange's",
        examples=["17:00"],
    )
    schedules: Annotated[list[dict[str, Any]], WithJsonSchema(schedules_schema())] | None = Field(
        None,
        fail_fast=True,  # of what is no list of objects, one error is enough
        description="1 to 16 rules, required without a `product`: `rule_id`, `kind` (daily, weekly, monthly, yearly, "
        "monthly_third_friday, leaps), `target_count`, and `weekdays` (weekly), `weekday` and `occurrence` "
        "(monthly, yearly: the last where it says nothing), `month` (yearly); each may have "
        "`expiration_time`, `settlement` and `root` of its own",
    )
    method: Method
    time_frame: WireTimeFrame
    effective_start: Instant | None = Field(None, description="Echoed; if sent, it must be start_at")
    tzdb_version: str | None = Field(None, description="Echoed; if sent, it must be this server's")
    calendar_version: str | None = Field(None, description="Echoed; if sent, it must be this server's")
    rng: str | None = Field(None, description="Echoed; if sent, it must be this server's")
    numerics: str | None = Field(None, description="Echoed; if sent, it must be this server's")

    @model_validator(mode="wrap")
    @classmethod
    def _of_recorded_days(cls, data: Any, validated: ModelWrapValidatorHandler[Self]) -> Self:
        """A request for recorded days leaves out what they say themselves: those fields are then null."""
        if not is_of_recorded_days(data):
            return validated(data)
        absent = {name: value for name, value in _SAID_BY_DAYS.items() if data.get(name) is None}
        body = validated({**data, **absent})
        for name in absent:
            body.__dict__[name] = None
        body.__pydantic_fields_set__ -= absent.keys()
        return body


def as_listed(body: SimulationRequest, now: datetime) -> SimulationRequest:
    """A request with what its product says of everything that it leaves out.

    Raises:
        InvalidInput: ``product``: there is none of this name.
    """
    if body.product is None:
        return body
    listed = product(body.product, on=_start(body, now).date())
    said = listed.on_wire()
    left_out = {name: value for name, value in said.items() if getattr(body, name) is None}
    sent = body.model_fields_set | left_out.keys()
    made = SimulationRequest.model_construct(_fields_set=sent, **(dict(body) | left_out))
    return cast("SimulationRequest", made)


def values_of(
    body: SimulationRequest,
    now: datetime,
    limits: LimitsSettings,
    configured: Mapping[str, Any] = DEFAULTS,
) -> dict[str, Any]:
    """All fields of a new simulation, by the names and in the values of `SimulationParameters`.

    Args:
        body: The request.
        now: The default start.
        limits: What it may ask for.
        configured: What its optional fields are where it says nothing.

    Raises:
        InvalidInput: A value is out of range, or of a release that gives other numbers than this one.
    """
    time_frame = TimeFrame.from_wire(body.time_frame, "time_frame")
    schedule = schedule_from_wire(
        body.model_dump(include={"timezone", "calendar", "expiration_time", "schedules"}),
        ScheduleLimits(
            rules=limits.rules,
            expirations_per_rule=limits.expirations_per_rule,
            expirations=limits.expirations,
        ),
    )
    check_release(body, schedule)
    step_interval = _step_interval(time_frame, body.step_interval_seconds)
    return {
        **{name: resolved(name, getattr(body, name), configured) for name in declared_parameters()},
        "method": _method(body, step_interval / YEAR),
        "expirations": schedule,
        "start_at": _start(body, now),
        "time_frame": time_frame,
        "step_interval": step_interval,
    }


def _start(body: SimulationRequest, now: datetime) -> datetime:
    given = {
        name: instant_from_wire(name, text).replace(microsecond=0)
        for name in ("start_at", "effective_start")
        if (text := getattr(body, name)) is not None
    }
    if len(set(given.values())) > 1:
        raise InvalidInput("effective_start", "must be start_at where both are given")
    return next(iter(given.values()), now.replace(microsecond=0))


def _method(body: SimulationRequest, step_years: float) -> MarketModel:
    """The market model, refused where it has an unknown key or another volatility than the chains."""
    method = model_from_wire(body.method, step_years=step_years)
    [(name, known)] = model_to_wire(method).items()
    for key in body.method[name]:
        if key not in known:
            raise InvalidInput(f"method.{name}.{key}", "is not a known key")
    if not isinstance(method, Historical) and known["volatility"] != body.volatility:
        raise InvalidInput("volatility", f"must equal method.{name}.volatility, {known['volatility']}")
    return method


def _step_interval(time_frame: TimeFrame, seconds: int | None) -> timedelta:
    if seconds is not None:
        return whole("step_interval_seconds", seconds, low=1, high=MAX_STEP_SECONDS) * _SECOND
    if time_frame.custom_periods is not None:
        seconds = int(_SECONDS_PER_YEAR / time_frame.custom_periods + 0.5)
    else:
        seconds = time_frame.interval // _SECOND
    if not 1 <= seconds <= MAX_STEP_SECONDS:
        raise InvalidInput(
            "time_frame", f"has {seconds} seconds, not 1 to {MAX_STEP_SECONDS}: give step_interval_seconds"
        )
    return seconds * _SECOND


def check_release(body: SimulationRequest, schedule: Schedule) -> None:
    """Refuse a replay that would not be one."""
    ours: Mapping[str, str | None] = {
        "tzdb_version": tzdb_version(),
        "calendar_version": calendar_version(schedule.calendar),
        "rng": RNG_NAME,
        "numerics": IDENTITY,
    }
    for name, value in ours.items():
        asked = getattr(body, name)
        if asked is not None and asked != value:
            ours_is = f"is {value} on this server" if value else "must be null here"
            raise InvalidInput(name, f"{ours_is}, so the numbers may differ: leave it out to accept that")
