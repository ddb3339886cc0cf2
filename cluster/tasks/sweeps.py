"""The kind `sweep`: a sweep as over HTTP, another one for each time; its table is fetched as that of any sweep."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pydantic import Field

from adapters.mongo.sweeps import MongoSweepIndex
from cluster.quotas.keeping import spending
from cluster.quotas.opening import open_amounts
from cluster.settings import Settings
from cluster.sweeps.gateway import SweepGateway, open_sweeps
from cluster.sweeps.of_the_past import with_past
from cluster.sweeps.service import OVER, accepted
from cluster.tasks.history_store import with_history
from cluster.tasks.kind import TaskParameters, kind
from cluster.tasks.references import resolved, resolved_now, sample
from cluster.tasks.work import Stopped, Work
from optionchain.access.quotas import Quota
from optionchain.access.roles import Permission
from optionchain.context import Context, Principal
from optionchain.errors import HasFailed, InvalidInput

SECONDS_BETWEEN_LOOKS = 0.5
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


def run(work: Work, parameters: SweepParameters) -> Mapping[str, Any]:
    """Have the sweep service compute it, and wait; after a failed attempt it is found again, by the run's id."""
    wire = with_history(
        work.settings, lambda history: resolved_now(parameters.sweep, work.scheduled_for, history)
    )
    return asyncio.run(_followed(work, wire))


async def _followed(work: Work, wire: Mapping[str, Any]) -> Mapping[str, Any]:
    sweeps = open_sweeps(work.settings, partial(MongoSweepIndex, work.settings.mongo))
    context = Context(Principal(work.owner, work.run.id))
    whole = await with_past(wire, work.open_history(), context)
    async with open_amounts(work.settings) as quotas:
        prices = 0 if quotas is None else await sweeps.price(context, whole, run=work.run.id)
        async with spending(quotas, work.owner, Quota.SWEEP_PRICES, prices):
            shown = await sweeps.submit(context, whole, run=work.run.id)
    work.say(f"sweep {shown['id']}: {shown['scenarios']} scenarios of {shown['paths']} paths")
    while shown["state"] not in OVER:
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        await _check(work, sweeps, context, shown["id"])
        shown = await sweeps.status(context, shown["id"])
    if shown["state"] == "cancelled":
        raise Stopped
    if shown["state"] == "failed":
        work.say(str(shown["error"]))
        raise HasFailed("sweep", shown["id"])
    return {"sweep_id": shown["id"], "scenarios": shown["scenarios"], "paths": shown["paths"]}


async def _check(work: Work, sweeps: SweepGateway, context: Context, identity: str) -> None:
    try:
        work.check()
    except Stopped:
        await sweeps.cancel(context, identity)
        raise


SWEEP = kind(
    "sweep",
    "Compute a sweep; each time is a sweep of its own",
    SweepParameters,
    run,
    permission=Permission.RESEARCH,
)
