"""Tasks on the cluster that serves: each kind, and what is seen of it outside."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from actors.settings import TaskSettings
from cluster.backup.place import Place
from optionchain_client import Client
from tests.clusters import PARAMETERS, Cluster, title_of
from tests.waiting import eventually

# Each run is a process that Ray starts, on a machine that may be busy.
pytestmark = pytest.mark.timeout(300)

TASKS = "/api/v1/tasks"
LEASE_SECONDS = TaskSettings().lease_seconds
# Of a machine that is busy, for a process to begin.
PATIENCE_SECONDS = 30.0
BASE = {name: value for name, value in PARAMETERS.items() if name != "time_frame"}
SWEEP: dict[str, Any] = {
    "base": BASE | {"seed": {"$run": "number"}},
    "grid": {"volatility": [0.1, 0.3]},
    "measures": ["terminal_price"],
    "paths": 50,
}
TODAY = datetime.now(UTC).date()
BARS = "datetime,open,high,low,close,volume\n" + "".join(
    f"{TODAY - timedelta(days=back)},10,12,9,{close},7\n" for back, close in ((4, 10.5), (3, 11.5))
)


@pytest.fixture(scope="module")
def places(cluster: Cluster) -> Path:
    """Where tasks of the shared cluster may read and write."""
    folder = cluster.folder / "tasks"
    folder.mkdir(exist_ok=True)
    return folder.resolve()


def scheduled(api: httpx.Client, kind: str, parameters: Any = None, **changes: Any) -> str:
    later = {"at": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"}
    wire = {"kind": kind, "parameters": parameters or {}, "timing": later} | changes
    made = api.post(TASKS, json=wire)
    assert made.status_code == 201, made.text
    identity: str = made.json()["id"]
    return identity


def run_of(api: httpx.Client, task_id: str, state: str = "succeeded") -> dict[str, Any]:
    """The latest run of a task, when it is over."""

    def over() -> dict[str, Any] | None:
        runs: list[dict[str, Any]] = api.get(f"{TASKS}/{task_id}/runs").json()["data"]
        return runs[0] if runs and runs[0]["state"] not in ("scheduled", "running") else None

    found = eventually(over, f"the run of {task_id} is over", patience_seconds=90.0)
    assert found["state"] == state, found
    return found


def test_each_kind_does_what_it_says(cluster: Cluster, api: httpx.Client, places: Path) -> None:
    prices = places / "vendor"
    prices.mkdir()
    (prices / "TASKED_2026.csv").write_text(BARS)
    parameters = {"url": str(prices), "pattern": "TASKED_*.csv", "asset": "TASKED"}
    imported = scheduled(api, "history_import", parameters)
    cleaned, warmed = scheduled(api, "session_cleanup"), scheduled(api, "cache_warm")
    for task_id in (imported, cleaned, warmed):
        assert api.post(f"{TASKS}/{task_id}/run").status_code == 202

    assert run_of(api, imported)["result"] == {"files": 1, "rows": 2, "rejected": 0, "days": 0}
    assert run_of(api, cleaned)["result"].keys() == {"sessions"}
    assert run_of(api, warmed)["result"].keys() == {"days"}
    period = {"from": str(TODAY - timedelta(days=9)), "to": str(TODAY), "timeframe": "Day"}
    assert "11.5" in api.get("/api/v1/historical/TASKED/prices", params=period).text
    # What was imported is not imported again.
    api.post(f"{TASKS}/{imported}/run")
    eventually(lambda: api.get(f"{TASKS}/{imported}/runs").json()["pagination"]["total"] == 2, "another run")
    assert run_of(api, imported)["result"]["files"] == 0

    at = f"{datetime.now(UTC) + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    history = {"asset": "TASKED", "what": "prices", "days": 36_000}
    base = BASE | {"initial_price": {"$last_close": "TASKED"}}
    swept = scheduled(api, "sweep", {"sweep": SWEEP | {"base": base, "measures": ["terminal_price"]}})
    api.post(f"{TASKS}/{swept}/run")
    answer = api.get(f"/api/v1/sweeps/{run_of(api, swept)['result']['sweep_id']}/results")
    rows = answer.raise_for_status().json()
    assert 10.0 < rows[0]["terminal_price_mean"] < 13.0, "about the last close, 11.5"
    exported = scheduled(
        api, "export", {"url": f"{places}/prices_{{date}}.parquet", "history": history}, timing={"at": at}
    )
    told = run_of(api, exported)
    assert pl.read_parquet(told["result"]["url"]).height == told["result"]["rows"] == 2
    assert told["result"]["url"] == f"{places}/prices_{at[:10]}.parquet"
    assert [path.name for path in places.glob("prices_*")] == [f"prices_{at[:10]}.parquet"]
    assert api.get(f"{TASKS}/{exported}").json()["state"] == "ended"


def test_backups_stand_by_themselves_and_are_proven(cluster: Cluster, api: httpx.Client) -> None:
    """Nobody has scheduled them but the settings."""
    rhythms = {"backup": 3600, "backup_verify": 604_800}

    def standing() -> dict[str, str] | None:
        listed = api.get(TASKS, params={"limit": 100}).json()["data"]
        found = {task["kind"]: task for task in listed if task["created_by"] == "the settings"}
        told = {kind: task["timing"]["every_seconds"] for kind, task in found.items()}
        return {kind: task["id"] for kind, task in found.items()} if told == rhythms else None

    tasks = eventually(standing, "both are scheduled", patience_seconds=60.0)
    place = str(cluster.folder / "standing")
    api.post(f"{TASKS}/{tasks['backup']}/run")
    saved = run_of(api, tasks["backup"])["result"]["saved"][place]
    api.post(f"{TASKS}/{tasks['backup_verify']}/run")
    proven = run_of(api, tasks["backup_verify"])["result"]["verified"][place]

    assert (proven["backup"], Place(place, "from").complete()) == (saved, [saved])
    assert proven["items"] > 0
    # What the alerts go by.
    eventually(
        lambda: (
            f'optionchain_backup_verified_timestamp_seconds{{place="{place}"}} 1' in api.get("/metrics").text
        ),
        "the watch tells of it",
        patience_seconds=60.0,
    )


def test_a_simulation_is_exported_as_over_http(api: httpx.Client, places: Path) -> None:
    base = BASE | {"start_at": "2026-01-05T00:00:00Z"}
    task_id = scheduled(
        api,
        "export",
        {"url": f"{places}/{{run}}.csv", "simulation": base, "dataset": "underlying", "format": "csv"},
    )
    run = api.post(f"{TASKS}/{task_id}/run").json()["id"]

    told = run_of(api, task_id)

    session = api.post("/api/v1/chain", json=base | {"time_frame": "Day"}).json()
    over_http = api.get(
        "/api/v1/chain/export",
        params={"sessionid": session["id"], "dataset": "underlying", "format": "csv"},
    )
    assert (places / f"{run}.csv").read_bytes() == over_http.content
    assert told["log"] == [f"{len(over_http.content)} bytes at {places}/{run}.csv"]


def test_each_time_is_a_sweep_of_its_own(api: httpx.Client) -> None:
    task_id = scheduled(api, "sweep", {"sweep": SWEEP}, timing={"every_seconds": 3600})
    found = []
    for _ in range(2):
        api.post(f"{TASKS}/{task_id}/run")
        found.append(run_of(api, task_id)["result"]["sweep_id"])

    tables = [api.get(f"/api/v1/sweeps/{identity}/results").json() for identity in found]

    assert len(set(found)) == 2
    assert [row["volatility"] for row in tables[0]] == [0.1, 0.3]
    assert tables[0][0]["seed"] != tables[1][0]["seed"]


def test_the_command_line_and_the_client_have_the_same_tasks(cluster: Cluster, tmp_path: Path) -> None:
    made = cluster.run("tasks", "schedule", "session_cleanup", "--cron", "30 2 * * *", "--name", "night")
    task_id = made.stdout.strip()
    assert "The next time is 20" in made.stderr, made.stderr
    listed = cluster.run("tasks", "list", COLUMNS="200")
    assert task_id in listed.stdout
    ran = cluster.run("tasks", "run", task_id).stdout.strip()
    assert ran.startswith(task_id)
    told = [cluster.run("tasks", verb, task_id).stdout.split() for verb in ("pause", "resume", "show")]
    assert [words[2] for words in told[:2]] == ["paused.", "active."]
    assert json.loads(cluster.run("tasks", "show", task_id).stdout)["name"] == "night"

    with Client(cluster.state.base_url, cluster.state.api_key) as client:
        assert client.tasks.get(task_id)["kind"] == "session_cleanup"
        (run,) = [run for run in client.tasks.runs(task_id) if run["id"] == ran]
        assert run["task_id"] == task_id
        other = client.tasks.schedule(kind="cache_warm", timing={"every_seconds": 3600})
        assert other["id"] in {task["id"] for task in client.tasks.listed()}
        assert client.tasks.cancel(other["id"])["state"] == "cancelled"

    assert "is cancelled." in cluster.run("tasks", "cancel", task_id).stdout
    refused = cluster.run("tasks", "schedule", "launch", "--every", "60")
    assert (refused.returncode, "kind: must be one of" in refused.stderr) == (1, True)
    unsaid = cluster.run("tasks", "schedule", "cache_warm")
    assert (unsaid.returncode, "Say when" in unsaid.stderr) == (1, True)
    requeued = cluster.run("tasks", "requeue", task_id, ran)
    assert (requeued.returncode, "was cancelled" in requeued.stderr) == (1, True)


def test_a_sweep_of_a_task_stops_when_the_task_is_cancelled(api: httpx.Client) -> None:
    long = SWEEP | {"grid": {"volatility": {"from": 0.1, "to": 0.5, "points": 2000}}, "paths": 50_000}
    task_id = scheduled(api, "sweep", {"sweep": long})
    api.post(f"{TASKS}/{task_id}/run")

    def begun() -> bool:
        (run,) = api.get(f"{TASKS}/{task_id}/runs").json()["data"]
        return bool(run["log"])

    eventually(begun, "it runs", patience_seconds=60.0)
    began = time.monotonic()
    assert api.delete(f"{TASKS}/{task_id}").json()["state"] == "cancelled"

    run = run_of(api, task_id, "cancelled")

    assert time.monotonic() - began < 15.0
    sweep = run["log"][0].split()[1].rstrip(":")
    eventually(lambda: api.get(f"/api/v1/sweeps/{sweep}").json()["state"] == "cancelled", "its sweep stops")


def test_a_scheduler_that_was_killed_goes_on_by_itself(cluster: Cluster, api: httpx.Client) -> None:
    for process in cluster.shared_actors():
        process.kill()
        process.wait(10)
    at = f"{datetime.now(UTC) + timedelta(seconds=2):%Y-%m-%dT%H:%M:%SZ}"

    warmed = scheduled(api, "cache_warm", timing={"at": at})

    # Nobody calls it: the runs are in MongoDB, where replicas look for them.
    assert run_of(api, warmed)["attempts"] == 1
    assert api.get(f"{TASKS}/{warmed}").json()["state"] == "ended"


# For seconds each, so that whoever computes them can be killed meanwhile.
LONG_SWEEP = SWEEP | {
    "base": BASE,
    "grid": {"volatility": {"from": 0.1, "to": 0.5, "points": 400}},
    "paths": 20_000,
}
LONG_EXPORT = BASE | {
    "steps": 1500,
    "days_to_expiration": 1500.0,
    "chain_size": 30,
    "exercise": "american",
}


def test_what_dead_workers_had_begun_is_taken_up_within_its_lease_and_takes_effect_once(
    cluster: Cluster, api: httpx.Client, places: Path
) -> None:
    swept = api.post("/api/v1/sweeps", json=LONG_SWEEP).json()["id"]
    parameters = {"url": f"{places}/long/rows.csv", "simulation": LONG_EXPORT, "format": "csv"}
    exported = scheduled(api, "export", parameters)
    api.post(f"{TASKS}/{exported}/run")
    posted = api.get(TASKS, params={"posted": True}).json()["data"]
    (sweeping,) = [task["id"] for task in posted if task["parameters"] == {"sweep_id": swept}]

    def at_work() -> bool:
        progress = api.get(f"/api/v1/sweeps/{swept}").json()["progress"]
        return bool(progress and progress["scenarios"]) and running(api, exported) == 1

    eventually(at_work, "both are at work", patience_seconds=90.0)
    for process in cluster.processes():
        if title_of(process) in ("ray::SweepService", "ray::task:export"):
            process.kill()
    killed_at = datetime.now(UTC)

    for task_id in (sweeping, exported):
        eventually(lambda task=task_id: running(api, task) == 2, "it is taken up", patience_seconds=60.0)  # type: ignore[misc]
        run = run_of(api, task_id)
        late = datetime.fromisoformat(run["started_at"]) - killed_at
        assert timedelta() < late < timedelta(seconds=LEASE_SECONDS + PATIENCE_SECONDS), run
        assert (run["attempts"], api.get(f"{TASKS}/{task_id}/runs").json()["pagination"]["total"]) == (2, 1)

    rows = api.get(f"/api/v1/sweeps/{swept}/results").json()
    assert sorted(row["scenario"] for row in rows) == list(range(400))
    assert all(row["paths"] == 20_000 and row["error"] is None for row in rows)
    (file,) = (places / "long").iterdir()  # whole, and nothing beside it
    assert (file.name, file.stat().st_size) == ("rows.csv", run["result"]["bytes"])
    assert pl.read_csv(file).height > 1500


def running(api: httpx.Client, task_id: str) -> int:
    """In which attempt the one run of a task is; 0 where none is under way."""
    runs = api.get(f"{TASKS}/{task_id}/runs").json()["data"]
    return runs[0]["attempts"] if runs and runs[0]["state"] in ("running", "succeeded") else 0
