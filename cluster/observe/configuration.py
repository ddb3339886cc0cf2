"""The configuration of `ray_config/` with the addresses of one instance in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cluster.instance.state import InstanceState, write_private

CONFIG = Path(__file__).resolve().parents[2] / "ray_config"
TARGETS = "targets"
HAPROXY_METRICS = "RAY_SERVE_HAPROXY_METRICS_PORT"


def prometheus(folder: Path, *, port: int, alertmanager_port: int | None) -> Path:
    """Write Prometheus's file.

    Args:
        folder: Where to; its targets stand beside it, and are read again when they change.
        port: Of Prometheus.
        alertmanager_port: Of who is told of alerts, if anybody is.
    """
    config = _read("prometheus/prometheus.yml")
    config["rule_files"] = [str(CONFIG / "prometheus" / "rules" / "*.yml")]
    told = [{"static_configs": _at(alertmanager_port)}] if alertmanager_port else []
    config["alerting"]["alertmanagers"] = told
    for job in config["scrape_configs"]:
        job.pop("static_configs", None)
        if job["job_name"] == "prometheus":
            job["static_configs"] = _at(port)
        else:
            place = folder.resolve() / TARGETS / f"{job['job_name']}.json"
            job["file_sd_configs"] = [{"files": [str(place)], "refresh_interval": "10s"}]
    return _written(folder / "prometheus.yml", config)


def alertmanager(folder: Path, *, webhook: str | None) -> Path:
    """Write Alertmanager's file.

    Args:
        folder: Where to.
        webhook: Whom it tells, with the name of the receiver behind it; None for nobody: its page shows the alerts.
    """
    config = _read("alertmanager/alertmanager.yml")
    for receiver in config["receivers"]:
        (hook,) = receiver.pop("webhook_configs")
        if webhook:
            receiver["webhook_configs"] = [hook | {"url": f"{webhook.rstrip('/')}/{receiver['name']}"}]
    return _written(folder / "alertmanager.yml", config)


def jaeger(folder: Path, *, port: int, page_port: int) -> Path:
    """Write Jaeger's file.

    Args:
        folder: Where to.
        port: Where it takes spans.
        page_port: Of its page.
    """
    config = _read("jaeger/jaeger.yml")
    config["receivers"]["otlp"]["protocols"]["http"]["endpoint"] = f"127.0.0.1:{port}"
    config["extensions"]["jaeger_query"]["http"]["endpoint"] = f"127.0.0.1:{page_port}"
    return _written(folder / "jaeger.yml", config)


def loki(folder: Path, *, port: int) -> Path:
    """Write Loki's file.

    Args:
        folder: Where to; its data stands beside it.
        port: Of Loki.
    """
    text = (CONFIG / "loki" / "loki.yml").read_text().replace("/loki", str(folder.resolve() / "loki"))
    config: dict[str, Any] = yaml.safe_load(text)
    config["server"]["http_listen_port"] = port
    return _written(folder / "loki.yml", config)


def collector(folder: Path, *, port: int, logs: Path, jaeger_port: int | None, loki_port: int | None) -> Path:
    """Write the file of an OpenTelemetry Collector, of those of its pipelines that lead somewhere.

    Args:
        folder: Where to.
        port: Where it takes spans.
        logs: The folder of the logs that it reads.
        jaeger_port, loki_port: Where what it takes goes.
    """
    config = _read("otelcol/otelcol.yml")
    config["receivers"]["otlp"]["protocols"]["http"]["endpoint"] = f"127.0.0.1:{port}"
    config["receivers"]["filelog"]["include"] = [str(logs / "worker-*.err")]
    exporters = {
        "traces": {"endpoint": f"http://127.0.0.1:{jaeger_port}"} if jaeger_port else None,
        "logs": {"endpoint": f"http://127.0.0.1:{loki_port}/otlp"} if loki_port else None,
    }
    leading = {kind: place for kind, place in exporters.items() if place}
    config["exporters"] = {f"otlphttp/{kind}": place for kind, place in leading.items()}
    pipelines = config["service"]["pipelines"]
    config["service"]["pipelines"] = {kind: pipelines[kind] for kind in leading}
    config["service"]["telemetry"] = {"metrics": {"level": "none"}, "logs": {"level": "warn"}}
    return _written(folder / "otelcol.yml", config)


def grafana(folder: Path, sources: Mapping[str, str]) -> Path:
    """Write the folder by which Grafana is provisioned.

    Args:
        folder: Where to.
        sources: The address of each source of data that there is.
    """
    place = folder.resolve() / "provisioning"
    config = _read("grafana/provisioning/datasources/optionchain.yml")
    known = [source for source in config["datasources"] if source["name"] in sources]
    config["datasources"] = [source | {"url": sources[source["name"]]} for source in known]
    _written(place / "datasources" / "optionchain.yml", config)
    config = _read("grafana/provisioning/dashboards/optionchain.yml")
    for provider in config["providers"]:
        provider["options"]["path"] = str(CONFIG / "grafana" / "dashboards")
    _written(place / "dashboards" / "optionchain.yml", config)
    return place


def write_targets(folder: Path, state: InstanceState) -> None:
    """Say where the instance's figures are; again when its ports have changed."""
    targets = folder / TARGETS
    targets.mkdir(parents=True, exist_ok=True)
    haproxy = state.environment.get(HAPROXY_METRICS)
    for job, port in {"optionchain": state.metrics_port, "haproxy": int(haproxy or 0)}.items():
        write_private(targets / f"{job}.json", json.dumps(_at(port) if port else []))


def _at(port: int) -> list[dict[str, Any]]:
    return [{"targets": [f"127.0.0.1:{port}"]}]


def _read(file: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((CONFIG / file).read_text())
    return read


def _written(file: Path, config: dict[str, Any]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_private(file, yaml.safe_dump(config, sort_keys=False))
    return file
