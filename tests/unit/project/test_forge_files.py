"""The files for the forge, which nothing here runs: each is what its schema says, and says what the project is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema.validators import validator_for
from pre_commit.clientlib import load_config

ROOT = Path(__file__).resolve().parents[3]
FILES = {
    "CITATION.cff": "citation-file-format",
    ".github/dependabot.yml": "dependabot",
    ".github/ISSUE_TEMPLATE/config.yml": "github-issue-config",
    ".github/ISSUE_TEMPLATE/bug.yml": "github-issue-forms",
    ".github/ISSUE_TEMPLATE/feature.yml": "github-issue-forms",
    ".github/workflows/ci.yml": "github-workflows",
    ".github/workflows/lock.yml": "github-workflows",
}


def read(name: str) -> Any:
    document = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    if True in document:  # YAML 1.1 takes the key `on` for true; the forge does not
        document["on"] = document.pop(True)
    return document


def refusals(schema_name: str, document: object) -> list[str]:
    schema = get_builtin_schema(f"vendor.{schema_name}")
    return [
        f"{error.json_path}: {error.message}" for error in validator_for(schema)(schema).iter_errors(document)
    ]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_its_schema_says(name: str) -> None:
    assert refusals(FILES[name], read(name)) == []


def test_a_schema_refuses_a_mistake() -> None:
    workflow = read(".github/workflows/ci.yml")
    workflow["jobs"]["all"]["run-on"] = workflow["jobs"]["all"].pop("runs-on")

    assert refusals("github-workflows", workflow)


def test_every_file_is_looked_at() -> None:
    found = {str(file.relative_to(ROOT)) for file in (ROOT / ".github").rglob("*.yml")}

    assert found == {name for name in FILES if name.startswith(".github/")}


def test_the_workflow_runs_what_a_contributor_runs_on_every_python_that_the_project_supports() -> None:
    job = read(".github/workflows/ci.yml")["jobs"]["all"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    supported = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))

    assert [step["run"] for step in job["steps"] if "run" in step] == ["bash .ci/run"]
    assert job["strategy"]["matrix"]["python"] == supported
    assert project["requires-python"] == f">={supported[0]}"


def test_pre_commit_takes_its_configuration() -> None:
    (repository,) = load_config(str(ROOT / ".pre-commit-config.yaml"))["repos"]

    assert [hook["entry"].split()[:2] for hook in repository["hooks"]] == [
        [".venv/bin/ruff", "check"],
        [".venv/bin/ruff", "format"],
    ]
