"""What was set of tenants' quotas, in MongoDB: a document for each tenant of whom something was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING, AsyncMongoClient

from adapters.mongo.connection import agreed, mongo_errors
from optionchain.access.quotas import Quota, TenantLimits
from optionchain.errors import NotFound

# As its callers know it, in messages.
STORE = "the list of quotas"


class MongoQuotas:
    """The `QuotaRepository` on MongoDB.

    Args:
        client: An open client, which others may use too.
        database: Name of the database.
    """

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
        self._quotas = agreed(client, database, "quotas")

    async def save(self, limits: TenantLimits) -> None:
        document = {"limits": {quota.value: limit for quota, limit in limits.limits.items()}}
        with mongo_errors(STORE):
            await self._quotas.replace_one({"_id": limits.tenant}, document, upsert=True)

    async def listed(self, *, limit: int) -> Sequence[TenantLimits]:
        with mongo_errors(STORE):
            found = await self._quotas.find().sort([("_id", ASCENDING)]).limit(limit).to_list()
        return [_limits(document) for document in found]

    async def remove(self, tenant: str) -> None:
        with mongo_errors(STORE):
            removed = await self._quotas.delete_one({"_id": tenant})
        if not removed.deleted_count:
            raise NotFound("quotas of", tenant)


def _limits(document: dict[str, Any]) -> TenantLimits:
    known = {quota.value: quota for quota in Quota}  # a later release may have known more
    return TenantLimits(
        document["_id"],
        {known[name]: int(limit) for name, limit in document["limits"].items() if name in known},
    )
