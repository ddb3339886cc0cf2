"""The parameters of a new session: what was asked for, with the configuration's defaults, limits and history."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from optionchain.parameters import SimulationParameters
from optionchain.simulator_configuration import SimulatorConfiguration
from optionchain.walks import Historical
from serve_app.chain_models import ChainParameters, changes_of
from serve_app.services import Services


async def configured_parameters(
    body: ChainParameters, today: datetime, app: Services
) -> SimulationParameters:
    """All parameters of a v1 session, as they are stored with it: a later change of the configuration is none of it.

    Raises:
        InvalidInput: A value is out of range, over a limit, or the history has too few prices.
    """
    configuration = await app.live_configuration.current()
    changes = changes_of(body, today, asdict(configuration.defaults))
    return await resolved(changes, configuration, app)


async def resolved(
    changes: dict[str, Any], configuration: SimulatorConfiguration, app: Services
) -> SimulationParameters:
    """Parameters whose prices to replay are filled in from the history, within the limits."""
    method = changes["method"]
    if isinstance(method, Historical) and len(method.prices) < changes["steps"]:
        symbol = method.symbol or changes["symbol"]
        closes = await app.history.closes(symbol, method.timeframe, changes["steps"], changes["seed"])
        changes["method"] = replace(method, prices=closes)
    parameters = SimulationParameters(**changes)
    configuration.check(parameters)
    return parameters
