"""Writes docs/metrics.md from the table in the code: ``python docs/make_metrics.py``; a test compares the two."""

from __future__ import annotations

from pathlib import Path

from adapters.metrics.rows import Count, Histogram, Level, Row
from adapters.metrics.service import ACCESS, REQUESTS, SESSIONS, SWEEPS
from adapters.metrics.surroundings import BACKUPS, PROCESSES, SERVERS, STORES
from adapters.metrics.tasks import TASKS
from cluster.metrics.aliases import ALIASES

PAGE = Path(__file__).with_name("metrics.md")
HEADING = """# Metrics

`GET /metrics` (with a key) is Prometheus text of the whole cluster, summed over its processes. Where there is a
Prometheus, let it scrape Ray's agents instead, each process on its own, by `ray_config/prometheus/prometheus.yml`:
they answer even when the service does not. The names are the same in both places; over the agents' other labels
(`WorkerId`, `NodeAddress`...) sum, as our dashboards do.

A process sums up what happens, hands it to Ray every five seconds, and Ray tells its agent every ten: what you see is
up to a quarter of a minute old. A process that is killed takes with it what it had not handed over. Labels are from
bounded sets: no metric has an identity of a session or a caller. Ray keeps 2,000 lines of one name a process: of a
histogram with more, the latest are measured together, all labels but the last (a status, an outcome) `others`.

This page is made from the code: `python docs/make_metrics.py`.
"""
SECTIONS: dict[str, tuple[Row, ...]] = {
    "Requests": tuple(REQUESTS),
    "Who may call": tuple(ACCESS),
    "Sessions": tuple(SESSIONS),
    "Redis, MongoDB, caches": tuple(STORES),
    "The servers": tuple(SERVERS),
    "Backups": tuple(BACKUPS),
    "Sweeps": tuple(SWEEPS),
    "Tasks": tuple(TASKS),
    "Processes": tuple(PROCESSES),
}
SERVERS_NOTE = """
The process of the configuration actor, of which there is one, asks the servers for `INFO` and `serverStatus` every five
seconds. What a server does not tell (SecantusDB, a user without the right) has no series.
"""
FROM_OUTSIDE = """## Of others

HAProxy's own exporter counts what our processes never see: errors that HAProxy makes itself, of a dead replica, a full
queue or a time-out. They are part of the error budget (`haproxy_backend_http_responses_total`,
`haproxy_frontend_http_responses_total`). Ray's agents have Ray's own figures beside ours: `ray_serve_*`, `ray_node_*`,
`ray_actors`, `ray_tasks`.

## As the Rust service names them

`/metrics` shows the same figures under the names of the Rust service, for its dashboards and alerts:

| metric | type | labels | is |
|---|---|---|---|
"""
TYPES = {Histogram: "histogram", Count: "counter", Level: "gauge"}


def metrics_page() -> str:
    """The page."""
    parts = [HEADING]
    for title, rows in SECTIONS.items():
        lines = dict.fromkeys(_line(row) for row in rows)
        parts.append(
            "\n".join([f"## {title}\n", "| metric | type | labels | what |", "|---|---|---|---|", *lines, ""])
        )
        if title == "The servers":
            parts.append(SERVERS_NOTE.lstrip())
    aliases = [f"| `{a.name}` | {a.kind} | {_labels(tuple(a.labels))} | `{a.of}` |" for a in ALIASES]
    return "\n".join(parts) + "\n" + FROM_OUTSIDE + "\n".join(aliases) + "\n"


def _line(row: Row) -> str:
    name = f"{row.name}_total" if isinstance(row, Count) else row.name
    return f"| `{name}` | {TYPES[type(row)]} | {_labels(row.labels)} | {row.description} |"


def _labels(labels: tuple[str, ...]) -> str:
    return ", ".join(f"`{label}`" for label in labels)


if __name__ == "__main__":
    PAGE.write_text(metrics_page(), encoding="utf-8")
