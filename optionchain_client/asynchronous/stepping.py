"""What a caller does with a session or a simulation: a cursor that moves, and the whole that it moves through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING

from optionchain_client.activity import ActivityView
from optionchain_client.asynchronous.transport import AsyncTransport
from optionchain_client.cursor import Cursor
from optionchain_client.errors import Completed, NotFound, PreconditionFailed
from optionchain_client.exports import Dataset, Format, Layout, export_query, format_of
from optionchain_client.frames import pandas_of_arrow, polars_of_arrow
from optionchain_client.parameters import Greeks
from optionchain_client.routes import Routes
from optionchain_client.snapshots import Snapshot
from optionchain_client.views import FanView

if TYPE_CHECKING:
    import pandas
    import polars


class AsyncStepped:
    """What sessions and simulations have in common.

    Args:
        transport: Sends the calls.
        routes: Of its surface.
        session_id: Its identity.
        current_step: Where the cursor is; None where that is not known.
    """

    def __init__(
        self, transport: AsyncTransport, routes: Routes, session_id: str, current_step: int | None
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

    async def peek(self, *, greeks: Greeks = "none") -> Snapshot:
        """The next snapshot; the cursor stays.

        Raises:
            Completed: There is none.
        """
        with self._cursor.following():
            return self._cursor.peeked(await self._transport.send(self._routes.peek(self.id, greeks)))

    async def step(self, *, greeks: Greeks = "none") -> Snapshot:
        """The next snapshot; the cursor moves behind it.

        A lost answer is asked for again and is the same: no snapshot is skipped, none is consumed twice.

        Raises:
            Completed: There is none.
            PreconditionFailed: Somebody else moved the cursor; `current_step` knows now where it is.
        """
        snapshots = await self._step(None, greeks)
        return snapshots[0]

    async def step_many(self, count: int, *, greeks: Greeks = "none") -> list[Snapshot]:
        """The next `count` snapshots, fewer at the end, in one call and as one advance.

        Raises:
            Completed: There is none.
            PreconditionFailed: Somebody else moved the cursor; `current_step` knows now where it is.
        """
        return await self._step(count, greeks)

    async def steps(self, *, bulk: int | None = None, greeks: Greeks = "none") -> AsyncIterator[Snapshot]:
        """Every snapshot from the cursor to the end; the cursor moves with them.

        Where somebody else moves the cursor meanwhile, the iteration goes on from there; each snapshot
        tells its `step`.

        Args:
            bulk: Snapshots a call. More is faster, and the server's cursor is then ahead of the iteration.
            greeks: Which greeks to ask for beside delta and gamma.
        """
        while not self._cursor.is_completed:
            try:
                snapshots = await self._step(bulk, greeks)
            except (PreconditionFailed, Completed):
                continue
            for snapshot in snapshots:
                yield snapshot

    async def to_polars(
        self,
        *,
        dataset: Dataset = "option_chains",
        greeks: Greeks = "none",
        from_step: int | None = None,
        to_step: int | None = None,
    ) -> polars.DataFrame:
        """The whole as one polars frame, whatever the cursor, which stays: the table that `download` writes.

        Args:
            dataset: `underlying`, `volatility` or `option_chains`: a row a strike, expiration and step.
            greeks: Which greeks option chains have beside delta and gamma.
            from_step: The first step; None means 0.
            to_step: The last step, inclusive; None means all.

        Raises:
            ImportError: polars is not installed.
        """
        return polars_of_arrow(await self._arrow(dataset, greeks, from_step, to_step))

    async def to_pandas(
        self,
        *,
        dataset: Dataset = "option_chains",
        greeks: Greeks = "none",
        from_step: int | None = None,
        to_step: int | None = None,
    ) -> pandas.DataFrame:
        """As `to_polars`, as a pandas frame.

        Raises:
            ImportError: pandas or pyarrow is not installed.
        """
        return pandas_of_arrow(await self._arrow(dataset, greeks, from_step, to_step))

    async def download(
        self,
        path: str | PathLike[str],
        *,
        format: Format | None = None,
        dataset: Dataset = "option_chains",
        layout: Layout = "standard",
        greeks: Greeks = "none",
        from_step: int | None = None,
        to_step: int | None = None,
    ) -> int:
        """Write an export of the whole, whatever the cursor, to a file.

        Args:
            path: The file; replaced when the new one is whole.
            format: `parquet`, `arrow`, `packed`, `csv` or `json`; None goes by the file's ending.
            dataset: `underlying`, `volatility` or `option_chains`.
            layout: `standard`, or `ironcondor`: the columns that the backtester of that name reads.
            greeks: Which greeks option chains have beside delta and gamma.
            from_step: The first step; None means 0.
            to_step: The last step, inclusive; None means all.

        Returns:
            The number of bytes.

        Raises:
            ValueError: The file's ending is of no format, or of another one than what was given.
        """
        query = export_query(
            dataset=dataset,
            format=format_of(fspath(path), format),
            layout=layout,
            greeks=greeks,
            from_step=from_step,
            to_step=to_step,
        )
        return await self._transport.download(self._routes.export(self.id, query), fspath(path))

    async def fan(self, *, paths: int = 200, levels: Sequence[float] | None = None) -> FanView:
        """How else it might go: the quantiles of other paths by step, whatever the cursor, which stays.

        Args:
            paths: How many others, 1 to 1,000.
            levels: Of the quantiles, at most nine, each in (0, 1); None means 0.05, 0.25, 0.5, 0.75 and 0.95.
        """
        asked = None if levels is None else ",".join(f"{level:.17g}" for level in levels)
        query = {"paths": paths, "levels": asked}
        fan: FanView = await self._transport.send(self._routes.fan(self.id, query))
        return fan

    async def activity(self, *, step: int | None = None, scale: float | None = None) -> ActivityView:
        """Sizes at the quotes, open interest and volume of a snapshot's contracts, whatever the cursor, which stays.

        Args:
            step: Of the snapshot; None means the next one.
            scale: Open interest of a typical contract at the money; None means 1,000.
        """
        query = {"step": step, "scale": scale}
        activity: ActivityView = await self._transport.send(self._routes.activity(self.id, query))
        return activity

    async def delete(self) -> None:
        """Delete it; fine where it is gone already."""
        try:
            await self._transport.send(self._routes.delete(self.id))
        except NotFound:
            return

    async def _step(self, count: int | None, greeks: Greeks) -> list[Snapshot]:
        with self._cursor.following():
            return self._cursor.served(await self._transport.send(self._cursor.step_request(count, greeks)))

    async def _arrow(
        self, dataset: Dataset, greeks: Greeks, from_step: int | None, to_step: int | None
    ) -> bytes:
        query = export_query(
            dataset=dataset, format="arrow", greeks=greeks, from_step=from_step, to_step=to_step
        )
        return await self._transport.fetch(self._routes.export(self.id, query))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r}, current_step={self.current_step})"
