"""The JSON of how busy a snapshot's contracts are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import orjson

from optionchain.arrays import Floats
from optionchain.chains.activity import Activity
from optionchain.chains.columns import SIDES
from optionchain.errors import InvalidInput
from optionchain.models import Recorded
from optionchain.parameters import SimulationParameters
from optionchain.simulation import Simulation

_OF_A_SIDE = ("bid_size", "ask_size", "open_interest", "volume")


def require_activity(parameters: SimulationParameters, step: int) -> None:
    """Refuse what has no activity.

    Raises:
        InvalidInput: There is no such step, or the days are recorded, whose activity nobody makes up.
    """
    if step >= parameters.total_steps:
        raise InvalidInput("step", f"must be less than {parameters.total_steps}")
    if isinstance(parameters.method, Recorded):
        raise InvalidInput("method", "is of recorded days, whose activity is what was stored, if any")


def activity_json(simulation: Simulation, step: int, scale: float) -> bytes:
    """``{"step": ..., "simulated_at": ..., "chains": [{"expires_at": ..., "contracts": [...]}, ...]}``.

    Args:
        simulation: Whose contracts.
        step: 0 to ``total_steps - 1``.
        scale: As `Simulation.activity` takes it.
    """
    chain, activity = simulation.chain(step), simulation.activity(step, scale)
    sides = [_counts(activity, side) for side in SIDES]
    chains = [
        {
            "expires_at": expiration.expires_at,
            "contracts": [
                {"strike": strike} | dict(zip(SIDES, both, strict=True))
                for strike, *both in zip(
                    chain.strikes[first:last].tolist(), *(side[first:last] for side in sides), strict=True
                )
            ],
        }
        for expiration, (first, last) in zip(chain.expirations, pairwise(chain.offsets), strict=True)
    ]
    shown = {"step": step, "simulated_at": chain.quote_time, "chains": chains}
    return orjson.dumps(shown, option=orjson.OPT_UTC_Z)


def _counts(activity: Activity, side: str) -> list[dict[str, Any]]:
    columns: list[Floats] = [getattr(activity, f"{side}_{name}") for name in _OF_A_SIDE]
    rows = zip(*(column.astype(int).tolist() for column in columns), strict=True)
    return [dict(zip(_OF_A_SIDE, row, strict=True)) for row in rows]
