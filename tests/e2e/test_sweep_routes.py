"""Sweeps over HTTP and from the command line, on the cluster that serves."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from pymongo import MongoClient

from tests.clusters import Cluster, create, step
from tests.waiting import eventually

SWEEPS = "/api/v1/sweeps"
OVER = ("completed", "cancelled", "failed")
DOCUMENT: dict[str, Any] = {
    "base": {
        "symbol": "SPX",
        "steps": 31,
        "initial_price": 100.0,
        "days_to_expiration": 30.0,
        "volatility": 0.2,
        "risk_free_rate": 0.03,
        "method": {"GeometricBrownian": {"dt": 1 / 365, "drift": 0.03, "volatility": 0.2}},
        "chain_size": 5,
        "seed": 7,
    },
    "grid": {"volatility": [0.1, 0.3], "method.drift": [0.0, 0.05, 0.1]},
    "measures": ["terminal_price", {"short_strangle": {"delta": 0.16, "days": 30}}],
    "paths": 100,
}
LONG = DOCUMENT | {"grid": {"volatility": {"from": 0.1, "to": 0.5, "points": 2000}}, "paths": 5000}


def submit(api: httpx.Client, **changes: Any) -> dict[str, Any]:
    answer = api.post(SWEEPS, json=DOCUMENT | changes)
    assert answer.status_code == 202, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def followed(api: httpx.Client, identity: str) -> Iterator[dict[str, Any]]:
    """The events of a sweep until it is over."""
    with api.stream("GET", f"{SWEEPS}/{identity}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))


def completed(api: httpx.Client, **changes: Any) -> str:
    identity: str = submit(api, **changes)["id"]
    *_, last = followed(api, identity)
    assert (last["state"], last["error"]) == ("completed", None)
    return identity


def table(api: httpx.Client, identity: str, style: str) -> bytes:
    answer = api.get(f"{SWEEPS}/{identity}/results", params={"format": style})
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_sweep_is_started_followed_and_fetched_in_every_format(api: httpx.Client) -> None:
    started = api.post(SWEEPS, json=DOCUMENT)
    identity = started.json()["id"]
    *_, last = followed(api, identity)

    assert (started.status_code, started.headers["location"]) == (202, f"{SWEEPS}/{identity}")
    assert (last["state"], last["scenarios"], last["progress"]["share"]) == ("completed", 6, 1.0)
    assert api.get(f"{SWEEPS}/{identity}").json() == last
    frame = pl.read_parquet(table(api, identity, "parquet"))
    assert frame.height == frame["terminal_price_mean"].is_not_null().sum() == 6
    assert pl.read_ipc_stream(table(api, identity, "arrow")).equals(frame)
    rows = json.loads(table(api, identity, "json"))
    assert [row["terminal_price_mean"] for row in rows] == frame["terminal_price_mean"].to_list()
    lines = list(csv.DictReader(io.StringIO(table(api, identity, "csv").decode(), newline="")))
    assert [float(line["terminal_price_mean"]) for line in lines] == frame["terminal_price_mean"].to_list()


def test_the_same_document_is_the_same_sweep_and_another_callers_is_not(
    api: httpx.Client, other_api: httpx.Client
) -> None:
    mine = completed(api)

    again, theirs = submit(api), submit(other_api)

    assert (again["id"], again["state"]) == (mine, "completed")
    assert theirs["id"] != mine


def test_a_caller_lists_their_sweeps_and_nobody_elses(api: httpx.Client, other_api: httpx.Client) -> None:
    mine = [completed(api, seed=seed) for seed in (31, 32)]

    listed, others = (each.get(SWEEPS, params={"limit": 2}).json() for each in (api, other_api))

    assert [shown["id"] for shown in listed["data"]] == mine[::-1]
    assert listed["pagination"]["total"] >= 2
    assert not {shown["id"] for shown in others["data"]} & set(mine)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("DELETE", ""), ("GET", "/results"), ("GET", "/events")]
)
def test_another_callers_sweep_is_unknown(
    method: str, path: str, api: httpx.Client, other_api: httpx.Client
) -> None:
    mine = completed(api)

    answer = other_api.request(method, f"{SWEEPS}/{mine}{path}")

    assert (answer.status_code, "not found" in answer.json()["error"]) == (404, True)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"grid": {"volatilty": [0.1]}}, "grid.volatilty"),
        ({"grid": {"volatility": []}}, "grid.volatility"),
        ({"measures": ["terminal_prise"]}, "measures[0]"),
        ({"base": DOCUMENT["base"] | {"steps": 0}}, "base.steps"),
        ({"paths": 2**32}, "paths"),  # beyond OCS_SWEEP_MAX_PRICES
        ({"grid": {"volatility": {"from": 0.1, "to": 0.5, "points": 100_001}}}, "grid"),
        ({"keep": "paths"}, "keep"),
        ({"pathes": 100}, "pathes"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field(
    changes: dict[str, Any], field: str, api: httpx.Client
) -> None:
    answer = api.post(SWEEPS, json=DOCUMENT | changes)

    assert (answer.status_code, answer.json().get("field")) == (400, field), answer.text


def test_a_cancelled_sweep_keeps_what_is_done_and_has_no_table_before(api: httpx.Client) -> None:
    identity = submit(api, **LONG)["id"]
    events = followed(api, identity)
    first = next(shown for shown in events if shown["progress"] and shown["progress"]["scenarios"])
    early = api.get(f"{SWEEPS}/{identity}/results")

    api.delete(f"{SWEEPS}/{identity}")
    *_, last = events

    assert early.status_code == 409
    assert last["state"] == "cancelled"
    done = json.loads(table(api, identity, "json"))
    assert first["progress"]["scenarios"] <= len(done) == last["progress"]["scenarios"] < 2000


def test_more_sweeps_than_a_caller_may_have_wait_outside(api: httpx.Client, other_api: httpx.Client) -> None:
    accepted = [submit(api, **LONG, seed=seed)["id"] for seed in range(1, 11)]

    refused = api.post(SWEEPS, json=LONG | {"seed": 11})
    other = submit(other_api, **LONG)["id"]

    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    session = create(api)
    assert step(api, session["id"]).status_code == 200
    for client, identity in [*((api, each) for each in accepted), (other_api, other)]:
        client.delete(f"{SWEEPS}/{identity}")
    for client, identity in [*((api, each) for each in accepted), (other_api, other)]:
        *_, last = followed(client, identity)
        assert last["state"] == "cancelled"


def test_mongodb_has_a_record_of_each_sweep(cluster: Cluster, api: httpx.Client) -> None:
    identity = completed(api)

    with MongoClient(cluster.state.mongo_uri, tz_aware=True) as client:
        record = client["optionchain"]["sweeps"].find_one({"folder": {"$regex": identity}})

    assert record is not None
    assert (record["owner"], record["state"], record["symbol"]) == ("first", "completed", "SPX")
    assert record["blocks"] == record["total_blocks"]
    assert record["started_at"] <= record["updated_at"]
    assert (Path(record["folder"]) / "results.parquet").exists()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "study.yaml"
    file.write_text(json.dumps(DOCUMENT))  # JSON is YAML
    return file


def test_the_command_line_runs_a_sweep_on_an_instances_cluster(
    cluster: Cluster, file: Path, tmp_path: Path
) -> None:
    done = cluster.run("sweep", str(file), "--results", str(tmp_path / "table.parquet"))

    assert done.returncode == 0, done.stderr
    assert "completed: 6/6 scenarios" in done.stderr
    assert pl.read_parquet(tmp_path / "table.parquet").height == 6


def of_job(cluster: Cluster, job: str, what: str = "") -> dict[str, Any]:
    """What Ray's dashboard says of a job."""
    token = (cluster.folder / "ray_token").read_text().strip()
    url = f"{cluster.state.ray_dashboard}/api/jobs/{job}{what}"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10.0, trust_env=False)
    said: dict[str, Any] = answer.raise_for_status().json()
    return said


def test_the_command_line_submits_a_sweep_as_a_job(cluster: Cluster, file: Path, tmp_path: Path) -> None:
    submitted = cluster.run("sweep", str(file), "--output", str(tmp_path / "out"), "--submit")
    assert submitted.returncode == 0, submitted.stderr
    job = submitted.stdout.strip()

    for _ in range(3):  # a driver takes seconds to start where many start at once
        with contextlib.suppress(AssertionError):
            eventually(
                lambda: of_job(cluster, job)["status"] not in ("PENDING", "RUNNING"), "the job is over"
            )

    assert of_job(cluster, job)["status"] == "SUCCEEDED", of_job(cluster, job, "/logs")["logs"]
    (results,) = tmp_path.glob("out/*/results.parquet")
    assert pl.read_parquet(results).height == 6
    assert of_job(cluster, job)["metadata"] == {"sweep": results.parent.name}


def test_the_metrics_count_what_sweeps_do(api: httpx.Client) -> None:
    completed(api, seed=99)

    def counts() -> dict[str, float]:
        lines = [line.rpartition(" ") for line in api.get("/metrics").text.splitlines() if line[:1] != "#"]
        return {name.partition("{")[0]: float(value) for name, _, value in lines}

    eventually(
        lambda: counts().get("optionchain_sweep_paths_total", 0.0) >= 600.0,
        "600 paths are counted",
        patience_seconds=60.0,
    )
    found = counts()
    assert found["optionchain_sweep_scenarios_total"] >= 6.0
    assert found["optionchain_sweep_contracts_total"] > 0.0
