"""Every dataset in every format that the server's own document advertises: the public suite's `exports`."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import pytest

from tests.conformance.packed_columns import columns_of

STEPS = 3
DATASETS = ("underlying", "volatility", "option_chains")
MEDIA_TYPES = {
    "json": ("application/json", ".json"),
    "csv": ("text/csv", ".csv"),
    "arrow": ("application/vnd.apache.arrow.stream", ".arrow"),
    "packed": ("application/octet-stream", ".ocsp"),
}


@pytest.fixture
def walked(open_simulation: Any) -> Any:
    simulation = open_simulation(steps=STEPS)
    simulation.walked(STEPS)
    return simulation


@pytest.fixture(scope="session")
def formats(anonymous: httpx.Client) -> list[str]:
    """What the description of the parameter begins with: ``json | csv | arrow | packed``."""
    document = anonymous.get("/api-docs/openapi.json").json()
    parameters = document["paths"]["/api/v2/simulations/{id}/export"]["get"]["parameters"]
    [described] = [each["description"] for each in parameters if each["name"] == "format"]
    return [each.strip() for each in described.partition(".")[0].split("|")]


def rows_of(body: bytes, format: str) -> list[dict[str, Any]] | None:
    """The rows of a file; None where only a library of its own reads it."""
    match format:
        case "json":
            rows: list[dict[str, Any]] = httpx.Response(200, content=body).json()
            return rows
        case "csv":
            return list(csv.DictReader(io.StringIO(body.decode(), newline="")))
        case "packed":
            columns = columns_of(body)
            return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return None


def as_text(rows: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Numbers as one text, whatever their format writes."""
    return [{name: _text(value) for name, value in row.items()} for row in rows]


def _text(value: Any) -> str:
    try:
        return "" if value is None else repr(float(value))
    except ValueError:
        return str(value)


def test_what_is_advertised_is_what_the_suite_knows(formats: list[str]) -> None:
    assert formats == ["json", "csv", "arrow", "packed"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_dataset_is_the_same_in_every_format(walked: Any, formats: list[str], dataset: str) -> None:
    text = walked.export(dataset=dataset, format="csv").text
    expected = as_text(rows_of(text.encode(), "csv") or [])

    assert expected
    assert text.endswith("\r\n")
    for format in formats:
        answer = walked.export(dataset=dataset, format=format)
        assert answer.status_code == 200
        rows = rows_of(answer.content, format)
        if rows is not None:
            assert as_text(rows) == expected, format


def test_the_same_export_twice_is_the_same_to_the_byte(walked: Any, formats: list[str]) -> None:
    for dataset in DATASETS:
        for format in formats:
            first, second = (walked.export(dataset=dataset, format=format) for _ in range(2))
            assert first.content == second.content, (dataset, format)


def test_a_range_is_the_same_rows_in_every_format_and_a_wrong_one_names_its_field(
    walked: Any, formats: list[str]
) -> None:
    for format in formats:
        rows = rows_of(
            walked.export(dataset="underlying", format=format, from_step=1, to_step=2).content, format
        )
        assert rows is None or [int(row["step"]) for row in rows] == [1, 2]
        for query, field in (
            ({"from_step": 2, "to_step": 1}, "from_step"),
            ({"from_step": 0, "to_step": 99_999}, "to_step"),
        ):
            refusal = walked.export(dataset="underlying", format=format, **query)
            assert (refusal.status_code, refusal.headers["Content-Type"]) == (400, "application/json")
            assert (refusal.json()["field"], bool(refusal.json()["error"])) == (field, True)


def test_the_columns_of_fewer_greeks_begin_those_of_more(walked: Any) -> None:
    none, first, every = (
        walked.export(dataset="option_chains", format="csv", greeks=greeks)
        .text.partition("\r\n")[0]
        .split(",")
        for greeks in ("none", "first", "all")
    )

    assert (first[: len(none)], every[: len(first)]) == (none, first)
    assert [len(first) - len(none), len(every) - len(none)] == [8, 22]


def test_a_streamed_export_reaches_its_end(walked: Any) -> None:
    text = walked.export(dataset="option_chains", format="csv", greeks="all").text

    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert text.endswith("\r\n")
    assert {len(row) for row in rows} == {len(rows[0])}
    assert rows[-1][0] == str(STEPS - 1)


def test_the_headers_say_which_format_and_whose_file_it_is(walked: Any, formats: list[str]) -> None:
    for format in formats:
        headers = walked.export(dataset="underlying", format=format).headers
        media_type, ending = MEDIA_TYPES[format]
        assert headers["Content-Type"].startswith(media_type)
        disposition = headers["Content-Disposition"]
        assert disposition.startswith("attachment")
        assert walked.id in disposition
        assert ending in disposition
