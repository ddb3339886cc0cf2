"""The command line of drills: what a machine lacks for one is a message, before anything is started."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from proving.drills.cli import app
from proving.drills.drills import DRILLS


def test_every_drill_is_listed_with_its_goal() -> None:
    shown = CliRunner().invoke(app, ["list"], env={"COLUMNS": "200"}).output

    assert all(f"{name} " in shown for name in DRILLS)
    assert "15 s, 0 steps lost" in shown


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lost-node", "several machines, in network namespaces, take Linux and root"),
        ("full-disk", "a small disk to fill takes root, who may mount one"),
        ("site-loss", "there is no mongod on the PATH"),
        ("lost-mongodb-primary", "there is no mongod on the PATH"),
        ("lost-redis-primary", "there is no redis-server on the PATH"),
    ],
)
def test_what_a_drill_takes_is_said(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", "/nowhere")

    outcome = CliRunner().invoke(app, ["run", name], env={"COLUMNS": "200"})

    assert (outcome.exit_code, outcome.output.strip().splitlines()[-1]) == (1, outcome.output.strip())
    assert said in outcome.output


def test_what_is_no_drill_is_told_those_there_are() -> None:
    outcome = CliRunner().invoke(app, ["run", "nothing"])

    assert outcome.exit_code == 2
    assert "lost-node" in outcome.output
