"""A sweep in the hands of a caller: it is computed by the cluster, followed, and fetched as a table."""

from __future__ import annotations

import json
from contextlib import aclosing
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

from optionchain_client.asynchronous.transport import AsyncTransport
from optionchain_client.concurrency import AsyncStream
from optionchain_client.errors import Problem, SweepFailed
from optionchain_client.events import Event
from optionchain_client.exports import Format, format_of
from optionchain_client.frames import pandas_of_arrow, polars_of_arrow
from optionchain_client.requests import ApiRequest, reading, segment
from optionchain_client.views import SweepView

if TYPE_CHECKING:
    import pandas
    import polars

SWEEPS = "/api/v1/sweeps"
OVER = ("completed", "cancelled", "failed")
# A progress has ten numbers, and perhaps the reason of a failure.
MOST_PROGRESS_BYTES = 1 << 20


class AsyncSweep:
    """A sweep; the same definition again is the same sweep.

    Attributes:
        view: As the server last showed it: `state`, `progress`, `error`.
    """

    def __init__(self, transport: AsyncTransport, view: SweepView) -> None:
        self._transport = transport
        self.view = view

    @property
    def id(self) -> str:
        return self.view["id"]

    @property
    def is_over(self) -> bool:
        """Whether it was completed, cancelled or failed, as far as known."""
        return self.view["state"] in OVER

    async def refresh(self) -> SweepView:
        """The sweep as it is now."""
        self.view = await self._transport.send(reading(self._path))
        return self.view

    async def progress(self, *, timeout_seconds: float | None = None) -> AsyncStream[SweepView]:
        """The sweep whenever it has changed, until it is over.

        A connection that breaks is opened again. Whoever may leave the iteration early closes it by
        `contextlib.aclosing`.

        Args:
            timeout_seconds: Patience with the sweep; None waits as long as it takes.

        Raises:
            TimeoutError: The time is over; the sweep goes on.
        """
        request = reading(f"{self._path}/events")
        events = self._transport.events(
            lambda _: request, _is_of_the_end, most_bytes=MOST_PROGRESS_BYTES, timeout_seconds=timeout_seconds
        )
        async with aclosing(events):
            async for event in events:
                self.view = _sweep_of(event)
                yield self.view

    async def wait(self, *, timeout_seconds: float | None = None) -> SweepView:
        """Wait until the sweep is over. Returns it as it is then: completed or cancelled.

        Args:
            timeout_seconds: Patience with the sweep; None waits as long as it takes.

        Raises:
            SweepFailed: It failed.
            TimeoutError: The time is over; the sweep goes on.
        """
        async for _ in self.progress(timeout_seconds=timeout_seconds):
            pass
        if self.view["state"] == "failed":
            message = f"the sweep {self.id} failed: {self.view['error']}"
            raise SweepFailed(Problem(status=None, message=message))
        return self.view

    async def definition(self) -> dict[str, Any]:
        """What it computes, as it was started: the arguments of `start_sweep` that give it again."""
        definition: dict[str, Any] = await self._transport.send(reading(f"{self._path}/definition"))
        return definition

    async def cancel(self) -> SweepView:
        """End it; what is done is kept and can be fetched. A sweep that is over stays as it is."""
        self.view = await self._transport.send(ApiRequest(method="DELETE", path=self._path))
        return self.view

    async def rows(self) -> list[dict[str, Any]]:
        """The table: an object a scenario, with what varies, seed, paths, error, and the statistics.

        Raises:
            Conflict: It is not over yet.
        """
        rows: list[dict[str, Any]] = await self._transport.send(self._results("json"))
        return rows

    async def to_polars(self) -> polars.DataFrame:
        """The table as a polars frame; raises as `rows`.

        Raises:
            ImportError: polars is not installed.
        """
        return polars_of_arrow(await self._transport.fetch(self._results("arrow")))

    async def to_pandas(self) -> pandas.DataFrame:
        """The table as a pandas frame; raises as `rows`.

        Raises:
            ImportError: pandas or pyarrow is not installed.
        """
        return pandas_of_arrow(await self._transport.fetch(self._results("arrow")))

    async def download(self, path: str | PathLike[str], *, format: Format | None = None) -> int:
        """Write the table to a file; raises as `rows`.

        Args:
            path: The file; replaced when the new one is whole.
            format: `parquet`, `arrow`, `csv` or `json`; None goes by the file's ending.

        Returns:
            The number of bytes.

        Raises:
            ValueError: The file's ending is of no format, or of another one than what was given.
        """
        request = self._results(format_of(fspath(path), format))
        return await self._transport.download(request, fspath(path))

    @property
    def _path(self) -> str:
        return f"{SWEEPS}/{segment(self.id)}"

    def _results(self, format: Format) -> ApiRequest:
        return reading(f"{self._path}/results", format=format)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r}, state={self.view['state']!r})"


def _sweep_of(event: Event) -> SweepView:
    view: SweepView = json.loads(event.data)
    if not isinstance(view, dict) or "state" not in view:
        raise ValueError("an event is not of a sweep")
    return view


def _is_of_the_end(event: Event) -> bool:
    return _sweep_of(event)["state"] in OVER
