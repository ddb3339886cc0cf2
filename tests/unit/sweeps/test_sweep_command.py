"""``optionchain sweep`` in one process; tests/e2e has it on a cluster."""

import json

import polars as pl
import pytest
from typer.testing import CliRunner

from cluster.commands.app import app
from tests.unit.sweeps.sweep_documents import DOCUMENT


@pytest.fixture
def command(tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(json.dumps(DOCUMENT | {"measures": ["terminal_price"], "paths": 20}))

    def run(*options):
        return CliRunner().invoke(app, ["sweep", str(file), *options])

    return run


@pytest.mark.parametrize(
    ("suffix", "read"),
    [
        ("csv", pl.read_csv),
        ("parquet", pl.read_parquet),
        ("json", pl.read_json),
        ("arrow", pl.read_ipc),
    ],
)
def test_the_table_is_written_in_the_format_of_its_suffix(command, tmp_path, suffix, read):
    results = tmp_path / f"table.{suffix}"

    done = command("--workers", "0", "--results", str(results))

    assert (done.exit_code, read(results).height) == (0, 6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--results", "table.xlsx"), "must end in .json, .csv, .arrow, .parquet"),
        (("--results", "nowhere/table.csv"), "there is no folder nowhere"),
        (("--submit", "--output", "out", "--results", "table.csv"), "results: cannot be written here"),
        (("--submit",), "output: is needed with --submit"),
        (("--output", "nosuch://bucket"), "output: cannot be written to"),
    ],
)
def test_where_nothing_can_be_written_is_told_before_any_work(command, monkeypatch, options, words):
    monkeypatch.setattr("optionchain.sweeps.run.total_blocks", None)  # without which no work begins

    refused = command("--workers", "0", *options)

    assert refused.exit_code == 2
    assert words in " ".join(refused.output.replace("│", " ").split())


def test_what_disagrees_is_said_in_a_line_and_computed_all_the_same(tmp_path):
    base = DOCUMENT["base"] | {"steps": 64, "days_to_expiration": 30}
    file = tmp_path / "sweep.yaml"
    file.write_text(json.dumps(DOCUMENT | {"base": base, "measures": ["terminal_price"], "paths": 20}))

    done = CliRunner().invoke(app, ["sweep", str(file), "--workers", "0"])

    assert done.exit_code == 0
    assert "steps 64 were asked for, and the expiration ends it after 31" in done.stderr.splitlines()
