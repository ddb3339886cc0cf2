"""``optionchain top``: what the service does now, in a terminal."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

import orjson
import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cluster.commands.calling import Called, Data, Key, Url, console
from cluster.instance.problem import InstanceProblem
from cluster.metrics.figures import Between, Reading, Timing, read

# A process hands its figures to Ray every 5 seconds and Ray to its agent every 10: less is a window without a change.
WINDOW_SECONDS = 30.0
ROWS = 12
BLANK = "-"


def top(
    interval: Annotated[float, typer.Option(min=1.0, help="Seconds between two looks.")] = 5.0,
    once: Annotated[bool, typer.Option("--once", help="Look twice, show it, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a look.")] = False,
    url: Url = None,
    api_key: Key = None,
    data: Data = None,
) -> None:
    """Watch requests, sessions, stores and actors: rates and times over the last half minute. Ctrl-C ends it."""
    service = Called.at(url, api_key, data)
    if not (once or as_json):
        _watch(service, interval)
        return
    for view in _looks(service, interval):
        if as_json:
            typer.echo(orjson.dumps(view))
        else:
            console.print(shown(view))
        if once:
            return


def _watch(service: Called, interval: float) -> None:
    """Look until Ctrl-C; a service that is away for a while is waited for."""
    with Live("Looking ...", console=console, screen=console.is_terminal, auto_refresh=False) as live:
        while True:
            try:
                for view in _looks(service, interval):
                    live.update(shown(view), refresh=True)
            except InstanceProblem as problem:
                live.update(Text(str(problem), style="red"), refresh=True)
                time.sleep(interval)
            except KeyboardInterrupt:
                return


def _looks(
    service: Called, interval: float, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[dict[str, Any]]:
    readings = deque([Reading(clock(), read(service.text("/metrics")))])
    while True:
        time.sleep(interval)
        readings.append(Reading(clock(), read(service.text("/metrics"))))
        while len(readings) > 2 and readings[-1].at - readings[1].at >= WINDOW_SECONDS:
            readings.popleft()
        yield view_of(Between(readings[0], readings[-1]), service.ask("/api/v1/system"))


def view_of(between: Between, system: dict[str, Any]) -> dict[str, Any]:
    """The figures of a look.

    Args:
        between: Two readings.
        system: Nodes and actors, as `GET /api/v1/system` has them.
    """
    hits, misses = between.rate("optionchain_cache_hits"), between.rate("optionchain_cache_misses")
    return {
        "seconds": between.seconds,
        "requests": _timed(between.timings("optionchain_http_request_seconds", "method", "route"), "request"),
        "failed": _timed(
            [
                timing
                for timing in between.timings("optionchain_http_request_seconds", "status")
                if timing.labels[0] >= "400"
            ],
            "status",
        ),
        "sessions": {
            "alive": between.level("optionchain_sessions_alive"),
            "in_memory": between.level("optionchain_resident_sessions"),
            "created_per_second": between.rate("optionchain_sessions_created"),
            "steps_per_second": between.rate("optionchain_steps"),
            "calls_waiting": between.level("optionchain_session_calls_waiting"),
            "streams": between.level("optionchain_http_streams"),
        },
        "batches": _timed(between.timings("optionchain_batch_seconds"), "operation", "session batch"),
        "batch_calls": next((each.median for each in between.timings("optionchain_batch_size")), math.nan),
        "stores": _timed(between.timings("optionchain_redis_seconds", "operation"), "operation", "Redis")
        + _timed(
            between.timings("optionchain_mongodb_seconds", "command", "collection"), "operation", "MongoDB"
        ),
        "cache_hit_share": hits / (hits + misses) if hits + misses else math.nan,
        "actors": system["actors"],
        "nodes": system["nodes"],
    }


def _timed(timings: Sequence[Timing], what: str, *of: str) -> list[dict[str, Any]]:
    return [
        {
            what: " ".join((*of, *timing.labels)),
            "per_second": timing.rate,
            "median_seconds": timing.median,
            "p99_seconds": timing.slow,
        }
        for timing in timings
    ]


def shown(view: dict[str, Any]) -> Group:
    """The figures as tables."""
    sessions = view["sessions"]
    line = (
        f"{sessions['alive']:,.0f} sessions, {sessions['in_memory']:,.0f} in memory   "
        f"{sessions['steps_per_second']:,.1f} steps/s   {sessions['created_per_second']:,.1f} created/s   "
        f"{sessions['calls_waiting']:,.0f} calls wait   {sessions['streams']:,.0f} streams   "
        f"cache hits {_share(view['cache_hit_share'])}   {_number(view['batch_calls'])} calls a batch"
    )
    actors = Table("actor", "sessions in memory", "memory")
    for actor in view["actors"]:
        actors.add_row(
            actor["name"], f"{actor['resident_sessions']:,}", f"{actor['memory_bytes'] / 2**20:,.0f} MiB"
        )
    return Group(
        f"Over the last {view['seconds']:.0f} s; {len(view['nodes'])} nodes",
        line,
        _times("request", view["requests"]),
        *([_times("status", view["failed"])] if view["failed"] else []),
        _times("operation", view["batches"] + view["stores"]),
        actors,
    )


def _times(what: str, rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(what, *("per second", "p50 ms", "p99 ms"))
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows[:ROWS]:
        times = (f"{1e3 * row[name]:,.2f}" for name in ("median_seconds", "p99_seconds"))
        table.add_row(row[what], f"{row['per_second']:,.1f}", *times)
    return table


def _share(value: float) -> str:
    return BLANK if math.isnan(value) else f"{value:.0%}"


def _number(value: float) -> str:
    return BLANK if math.isnan(value) else f"{value:.1f}"
