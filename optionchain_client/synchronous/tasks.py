# Made from asynchronous/tasks.py by make_synchronous.py: edit that.
"""Tasks in the hands of a caller: work that happens later, and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

from optionchain_client.checks import checked
from optionchain_client.parameters import TaskDefinition
from optionchain_client.requests import ApiRequest, keyed_post, reading, segment
from optionchain_client.synchronous.transport import Transport
from optionchain_client.views import RunView, TaskView

TASKS = "/api/v1/tasks"


class Tasks:
    """Your tasks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def schedule(self, **definition: Unpack[TaskDefinition]) -> TaskView:
        """Schedule a task.

        Raises:
            TypeError: A name is unknown; the nearest known one is named.
            InvalidInput: The service refuses it; `field` says for what.
            Unavailable: You have too many tasks that are not over.
        """
        body = checked(TaskDefinition, "a task", definition)
        view: TaskView = self._transport.send(keyed_post(TASKS, body=body))
        return view

    def listed(self) -> Iterator[TaskView]:
        """Your tasks, those scheduled last first; those that are over too, for a while."""
        return self._transport.pages(TASKS)

    def get(self, task_id: str) -> TaskView:
        """A task.

        Raises:
            NotFound: You have none of this id.
        """
        view: TaskView = self._transport.send(reading(_path(task_id)))
        return view

    def cancel(self, task_id: str) -> TaskView:
        """End a task for good; what runs of it stops within seconds."""
        view: TaskView = self._transport.send(ApiRequest(method="DELETE", path=_path(task_id)))
        return view

    def pause(self, task_id: str) -> TaskView:
        """Let a task be due no more until it is resumed."""
        view: TaskView = self._transport.send(_post(f"{_path(task_id)}/pause"))
        return view

    def resume(self, task_id: str) -> TaskView:
        """Let a task be due again, from now on."""
        view: TaskView = self._transport.send(_post(f"{_path(task_id)}/resume"))
        return view

    def run_now(self, task_id: str) -> RunView:
        """Have a task done once, whatever its schedule says."""
        view: RunView = self._transport.send(_post(f"{_path(task_id)}/run"))
        return view

    def runs(self, task_id: str) -> Iterator[RunView]:
        """The runs of a task, the latest times first."""
        return self._transport.pages(f"{_path(task_id)}/runs")

    def requeue(self, task_id: str, run_id: str) -> RunView:
        """Have a run that failed for good tried again.

        Raises:
            Conflict: It did not fail, or its task was cancelled.
        """
        path = f"{_path(task_id)}/runs/{segment(run_id)}/requeue"
        view: RunView = self._transport.send(_post(path))
        return view


def _path(task_id: str) -> str:
    return f"{TASKS}/{segment(task_id)}"


def _post(path: str) -> ApiRequest:
    return ApiRequest(method="POST", path=path)
