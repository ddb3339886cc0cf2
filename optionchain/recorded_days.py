"""From stored chains to the parameters of a simulation that shows them, a day a step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time
from typing import Any

from optionchain.chains.recorded import recorded_rule
from optionchain.errors import InvalidInput
from optionchain.expirations import WEEKDAYS_V1, Schedule, trading_calendar
from optionchain.expirations.listed import SessionTime
from optionchain.history.chains import HistoricalChain
from optionchain.history.recording import Recording
from optionchain.models.recorded import Recorded
from optionchain.parameters import MAX_VOLATILITY, SimulationParameters
from optionchain.time_frame import TimeFrame

# What a day has no volatility of is shown as that; parameters need one all the same.
_ANY_VOLATILITY = 0.2
CLOSE = time(16)


def recorded(
    chains: Sequence[HistoricalChain],
    *,
    timezone: str = "UTC",
    expiration_time: time | SessionTime | None = None,
    calendar: str = WEEKDAYS_V1,
    **terms: Any,
) -> SimulationParameters:
    """The parameters of stored chains: `simulate` shows them, and the measures of a `Sweep` run over them.

    Args:
        chains: Of one asset, a day each.
        timezone: In which their dates of expiration are.
        expiration_time: When contracts expire there; None is the session's close where the calendar is an exchange's,
            and 16:00 otherwise.
        calendar: Whose sessions without a chain are gaps.
        terms: Other fields of `SimulationParameters` that say something of stored chains: `symbol`, `exercise`,
            `risk_free_rate`.

    Raises:
        InvalidInput: There are no chains, too many of them, or those of several assets.

    Example:
        >>> from datetime import UTC, date, datetime
        >>> import numpy as np
        >>> from optionchain.history.chains import Quotes
        >>> chain = HistoricalChain(
        ...     asset="XYZ", day=date(2024, 1, 2), quote_time=datetime(2024, 1, 2, 21, tzinfo=UTC),
        ...     underlying_price=101.0, expirations=np.array(["2024-01-19"], "datetime64[D]"),
        ...     strikes=np.array([100.0]), calls=Quotes.of(1, bid=[3.0], ask=[3.2]), puts=Quotes.of(1),
        ... )
        >>> from optionchain.simulation import simulate
        >>> shown = simulate(recorded([chain], timezone="America/New_York")).chain(0)
        >>> print(shown.call_bid, shown.put_bid, shown.expirations[0].expires_at)
        [3.] [nan] 2024-01-19 21:00:00+00:00
    """
    assets = {chain.asset for chain in chains}
    if len(assets) > 1:
        raise InvalidInput("chains", f"must be of one asset, not of {', '.join(sorted(assets))}")
    recording = Recording.of(chains)
    days = [chain.day for chain in chains]
    method = Recorded(asset=assets.pop(), first=min(days), last=max(days), recording=recording)
    schedule = recorded_schedule(timezone, expiration_time, calendar)
    return SimulationParameters(**values_of_days(method) | {"expirations": schedule} | terms)


def recorded_schedule(timezone: str, expiration_time: time | SessionTime | None, calendar: str) -> Schedule:
    """When recorded dates expire, and on which days there should be a chain."""
    if expiration_time is None and calendar == WEEKDAYS_V1:
        expiration_time = CLOSE
    return Schedule(
        timezone=timezone, expiration_time=expiration_time, calendar=calendar, rules=(recorded_rule(),)
    )


def values_of_days(method: Recorded) -> dict[str, Any]:
    """What the days say of the fields of `SimulationParameters`."""
    days = method.days
    known = days.volatilities[days.volatilities > 0.0]
    return {
        "symbol": method.asset,
        "steps": len(days),
        "initial_price": float(days.days.prices[0]),
        "volatility": min(float(known[0]), MAX_VOLATILITY) if known.size else _ANY_VOLATILITY,
        "method": method,
        "seed": 0,
        "start_at": days.instants[0],
        "time_frame": TimeFrame.DAY,
    }


def gaps_of(parameters: SimulationParameters) -> list[date] | None:
    """The sessions of a recorded period without a chain; None where nothing is recorded."""
    method, schedule = parameters.method, parameters.expirations
    if not isinstance(method, Recorded) or not isinstance(schedule, Schedule):
        return None
    sessions = trading_calendar(schedule.calendar).sessions_from(method.first.toordinal())
    return method.gaps(date.fromordinal(day) for day in sessions)
