"""Exports over HTTP: read-only, the same each time, from an immutable copy, and no more memory than a few pieces."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.clusters import Cluster, create, step
from tests.e2e.simulations import FORMATS, SIMULATIONS, UNKNOWN, export, simulate
from tests.waiting import eventually, take

BIG: dict[str, Any] = {
    "steps": 10_000,
    "step_interval_seconds": 3600,
    "schedules": [{"rule_id": "daily", "kind": "daily", "target_count": 15}],
    "strike_interval": 25.0,
    "chain_size": 30,
}


def test_every_format_has_the_contracts_that_the_steps_serve(api: httpx.Client) -> None:
    simulation = simulate(api)
    bodies = {name: export(api, simulation, format=name) for name in FORMATS}
    snapshots = api.post(f"{SIMULATIONS}/{simulation['id']}/step", params={"count": 8}).json()["snapshots"]

    expected = [
        (number, chain["expires_at"], contract["strike"], contract["call"]["mid"], contract["put"]["bid"])
        for number, snapshot in enumerate(snapshots)
        for chain in snapshot["chains"]
        for contract in chain["contracts"]
    ]
    text = {
        "json": json.loads(bodies["json"].content),
        "csv": csv.DictReader(io.StringIO(bodies["csv"].text, newline="")),
    }
    for rows in text.values():
        found = [
            (
                int(row["step"]),
                row["expires_at"],
                *(float(row[name]) for name in ("strike", "call_mid", "put_bid")),
            )
            for row in rows
        ]
        assert found == expected
    tables = (
        pa.ipc.open_stream(bodies["arrow"].content).read_all(),
        pq.read_table(io.BytesIO(bodies["parquet"].content)),
    )
    assert tables[0] == tables[1]
    assert tables[0]["call_mid"].to_pylist() == [row[3] for row in expected]


@pytest.mark.parametrize("layout", ["standard", "ironcondor"])
@pytest.mark.parametrize("format", FORMATS)
def test_a_repeated_or_replayed_export_is_the_same_to_the_byte(
    api: httpx.Client, format: str, layout: str
) -> None:
    simulation = simulate(api)
    replayed = simulate(api, **simulation["parameters"])

    bodies = {
        export(api, each, format=format, layout=layout).content for each in (simulation, simulation, replayed)
    }

    assert len(bodies) == 1


def test_an_export_leaves_the_cursor_and_works_after_the_last_step(api: httpx.Client) -> None:
    simulation = simulate(api)
    path = f"{SIMULATIONS}/{simulation['id']}"

    before = export(api, simulation, format="csv").content
    unchanged = api.get(path).json()
    api.post(f"{path}/step", params={"count": 8})

    assert unchanged == simulation
    assert export(api, simulation, format="csv").content == before


def test_a_session_of_v1_is_exported_too(api: httpx.Client) -> None:
    session = create(api)
    chain = step(api, session["id"]).json()

    rows = api.get("/api/v1/chain/export", params={"sessionid": session["id"], "to_step": 0}).json()

    assert [row["strike"] for row in rows] == [contract["strike"] for contract in chain["contracts"]]
    assert [row["put_ask"] for row in rows] == [contract["put"]["ask"] for contract in chain["contracts"]]
    assert {row["expires_at"] for row in rows} == {chain["contracts"][0]["expiration"]}
    assert {row["simulated_at"] for row in rows} == {chain["timestamp"]}


def test_the_headers_say_what_the_file_is(api: httpx.Client) -> None:
    simulation = simulate(api)

    csv_file = export(api, simulation, format="csv", dataset="underlying", from_step=2, to_step=3)
    parquet = export(api, simulation, format="parquet")

    assert csv_file.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert (
        csv_file.headers["content-disposition"]
        == f'attachment; filename="{simulation["id"]}_underlying_2-3.csv"'
    )
    assert parquet.headers["content-type"] == "application/vnd.apache.parquet"
    assert csv_file.text.splitlines()[0] == "step,simulated_at,symbol,price"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"format": "xml"}, "format"),
        ({"dataset": "greeks"}, "dataset"),
        ({"layout": "ironcondor", "dataset": "volatility"}, "layout"),
        ({"from_step": 8}, "from_step"),
        ({"from_step": -1}, "from_step"),
        ({"to_step": 8}, "to_step"),
        ({"from_step": 5, "to_step": 4}, "from_step"),
        ({"from": 5}, "from"),
    ],
)
def test_a_wrong_query_names_its_parameter(api: httpx.Client, query: dict[str, Any], field: str) -> None:
    answer = export(api, simulate(api), **query)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_an_export_over_the_limit_of_rows_is_refused(api: httpx.Client) -> None:
    schedules = [{"rule_id": "daily", "kind": "daily", "target_count": 60}]
    simulation = simulate(api, **{**BIG, "schedules": schedules, "chain_size": 50})

    answer = export(api, simulation)

    assert (answer.status_code, answer.json()["field"]) == (400, "to_step")
    assert export(api, simulation, dataset="underlying").status_code == 200


def test_what_is_unknown_or_another_callers_is_not_exported(
    api: httpx.Client, other_api: httpx.Client
) -> None:
    session, simulation = create(api), simulate(api)

    assert api.get(f"{UNKNOWN}/export").status_code == 404
    assert export(other_api, simulation).status_code == 404
    assert export(api, session).status_code == 404
    assert api.get("/api/v1/chain/export", params={"sessionid": simulation["id"]}).status_code == 404
    assert api.get("/api/v1/chain/export").json()["field"] == "sessionid"


def test_a_deletion_during_the_download_does_not_break_it(api: httpx.Client) -> None:
    simulation = simulate(api, **BIG)
    path = f"{SIMULATIONS}/{simulation['id']}"
    whole = export(api, simulation, format="csv", to_step=60).content

    with api.stream("GET", f"{path}/export", params={"format": "csv", "to_step": 60}) as answer:
        chunks = answer.iter_raw(1 << 16)
        begun = next(chunks)
        api.delete(path)
        rest = b"".join(chunks)

    assert begun + rest == whole
    assert api.get(path).status_code == 404


@pytest.mark.parametrize("format", ["arrow", "json"])
def test_a_slow_reader_of_a_large_export_costs_the_server_less_than_200_megabytes(
    cluster: Cluster, api: httpx.Client, format: str
) -> None:
    simulation = simulate(api, **BIG)
    export(api, simulation, format=format, to_step=1)
    before = memory(cluster)

    peak = before
    with api.stream("GET", f"{SIMULATIONS}/{simulation['id']}/export", params={"format": format}) as answer:
        for number, _ in enumerate(answer.iter_raw(1 << 18)):
            if number % 8 == 0:
                peak = max(peak, memory(cluster))
            if number == 64:
                break
            take(0.02)  # the slow reader

    assert peak - before < 200e6


def test_readers_who_leave_early_make_room_for_others(api: httpx.Client) -> None:
    simulation = simulate(api, **BIG)

    for _ in range(40):
        with api.stream(
            "GET", f"{SIMULATIONS}/{simulation['id']}/export", params={"format": "arrow"}
        ) as answer:
            assert answer.status_code in (200, 503)
            answer.read() if answer.status_code == 503 else next(answer.iter_raw())

    eventually(
        lambda: export(api, simulation, to_step=0).status_code != 503,
        "the places of readers who left are free",
    )


def memory(cluster: Cluster) -> float:
    """Bytes that the instance's processes do not share with others."""
    total = 0
    for process in cluster.processes():
        try:
            total += process.memory_full_info().uss
        except psutil.Error:
            continue
    return total
