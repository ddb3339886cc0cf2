"""The kind `sweep`: a sweep as over HTTP. The sweep actor does it, which has its folder and shows how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from cluster.settings import Settings
from cluster.sweeps.accepting import accepted
from cluster.sweeps.of_the_past import with_past
from cluster.tasks.history_store import with_history
from cluster.tasks.kind import TaskParameters, kind
from cluster.tasks.references import resolved, resolved_now, sample
from cluster.tasks.work import Work
from optionchain.access.roles import Permission
from optionchain.context import Context, Principal
from optionchain.errors import InvalidInput

SOME_TIME = datetime(2026, 1, 5, 21, tzinfo=UTC)


class SweepParameters(TaskParameters):
    """What is swept."""

    sweep: dict[str, Any] = Field(description="As the body of `POST /api/v1/sweeps`, with references")

    def check(self, settings: Settings) -> None:
        """As `TaskParameters.check`: with a sample in place of what is yet to come."""
        try:
            accepted(resolved(self.sweep, SOME_TIME, sample), settings.sweep)
        except InvalidInput as error:
            raise error.under("sweep") from None


class PostedSweep(TaskParameters):
    """A sweep that was posted: its record has the definition, which may be larger than a run may be."""

    sweep_id: str


def whole_sweep(work: Work, parameters: SweepParameters) -> Mapping[str, Any]:
    """The definition of a scheduled sweep, as it stands at its time.

    Raises:
        InvalidInput: The history has not what it refers to.
        Unavailable: The history does not answer.
    """
    wire = with_history(
        work.settings, lambda history: resolved_now(parameters.sweep, work.scheduled_for, history)
    )
    context = Context(Principal(work.owner, work.run.id))
    return asyncio.run(with_past(wire, work.open_history(), context))


SWEEP = kind(
    "sweep",
    "Compute a sweep; each time is a sweep of its own",
    SweepParameters,
    None,
    permission=Permission.RESEARCH,
)
