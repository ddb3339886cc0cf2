"""What a running instance has told of itself, for the commands that come after."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cluster.instance.private_files import owner_only


@dataclass(frozen=True, slots=True)
class PrivateServer:
    """A server of the instance's own, as it is started: at first, and again when it has died.

    Attributes:
        name: What to call it in messages.
        command: Program and arguments.
        port: Where it listens, on loopback.
        url: How its clients reach it.
        log: Where its output goes.
    """

    name: str
    command: tuple[str, ...]
    port: int
    url: str
    log: str = ""


@dataclass(frozen=True, slots=True)
class InstanceState:
    """What a running instance has told of itself; kept in its folder, readable by its owner alone.

    Attributes:
        marker: What every process of it carries in its environment.
        ray_dashboard: Address of Ray's dashboard; empty where none was asked for.
        cache_redis_url: Of the cache's own Redis; empty where it shares that of the sessions.
        environment: The variables of whoever connects to its Ray.
        servers: Its private servers.
        ray_pids: The processes without which there is no Ray: the control store and the node.
        metrics_port: Where its Ray's agent shows metrics, on loopback.
        https_url: Where it serves HTTPS; empty where it has no certificate.
    """

    marker: str
    base_url: str
    api_key: str | None
    ray_address: str
    ray_dashboard: str
    redis_url: str
    mongo_uri: str
    environment: dict[str, str]
    cache_redis_url: str = ""
    servers: tuple[PrivateServer, ...] = ()
    ray_pids: tuple[int, ...] = ()
    metrics_port: int = 0
    https_url: str = ""

    @property
    def host(self) -> str:
        """Where the service listens."""
        return str(urlsplit(self.base_url).hostname)


def write_state(file: Path, state: InstanceState) -> None:
    """Keep a state in a file."""
    write_private(file, json.dumps(asdict(state)))


def read_state(file: Path) -> InstanceState | None:
    """The state in a file, or None when there is none that can be trusted."""
    try:
        kept = json.loads(file.read_text())
        kept["servers"] = tuple(
            PrivateServer(**{**server, "command": tuple(server["command"])}) for server in kept["servers"]
        )
        return InstanceState(**{**kept, "ray_pids": tuple(kept["ray_pids"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone can read; whoever reads it meanwhile finds the old or the new text whole."""
    new = file.with_name(f"{file.name}.new")
    with open(new, "w", opener=owner_only) as stream:
        stream.write(text)
    new.replace(file)
