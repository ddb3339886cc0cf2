"""Where a head that others join keeps what it knows, so that they serve on while it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from cluster.settings import Settings


@dataclass(frozen=True, slots=True)
class ControlStore:
    """Where a head keeps what it knows of its cluster.

    Attributes:
        address: As Ray has it: host and port, with `rediss://` before them for TLS.
        options: What `ray start` is told besides.
    """

    address: str
    options: list[str]


def control_store(settings: Settings) -> ControlStore | None:
    """The Redis of a head that has one."""
    url = settings.ray.redis_url
    if url is None or settings.ray.listen is None or settings.ray.address is not None:
        return None
    parts = urlsplit(url.get_secret_value())
    scheme = "rediss://" if parts.scheme == "rediss" else ""
    given = (("redis-username", parts.username), ("redis-password", parts.password))
    return ControlStore(
        f"{scheme}{parts.hostname}:{parts.port or 6379}",
        # Ray's control store takes it as an argument, and no other way.
        [f"--{name}={unquote(value)}" for name, value in given if value],
    )
