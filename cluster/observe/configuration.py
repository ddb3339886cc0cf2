"""The configuration of `ray_config/` with the addresses of one instance in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from cluster.instance.state import InstanceState, write_private

CONFIG = Path(__file__).resolve().parents[2] / "ray_config"
TARGETS = "targets"
HAPROXY_METRICS = "RAY_SERVE_HAPROXY_METRICS_PORT"


def prometheus_configuration(folder: Path, *, port: int, alertmanager_port: int) -> Path:
    """Write Prometheus's file.

    Args:
        folder: Where to; its targets stand beside it, and are read again when they change.
        port: Of Prometheus.
        alertmanager_port: Of who is told of alerts.
    """
    config: dict[str, Any] = yaml.safe_load((CONFIG / "prometheus" / "prometheus.yml").read_text())
    config["rule_files"] = [str(CONFIG / "prometheus" / "rules" / "*.yml")]
    config["alerting"]["alertmanagers"] = [{"static_configs": _at(alertmanager_port)}]
    for job in config["scrape_configs"]:
        job.pop("static_configs", None)
        if job["job_name"] == "prometheus":
            job["static_configs"] = _at(port)
        else:
            place = folder.resolve() / TARGETS / f"{job['job_name']}.json"
            job["file_sd_configs"] = [{"files": [str(place)], "refresh_interval": "10s"}]
    return _written(folder / "prometheus.yml", config)


def alertmanager_configuration(folder: Path, *, webhook: str | None) -> Path:
    """Write Alertmanager's file.

    Args:
        folder: Where to.
        webhook: Whom it tells, with the name of the receiver behind it; None for nobody: its page shows the alerts.
    """
    config: dict[str, Any] = yaml.safe_load((CONFIG / "alertmanager" / "alertmanager.yml").read_text())
    for receiver in config["receivers"]:
        (hook,) = receiver.pop("webhook_configs")
        if webhook:
            receiver["webhook_configs"] = [hook | {"url": f"{webhook.rstrip('/')}/{receiver['name']}"}]
    return _written(folder / "alertmanager.yml", config)


def write_targets(folder: Path, state: InstanceState) -> None:
    """Say where the instance's figures are; again when its ports have changed."""
    targets = folder / TARGETS
    targets.mkdir(parents=True, exist_ok=True)
    haproxy = state.environment.get(HAPROXY_METRICS)
    for job, port in {"optionchain": state.metrics_port, "haproxy": int(haproxy or 0)}.items():
        write_private(targets / f"{job}.json", json.dumps(_at(port) if port else []))


def _at(port: int) -> list[dict[str, Any]]:
    return [{"targets": [f"127.0.0.1:{port}"]}]


def _written(file: Path, config: dict[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, yaml.safe_dump(config, sort_keys=False))
    return file
