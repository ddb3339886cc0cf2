"""Every alert fires when it should and is silent when it should, by Prometheus's own evaluation, and has its page."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
CONFIG = ROOT / "ray_config"
RULES = sorted((CONFIG / "prometheus" / "rules").glob("*.yml"))
SECTIONS = ["Meaning", "Impact", "First look", "Remedy", "Prevention"]
# A sample a minute: `a+bxn` is Prometheus's own notation of a series that begins at a and grows by b.
INTERVAL = "1m"
HOURS = 7 * 60
OK = 'optionchain_http_request_seconds_count{route="/x",status="200"}'
BAD = 'optionchain_http_request_seconds_count{route="/x",status="500"}'
HAPROXY_OK = 'haproxy_frontend_http_responses_total{proxy="http_frontend",code="2xx"}'
HAPROXY_BAD = 'haproxy_frontend_http_responses_total{proxy="http_frontend",code="5xx"}'
UP = 'up{job="optionchain"}'
EXPIRES = "optionchain_certificate_expires_timestamp_seconds"
REPLICA = 'optionchain_process_memory_bytes{process="http"}'


@dataclass(frozen=True)
class Case:
    """What Prometheus sees.

    Attributes:
        alert: The one in question.
        fires: Series with which it fires, each by its samples.
        silent: Series with which it does not.
        at: Minutes after which one looks.
        labels: That the alert has beside its severity.
    """

    alert: str
    fires: dict[str, str]
    silent: dict[str, str]
    at: int = 30
    labels: dict[str, str] = field(default_factory=dict)


def buckets(name: str, labels: str, fast: int, slow: int) -> dict[str, str]:
    """A distribution: so many observations a minute below 10 ms, and so many of a second."""
    separator = "," if labels else ""
    return {
        f'{name}{{{labels}{separator}le="0.01"}}': f"0+{fast}x{HOURS}",
        f'{name}{{{labels}{separator}le="0.5"}}': f"0+{fast}x{HOURS}",
        f'{name}{{{labels}{separator}le="1"}}': f"0+{fast + slow}x{HOURS}",
        f'{name}{{{labels}{separator}le="+Inf"}}': f"0+{fast + slow}x{HOURS}",
    }


def level(series: str, value: float) -> dict[str, str]:
    return {series: f"{value:g}x{HOURS}"}


def counter(series: str, minutely: float, begins_at: float = 0.0) -> dict[str, str]:
    return {series: f"{begins_at:g}+{minutely:g}x{HOURS}"}


REDIS, MONGODB = 'optionchain_server_up{server="redis"}', 'optionchain_server_up{server="mongodb"}'
MEMORY, MOST = "optionchain_redis_memory_bytes", "optionchain_redis_max_memory_bytes"
BACKUP_SAVED = 'optionchain_backup_saved_timestamp_seconds{place="/backups"}'
BACKUP_VERIFIED = 'optionchain_backup_verified_timestamp_seconds{place="/backups"}'
OPLOG = "optionchain_mongodb_oplog_seconds"
CASES = [
    Case("Watchdog", {}, {}, at=0),
    Case("ServiceDown", level(UP, 0), level(UP, 1)),
    Case("NotReady", level(UP, 1), level(UP, 1) | level(REPLICA, 1e8), labels={"process": "http"}),
    Case(
        "ErrorBudgetBurnsFast",
        counter(OK, 980) | counter(BAD, 20),
        counter(OK, 9995) | counter(BAD, 5),
        at=90,
    ),
    Case(
        "ErrorBudgetBurnsSlowly",
        counter(OK, 992) | counter(BAD, 8),
        counter(OK, 9995) | counter(BAD, 5),
        at=HOURS,
    ),
    Case(
        "LatencyHigh",
        buckets("optionchain_http_request_seconds_bucket", 'route="/x"', 90, 10),
        # An export may take as long as it likes.
        buckets("optionchain_http_request_seconds_bucket", 'route="/x"', 1000, 1)
        | buckets("optionchain_http_request_seconds_bucket", 'route="/x/export"', 0, 100),
    ),
    Case(
        "Overload",
        counter('optionchain_http_rejected_total{kind="overloaded"}', 120),
        counter('optionchain_http_rejected_total{kind="overloaded"}', 30)
        | counter('optionchain_http_rejected_total{kind="rate_limited"}', 600),
    ),
    Case("RedisDown", level(REDIS, 0), level(REDIS, 1) | level(MONGODB, 0), labels={"server": "redis"}),
    Case("MongoDbDown", level(MONGODB, 0), level(MONGODB, 1) | level(REDIS, 0), labels={"server": "mongodb"}),
    Case(
        "RedisSlow",
        buckets("optionchain_redis_seconds_bucket", "", 90, 10),
        buckets("optionchain_redis_seconds_bucket", "", 1000, 1),
    ),
    Case(
        "MongoDbSlow",
        buckets("optionchain_mongodb_seconds_bucket", 'command="find"', 90, 10),
        buckets("optionchain_mongodb_seconds_bucket", 'command="find"', 1000, 1)
        | buckets("optionchain_mongodb_seconds_bucket", 'command="getMore"', 0, 100),
    ),
    Case(
        "RedisReplicaLag",
        level("optionchain_redis_replica_lag_seconds", 30),
        level("optionchain_redis_replica_lag_seconds", 1),
    ),
    Case(
        "RedisReplicaMissing",
        {"optionchain_redis_replicas": "2x20 1x100"},
        {"optionchain_redis_replicas": "1x20 2x100"},
        at=60,
    ),
    Case(
        "MongoDbReplicaLag",
        level("optionchain_mongodb_replica_lag_seconds", 60),
        level("optionchain_mongodb_replica_lag_seconds", 2),
    ),
    Case(
        "StandbyBehind",
        level("optionchain_mongodb_standby_lag_seconds", 8),
        level("optionchain_mongodb_standby_lag_seconds", 2)
        | level("optionchain_mongodb_replica_lag_seconds", 60),
    ),
    # Time begins with the test; a backup that is made every minute is never old.
    Case(
        "BackupLate", level(BACKUP_SAVED, 0), counter(BACKUP_SAVED, 60), labels={"place": "/backups"}, at=135
    ),
    Case(
        "BackupUnverified",
        level(BACKUP_VERIFIED, -864000),
        level(BACKUP_VERIFIED, 0),
        labels={"place": "/backups"},
        at=120,
    ),
    Case(
        "RedisEvicts",
        counter("optionchain_redis_evicted_keys", 1, 100),
        level("optionchain_redis_evicted_keys", 100),
    ),
    Case(
        "RedisMemoryNearFull",
        level(MEMORY, 90) | level(MOST, 100),
        # Without a bound there is nothing to be near to.
        level(MEMORY, 90) | level(MOST, 0),
    ),
    Case(
        "RedisFragmented",
        level("optionchain_redis_fragmentation_ratio", 2.5) | level(MEMORY, 3e8),
        level("optionchain_redis_fragmentation_ratio", 8) | level(MEMORY, 1e6),
        at=60,
    ),
    Case(
        "RedisConnectionsNearFull",
        level("optionchain_redis_connections", 8500) | level("optionchain_redis_max_connections", 10_000),
        level("optionchain_redis_connections", 85) | level("optionchain_redis_max_connections", 10_000),
    ),
    # A young server's oplog is short too, but grows as fast as time.
    Case("MongoDbOplogShort", level(OPLOG, 3600), counter(OPLOG, 60), at=120),
    Case(
        "MongoDbConnectionsNearFull",
        level("optionchain_mongodb_connections", 850) | level("optionchain_mongodb_max_connections", 1000),
        level("optionchain_mongodb_connections", 700) | level("optionchain_mongodb_max_connections", 1000),
    ),
    Case(
        "MongoDbPageFaults",
        counter("optionchain_mongodb_page_faults", 1200, 5000),
        counter("optionchain_mongodb_page_faults", 60, 5000),
    ),
    Case(
        "NodeMemoryNearFull",
        level("ray_node_mem_used", 95) | level("ray_node_mem_total", 100),
        level("ray_node_mem_used", 80) | level("ray_node_mem_total", 100),
    ),
    Case(
        "NodeDiskNearFull",
        level("ray_node_disk_utilization_percentage", 93),
        level("ray_node_disk_utilization_percentage", 70),
    ),
    # Of six thousand, two a minute last for little more than two days, and one for four.
    Case(
        "DiskFullSoon",
        {"optionchain_mongodb_disk_free_bytes": f"6000-2x{HOURS}"},
        {"optionchain_mongodb_disk_free_bytes": f"6000-1x{HOURS}", "ray_node_disk_free": f"6000x{HOURS}"},
        at=HOURS,
    ),
    Case(
        "CircuitOpen",
        level('optionchain_circuit_open{dependency="the cache"}', 1),
        level('optionchain_circuit_open{dependency="the cache"}', 0),
        labels={"dependency": "the cache"},
    ),
    Case(
        "ProcessRestarts",
        {'optionchain_process_start_time_seconds{process="session"}': "0+300x30"},
        {'optionchain_process_start_time_seconds{process="session"}': "0x15 1000x20"},
        labels={"process": "session"},
    ),
    # Prometheus begins at zero: a process that told its time at first is heard of no more.
    Case(
        "ProcessSilent",
        {'optionchain_process_seen_timestamp_seconds{process="scheduler"}': "0+60x10"},
        {
            'optionchain_process_seen_timestamp_seconds{process="scheduler"}': "0+60x60",
            'optionchain_process_seen_timestamp_seconds{process="task"}': "0+60x10",
        },
        labels={"process": "scheduler"},
    ),
    Case(
        "ReplicaUnhealthy",
        level('ray_serve_deployment_replica_healthy{application="optionchain",deployment="http"}', 0),
        level('ray_serve_deployment_replica_healthy{application="optionchain",deployment="http"}', 1),
        labels={"deployment": "http"},
    ),
    Case(
        "LoopHeld",
        counter('optionchain_loop_held_seconds_total{process="http"}', 30),
        counter('optionchain_loop_held_seconds_total{process="http"}', 3),
        labels={"process": "http"},
    ),
    Case(
        "Conflicts",
        counter("optionchain_conflicts_total", 10),
        counter("optionchain_conflicts_total", 1),
    ),
    Case(
        "RevocationsUnheard",
        level("optionchain_api_keys_unheard", 1),
        level("optionchain_api_keys_unheard", 0),
    ),
    Case(
        "IssuerSilent",
        counter('optionchain_failures_total{operation="tokens.fetch_keys",severity="warning"}', 1),
        level('optionchain_failures_total{operation="tokens.fetch_keys",severity="warning"}', 7),
    ),
    Case(
        "AuditNotWritten",
        counter("optionchain_audit_lost_total", 1),
        level("optionchain_audit_lost_total", 7)
        | counter('optionchain_failures_total{operation="redis.call",severity="warning"}', 60),
    ),
    Case(
        "UnusualAccess",
        counter('optionchain_http_denied_total{kind="forbidden"}', 120),
        counter('optionchain_http_denied_total{kind="forbidden"}', 30),
        labels={"kind": "forbidden"},
    ),
    Case(
        "SignInsPaused",
        counter("optionchain_sign_in_pauses_total", 1),
        level("optionchain_sign_in_pauses_total", 12),
    ),
    Case(
        "KeyFromManyNetworks",
        counter("optionchain_keys_from_many_networks_total", 1),
        level("optionchain_keys_from_many_networks_total", 3),
    ),
    Case(
        "CertificateExpires",
        {
            f"{EXPIRES}{{line='http'}}": f"{14 * 86400}x{HOURS}",
            f"{EXPIRES}{{line='redis'}}": f"{15 * 86400}x{HOURS}",
        },
        {f"{EXPIRES}{{line='http'}}": f"{15 * 86400}x{HOURS}"},
        labels={"line": "http"},
    ),
    Case(
        "SweepsFail",
        counter('optionchain_failures_total{operation="sweep.compute",severity="warning"}', 1),
        level('optionchain_failures_total{operation="sweep.compute",severity="warning"}', 7)
        | counter('optionchain_failures_total{operation="redis.call",severity="warning"}', 1),
    ),
    Case(
        "TasksOverdue",
        level('optionchain_tasks_overdue{kind="sweep"}', 1),
        level('optionchain_tasks_overdue{kind="sweep"}', 0),
        labels={"kind": "sweep"},
    ),
    Case(
        "TasksFail",
        counter('optionchain_task_attempts_total{kind="export",state="failed"}', 1),
        counter('optionchain_task_attempts_total{kind="export",state="retried"}', 1)
        | level('optionchain_task_attempts_total{kind="export",state="failed"}', 3),
        labels={"kind": "export"},
    ),
    Case(
        "TaskQueueStalls",
        level('optionchain_task_runs_waiting{kind="sweep"}', 4)
        | level('optionchain_task_attempts_total{kind="sweep",state="succeeded"}', 4),
        level('optionchain_task_runs_waiting{kind="sweep"}', 4)
        | counter('optionchain_task_attempts_total{kind="sweep",state="succeeded"}', 1),
        at=90,
    ),
    Case(
        "SchedulerSilent",
        level(UP, 1) | level("optionchain_scheduler_last_look_timestamp_seconds", 60),
        level(UP, 1) | counter("optionchain_scheduler_last_look_timestamp_seconds", 60),
    ),
    Case(
        "Bugs",
        counter('optionchain_failures_total{operation="session.batch",severity="error"}', 1),
        counter('optionchain_failures_total{operation="session.batch",severity="warning"}', 1),
        labels={"operation": "session.batch"},
    ),
    Case(
        "TelemetryFails",
        counter('optionchain_telemetry_failures_total{signal="traces"}', 1),
        level('optionchain_telemetry_failures_total{signal="traces"}', 1),
        labels={"signal": "traces"},
    ),
]


@cache
def alerts() -> dict[str, dict[str, Any]]:
    found = {}
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            found |= {rule["alert"]: rule for rule in group["rules"] if "alert" in rule}
    return found


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: `apt-get install prometheus`")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False)


def unit(case: Case, series: dict[str, str], *, fires: bool) -> dict[str, Any]:
    """A test of promtool's."""
    rule = alerts()[case.alert]
    expected = {
        "exp_labels": {"severity": rule["labels"]["severity"], **case.labels},
        "exp_annotations": {
            **rule["annotations"],
            "summary": re.sub(
                r"{{ \$labels\.(\w+) }}",
                lambda label: case.labels[label[1]],
                rule["annotations"]["summary"],
            ),
        },
    }
    return {
        "interval": INTERVAL,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {
                "eval_time": f"{case.at}m",
                "alertname": case.alert,
                "exp_alerts": [expected] if fires else [],
            }
        ],
    }


def test_every_alert_has_a_case() -> None:
    assert [case.alert for case in CASES] == list(alerts())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_and_is_silent(case: Case, tmp_path: Path) -> None:
    tests = [unit(case, case.fires, fires=True)]
    if case.alert != "Watchdog":
        tests.append(unit(case, case.silent, fires=False))
    file = tmp_path / "test.yml"
    file.write_text(
        yaml.safe_dump(
            {"rule_files": [str(rules) for rules in RULES], "evaluation_interval": INTERVAL, "tests": tests}
        )
    )

    found = promtool("test", "rules", str(file))

    assert found.returncode == 0, found.stdout + found.stderr


def test_errors_that_only_haproxy_sees_are_in_the_error_budget(tmp_path: Path) -> None:
    case = Case("ErrorBudgetBurnsFast", {}, {}, at=90)
    series = counter(OK, 1000) | counter(HAPROXY_OK, 980) | counter(HAPROXY_BAD, 20)
    file = tmp_path / "test.yml"
    tests = [unit(case, series, fires=True)]
    file.write_text(
        yaml.safe_dump(
            {"rule_files": [str(r) for r in RULES], "evaluation_interval": INTERVAL, "tests": tests}
        )
    )

    found = promtool("test", "rules", str(file))

    assert found.returncode == 0, found.stdout + found.stderr


def test_sweeps_that_wait_for_sweeps_do_not_stall_the_queue(tmp_path: Path) -> None:
    case = Case("TaskQueueStalls", {}, {}, at=90)
    running = level('optionchain_task_runs_running{kind="sweep"}', 2)
    sweeps, exports = (
        level(f'optionchain_task_runs_waiting{{kind="{kind}"}}', 4) for kind in ("sweep", "export")
    )
    file = tmp_path / "test.yml"
    tests = [
        unit(case, running | sweeps, fires=False),
        unit(case, running | sweeps | exports, fires=True),
    ]
    file.write_text(
        yaml.safe_dump(
            {"rule_files": [str(r) for r in RULES], "evaluation_interval": INTERVAL, "tests": tests}
        )
    )

    found = promtool("test", "rules", str(file))

    assert found.returncode == 0, found.stdout + found.stderr


def test_the_configuration_of_prometheus_is_right() -> None:
    found = promtool("check", "config", "--syntax-only", str(CONFIG / "prometheus" / "prometheus.yml"))

    assert found.returncode == 0, found.stdout + found.stderr


def test_the_configuration_of_alertmanager_is_right() -> None:
    amtool = shutil.which("amtool")
    if amtool is None:
        pytest.skip("amtool is not installed: `apt-get install prometheus-alertmanager`")
    command = [amtool, "check-config", str(CONFIG / "alertmanager" / "alertmanager.yml")]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert found.returncode == 0, found.stdout + found.stderr


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    named = {alert: ROOT / rule["annotations"]["runbook_url"] for alert, rule in alerts().items()}
    pages = set((ROOT / "docs" / "runbooks").glob("*.md")) - {ROOT / "docs" / "runbooks" / "index.md"}
    index = (ROOT / "docs" / "runbooks" / "index.md").read_text()

    assert set(named.values()) == pages
    for alert, page in named.items():
        text = page.read_text()
        assert text.startswith(f"# {alert}\n")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
        assert alerts()[alert]["expr"] in text, f"{page.name} quotes another expression"
        assert f"[{alert}]({page.name}) | {alerts()[alert]['labels']['severity']}" in index
