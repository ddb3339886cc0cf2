"""Who is told of alerts, and a Prometheus and an Alertmanager in a hurry, for tests."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from cluster.observe.configuration import CONFIG
from cluster.observe.servers import ALERTMANAGER, PROGRAMS, PROMETHEUS
from tests.posted import posted_to

ARE_INSTALLED = all(any(map(shutil.which, PROGRAMS[name].names)) for name in (PROMETHEUS, ALERTMANAGER))
WHERE_TO_GET = (
    "Prometheus or Alertmanager is not installed: `apt-get install prometheus prometheus-alertmanager`"
)


@dataclass
class Pager:
    """Who is told: keeps what arrives, with when."""

    url: str = ""
    heard: list[tuple[float, str, str, str]] = field(default_factory=list)

    def alerts(self, receiver: str, since: float = 0.0) -> list[tuple[str, str]]:
        """Name and state of what a receiver was told."""
        return [(name, state) for at, where, name, state in self.heard if where == receiver and at > since]


@contextmanager
def listening() -> Iterator[Pager]:
    pager = Pager()

    def take(path: str, body: bytes) -> None:
        for alert in json.loads(body)["alerts"]:
            name, status = alert["labels"]["alertname"], alert["status"]
            pager.heard.append((time.monotonic(), path.strip("/"), name, status))

    with posted_to(take) as pager.url:
        yield pager


def hurried(folder: Path) -> None:
    """The same configuration with seconds in place of minutes."""
    rules = folder / "rules"
    rules.mkdir()
    for file in (CONFIG / "prometheus" / "rules").glob("*.yml"):
        document = yaml.safe_load(file.read_text())
        for rule in (rule for group in document["groups"] for rule in group["rules"]):
            if "for" in rule:
                rule["for"] = "2s"
        (rules / file.name).write_text(yaml.safe_dump(document))
    prometheus = yaml.safe_load((folder / "prometheus.yml").read_text())
    prometheus["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    prometheus["rule_files"] = [str(rules.resolve() / "*.yml")]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(prometheus))
    alertmanager = yaml.safe_load((folder / "alertmanager.yml").read_text())
    alertmanager["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    alertmanager["route"]["routes"][0] |= {"group_interval": "1s", "repeat_interval": "1s"}
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(alertmanager))
