"""HTTP: what each tenant may take, for administrators."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import orjson
from fastapi import Depends, Path, Request, Response

from cluster.quotas.keeping import Quotas
from cluster.quotas.limits import LimitService
from optionchain.errors import WrongState
from optionchain.ports import SessionStore
from serve_app.bodies.quotas import Limits, QuotaList, UsedQuotas, quotas_view, used_view
from serve_app.edge.on_record import acted_on
from serve_app.edge.route_table import handler
from serve_app.handling.encoded import json_response
from serve_app.openapi.documentation import errors, shown
from serve_app.services import services_of


class Kept(NamedTuple):
    """What sets quotas, what counts them, and what counts sessions."""

    limits: LimitService
    quotas: Quotas
    store: SessionStore


async def current_quotas(request: Request) -> Kept:
    """The quotas of this replica, as a dependency; async, for FastAPI runs others in a thread.

    Raises:
        WrongState: They are off.
    """
    services = services_of(request)
    if services.quotas is None:
        raise WrongState("quotas", "of tenants", "are off: set OCS_QUOTA_ENABLED=true and deploy again")
    return Kept(services.quotas.setting, services.quotas, services.store)


QuotasOn = Annotated[Kept, Depends(current_quotas)]
Tenant = Annotated[str, Path(description="The tenant: the owner of its keys", max_length=64)]


@handler("List the quotas that were set", responses=shown(QuotaList) | errors(409, 503))
async def list_quotas(kept: QuotasOn) -> Response:
    """Of tenants who are not in the list, the settings say what they may take."""
    found = await kept.limits.listed()
    return json_response(
        orjson.dumps({"data": [quotas_view(each, kept.limits.in_force(each)) for each in found]})
    )


@handler("The quotas of a tenant", responses=shown(UsedQuotas) | errors(400, 409, 503))
async def get_quotas(tenant: Tenant, kept: QuotasOn) -> Response:
    """What it may take, and what it has taken."""
    return await _shown(tenant, kept)


@handler("Set the quotas of a tenant", responses=shown(UsedQuotas) | errors(400, 409, 503))
async def set_quotas(tenant: Tenant, body: Limits, kept: QuotasOn, request: Request) -> Response:
    """In place of what was set; what is null or left out is as the settings say. Replicas know within a second."""
    await kept.limits.set(body.of(tenant))
    acted_on(request, body.model_dump_json(exclude_none=True))
    return await _shown(tenant, kept)


@handler("Let a tenant have what the settings say", responses=shown(UsedQuotas) | errors(404, 409, 503))
async def remove_quotas(tenant: Tenant, kept: QuotasOn) -> Response:
    """What was set is forgotten; what counts goes on counting."""
    await kept.limits.remove(tenant)
    return await _shown(tenant, kept)


async def _shown(tenant: str, kept: Kept) -> Response:
    own = await kept.limits.own(tenant)
    used = await kept.quotas.used(kept.store, tenant)
    return json_response(orjson.dumps(used_view(own, kept.limits.in_force(own), used)))
