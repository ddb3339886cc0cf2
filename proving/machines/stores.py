"""Redis and MongoDB on a machine of their own, which every other one reaches."""

from __future__ import annotations

from cluster.instance.embedded_servers import embedded_mongo, embedded_redis
from proving.machines.hosts import Host

REDIS_PORT, MONGO_PORT = 6379, 27017


def start_stores(host: Host, password: str) -> dict[str, str]:
    """Start both, each as an instance has it; returns the settings of whoever is to use them.

    Raises:
        ProcessFailed: One of them is not installed.
    """
    mongo = embedded_mongo(host.folder / "mongo", MONGO_PORT)
    command = [host.address if word == "127.0.0.1" else word for word in mongo.command]
    return start_redis_beside(host, password, command)


def start_redis_beside(host: Host, password: str, mongo: list[str]) -> dict[str, str]:
    """Start a Redis, and a MongoDB by its command; returns the settings of whoever is to use them.

    Raises:
        ProcessFailed: There is no Redis.
    """
    redis = embedded_redis(host.folder / "redis", REDIS_PORT, password, fsync="always")
    config = host.folder / "redis" / "redis.conf"
    config.write_text(config.read_text().replace("bind 127.0.0.1", f"bind {host.address}"))
    host.start(["bash", "-c", f"{' '.join(mongo)} & exec {' '.join(redis.command)}"])
    return {
        "OCS_REDIS_URL": f"redis://:{password}@{host.address}:{REDIS_PORT}/0",
        "OCS_MONGO_URI": f"mongodb://{host.address}:{MONGO_PORT}/?directConnection=true",
    }
