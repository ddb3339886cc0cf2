"""A session or a simulation in the hands of a caller that waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from optionchain_client.cursor import Cursor
from optionchain_client.errors import Completed, NotFound, PreconditionFailed
from optionchain_client.parameters import Greeks, SessionChanges, SessionParameters
from optionchain_client.routes import ChainRoutes, Routes, SimulationRoutes
from optionchain_client.snapshots import Snapshot, to_polars
from optionchain_client.transport import Transport

if TYPE_CHECKING:
    import polars as pl

BULK = 100


class Stepped:
    """What sessions and simulations have in common: a cursor that moves.

    Args:
        transport: Sends the calls.
        routes: Of its surface.
        session_id: Its identity.
        current_step: Where the cursor is; None where that is not known.
    """

    def __init__(
        self, transport: Transport, routes: Routes, session_id: str, current_step: int | None
    ) -> None:
        self._transport = transport
        self._routes = routes
        self._cursor = Cursor(routes, session_id, current_step)

    @property
    def id(self) -> str:
        return self._cursor.session_id

    @property
    def current_step(self) -> int | None:
        """Index of the next snapshot, as far as known."""
        return self._cursor.current_step

    def peek(self, *, greeks: Greeks = "first") -> Snapshot:
        """The next snapshot; the cursor stays.

        Raises:
            Completed: There is none.
        """
        with self._cursor.following():
            return self._cursor.peeked(self._transport.send(self._routes.peek(self.id, greeks)))

    def step(self, *, greeks: Greeks = "first") -> Snapshot:
        """The next snapshot; the cursor moves behind it.

        A lost answer is asked for again and is the same: no snapshot is skipped, none is consumed twice.

        Raises:
            Completed: There is none.
            PreconditionFailed: Somebody else moved the cursor; `current_step` knows now where it is.
        """
        return self._step(None, greeks)[0]

    def step_many(self, count: int, *, greeks: Greeks = "first") -> list[Snapshot]:
        """The next `count` snapshots, fewer at the end, in one call and as one advance.

        Raises:
            Completed: There is none.
            PreconditionFailed: Somebody else moved the cursor; `current_step` knows now where it is.
        """
        return self._step(count, greeks)

    def steps(self, *, bulk: int | None = None, greeks: Greeks = "first") -> Iterator[Snapshot]:
        """Every snapshot from the cursor to the end.

        Where somebody else moves the cursor meanwhile, the iteration goes on from there; each snapshot
        tells its `step`.

        Args:
            bulk: Snapshots a call. More is faster, and the server's cursor is then ahead of the iteration.
            greeks: Which greeks to ask for.
        """
        while not self._cursor.is_completed:
            try:
                snapshots = self._step(bulk, greeks)
            except (PreconditionFailed, Completed):
                continue
            yield from snapshots

    def to_polars(self, *, greeks: Greeks = "first") -> pl.DataFrame:
        """Every snapshot from the cursor to the end, as one frame: a row a strike, expiration and step."""
        return to_polars(self.steps(bulk=BULK, greeks=greeks))

    def download(
        self,
        path: str | Path,
        *,
        dataset: str = "option_chains",
        format: str = "parquet",
        layout: str = "standard",
        from_step: int | None = None,
        to_step: int | None = None,
    ) -> int:
        """Write an export of the whole simulation, whatever the cursor, to a file.

        Args:
            path: The file; overwritten.
            dataset: `underlying`, `volatility` or `option_chains`.
            format: `json`, `csv`, `arrow` or `parquet`.
            layout: `standard`, or `ironcondor`: the columns that the backtester of that name reads.
            from_step: The first step; None means 0.
            to_step: The last step, inclusive; None means all.

        Returns:
            The number of bytes.
        """
        query = {
            "dataset": dataset,
            "format": format,
            "layout": layout,
            "from_step": from_step,
            "to_step": to_step,
        }
        request = self._routes.export(self.id, query)
        with self._transport.stream(request) as chunks, Path(path).open("wb") as file:
            return sum(file.write(chunk) for chunk in chunks)

    def delete(self) -> None:
        """Delete it; fine where it is gone already."""
        try:
            self._transport.send(self._routes.delete(self.id))
        except NotFound:
            return

    def _step(self, count: int | None, greeks: Greeks) -> list[Snapshot]:
        with self._cursor.following():
            return self._cursor.served(self._transport.send(self._cursor.step_request(count, greeks)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r}, current_step={self.current_step})"


class Session(Stepped):
    """A session: one expiration, and parameters that can be changed.

    Attributes:
        view: As the server last showed it: `parameters`, `state`, `total_steps`; None if it never did.
    """

    _routes: ChainRoutes

    def __init__(self, transport: Transport, session_id: str, view: Mapping[str, Any] | None = None) -> None:
        super().__init__(transport, ChainRoutes(), session_id, None if view is None else view["current_step"])
        self.view = view

    def change(self, **changes: Unpack[SessionChanges]) -> Mapping[str, Any]:
        """Change some parameters; the cursor goes to 0. Returns the new view."""
        return self._changed(self._transport.send(self._routes.change(self.id, changes)))

    def replace(self, **parameters: Unpack[SessionParameters]) -> Mapping[str, Any]:
        """Replace all parameters; the cursor goes to 0. Returns the new view."""
        return self._changed(self._transport.send(self._routes.replace(self.id, parameters)))

    def _changed(self, view: Mapping[str, Any]) -> Mapping[str, Any]:
        self._cursor.rewind()
        self.view = view
        return view


class Simulation(Stepped):
    """A simulation: rolling expirations, immutable.

    Attributes:
        view: As the server showed it when it was opened: `parameters`, `state`, `cursor`.
    """

    _routes: SimulationRoutes

    def __init__(self, transport: Transport, view: Mapping[str, Any]) -> None:
        super().__init__(transport, SimulationRoutes(), view["id"], view["cursor"]["current_step"])
        self.view = view
