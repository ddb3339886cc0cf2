"""The units of systemd and the file of Ray's cluster launcher are what their programs take."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import ray
import yaml
from jsonschema import Draft7Validator
from typer.testing import CliRunner

from cluster.commands.app import app

ROOT = Path(__file__).resolve().parents[3]
UNITS = sorted((ROOT / "ray_config" / "systemd").glob("*.service"))
PROGRAM = "/opt/optionchain/bin/optionchain"


def commands(text: str) -> list[list[str]]:
    """What is run of ours, without what the shell or systemd puts in."""
    words = [line.partition(PROGRAM)[2].split() for line in text.splitlines() if PROGRAM in line]
    return [[word for word in command if word.isalpha() or word.startswith("--")] for command in words]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_takes_a_unit(unit: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    text = unit.read_text(encoding="utf-8").replace("User=optionchain", "User=root")
    copy = tmp_path / unit.name
    copy.write_text(text.replace(PROGRAM, "/bin/true"))

    verified = subprocess.run(
        [analyze, "verify", copy], capture_output=True, text=True, timeout=30, check=False
    )

    assert (verified.returncode, [line for line in verified.stderr.splitlines() if unit.name in line]) == (
        0,
        [],
    )


def test_the_launcher_starts_nodes_with_the_variables_of_nodes() -> None:
    given = yaml.safe_load((ROOT / "ray_config" / "cluster-launcher.yaml").read_text(encoding="utf-8"))

    for role in ("head", "worker"):
        first, start, *_ = given[f"{role}_start_ray_commands"]
        assert "ray_config/nodes/*.env" in first
        assert start.startswith(". ~/optionchain.sh; ")
        assert " ray start --" in start


def test_ray_takes_the_file_of_its_launcher() -> None:
    schema = json.loads((Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text())
    given = yaml.safe_load((ROOT / "ray_config" / "cluster-launcher.yaml").read_text(encoding="utf-8"))

    assert [error.message for error in Draft7Validator(schema).iter_errors(given)] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_what_a_unit_runs_is_a_command_with_such_options(unit: Path) -> None:
    found = commands(unit.read_text(encoding="utf-8"))

    assert found
    for name, *options in found:
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
        assert shown.exit_code == 0, name
        for option in options:
            if option.startswith("--"):
                assert option in shown.output, f"{name} {option}"
