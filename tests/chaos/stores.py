"""Redis and a real MongoDB on a machine of their own, which every other one reaches."""

from __future__ import annotations

from proving.machines.hosts import Host
from proving.machines.stores import MONGO_PORT, start_redis_beside
from tests.integration.history.mongo_servers import mongod_command


def start_stores(host: Host, password: str) -> dict[str, str]:
    """Start both; returns the settings of whoever is to use them."""
    mongo = mongod_command(host.folder / "mongo", MONGO_PORT, replica_set=None, address=host.address)
    return start_redis_beside(host, password, mongo)
