"""The settings of a cluster that others start: what the environment of its nodes says, and must say."""

from __future__ import annotations

from cluster.settings import BadSettings, Settings, load_settings
from cluster.shares_of_cores import with_actors_for_replicas

# Of the node that the process is on.
THIS_CLUSTER = "auto"


def settings_of_node() -> Settings:
    """Read the environment of a node.

    Raises:
        BadSettings: With one line for each variable that is wrong, or that every node must have and this one has not:
            nobody makes servers or keys for a cluster.
    """
    settings = load_settings()
    keys = settings.auth.keys.get_secret_value() or not settings.auth.enabled
    required = {
        "OCS_REDIS_URL: where the sessions are to be": settings.redis.url,
        "OCS_MONGO_URI: where history and configurations are": settings.mongo.uri,
        "OCS_AUTH_KEYS: `owner=key` or `owner:admin=key`, or OCS_AUTH_ENABLED=false": keys,
    }
    if missing := [f"{what}; set it on every node" for what, given in required.items() if not given]:
        raise BadSettings("\n".join(missing))
    address = settings.ray.address or THIS_CLUSTER
    return with_actors_for_replicas(settings).with_changes({"ray": {"address": address}})
