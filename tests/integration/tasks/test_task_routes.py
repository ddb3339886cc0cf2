"""Tasks over HTTP, in the process of the test: real routes, edge and MongoDB."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr

from actors.calendars import Calendars
from adapters.mongo.connection import open_mongo
from adapters.mongo.tasks import MongoScheduler
from adapters.settings import MongoSettings
from cluster.settings import Settings
from cluster.tasks.service import TaskService
from optionchain.access.audit import AuditEntry
from optionchain.observing import Unobserved
from serve_app.bodies.tasks import EXAMPLE
from serve_app.edge.on_record import Unrecorded
from tests.integration.http.in_process_service import BOB, service
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio

TASKS = "/api/v1/tasks"
KEYS = SecretStr("alice:admin=alice-key-0123456789,bob=bob-key-0123456789ab,eve:viewer=eve-key-0123456789ab")
NIGHTLY = {"cron": "30 2 * * *", "timezone": "Europe/Madrid"}


@pytest.fixture
def places(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder


class Acts(Unrecorded):
    """What administrators did."""

    def __init__(self) -> None:
        self.targets: list[str] = []

    def act(self, entry: AuditEntry) -> None:
        self.targets.append(entry.target)


@pytest.fixture
def record() -> Acts:
    return Acts()


@pytest.fixture
async def api(
    redis_there: RedisServer, mongo_there: MongoSettings, places: Path, record: Acts
) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    settings = Settings(mongo=mongo_there, task={"places": f"{places},s3://bucket/reports"})
    client = open_mongo(mongo_there)
    scheduler = MongoScheduler(client, mongo_there.database, most_of_owner=3)
    tasks = TaskService(scheduler, Calendars(Unobserved(), patience_seconds=30.0), settings)
    others = {"tasks": tasks, "record": record}
    async with (
        service(redis_there, uuid4().hex, others, auth={"keys": KEYS}) as found,
        found.client() as alice,
        found.client(BOB) as bob,
        found.client("eve-key-0123456789ab") as eve,
    ):
        yield {"alice": alice, "bob": bob, "eve": eve}
    await client.close()


def export(places: Path, **changes: Any) -> dict[str, Any]:
    history = {"asset": "SPX", "what": "chains"}
    parameters = {"url": f"{places}/{{date}}.parquet", "history": history}
    return {"kind": "export", "parameters": parameters, "timing": NIGHTLY} | changes


async def test_a_task_is_scheduled_shown_listed_and_cancelled(
    api: dict[str, httpx.AsyncClient], places: Path
) -> None:
    made = await api["bob"].post(TASKS, json=export(places, name="nightly", jitter_seconds=5, priority=7))

    assert made.status_code == 201, made.text
    task = made.json()
    assert made.headers["Location"] == f"{TASKS}/{task['id']}"
    assert UUID(task["id"])
    assert {name: task[name] for name in ("name", "kind", "timing", "state", "priority", "misfire")} == {
        "name": "nightly",
        "kind": "export",
        "timing": NIGHTLY,
        "state": "active",
        "priority": 7,
        "misfire": "run_late",
    }
    shown = await api["bob"].get(f"{TASKS}/{task['id']}")
    listed = await api["bob"].get(TASKS)
    assert shown.json() == task
    assert listed.json() == {"data": [task], "pagination": {"total": 1, "page": 1, "limit": 100, "pages": 1}}

    cancelled = await api["bob"].delete(f"{TASKS}/{task['id']}")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    again = await api["bob"].post(f"{TASKS}/{task['id']}/resume")
    assert (again.status_code, again.json()["error"]) == (409, f"task {task['id']} is cancelled")


async def test_the_example_of_the_documentation_is_a_task(api: dict[str, httpx.AsyncClient]) -> None:
    made = await api["bob"].post(TASKS, json=EXAMPLE)

    assert made.status_code == 201, made.text


async def test_a_task_is_paused_resumed_and_run(api: dict[str, httpx.AsyncClient], places: Path) -> None:
    task = (await api["bob"].post(TASKS, json=export(places))).json()
    path = f"{TASKS}/{task['id']}"

    states = [(await api["bob"].post(f"{path}/{verb}")).json()["state"] for verb in ("pause", "resume")]
    run = await api["bob"].post(f"{path}/run")
    runs = (await api["bob"].get(f"{path}/runs?state=scheduled")).json()

    assert states == ["paused", "active"]
    assert (run.status_code, run.json()["state"], run.json()["task_id"]) == (202, "scheduled", task["id"])
    assert runs["data"] == [run.json()]
    requeued = await api["bob"].post(f"{path}/runs/{run.json()['id']}/requeue")
    assert (requeued.status_code, requeued.json()["error"]) == (
        409,
        f"run {run.json()['id']} is scheduled: only one that failed can be requeued",
    )


async def test_sent_again_with_its_key_it_is_the_same_task(
    api: dict[str, httpx.AsyncClient], places: Path
) -> None:
    headers = {"Idempotency-Key": "once"}
    made = [await api["bob"].post(TASKS, json=export(places), headers=headers) for _ in range(2)]

    assert made[0].json() == made[1].json()
    assert (await api["bob"].get(TASKS)).json()["pagination"]["total"] == 1


async def test_nobody_finds_what_is_anothers(api: dict[str, httpx.AsyncClient], places: Path) -> None:
    task = (await api["bob"].post(TASKS, json=export(places))).json()
    path = f"{TASKS}/{task['id']}"

    answers = [
        await api["alice"].request(method, path + rest)
        for method, rest in (
            ("GET", ""),
            ("DELETE", ""),
            ("GET", "/runs"),
            ("POST", "/pause"),
            ("POST", "/resume"),
            ("POST", "/run"),
            ("POST", "/runs/x/requeue"),
        )
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert (await api["alice"].get(TASKS)).json()["data"] == []


async def test_what_concerns_all_tenants_takes_an_administrator_and_is_put_on_record(
    api: dict[str, httpx.AsyncClient], record: Acts, places: Path
) -> None:
    wire = {"kind": "session_cleanup", "timing": {"every_seconds": 3600}}

    refused, made = await api["bob"].post(TASKS, json=wire), await api["alice"].post(TASKS, json=wire)

    assert (refused.status_code, refused.json()["error"]) == (403, "this needs the role admin")
    assert made.status_code == 201
    assert (await api["alice"].post(TASKS, json=export(places))).status_code == 201
    assert record.targets == [f"{TASKS} task of the kind session_cleanup"]


async def test_who_may_only_look_schedules_nothing(api: dict[str, httpx.AsyncClient], places: Path) -> None:
    refused = await api["eve"].post(TASKS, json=export(places))

    assert refused.status_code == 403
    assert (await api["eve"].get(TASKS)).status_code == 200


async def test_an_owner_has_so_many_tasks(api: dict[str, httpx.AsyncClient], places: Path) -> None:
    answers = [await api["bob"].post(TASKS, json=export(places)) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 503]
    assert answers[3].headers["Retry-After"] == "60"


SWEEP = EXAMPLE["parameters"]["sweep"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"kind": "launch"}, "kind"),
    ({"kind": 5}, "kind"),
    ({"timing": {"cron": "0 0 30 2 *"}}, "timing.cron"),
    ({"timing": {"cron": "0 0 * * *", "timezone": "Mars/Olympus"}}, "timing.timezone"),
    ({"timing": {"calendar": "NOWHERE"}}, "timing.calendar"),
    ({"timing": {"at": "2020-01-01T00:00:00Z"}}, "timing"),
    ({"timing": None}, "timing"),
    ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
    ({"misfire": "panic"}, "misfire"),
    ({"catch_up": 1000}, "catch_up"),
    ({"jitter_seconds": -1}, "jitter_seconds"),
    ({"priority": 10}, "priority"),
    ({"max_attempts": 0}, "max_attempts"),
    ({"name": "two\nlines"}, "name"),
    ({"whatever": 1}, "whatever"),
    ({"parameters": {"url": "/etc/passwd", "history": {"asset": "SPX"}}}, "parameters.url"),
    ({"parameters": {"url": "s3://elsewhere/x", "history": {"asset": "SPX"}}}, "parameters.url"),
    ({"parameters": {"url": "s3://bucket/reports/../x", "history": {"asset": "SPX"}}}, "parameters.url"),
    ({"parameters": {"url": "s3://bucket/reportsx/a", "history": {"asset": "SPX"}}}, "parameters.url"),
    ({"parameters": {"url": "s3://bucket/reports/x"}}, "parameters"),
    (
        {"parameters": {"url": "s3://bucket/reports/x", "history": {"asset": "SPX", "days": 0}}},
        "parameters.history.days",
    ),
    ({"parameters": {"url": "s3://bucket/reports/x", "extra": 1}}, "parameters.extra"),
    (
        {"parameters": {"url": "s3://bucket/reports/x", "simulation": {"symbol": "SPX"}}},
        "parameters.simulation.steps",
    ),
    ({"kind": "sweep", "parameters": {"sweep": SWEEP | {"paths": 0}}}, "parameters.sweep.paths"),
    (
        {"kind": "sweep", "parameters": {"sweep": SWEEP | {"seed": {"$run": "mood"}}}},
        "parameters.sweep.seed.$run",
    ),
    ({"kind": "cache_warm", "parameters": {"days": 5}}, "parameters.days"),
]


async def test_bad_input_is_refused_by_its_field(api: dict[str, httpx.AsyncClient], places: Path) -> None:
    refusals = [await api["alice"].post(TASKS, json=export(places, **changes)) for changes, _ in WRONG]

    assert [refusal.json().get("field") for refusal in refusals] == [field for _, field in WRONG]
    assert {refusal.status_code for refusal in refusals} == {400}
    assert (await api["alice"].get(TASKS)).json()["pagination"]["total"] == 0


async def test_a_link_leads_nowhere_else(
    api: dict[str, httpx.AsyncClient], places: Path, tmp_path: Path
) -> None:
    (places / "out").symlink_to(tmp_path)
    wire = export(places)
    wire["parameters"]["url"] = f"{places}/out/x.parquet"

    assert (await api["bob"].post(TASKS, json=wire)).json()["field"] == "parameters.url"
