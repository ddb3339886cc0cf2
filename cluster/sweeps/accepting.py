"""Which sweeps callers may have computed, and what identifies one."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from cluster.sweeps.settings import SweepSettings
from optionchain.errors import InvalidInput
from optionchain.sweeps.run import check_measures
from optionchain.sweeps.sweep import Sweep
from optionchain.sweeps.wire import Limits, sweep_from_wire


def accepted(wire: Mapping[str, Any], settings: SweepSettings) -> Sweep:
    """A sweep that callers may have computed.

    Raises:
        InvalidInput: It is wrong, or larger than the limits.
    """
    limits = Limits(
        scenarios=settings.max_scenarios, prices=settings.max_prices, numbers=settings.max_numbers
    )
    if wire.get("keep", "statistics") not in ("statistics", None):
        raise InvalidInput("keep", "must be statistics over HTTP")
    sweep = sweep_from_wire(wire, limits=limits)
    check_measures(sweep)
    return sweep


def sweep_id(owner: str, of: str) -> str:
    """A UUID that follows from the caller and the id of the definition, or of the run of a scheduled task."""
    digest = hashlib.sha256(f"{owner}\0{of}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


def prices_of(sweep: Sweep) -> int:
    """How many prices a sweep takes."""
    return len(sweep.plan) * sweep.paths * sweep.base.total_steps
