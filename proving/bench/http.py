"""What the HTTP service sustains and what a request costs, in one run on one deployment, at 1, 16 and 64 connections.

Rates depend on the machine and on who else uses it; their ratio to that of a route which does nothing, and the
processor time that a request takes of each process, hardly do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import httpx
import orjson
from rich.console import Console
from rich.table import Table

from cluster.commands.first_session import PARAMETERS
from cluster.instance.temporary import temporary_instance
from proving.bench.export import run_over_http
from proving.bench.fastapi_floor import running_floor
from proving.bench.load_generator import Load, Measured, Target, generate, is_lower_bound
from proving.bench.processor_time import seconds_by_role, seconds_of, used_since

CONNECTIONS = (1, 16, 64)
SESSIONS = 256
STEPS = 10_000
BULK = 100
SEEDS = 10_000
SECONDS = 6.0
WARM_UP_SECONDS = 4.0
NOOP = Load("noop", [("GET", "/health", b"")])
PROCESSOR = "processor_milliseconds"


def run() -> dict[str, float]:
    """Measure on an instance of its own, and FastAPI under uvicorn alone beside it.

    Returns:
        The figures of `rates` and `floor`, and those of `proving.bench.export.run_over_http`.
    """
    with temporary_instance(Console(stderr=True)) as (_, state):
        target = Target(state.base_url, state.api_key or "")
        return (
            floor()
            | rates(target, state.marker)
            | {"is_lower_bound": float(is_lower_bound())}
            | run_over_http(state.base_url, state.api_key)
        )


def rates(target: Target, marker: str, *, seconds: float = SECONDS) -> dict[str, float]:
    """Measure a no-op route, peek, step and create, and steps in bulk, one after the other.

    Args:
        target: The service.
        marker: Of its instance, whose processes are on this machine.
        seconds: For each; at most about 60, so that no session is stepped to its end. The sessions that the
            load `create` makes stay until their time to live is over.

    Returns:
        For each load and number of connections, as ``step_at_64_*``: ``per_second``, ``p50_milliseconds``,
        ``p99_milliseconds``, ``failed``; ``ratio``, its p50 over the no-op's; ``processor_milliseconds`` a request in
        all, and the same of each process: ``processor_milliseconds_replica``. `step_bulk_snapshots_per_second`.

    Raises:
        httpx.HTTPError: The service does not answer.
    """
    figures: dict[str, float] = {}
    with stepped_sessions(target) as ids:
        # As one that has served for a minute: it has compiled what it prices by.
        generate(target, _steps(ids), connections=CONNECTIONS[1], seconds=WARM_UP_SECONDS)
        for load, connections in _plan(ids):
            before = seconds_by_role(marker)
            measured = generate(target, load, connections=connections, seconds=seconds)
            used = used_since(before, seconds_by_role(marker))
            figures |= _figures(f"{load.name}_at_{connections}", measured, used)
    return figures | _ratios(figures)


@contextmanager
def stepped_sessions(target: Target) -> Iterator[list[str]]:
    """The ids of sessions that are long enough to be stepped for as long as a measurement lasts."""
    headers = {"X-API-Key": target.api_key}
    with httpx.Client(base_url=target.base_url, headers=headers, timeout=60.0, trust_env=False) as api:
        ids = [_create(api) for _ in range(SESSIONS)]
        yield ids
        for session_id in ids:
            api.delete("/api/v1/chain", params={"sessionid": session_id})


def floor(*, seconds: float = SECONDS) -> dict[str, float]:
    """Measure FastAPI under uvicorn alone: ``fastapi_at_64_per_second`` and so on."""
    figures: dict[str, float] = {}
    with running_floor() as (base_url, process):
        for connections in CONNECTIONS:
            before = seconds_of(process)
            measured = generate(Target(base_url), NOOP, connections=connections, seconds=seconds)
            used = {"replica": seconds_of(process) - before}
            figures |= _figures(f"fastapi_at_{connections}", measured, used)
    return figures


def _plan(ids: Sequence[str]) -> Iterator[tuple[Load, int]]:
    """Every load at every number of connections; bulk steps, which are about snapshots, at the last."""

    loads = [
        NOOP,
        Load("peek", _each(ids, "GET", "/api/v1/chain?sessionid={id}")),
        _steps(ids),
        Load(
            "create",
            [("POST", "/api/v1/chain", orjson.dumps(PARAMETERS | {"seed": n})) for n in range(SEEDS)],
        ),
    ]
    for connections in CONNECTIONS:
        yield from ((load, connections) for load in loads)
    bulk = f"/api/v1/chain/step?count={BULK}&sessionid={{id}}"
    yield Load("step_bulk", _each(ids, "POST", bulk)), CONNECTIONS[-1]


def _steps(ids: Sequence[str]) -> Load:
    return Load("step", _each(ids, "POST", "/api/v1/chain/step?sessionid={id}"))


def _each(ids: Sequence[str], method: str, path: str) -> list[tuple[str, str, bytes]]:
    return [(method, path.format(id=session_id), b"") for session_id in ids]


def _figures(name: str, measured: Measured, used: Mapping[str, float]) -> dict[str, float]:
    each = {role: 1e3 * seconds / measured.requests for role, seconds in used.items()}
    return {
        f"{name}_per_second": measured.requests_per_second,
        f"{name}_p50_milliseconds": 1e3 * measured.p50_seconds,
        f"{name}_p99_milliseconds": 1e3 * measured.p99_seconds,
        f"{name}_failed": measured.failed,
        f"{name}_{PROCESSOR}": sum(each.values()),
    } | {f"{name}_{PROCESSOR}_{role}": milliseconds for role, milliseconds in each.items()}


def _ratios(figures: Mapping[str, float]) -> dict[str, float]:
    ratios = {
        f"{load}_at_{connections}_ratio": figures[f"{load}_at_{connections}_p50_milliseconds"]
        / figures[f"noop_at_{connections}_p50_milliseconds"]
        for connections in CONNECTIONS
        for load in ("peek", "step", "create")
    }
    bulk = BULK * figures[f"step_bulk_at_{CONNECTIONS[-1]}_per_second"]
    return ratios | {"step_bulk_snapshots_per_second": bulk}


def _create(api: httpx.Client) -> str:
    # An expiration beyond the last step, so that it is the steps that end the session.
    body = PARAMETERS | {"steps": STEPS, "days_to_expiration": STEPS + 1.0}
    session_id: str = api.post("/api/v1/chain", json=body).raise_for_status().json()["id"]
    return session_id


def tables(figures: Mapping[str, float]) -> list[Table]:
    """The figures for people: how fast, at what cost by process, and what is left."""
    loads = [name.removesuffix(f"_{PROCESSOR}") for name in figures if name.endswith(f"_{PROCESSOR}")]
    rest = Table("figure", "measured")
    for name, value in figures.items():
        if not any(name.startswith(f"{load}_") for load in loads) or name.endswith("_ratio"):
            rest.add_row(name.replace("_", " "), f"{value:,.3f}")
    return [_speed_table(loads, figures), _cost_table(loads, figures), rest]


def _speed_table(loads: Sequence[str], figures: Mapping[str, float]) -> Table:
    table = Table("connections", "load", "a second", "p50, ms", "p99, ms", "failed")
    for load in loads:
        rate, p50, p99, failed = (
            figures[f"{load}_{one}"]
            for one in ("per_second", "p50_milliseconds", "p99_milliseconds", "failed")
        )
        table.add_row(*_named(load), f"{rate:,.0f}", f"{p50:.2f}", f"{p99:.2f}", f"{failed:.0f}")
    return table


def _cost_table(loads: Sequence[str], figures: Mapping[str, float]) -> Table:
    roles = sorted({name.rpartition(f"_{PROCESSOR}_")[2] for name in figures if f"_{PROCESSOR}_" in name})
    headings = [role.replace("_", " ") for role in roles]
    table = Table("connections", "load", "all", *headings, title="processor time, ms a request")
    for load in loads:
        spent = [
            figures.get(f"{load}_{PROCESSOR}{part}", 0.0) for part in ("", *(f"_{one}" for one in roles))
        ]
        table.add_row(*_named(load), *(f"{milliseconds:.3f}" for milliseconds in spent))
    return table


def _named(load: str) -> tuple[str, str]:
    """The number of connections and the name of a load."""
    name, _, connections = load.rpartition("_at_")
    return connections, name.replace("_", " ")
