"""Copy into `k8s/` what `ray_config/` has, for kustomize reads nothing outside: ``python k8s/make_copies.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

K8S = Path(__file__).resolve().parent
CONFIG = K8S.parent / "ray_config"


def copies() -> dict[Path, str]:
    """What each file is to hold."""
    found = {K8S / "base" / "nodes" / file.name: _text(file) for file in CONFIG.glob("nodes/*.env")}
    observe = K8S / "overlays" / "observe"
    for file in CONFIG.glob("grafana/dashboards/*.json"):
        found[observe / "dashboards" / file.name] = _text(file)
    return found | {observe / "rules.yaml": _rules()}


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _rules() -> str:
    groups: list[dict[str, Any]] = []
    for file in sorted(CONFIG.glob("prometheus/rules/*.yml")):
        groups += yaml.safe_load(_text(file))["groups"]
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "optionchain"},
        "spec": {"groups": groups},
    }
    return "# Made of ray_config/prometheus/rules by k8s/make_copies.py.\n" + yaml.safe_dump(
        rule, sort_keys=False, width=120, allow_unicode=True
    )


if __name__ == "__main__":
    for path, text in copies().items():
        path.write_text(text, encoding="utf-8")
