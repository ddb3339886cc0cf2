"""The parameters of a session: what was asked for, with the configuration's defaults, its limits, and the history.

What comes out of here is stored with the session, so nothing that is configured or imported later changes a replay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from optionchain.agreement import with_one_volatility
from optionchain.configuration.simulator import SimulatorConfiguration, check_contracts
from optionchain.context import Context
from optionchain.declared.parameters import declared_parameters
from optionchain.errors import InvalidInput
from optionchain.models import Historical
from optionchain.parameters import SimulationParameters
from optionchain.session import Session
from serve_app.bodies.chains import ChainChanges, ChainParameters, changes_of
from serve_app.bodies.declared import DEFAULTS
from serve_app.bodies.recorded import recorded_parameters
from serve_app.bodies.simulations import SimulationRequest, as_listed, is_of_recorded_days, values_of
from serve_app.services import Services

# What the parameters call a history that is empty or short.
PRICES = "method.Historical.prices"


async def chain_parameters(
    body: ChainParameters, today: datetime, app: Services, context: Context
) -> SimulationParameters:
    """All parameters of a v1 session.

    Raises:
        InvalidInput: A value is out of range or over a limit, or the history has too few prices.
    """
    configuration = await app.live_configuration.current()
    values = changes_of(body, today, _defaults(configuration, body))
    return await _resolved(with_one_volatility(values, values["method"]), configuration, app, context)


async def simulation_parameters(
    body: SimulationRequest, now: datetime, app: Services, context: Context
) -> SimulationParameters:
    """All parameters of a v2 simulation.

    Raises:
        InvalidInput: As `chain_parameters`, or a value is of a release that gives other numbers than this one.
    """
    if not is_of_recorded_days({"method": body.method}):
        body = as_listed(body, now)
    if body.calendar is not None:
        await app.calendars.provide(body.calendar)
    configuration = await app.live_configuration.current()
    if is_of_recorded_days({"method": body.method}):
        parameters = await recorded_parameters(body, app.history, context)
        configuration.limits.check(parameters)
        return parameters
    values = values_of(body, now, app.limits, _defaults(configuration, body))
    parameters = await _resolved(values, configuration, app, context)
    check_contracts(parameters, app.limits.contracts)
    return parameters


async def chain_changes(
    body: ChainChanges,
    today: datetime,
    app: Services,
    context: Context,
    stored: Callable[[], Awaitable[Session]],
) -> dict[str, Any]:
    """The parameters of a v1 session that a partial body changes.

    Args:
        body: The request.
        today: The start where it clears that.
        app: The services.
        context: On whose behalf.
        stored: Reads the session, for a method that needs more of it than the body says.

    Raises:
        InvalidInput: As `chain_parameters`.
        NotFound: The session is needed and there is none.
    """
    configuration = await app.live_configuration.current()
    session = await stored() if body.method is not None else None
    time_frame = None if session is None else session.parameters.time_frame
    changes = _checked(changes_of(body, today, _defaults(configuration, body), time_frame))
    configuration.limits.check_sizes(changes)
    if session is not None and isinstance(changes["method"], Historical):
        values = values_of_parameters(session.parameters) | changes
        whole = await _resolved(values, configuration, app, context)
        changes["method"] = whole.method
    return changes


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes each of which is what its declaration makes of it: nobody makes parameters of them here."""
    known = declared_parameters()
    return {
        name: known[name].parameter.check(name, value) if name in known and value is not None else value
        for name, value in changes.items()
    }


def values_of_parameters(parameters: SimulationParameters) -> dict[str, Any]:
    """The fields of parameters by name."""
    return {field.name: getattr(parameters, field.name) for field in fields(parameters)}


def _defaults(
    configuration: SimulatorConfiguration, body: ChainParameters | ChainChanges | SimulationRequest
) -> Mapping[str, Any]:
    """The configured defaults that concern a request."""
    defaults = dict(configuration.defaults)
    for name, default in DEFAULTS.items():
        if default is None and name in body.model_fields_set:
            # Sent as null it asks for what null means, as the parameters of a session do that was made without it.
            defaults.pop(name, None)
    return defaults


async def _resolved(
    values: dict[str, Any], configuration: SimulatorConfiguration, app: Services, context: Context
) -> SimulationParameters:
    """Parameters within the limits, with prices of the history where a historical model has too few."""
    configuration.limits.check_sizes(values)
    try:
        parameters = SimulationParameters(**values)
    except InvalidInput as refusal:
        method = values["method"]
        if refusal.field != PRICES or not isinstance(method, Historical):
            raise
        symbol = method.symbol or values["symbol"]
        closes = await app.history.on_behalf_of(context).closes(
            symbol, method.timeframe, values["steps"], values["seed"]
        )
        parameters = SimulationParameters(**values | {"method": replace(method, prices=closes)})
    configuration.limits.check(parameters)
    return parameters
