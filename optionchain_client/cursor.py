"""Where a client believes a session's cursor is, and what follows from each answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from optionchain_client.errors import Completed, PreconditionFailed
from optionchain_client.parameters import Greeks
from optionchain_client.requests import ApiRequest
from optionchain_client.routes import Routes
from optionchain_client.snapshots import Snapshot, peeked, served


class Cursor:
    """The stepping of one session or simulation, without its sending.

    Attributes:
        session_id: Whose cursor it is.
        current_step: Index of the next snapshot; None until an answer told it.
        is_completed: Every snapshot was served.
    """

    def __init__(self, routes: Routes, session_id: str, current_step: int | None) -> None:
        self._routes = routes
        self.session_id = session_id
        self.current_step = current_step
        self.is_completed = False

    def step_request(self, count: int | None, greeks: Greeks) -> ApiRequest:
        """The next step, on condition that the cursor is where we believe it."""
        return self._routes.step(self.session_id, expected_step=self.current_step, count=count, greeks=greeks)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Learn from the errors of a call where the cursor is."""
        try:
            yield
        except PreconditionFailed as error:
            self.current_step = error.current_step
            raise
        except Completed:
            self.is_completed = True
            raise

    def peeked(self, body: Mapping[str, Any]) -> Snapshot:
        """The snapshot of a peek's answer."""
        snapshot = peeked(body)
        self.current_step = snapshot.step
        return snapshot

    def served(self, body: Mapping[str, Any]) -> list[Snapshot]:
        """The snapshots of a step's answer."""
        snapshots = served(body)
        self.current_step = snapshots[-1].step + 1
        self.is_completed = self.current_step >= snapshots[-1].total_steps
        return snapshots

    def rewind(self) -> None:
        """The parameters were changed: the cursor is at 0."""
        self.current_step = 0
        self.is_completed = False
