"""Redis and MongoDB on a machine of their own, which every other one reaches."""

from __future__ import annotations

from cluster.instance.embedded_servers import embedded_redis
from tests.chaos.namespaces import Host
from tests.integration.history.mongo_servers import mongod_command


def start_stores(host: Host, password: str) -> dict[str, str]:
    """Start both; returns the settings of whoever is to use them."""
    folder = host.folder
    redis = embedded_redis(folder / "redis", 6379, password, fsync="always")
    config = folder / "redis" / "redis.conf"
    config.write_text(config.read_text().replace("bind 127.0.0.1", f"bind {host.address}"))
    mongo = mongod_command(folder / "mongo", 27017, replica_set=None)
    mongo[mongo.index("127.0.0.1")] = host.address
    host.start(["bash", "-c", f"{' '.join(mongo)} & exec {' '.join(redis.command)}"])
    return {
        "OCS_REDIS_URL": f"redis://:{password}@{host.address}:6379/0",
        "OCS_MONGO_URI": f"mongodb://{host.address}:27017/?directConnection=true",
    }
