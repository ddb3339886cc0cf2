"""HTTP: work that happens later, and again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Depends, Path, Query, Request, Response
from pydantic import Field

from cluster.tasks.registry import known_kind
from cluster.tasks.service import TaskService
from optionchain.access.roles import Permission
from optionchain.context import Principal
from optionchain.tasks import RunState
from serve_app.bodies.tasks import RunPage, RunView, TaskPage, TaskRequest, TaskView, run_view, task_view
from serve_app.edge.caller import Caller
from serve_app.edge.errors import missing_role
from serve_app.edge.on_record import acted_on
from serve_app.edge.route_table import Responses, handler
from serve_app.handling.encoded import json_response
from serve_app.handling.idempotency import IDEMPOTENT, Occasion, once
from serve_app.handling.session_calls import PageQuery
from serve_app.openapi.documentation import errors, links, shown
from serve_app.services import services_of

TASKS = "/api/v1/tasks"
SCHEDULED: Responses = {
    201: {
        "model": TaskView,
        "description": "The task",
        "links": links("v1", get_task="path.id", cancel_task="path.id", list_runs="path.id"),
    }
}
WAITS: Responses = {202: {"model": RunView, "description": "The run, which waits for its turn"}}


async def current_tasks(request: Request) -> TaskService:
    """What keeps tasks, as a dependency; async, for FastAPI runs others in a thread."""
    return services_of(request).tasks


Tasks = Annotated[TaskService, Depends(current_tasks)]
TaskId = Annotated[UUID, Path(alias="id", description="The task's id")]
RunId = Annotated[str, Path(alias="run", description="The run's id", max_length=100)]


async def permitted_task(task_id: TaskId, tasks: Tasks, caller: Caller, request: Request) -> str:
    """The id of a task whose kind the caller may have done, as a dependency."""
    task = await tasks.scheduler.task(caller.tenant, str(task_id))
    _check_kind(task.order.kind, caller, request)
    return task.id


PermittedTask = Annotated[str, Depends(permitted_task)]


class TasksQuery(PageQuery):
    posted: bool = Field(
        False, description="Those that were asked for at once, by `POST /api/v1/sweeps`, instead"
    )


class RunsQuery(PageQuery):
    state: RunState | None = Field(None, description="Those alone")


@handler("Schedule a task", status=201, responses=SCHEDULED | errors(400, 422, 503), extra=IDEMPOTENT)
async def schedule_task(body: TaskRequest, tasks: Tasks, caller: Caller, request: Request) -> Response:
    """It is done at its times, whoever is there; what concerns all tenants takes an administrator."""

    async def scheduled(occasion: Occasion) -> Response:
        _check_kind(body.kind, caller, request)
        identity = None if occasion.identity is None else str(occasion.identity)
        task = await tasks.schedule(caller, body.model_dump(), identity)
        response = json_response(orjson.dumps(task_view(task)), 201)
        response.headers["Location"] = f"{TASKS}/{task.id}"
        return response

    return await once(request, scheduled, status=201)


@handler("List your tasks", responses=shown(TaskPage) | errors(400, 503))
async def list_tasks(query: Annotated[TasksQuery, Query()], tasks: Tasks, caller: Caller) -> Response:
    """Those that are over too, for a while; those scheduled last come first."""
    offset = (query.page - 1) * query.limit
    total, found = await tasks.scheduler.list_scheduled_tasks(
        caller.tenant, offset=offset, limit=query.limit, is_posted=query.posted
    )
    body = {"data": [task_view(task) for task in found], "pagination": query.pagination(total)}
    return json_response(orjson.dumps(body))


@handler("A task", responses=shown(TaskView) | errors(400, 404, 503))
async def get_task(task_id: TaskId, tasks: Tasks, caller: Caller) -> Response:
    return json_response(orjson.dumps(task_view(await tasks.scheduler.task(caller.tenant, str(task_id)))))


@handler("Cancel a task", responses=shown(TaskView) | errors(400, 404, 503))
async def cancel_task(task_id: PermittedTask, tasks: Tasks, caller: Caller) -> Response:
    """No run of it begins from now on, and what runs stops within seconds."""
    cancelled = await tasks.scheduler.cancel_task(caller.tenant, task_id)
    return json_response(orjson.dumps(task_view(cancelled)))


@handler("Pause a task", responses=shown(TaskView) | errors(400, 404, 409, 503))
async def pause_task(task_id: PermittedTask, tasks: Tasks, caller: Caller) -> Response:
    """It is not due until it is resumed. Runs that wait already begin all the same."""
    paused = await tasks.scheduler.pause(caller.tenant, task_id)
    return json_response(orjson.dumps(task_view(paused)))


@handler("Resume a task", responses=shown(TaskView) | errors(400, 404, 409, 503))
async def resume_task(task_id: PermittedTask, tasks: Tasks, caller: Caller) -> Response:
    """It is due again, from now on; nothing of the pause is made up for."""
    return json_response(orjson.dumps(task_view(await tasks.resume(caller, task_id))))


@handler("Run a task now", status=202, responses=WAITS | errors(400, 404, 409, 503))
async def run_task(task_id: PermittedTask, tasks: Tasks, caller: Caller) -> Response:
    """Once, whatever its schedule says; also while it is paused, or when it has ended."""
    run = await tasks.scheduler.run_now(caller.tenant, task_id)
    return json_response(orjson.dumps(run_view(run)), 202)


@handler("The runs of a task", responses=shown(RunPage) | errors(400, 404, 503))
async def list_runs(
    query: Annotated[RunsQuery, Query()], task_id: TaskId, tasks: Tasks, caller: Caller
) -> Response:
    """The latest times first."""
    offset = (query.page - 1) * query.limit
    total, found = await tasks.scheduler.runs(
        caller.tenant, str(task_id), offset=offset, limit=query.limit, state=query.state
    )
    body = {"data": [run_view(run) for run in found], "pagination": query.pagination(total)}
    return json_response(orjson.dumps(body))


@handler("Try a failed run again", status=202, responses=WAITS | errors(400, 404, 409, 503))
async def requeue_run(task_id: PermittedTask, run_id: RunId, tasks: Tasks, caller: Caller) -> Response:
    """As often as the first time."""
    run = await tasks.scheduler.requeue(caller.tenant, task_id, run_id)
    return json_response(orjson.dumps(run_view(run)), 202)


def _check_kind(name: str, caller: Principal, request: Request) -> None:
    """Refuse a kind that the caller may not have done; what concerns all tenants is put on record."""
    permission = known_kind(name).permission
    if not caller.may(permission):
        raise missing_role(permission)
    if permission is Permission.ADMINISTER:
        acted_on(request, f"task of the kind {name}")
