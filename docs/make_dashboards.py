"""Writes Grafana's dashboards from one description: ``python docs/make_dashboards.py``; a test compares.

Every query sums over what it does not show: the labels that Ray adds are never dropped and never shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "ray_config" / "grafana" / "dashboards"
PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
LOKI = {"type": "loki", "uid": "loki"}
WIDTH, COLUMNS, HEIGHT = 24, 3, 8


@dataclass(frozen=True)
class Panel:
    """One picture.

    Attributes:
        title: Over it.
        unit: As Grafana names it.
        queries: What it shows: PromQL, and how a line is called.
        kind: Of picture.
    """

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]
    kind: str = "timeseries"


@dataclass(frozen=True)
class Dashboard:
    """A page of panels, in rows of three.

    Attributes:
        name: Of its file and in its address.
        title: Over it.
        panels: Left to right, top to bottom.
    """

    name: str
    title: str
    panels: Sequence[Panel]


def quantiles(metric: str, by: str = "", where: str = "") -> list[tuple[str, str]]:
    """The median and the slowest hundredth of a distribution."""
    labels = f"le, {by}" if by else "le"
    legend = f" {{{{{by}}}}}" if by else ""
    shares = ((0.99, "p99"),) if by else ((0.5, "median"), (0.99, "p99"))
    return [
        (
            f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{where}[$__rate_interval])))",
            name + legend,
        )
        for share, name in shares
    ]


def rate(metric: str, by: str = "", where: str = "") -> tuple[str, str]:
    """How many a second."""
    over = f" by ({by})" if by else ""
    return f"sum{over} (rate({metric}{where}[$__rate_interval]))", f"{{{{{by}}}}}" if by else "all"


def total(metric: str, by: str = "") -> tuple[str, str]:
    """How many there are."""
    return (f"sum by ({by}) ({metric})", f"{{{{{by}}}}}") if by else (f"sum({metric})", "all")


def or_none(query: tuple[str, str]) -> tuple[str, str]:
    """The same, as 0 where nothing of the kind has ever happened."""
    return f"{query[0]} or vector(0)", query[1]


REQUESTS = "optionchain_http_request_seconds"
NO_PROBES = '{route!~"/health|/ready|/metrics"}'
SERVICE = Dashboard(
    "service",
    "OptionChain: service",
    (
        Panel(
            "Error budget burnt: 1 lasts a month, 14.4 two days",
            "none",
            [(f"optionchain:error_ratio:rate{window} / 0.001", window) for window in ("5m", "1h", "6h")],
        ),
        Panel(
            "Requests a second",
            "reqps",
            [("optionchain:requests:rate5m", "all"), rate(f"{REQUESTS}_count", "status", NO_PROBES)],
        ),
        Panel("Time of a request", "s", quantiles(REQUESTS, where=NO_PROBES)),
        Panel("Requests a second, by route", "reqps", [rate(f"{REQUESTS}_count", "route", NO_PROBES)]),
        Panel("Time of a request, by route (p99)", "s", quantiles(REQUESTS, "route", NO_PROBES)),
        Panel("Refused for the load", "reqps", [rate("optionchain_http_rejected_total", "kind")]),
        Panel(
            "Until certificates expire",
            "s",
            [("min by (line) (optionchain_certificate_expires_timestamp_seconds) - time()", "{{line}}")],
        ),
        Panel(
            "HAProxy: answers a second, its own errors among them",
            "reqps",
            [or_none(rate("haproxy_frontend_http_responses_total", "code", '{proxy="http_frontend"}'))],
        ),
        Panel("Streams and exports under way", "short", [or_none(total("optionchain_http_streams"))]),
        Panel("Bytes of exports and streams", "Bps", [rate("optionchain_http_exported_bytes_total")]),
        Panel("Keyed requests answered again", "reqps", [rate("optionchain_http_replays_total")]),
        Panel(
            "Calls that wait for a session",
            "short",
            [total("optionchain_session_calls_waiting"), total("optionchain_session_mailbox")],
        ),
        Panel("Alerts", "short", [('sum by (alertname) (ALERTS{alertstate="firing"})', "{{alertname}}")]),
    ),
)
TENANTS = Dashboard(
    "tenants",
    "OptionChain: callers and tenants",
    (
        Panel("Refused for their caller", "reqps", [rate("optionchain_http_denied_total", "kind")]),
        Panel(
            "Refused for a quota that is used up",
            "reqps",
            [rate("optionchain_quota_refusals_total", "quota")],
        ),
        Panel(
            "Refused for their number",
            "reqps",
            [rate("optionchain_http_rejected_total", where='{kind="rate_limited"}')],
        ),
        Panel(
            "Bursts of refusals, pauses, keys that are everywhere",
            "short",
            [
                (f"sum(increase({metric}[1h]))", legend)
                for metric, legend in (
                    ("optionchain_unusual_access_total", "bursts"),
                    ("optionchain_sign_in_pauses_total", "pauses"),
                    ("optionchain_keys_from_many_networks_total", "keys from many networks"),
                )
            ],
        ),
        Panel("Tokens that are not accepted", "reqps", [rate("optionchain_tokens_refused_total", "reason")]),
        Panel("Managed API keys that work", "short", [("max(optionchain_api_keys)", "keys")]),
        Panel("Replicas that may not hear of a revocation", "short", [total("optionchain_api_keys_unheard")]),
        Panel(
            "Entries that the audit log lost, in an hour",
            "short",
            [("sum(increase(optionchain_audit_lost_total[1h]))", "lost")],
        ),
    ),
)
SESSIONS = Dashboard(
    "sessions",
    "OptionChain: sessions and batching",
    (
        Panel("Steps a second, by model", "ops", [rate("optionchain_steps_total", "model")]),
        Panel(
            "Sessions alive, and in memory",
            "short",
            [
                ("max(optionchain_sessions_alive)", "alive"),
                ("sum(optionchain_resident_sessions)", "in memory"),
            ],
        ),
        Panel(
            "Sessions created, deleted, expired",
            "ops",
            [
                (rate("optionchain_sessions_created_total")[0], "created"),
                (rate("optionchain_sessions_deleted_total")[0], "deleted"),
                (rate("optionchain_sessions_expired_total")[0], "expired"),
            ],
        ),
        Panel("A replica waits for a session", "s", quantiles("optionchain_session_call_seconds")),
        Panel("A call waits for its actor", "s", quantiles("optionchain_session_wait_seconds")),
        Panel("A batch is served", "s", quantiles("optionchain_batch_seconds")),
        Panel("Snapshots are priced and rendered", "s", quantiles("optionchain_render_seconds")),
        Panel("Checkpoints are stored", "s", quantiles("optionchain_commit_seconds")),
        Panel("Calls of a batch", "short", quantiles("optionchain_batch_size")),
        Panel(
            "Conflicts and lost deliveries",
            "ops",
            [
                (rate("optionchain_conflicts_total")[0], "conflicts"),
                (rate("optionchain_steps_not_kept_total")[0], "steps not kept"),
                or_none((rate("optionchain_deliveries_lost_total")[0], "lost")),
            ],
        ),
        Panel(
            "Sessions loaded, and that left memory",
            "ops",
            [
                (rate("optionchain_activations_total")[0], "loaded"),
                (rate("optionchain_evictions_total")[0], "left"),
                or_none((rate("optionchain_shared_snapshot_hits_total")[0], "snapshots shared")),
            ],
        ),
        Panel(
            "Paths and snapshots in memory",
            "short",
            [total("optionchain_cached_paths"), total("optionchain_cached_snapshots")],
        ),
    ),
)
STORES = Dashboard(
    "stores",
    "OptionChain: stores and caches",
    (
        Panel(
            "Redis and MongoDB are up",
            "short",
            [("max by (server) (optionchain_server_up)", "{{server}}")],
            "stat",
        ),
        Panel(
            "Redis: time of a call, by operation (p99)",
            "s",
            quantiles("optionchain_redis_seconds", "operation"),
        ),
        Panel(
            "Redis: calls a second, by outcome", "ops", [rate("optionchain_redis_seconds_count", "outcome")]
        ),
        Panel("MongoDB: time of a command (p99)", "s", quantiles("optionchain_mongodb_seconds", "command")),
        Panel(
            "MongoDB: commands a second, by collection",
            "ops",
            [rate("optionchain_mongodb_seconds_count", "collection")],
        ),
        Panel("Cache: found, by tier", "ops", [or_none(rate("optionchain_cache_hits_total", "tier"))]),
        Panel("Cache: not found, by kind", "ops", [or_none(rate("optionchain_cache_misses_total", "kind"))]),
        Panel(
            "Circuits that are open",
            "short",
            [or_none(("max by (dependency) (optionchain_circuit_open)", "{{dependency}}"))],
        ),
        Panel(
            "Redis: memory",
            "bytes",
            [
                ("max(optionchain_redis_memory_bytes)", "held"),
                ("max(optionchain_redis_max_memory_bytes)", "at most"),
            ],
        ),
        Panel("Redis: fragmentation", "none", [("max(optionchain_redis_fragmentation_ratio)", "ratio")]),
        Panel("Redis: keys thrown away", "short", [("max(optionchain_redis_evicted_keys)", "keys")]),
        Panel(
            "Behind the primary",
            "s",
            [
                or_none(("max(optionchain_redis_replica_lag_seconds)", "Redis")),
                or_none(("max(optionchain_mongodb_replica_lag_seconds)", "MongoDB")),
                or_none(("max(optionchain_mongodb_standby_lag_seconds)", "MongoDB in the second site")),
            ],
        ),
        Panel("Redis: replicas", "short", [("max(optionchain_redis_replicas)", "replicas")]),
        Panel(
            "Connections",
            "short",
            [
                ("max(optionchain_redis_connections)", "Redis"),
                ("max(optionchain_redis_max_connections)", "Redis, at most"),
                or_none(("max(optionchain_mongodb_connections)", "MongoDB")),
                or_none(("max(optionchain_mongodb_max_connections)", "MongoDB, at most")),
            ],
        ),
        Panel(
            "MongoDB: page faults a second",
            "ops",
            [or_none(("max(deriv(optionchain_mongodb_page_faults[5m]))", "faults"))],
        ),
        Panel(
            "MongoDB: room on its disk",
            "bytes",
            [or_none(("max(optionchain_mongodb_disk_free_bytes)", "free"))],
        ),
        Panel(
            "MongoDB: reach of the oplog", "s", [or_none(("max(optionchain_mongodb_oplog_seconds)", "oplog"))]
        ),
        Panel(
            "Age of the latest backup",
            "s",
            [
                or_none(
                    (
                        "max by (place) (time() - optionchain_backup_saved_timestamp_seconds)",
                        "saved {{place}}",
                    )
                ),
                or_none(
                    (
                        "max by (place) (time() - optionchain_backup_verified_timestamp_seconds)",
                        "verified {{place}}",
                    )
                ),
            ],
        ),
        Panel(
            "Bytes of the latest backup",
            "bytes",
            [or_none(("max by (place) (optionchain_backup_bytes)", "{{place}}"))],
        ),
        Panel("History: time of a call (p99)", "s", quantiles("optionchain_history_seconds", "operation")),
        Panel(
            "Configurations: time of a call (p99)",
            "s",
            quantiles("optionchain_configuration_seconds", "operation"),
        ),
    ),
)
SWEEPS = Dashboard(
    "sweeps",
    "OptionChain: sweeps",
    (
        Panel("Sweeps that run", "short", [or_none(total("optionchain_sweep_running"))]),
        Panel("Scenarios a second", "ops", [or_none(rate("optionchain_sweep_scenarios_total"))]),
        Panel("Scenarios that failed", "ops", [or_none(rate("optionchain_sweep_failures_total"))]),
        Panel("Paths a second", "ops", [or_none(rate("optionchain_sweep_paths_total"))]),
        Panel("Contracts priced a second", "ops", [or_none(rate("optionchain_sweep_contracts_total"))]),
        Panel("Ray's tasks", "short", [or_none(total("ray_tasks", "State"))]),
    ),
)
TASKS = Dashboard(
    "tasks",
    "OptionChain: tasks",
    (
        Panel(
            "Runs that wait",
            "short",
            [or_none(("max by (kind) (optionchain_task_runs_waiting)", "{{kind}}"))],
        ),
        Panel(
            "Runs that run",
            "short",
            [or_none(("max by (kind) (optionchain_task_runs_running)", "{{kind}}"))],
        ),
        Panel("Attempts that end", "ops", [or_none(rate("optionchain_task_attempts_total", "state"))]),
        Panel(
            "Time of an attempt (p99)",
            "s",
            [*map(or_none, quantiles("optionchain_task_run_seconds", "kind"))],
        ),
        Panel(
            "Wait of an attempt (p99)",
            "s",
            [*map(or_none, quantiles("optionchain_task_wait_seconds", "kind"))],
        ),
        Panel(
            "Lateness of runs (p99)", "s", [*map(or_none, quantiles("optionchain_task_late_seconds", "kind"))]
        ),
        Panel(
            "Since the last success",
            "s",
            [
                or_none(
                    ("time() - max by (task) (optionchain_task_last_success_timestamp_seconds)", "{{task}}")
                )
            ],
        ),
        Panel("Overdue", "short", [or_none(("max by (kind) (optionchain_tasks_overdue)", "{{kind}}"))]),
        Panel("Misfires", "ops", [or_none(rate("optionchain_task_misfires_total", "kind"))]),
        Panel(
            "Since the scheduler looked",
            "s",
            [or_none(("time() - max(optionchain_scheduler_last_look_timestamp_seconds)", "seconds"))],
        ),
    ),
)
PROCESSES = Dashboard(
    "processes",
    "OptionChain: processes and nodes",
    (
        Panel("Memory, by kind of process", "bytes", [total("optionchain_process_memory_bytes", "process")]),
        Panel(
            "Processor time, by kind of process",
            "percentunit",
            [rate("optionchain_process_cpu_seconds_total", "process")],
        ),
        Panel(
            "Age of the youngest process",
            "s",
            [("time() - max by (process) (optionchain_process_start_time_seconds)", "{{process}}")],
        ),
        Panel(
            "Since one of a kind was heard of",
            "s",
            [("time() - max by (process) (optionchain_process_seen_timestamp_seconds)", "{{process}}")],
        ),
        Panel(
            "Since a server answered",
            "s",
            [("time() - max by (server) (optionchain_server_seen_timestamp_seconds)", "{{server}}")],
        ),
        Panel(
            "Event loop held",
            "percentunit",
            [or_none(rate("optionchain_loop_held_seconds_total", "process"))],
        ),
        Panel("Failures, by operation", "ops", [or_none(rate("optionchain_failures_total", "operation"))]),
        Panel("Telemetry that was lost", "ops", [rate("optionchain_telemetry_failures_total", "signal")]),
        Panel(
            "Memory of the nodes",
            "bytes",
            [("sum(ray_node_mem_used)", "used"), ("sum(ray_node_mem_total)", "there is")],
        ),
        Panel("Processor of the nodes", "percent", [("avg(ray_node_cpu_utilization)", "used")]),
        Panel("Disk of the nodes", "percent", [("max(ray_node_disk_utilization_percentage)", "fullest")]),
        Panel(
            "Versions that run",
            "short",
            [
                (
                    "max by (version, python, ray) (optionchain_build_info)",
                    "{{version}}, Python {{python}}, Ray {{ray}}",
                )
            ],
            "stat",
        ),
        Panel("Nodes that Prometheus hears", "short", [('sum(up{job="optionchain"})', "up")], "stat"),
    ),
)
LOGS = Dashboard(
    "logs",
    "OptionChain: logs",
    (
        Panel(
            "What failed",
            "short",
            [('{service_name="optionchain"} | json | level=~"WARNING|ERROR"', "")],
            "logs",
        ),
        Panel(
            "Sessions that begin and end",
            "short",
            [('{service_name="optionchain"} | json | event=~"session.created|session.deleted"', "")],
            "logs",
        ),
    ),
)
DASHBOARDS = (SERVICE, TENANTS, SESSIONS, STORES, SWEEPS, TASKS, PROCESSES, LOGS)


def drawn(dashboard: Dashboard) -> str:
    """A dashboard as Grafana reads it."""
    return (
        json.dumps(
            {
                "uid": f"optionchain-{dashboard.name}",
                "title": dashboard.title,
                "schemaVersion": 39,
                "tags": ["optionchain"],
                "refresh": "10s",
                "time": {"from": "now-1h", "to": "now"},
                "links": [{"type": "dashboards", "tags": ["optionchain"], "asDropdown": False, "title": ""}],
                "panels": list(_panels(dashboard)),
            },
            indent=1,
        )
        + "\n"
    )


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    columns = 1 if dashboard is LOGS else COLUMNS
    width = WIDTH // columns
    for position, panel in enumerate(dashboard.panels):
        row, column = divmod(position, columns)
        source = LOKI if panel.kind == "logs" else PROMETHEUS
        yield {
            "id": position + 1,
            "type": panel.kind,
            "title": panel.title,
            "datasource": source,
            "gridPos": {"x": column * width, "y": row * HEIGHT, "w": width, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "targets": [
                {"refId": chr(ord("A") + index), "datasource": source, "expr": query, "legendFormat": legend}
                for index, (query, legend) in enumerate(panel.queries)
            ],
        }


if __name__ == "__main__":
    for each in DASHBOARDS:
        (FOLDER / f"{each.name}.json").write_text(drawn(each), encoding="utf-8")
