"""The command line of backups: what is wrong is one message, before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cluster.commands.backup import app
from cluster.instance.problem import InstanceProblem


def message(*arguments: str) -> str:
    outcome = CliRunner().invoke(app, list(arguments))
    assert isinstance(outcome.exception, InstanceProblem), outcome.output
    return str(outcome.exception)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("restore", "--from", "{folder}"), "backup not found: there is no complete one"),
        (("restore", "--from", "{folder}", "--backup", "nothing"), "backup not found: nothing"),
        (("restore", "--from", "{folder}", "--version", "1"), "version: is of a --configuration"),
        (("restore", "--from", "{folder}", "--as-of", "yesterday"), "as-of: must be an RFC 3339 instant"),
        (("create", "--to", "{folder}"), "Nothing is running here"),
        (("create",), "--to or OCS_BACKUP_TO must say where"),
        (("list",), "from: or OCS_BACKUP_TO must say where"),
        (("list", "--from", "gopher://somewhere/x"), "from: gopher://somewhere/x cannot be used"),
        (("verify", "--from", "{folder}"), "backup not found: there is no complete one"),
        (("prune", "--from", "{folder}", "--keep", "7"), "keep: must be four numbers"),
    ],
)
def test_bad_input_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)

    told = message(*(argument.format(folder=tmp_path) for argument in arguments))

    assert said in told
    assert "\n" not in told


@pytest.mark.parametrize("command", ["list", "verify", "restore", "prune"])
def test_a_folder_that_is_not_there_is_not_made_to_read_from(command: str, tmp_path: Path) -> None:
    misspelt = tmp_path / "bakcups"

    assert f"from: {misspelt} cannot be used: there is no such folder" in message(
        command, "--from", str(misspelt)
    )
    assert not misspelt.exists()


def test_that_there_is_no_backup_is_said(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["list", "--from", str(tmp_path)])

    assert shown.output == f"No backup is complete in {tmp_path}.\n"
