"""The dashboards are the description's, ask for metrics that there are, in PromQL that Prometheus can read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import make_dashboards
import pytest
import yaml

from adapters.metrics.rows import Count, Histogram
from adapters.metrics.table import METRICS

ROOT = Path(__file__).resolve().parents[3]
GRAFANA = ROOT / "ray_config" / "grafana"
RULES = ROOT / "ray_config" / "prometheus" / "rules"


LOGQL = Path(__file__).parent / "logql"


def queries(*, of_logs: bool = False) -> list[str]:
    """Every query of a Prometheus, or of a Loki, as Grafana would send it."""
    return [
        query.replace("$__rate_interval", "1m")
        for dashboard in make_dashboards.DASHBOARDS
        for panel in dashboard.panels
        if (panel.kind == "logs") is of_logs
        for query, _ in panel.queries
    ]


def exported() -> set[str]:
    """The names under which Prometheus has our metrics."""
    names: set[str] = set()
    for row in METRICS:
        if isinstance(row, Histogram):
            names |= {row.name + part for part in ("_bucket", "_sum", "_count")}
        else:
            names.add(f"{row.name}_total" if isinstance(row, Count) else row.name)
    return names


@pytest.mark.parametrize("dashboard", make_dashboards.DASHBOARDS, ids=lambda each: each.name)
def test_a_dashboard_is_what_the_description_makes(dashboard: make_dashboards.Dashboard) -> None:
    file = GRAFANA / "dashboards" / f"{dashboard.name}.json"

    assert file.read_text() == make_dashboards.drawn(dashboard), "run `python docs/make_dashboards.py`"
    panels = json.loads(file.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) == len(dashboard.panels)


def test_there_are_no_other_dashboards() -> None:
    assert {file.stem for file in (GRAFANA / "dashboards").glob("*.json")} == {
        dashboard.name for dashboard in make_dashboards.DASHBOARDS
    }


def test_dashboards_and_rules_name_metrics_that_there_are() -> None:
    rules = [
        rule
        for file in RULES.glob("*.yml")
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    asked = " ".join([*queries(), *(rule["expr"] for rule in rules)])

    assert set(re.findall(r"\boptionchain_[a-z_]+", asked)) <= exported()
    assert set(re.findall(r"\boptionchain:[a-z0-9_:]+", asked)) <= recorded


def test_every_metric_is_on_a_dashboard_or_in_a_rule() -> None:
    asked = " ".join([*queries(), *(file.read_text() for file in RULES.glob("*.yml"))])

    # How many checkpoints are stored together is as interesting as how many calls; one picture is enough.
    seen_elsewhere = {
        "optionchain_commit_size",
        "optionchain_snapshot_cache_hits",
        "optionchain_circuit_refusals",
    }
    seen_elsewhere |= {"optionchain_loop_holds"}
    assert {row.name for row in METRICS if row.name not in asked} == seen_elsewhere


def test_prometheus_can_read_every_query(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: `apt-get install prometheus`")
    file = tmp_path / "queries.yml"
    rules = [{"record": f"q{number}", "expr": query} for number, query in enumerate(queries())]
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))

    found = subprocess.run(
        [promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False
    )

    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{len(rules)} rules found" in found.stdout + found.stderr


def not_logql(*queries: str) -> dict[str, int]:
    """Those that the grammar of Grafana's editor refuses, and where."""
    node = shutil.which("node")
    if node is None or not (LOGQL / "node_modules").exists():
        pytest.skip(f"the grammar of LogQL is not installed: `npm ci --prefix {LOGQL.relative_to(ROOT)}`")
    parsed = subprocess.run(
        [node, "parse.js"], cwd=LOGQL, input=json.dumps(queries), capture_output=True, text=True, check=True
    )
    found: dict[str, int] = json.loads(parsed.stdout)
    return found


def test_loki_can_read_every_query() -> None:
    asked = queries(of_logs=True)

    assert asked
    assert not_logql(*asked) == {}
    assert not_logql('{process="http"} | json |= level') != {}
