"""The command line of history, on real servers."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from cluster.history_cli import app

CSV = "date,open,high,low,close\n2024-01-02,1,3,1,2\n2024-01-03,2,4,2,3\n"


@pytest.fixture
def run(mongo, redis, monkeypatch):
    monkeypatch.setenv("OCS_MONGO_URI", mongo.uri.get_secret_value())
    monkeypatch.setenv("OCS_MONGO_DATABASE", mongo.database)
    monkeypatch.setenv("OCS_REDIS_URL", redis.url)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_dry_run_shows_the_mapping_and_stores_nothing(run, tmp_path):
    file = tmp_path / "spx.csv"
    file.write_text(CSV)

    shown = run("import", file, "--asset", "SPX", "--dry-run")
    exported = run("export", tmp_path / "out.parquet", "--asset", "SPX")

    assert shown.exit_code == 0
    assert "%Y-%m-%d" in shown.output
    assert exported.exit_code == 1
    assert "prices not found: SPX Day" in " ".join(exported.output.split())


def test_what_is_imported_is_exported(run, tmp_path):
    file = tmp_path / "spx.csv"
    file.write_text(CSV)

    imported = run("import", file, "--asset", "SPX")
    exported = run("export", tmp_path / "out.parquet", "--asset", "SPX")

    assert (imported.exit_code, exported.exit_code) == (0, 0)
    assert "2 of 2 rows stored" in " ".join(imported.output.split())
    assert "2 rows in" in " ".join(exported.output.split())


def test_rejected_rows_end_with_a_failure_and_say_where_they_are(run, tmp_path):
    file = tmp_path / "spx.csv"
    file.write_text(CSV + "never,1,1,1,1\n")

    result = run("import", file, "--asset", "SPX")

    assert result.exit_code == 1
    assert "1 rows rejected" in " ".join(result.output.split())
    assert (tmp_path / "spx.csv.rejects.csv").exists()


@pytest.mark.parametrize(
    "wrong", [("--asset", "$where"), ("--format", "excel"), ("--timeframe", "Eon"), ("--date", "today")]
)
def test_a_wrong_option_is_one_line_that_names_it(run, tmp_path, wrong):
    file = tmp_path / "spx.csv"
    file.write_text(CSV)

    result = run("import", file, "--asset", "SPX", *wrong)

    assert result.exit_code == 1
    assert result.output.startswith(wrong[0].removeprefix("--"))
