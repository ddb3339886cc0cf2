"""HTTP: what each tenant may take, for administrators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import orjson
from fastapi import Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cluster.quotas.keeping import Quotas
from cluster.quotas.limits import LimitService
from cluster.quotas.settings import MOST
from optionchain.access.quotas import Quota, TenantLimits
from optionchain.errors import WrongState
from optionchain.ports import SessionStore
from serve_app.edge.on_record import acted_on
from serve_app.edge.route_table import handler
from serve_app.handling.encoded import json_response
from serve_app.openapi.documentation import errors, shown
from serve_app.services import services_of

_Amount = Annotated[int | None, Field(ge=0, le=MOST, strict=True)]


class Limits(BaseModel):
    """What a tenant may take; 0 means no limit."""

    model_config = ConfigDict(extra="forbid")

    sessions: _Amount = Field(None, description="Sessions and simulations alive")
    contracts_per_second: int | None = Field(
        None, ge=0, le=1_000_000_000, strict=True, description="Contracts in the snapshots that are served"
    )
    export_rows_per_day: _Amount = Field(None, description="Rows exported on a day (UTC)")
    sweep_prices_per_day: _Amount = Field(
        None, description="Scenarios times paths times steps of sweeps on a day (UTC)"
    )
    storage_bytes: _Amount = Field(
        None, description="Bytes of files of history that were imported, over HTTP and by tasks"
    )

    def of(self, tenant: str) -> TenantLimits:
        """What is set of a tenant; what is null or left out is as the settings say."""
        given = {quota: getattr(self, quota.value) for quota in Quota}
        return TenantLimits(tenant, {quota: limit for quota, limit in given.items() if limit is not None})


class TenantQuotas(BaseModel):
    """What a tenant may take."""

    tenant: str
    limits: Limits = Field(description="What is in force")
    own: Limits = Field(description="What of it was set for this tenant; null: as the settings say")


class UsedQuotas(TenantQuotas):
    """What a tenant may take, and what it has taken."""

    used: Limits = Field(description="What counts now; null of contracts, which count for a second")


class QuotaList(BaseModel):
    """The tenants of whom something was set, by name."""

    data: list[TenantQuotas]


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
        orjson.dumps({"data": [_quotas_view(each, kept.limits.in_force(each)) for each in found]})
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
    return json_response(orjson.dumps(_used_view(own, kept.limits.in_force(own), used)))


def _quotas_view(own: TenantLimits, in_force: Mapping[Quota, int]) -> dict[str, Any]:
    """What a tenant may take as it is shown."""
    return {"tenant": own.tenant, "limits": _named(in_force), "own": _named(own.limits)}


def _used_view(own: TenantLimits, in_force: Mapping[Quota, int], used: Mapping[Quota, int]) -> dict[str, Any]:
    """The same with what it has taken."""
    return {**_quotas_view(own, in_force), "used": _named(used)}


def _named(amounts: Mapping[Quota, int]) -> dict[str, int | None]:
    return {quota.value: amounts.get(quota) for quota in Quota}
