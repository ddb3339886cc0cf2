"""The version stands once, and what cannot take it from there agrees."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml
from packaging.version import Version
from typer.testing import CliRunner

import optionchain_client
from cluster.commands.app import app
from optionchain import __version__

ROOT = Path(__file__).resolve().parents[3]


def test_the_distribution_takes_it_from_the_library() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "optionchain/__init__.py"
    assert str(Version(__version__)) == __version__


def test_the_client_has_it() -> None:
    assert optionchain_client.__version__ == __version__


def test_the_command_line_says_it() -> None:
    shown = CliRunner().invoke(app, ["--version"])

    assert (shown.exit_code, shown.stdout) == (0, f"optionchain {__version__}\n")


def test_the_citation_has_it() -> None:
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == __version__


def test_whoever_names_the_image_names_this_one() -> None:
    places = ["Dockerfile", "docker-compose.yml", ".env.example", "docs/deploy.md"]
    files = [ROOT / place for place in places] + sorted((ROOT / "k8s").rglob("*.yaml"))
    named = r"(?:optionchain-simulator:|newTag: |\bVERSION=|\$\{VERSION:-)(\d+\.\d+\.\d+)"
    tags = {file.name: re.findall(named, file.read_text(encoding="utf-8")) for file in files}

    assert {tag for found in tags.values() for tag in found} == {__version__}
    assert all(tags[name] for name in ("Dockerfile", "docker-compose.yml", ".env.example", "sweep-job.yaml"))


def test_the_changelog_has_no_later_release() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$", changelog, re.MULTILINE)

    assert changelog.count("\n## [Unreleased]\n") == 1
    assert released[:1] in ([], [__version__])
